-- Times: timestamps without zone, with steps of a microsecond.
-- Arguments: a time; the name of a field or of a unit, lower case; months and microseconds.
-- NULL in, NULL out.
-- Errors raised: a field or a unit that is none; a time beyond what the engine keeps.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.time_field_v1(field text, t timestamp)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_part(field, t);

CREATE OR REPLACE FUNCTION sky.time_floor_v1(unit text, t timestamp)
    RETURNS timestamp
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_trunc(unit, t);

-- Months first: the day is the month's last where the month has no such day.
CREATE OR REPLACE FUNCTION sky.time_moved_v1(t timestamp, months integer, microseconds bigint)
    RETURNS timestamp
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN t + make_interval(months => months)
        + make_interval(
            days => CAST(microseconds / 86400000000 AS integer),
            secs => CAST(microseconds % 86400000000 AS double precision) / 1e6
        );

-- Seconds from one time to another.
CREATE OR REPLACE FUNCTION sky.time_between_v1(later timestamp, earlier timestamp)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(date_part('epoch', later - earlier) AS double precision);
