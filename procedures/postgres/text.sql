-- Text: the case of ASCII letters, and numbers read from text.
-- Arguments: text. NULL in, NULL out; the text of NaN is a NULL number.
-- Errors raised: a text that is no number of the type, or out of its range.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.lower_v1(t text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN lower(t COLLATE "C");

CREATE OR REPLACE FUNCTION sky.upper_v1(t text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN upper(t COLLATE "C");

CREATE OR REPLACE FUNCTION sky.text_to_short_v1(t text)
    RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(t AS smallint);

CREATE OR REPLACE FUNCTION sky.text_to_int_v1(t text)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(t AS integer);

CREATE OR REPLACE FUNCTION sky.text_to_long_v1(t text)
    RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(t AS bigint);

CREATE OR REPLACE FUNCTION sky.text_to_float_v1(t text)
    RETURNS real
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN NULLIF(CAST(t AS real), 'NaN');

CREATE OR REPLACE FUNCTION sky.text_to_double_v1(t text)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN NULLIF(CAST(t AS double precision), 'NaN');
