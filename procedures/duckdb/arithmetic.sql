-- Arithmetic whose domain errors are NULL: logarithms, roots, powers, division, remainders.
-- Arguments: doubles; idiv and imod of smallint, integer or bigint. NULL in, NULL out; an infinite
--   or NaN argument gives NULL where PostgreSQL's own function would raise.
-- Errors raised: integer overflow of idiv (the least integer by -1), as PostgreSQL raises it.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.idiv_v1(a, b) AS
    a // NULLIF(b, 0);

CREATE OR REPLACE MACRO sky.imod_v1(a, b) AS
    a % NULLIF(b, 0);

CREATE OR REPLACE MACRO sky.div_v1(x, y) AS
    x / NULLIF(y, 0);

CREATE OR REPLACE MACRO sky.mod_v1(x, y) AS
    CASE
        WHEN NOT (abs(x) < 'Infinity'::DOUBLE AND abs(y) < 'Infinity'::DOUBLE) OR y = 0 THEN NULL
        WHEN abs(x) < abs(y) THEN x
        WHEN abs(y) < 1 AND abs(x) >= abs(y) * 1e300 THEN NULL
        -- A quotient that rounds up to the next integer leaves a remainder of the other sign.
        WHEN (x - y * trunc(x / y)) * sign(x) < 0
            THEN x - y * trunc(x / y) + sign(x) * abs(y)
        ELSE x - y * trunc(x / y)
    END;

CREATE OR REPLACE MACRO sky.ln_v1(x) AS
    CASE WHEN x > 0 AND x < 'Infinity'::DOUBLE THEN ln(x) END;

CREATE OR REPLACE MACRO sky.log10_v1(x) AS
    CASE WHEN x > 0 AND x < 'Infinity'::DOUBLE THEN log10(x) END;

CREATE OR REPLACE MACRO sky.sqrt_v1(x) AS
    CASE WHEN x >= 0 AND x < 'Infinity'::DOUBLE THEN sqrt(x) END;

CREATE OR REPLACE MACRO sky.exp_v1(x) AS
    CASE WHEN x > 709.78e0 THEN NULL WHEN x < -744.4e0 THEN 0.0e0 ELSE exp(x) END;

CREATE OR REPLACE MACRO sky.power_v1(x, y) AS
    CASE
        WHEN x = 0 THEN CASE WHEN y > 0 THEN 0.0e0 WHEN y = 0 THEN 1.0e0 END
        WHEN x < 0 AND y <> floor(y) THEN NULL
        WHEN NOT (abs(x) < 'Infinity'::DOUBLE AND abs(y) < 1e300) THEN NULL
        WHEN y * ln(abs(x)) > 709.78e0 THEN NULL
        WHEN y * ln(abs(x)) < -744.4e0 THEN 0.0e0
        ELSE power(x, y)
    END;

CREATE OR REPLACE MACRO sky.sign_v1(x) AS
    CASE WHEN x > 0 THEN 1.0e0 WHEN x < 0 THEN -1.0e0 WHEN x = 0 THEN 0.0e0 END;

CREATE OR REPLACE MACRO sky.abs_v1(x) AS
    abs(x);
