-- Rounding of doubles; halves go away from zero.
-- Arguments: doubles; n, an integer, is the number of decimal digits kept (negative: left of the
--   point). A number that has no digits beyond n is given back as it is. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.ceiling_v1(x) AS
    ceil(x);

CREATE OR REPLACE MACRO sky.floor_v1(x) AS
    floor(x);

CREATE OR REPLACE MACRO sky.power_of_ten_v1(n) AS
    power(10e0, n);

-- The nearest whole number to one that is not negative.
CREATE OR REPLACE MACRO sky.half_up_v1(x) AS
    trunc(x) + CASE WHEN x - trunc(x) >= 0.5e0 THEN 1 ELSE 0 END;

CREATE OR REPLACE MACRO sky.round_v1(x, n) AS
    CASE
        WHEN n IS NULL OR NOT abs(x) < 'Infinity'::DOUBLE THEN NULL
        WHEN n > 300 THEN x
        -- From 2^52 on there is no fraction.
        WHEN n >= 0 AND abs(x) >= 4503599627370496e0 / sky.power_of_ten_v1(n) THEN x
        WHEN n >= 0 THEN
            sign(x) * sky.half_up_v1(abs(x) * sky.power_of_ten_v1(n)) / sky.power_of_ten_v1(n)
        WHEN n < -300 OR abs(x) < 1 THEN x * 0
        ELSE sign(x) * sky.half_up_v1(abs(x) / sky.power_of_ten_v1(-n)) * sky.power_of_ten_v1(-n)
    END;

CREATE OR REPLACE MACRO sky.truncate_v1(x, n) AS
    CASE
        WHEN n IS NULL OR NOT abs(x) < 'Infinity'::DOUBLE THEN NULL
        WHEN n > 300 THEN x
        -- From 2^52 on there is no fraction.
        WHEN n >= 0 AND abs(x) >= 4503599627370496e0 / sky.power_of_ten_v1(n) THEN x
        WHEN n >= 0 THEN
            sign(x) * trunc(abs(x) * sky.power_of_ten_v1(n)) / sky.power_of_ten_v1(n)
        WHEN n < -300 OR abs(x) < 1 THEN x * 0
        ELSE sign(x) * trunc(abs(x) / sky.power_of_ten_v1(-n)) * sky.power_of_ten_v1(-n)
    END;
