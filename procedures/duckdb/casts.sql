-- Conversions that the engines' own casts do differently.
-- Arguments: one value. NULL in, NULL out.
-- Errors raised: a text that is no value of the type.
-- Locks taken: none.

-- '1234567.5' as '1.2345675e+06': how PostgreSQL writes large numbers.
CREATE OR REPLACE MACRO sky.scientific_v1(digits) AS
    left(digits, 1)
    || rtrim('.' || rtrim(replace(substr(digits, 2), '.', ''), '0'), '.')
    || 'e+' || lpad(CAST(strpos(digits, '.') - 2 AS VARCHAR), 2, '0');

-- A number's shortest text as PostgreSQL writes it, with an exponent from `large` on.
CREATE OR REPLACE MACRO sky.plain_text_v1(x, large) AS
    CASE
        WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
        WHEN abs(x) >= large AND strpos(CAST(abs(x) AS VARCHAR), 'e') = 0
            THEN CASE WHEN x < 0 THEN '-' ELSE '' END
                || sky.scientific_v1(CAST(abs(x) AS VARCHAR))
        ELSE regexp_replace(CAST(x AS VARCHAR), '[.]0$', '')
    END;

CREATE OR REPLACE MACRO sky.float_to_text_v1(x) AS
    sky.plain_text_v1(x, 1e6);

CREATE OR REPLACE MACRO sky.double_to_text_v1(x) AS
    sky.plain_text_v1(x, 1e15);

-- ISO 8601 with a blank between day and time, as PostgreSQL writes it.
CREATE OR REPLACE MACRO sky.timestamp_to_text_v1(t) AS
    CAST(t AS VARCHAR);

-- ISO 8601 without zone, or with Z; anything else is an error.
CREATE OR REPLACE MACRO sky.text_to_timestamp_v1(t) AS
    CAST(
        CASE WHEN regexp_full_match(
                trim(t),
                '[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?Z?)?'
            )
            THEN replace(replace(trim(t), 'T', ' '), 'Z', '')
            ELSE 'no time: ' || t
        END AS TIMESTAMP);

CREATE OR REPLACE MACRO sky.text_to_boolean_v1(t) AS
    CASE
        WHEN sky.lower_v1(trim(t)) IN ('true', 't', 'yes', 'on', '1') THEN true
        WHEN sky.lower_v1(trim(t)) IN ('false', 'f', 'no', 'off', '0') THEN false
        ELSE CAST('no truth value: ' || t AS BOOLEAN)
    END;

-- The first n characters, as CAST(... AS VARCHAR(n)) keeps them.
CREATE OR REPLACE MACRO sky.cut_v1(t, n) AS
    left(t, n);
