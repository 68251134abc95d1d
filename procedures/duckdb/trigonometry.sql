-- Trigonometry in radians; an argument outside the domain gives NULL.
-- Arguments: doubles. NULL in, NULL out.
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.degrees_v1(x) AS
    degrees(x);

CREATE OR REPLACE MACRO sky.radians_v1(x) AS
    radians(x);

CREATE OR REPLACE MACRO sky.sin_v1(x) AS
    CASE WHEN abs(x) < 'Infinity'::DOUBLE THEN sin(x) END;

CREATE OR REPLACE MACRO sky.cos_v1(x) AS
    CASE WHEN abs(x) < 'Infinity'::DOUBLE THEN cos(x) END;

CREATE OR REPLACE MACRO sky.tan_v1(x) AS
    CASE WHEN abs(x) < 'Infinity'::DOUBLE THEN tan(x) END;

CREATE OR REPLACE MACRO sky.cot_v1(x) AS
    CASE WHEN abs(x) < 'Infinity'::DOUBLE AND abs(x) > 1e-300 THEN 1 / tan(x) END;

CREATE OR REPLACE MACRO sky.asin_v1(x) AS
    CASE WHEN x BETWEEN -1 AND 1 THEN asin(x) END;

CREATE OR REPLACE MACRO sky.acos_v1(x) AS
    CASE WHEN x BETWEEN -1 AND 1 THEN acos(x) END;

CREATE OR REPLACE MACRO sky.atan_v1(x) AS
    atan(x);

CREATE OR REPLACE MACRO sky.atan2_v1(y, x) AS
    atan2(y, x);
