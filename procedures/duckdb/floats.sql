-- Arithmetic of doubles that gives NULL where a result is too large; one too small is 0 already.
-- Arguments: doubles. NULL in, NULL out; what is infinite gives NULL.
-- Errors raised: none.
-- Locks taken: none.

-- As a range, which DuckDB leaves out where it knows that a column's numbers are within.
CREATE OR REPLACE MACRO sky.finite_v1(x) AS
    CASE WHEN x BETWEEN -1.7976931348623157e308 AND 1.7976931348623157e308 THEN x END;

CREATE OR REPLACE MACRO sky.plus_v1(x, y) AS
    sky.finite_v1(sky.finite_v1(x) + sky.finite_v1(y));

CREATE OR REPLACE MACRO sky.minus_v1(x, y) AS
    sky.finite_v1(sky.finite_v1(x) - sky.finite_v1(y));

CREATE OR REPLACE MACRO sky.times_v1(x, y) AS
    sky.finite_v1(sky.finite_v1(x) * sky.finite_v1(y));

CREATE OR REPLACE MACRO sky.over_v1(x, y) AS
    sky.finite_v1(sky.finite_v1(x) / NULLIF(sky.finite_v1(y), 0));
