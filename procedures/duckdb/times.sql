-- Times: timestamps without zone, with steps of a microsecond.
-- Arguments: a time; the name of a field or of a unit, lower case; months and microseconds.
-- NULL in, NULL out.
-- Errors raised: a field or a unit that is none; a time beyond what the engine keeps.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.time_field_v1(field, t) AS
    CASE field
        WHEN 'second' THEN CAST(date_part('microseconds', t) AS DOUBLE) / 1e6
        WHEN 'milliseconds' THEN CAST(date_part('microseconds', t) AS DOUBLE) / 1e3
        WHEN 'epoch' THEN CAST(epoch_us(t) AS DOUBLE) / 1e6
        ELSE CAST(date_part(field, t) AS DOUBLE)
    END;

CREATE OR REPLACE MACRO sky.time_floor_v1(unit, t) AS
    CAST(date_trunc(unit, t) AS TIMESTAMP);

-- Months first: the day is the month's last where the month has no such day.
CREATE OR REPLACE MACRO sky.time_moved_v1(t, months, microseconds_) AS
    t + to_months(CAST(months AS INTEGER)) + to_microseconds(CAST(microseconds_ AS BIGINT));

-- Seconds from one time to another.
CREATE OR REPLACE MACRO sky.time_between_v1(later, earlier) AS
    CAST(epoch_us(later) - epoch_us(earlier) AS DOUBLE) / 1e6;
