-- Text: the case of ASCII letters, and numbers read from text.
-- Arguments: text. NULL in, NULL out; the text of NaN is a NULL number.
-- Errors raised: a text that is no number of the type, or out of its range.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.lower_v1(t) AS
    translate(t, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');

CREATE OR REPLACE MACRO sky.upper_v1(t) AS
    translate(t, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ');

CREATE OR REPLACE MACRO sky.text_to_short_v1(t) AS
    CAST(CASE WHEN regexp_full_match(trim(t, E' \t\n\r\f\v'), '[+-]?[0-9]+') THEN trim(t, E' \t\n\r\f\v') ELSE 'no integer: ' || t END AS SMALLINT);

CREATE OR REPLACE MACRO sky.text_to_int_v1(t) AS
    CAST(CASE WHEN regexp_full_match(trim(t, E' \t\n\r\f\v'), '[+-]?[0-9]+') THEN trim(t, E' \t\n\r\f\v') ELSE 'no integer: ' || t END AS INTEGER);

CREATE OR REPLACE MACRO sky.text_to_long_v1(t) AS
    CAST(CASE WHEN regexp_full_match(trim(t, E' \t\n\r\f\v'), '[+-]?[0-9]+') THEN trim(t, E' \t\n\r\f\v') ELSE 'no integer: ' || t END AS BIGINT);

CREATE OR REPLACE MACRO sky.text_to_float_v1(t) AS
    NULLIF(CAST(CASE WHEN regexp_full_match(lower(trim(t, E' \t\n\r\f\v')), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?|nan') THEN trim(t, E' \t\n\r\f\v') ELSE 'no number: ' || t END AS REAL), 'NaN'::REAL);

CREATE OR REPLACE MACRO sky.text_to_double_v1(t) AS
    NULLIF(CAST(CASE WHEN regexp_full_match(lower(trim(t, E' \t\n\r\f\v')), '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[+-]?[0-9]+)?|[+-]?inf(inity)?|nan') THEN trim(t, E' \t\n\r\f\v') ELSE 'no number: ' || t END AS DOUBLE), 'NaN'::DOUBLE);
