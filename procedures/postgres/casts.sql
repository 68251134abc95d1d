-- Conversions that the engines' own casts do differently.
-- Arguments: one value. NULL in, NULL out.
-- Errors raised: a text that is no value of the type.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.float_to_text_v1(x real)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(x AS text);

CREATE OR REPLACE FUNCTION sky.double_to_text_v1(x double precision)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(x AS text);

-- ISO 8601 with a blank between day and time, as PostgreSQL writes it.
CREATE OR REPLACE FUNCTION sky.timestamp_to_text_v1(t timestamp)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(t AS text);

-- ISO 8601 without zone, or with Z; anything else is an error.
CREATE OR REPLACE FUNCTION sky.text_to_timestamp_v1(t text)
    RETURNS timestamp
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(
        CASE WHEN btrim(t) ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?Z?)?$'
            THEN replace(replace(btrim(t), 'T', ' '), 'Z', '')
            ELSE 'no time: ' || t
        END AS timestamp);

CREATE OR REPLACE FUNCTION sky.text_to_boolean_v1(t text)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN lower(btrim(t) COLLATE "C") IN ('true', 't', 'yes', 'on', '1') THEN true
        WHEN lower(btrim(t) COLLATE "C") IN ('false', 'f', 'no', 'off', '0') THEN false
        ELSE CAST('no truth value: ' || t AS boolean)
    END;

-- The first n characters, as CAST(... AS VARCHAR(n)) keeps them.
CREATE OR REPLACE FUNCTION sky.cut_v1(t text, n integer)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN "left"(t, n);
