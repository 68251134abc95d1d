-- Text: the case of ASCII letters, and numbers read from text.
-- Arguments: text. NULL in, NULL out; the text of NaN is a NULL number.
-- Errors raised: a text that is no number of the type, or out of its range.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.lower_v1(t) AS
    translate(t, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');

CREATE OR REPLACE MACRO sky.upper_v1(t) AS
    translate(t, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');

CREATE OR REPLACE MACRO sky.trimmed_v1(t) AS
    trim(t, E' \t\n\r\f\v');

-- The text of an integer as PostgreSQL reads it; else a text that no cast will read.
CREATE OR REPLACE MACRO sky.integer_text_v1(t) AS
    CASE WHEN regexp_full_match(sky.trimmed_v1(t), '[+-]?[0-9]+')
        THEN sky.trimmed_v1(t)
        ELSE 'no integer: ' || t
    END;

-- Likewise of a floating number.
CREATE OR REPLACE MACRO sky.number_text_v1(t) AS
    CASE WHEN regexp_full_match(
            lower(sky.trimmed_v1(t)),
            '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?|nan'
        )
        THEN sky.trimmed_v1(t)
        ELSE 'no number: ' || t
    END;

CREATE OR REPLACE MACRO sky.text_to_short_v1(t) AS
    CAST(sky.integer_text_v1(t) AS SMALLINT);

CREATE OR REPLACE MACRO sky.text_to_int_v1(t) AS
    CAST(sky.integer_text_v1(t) AS INTEGER);

CREATE OR REPLACE MACRO sky.text_to_long_v1(t) AS
    CAST(sky.integer_text_v1(t) AS BIGINT);

CREATE OR REPLACE MACRO sky.text_to_float_v1(t) AS
    NULLIF(CAST(sky.number_text_v1(t) AS REAL), 'NaN'::REAL);

CREATE OR REPLACE MACRO sky.text_to_double_v1(t) AS
    NULLIF(CAST(sky.number_text_v1(t) AS DOUBLE), 'NaN'::DOUBLE);
