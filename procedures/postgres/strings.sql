-- Strings: what SQL's functions on texts give. A character is a code point, the first is at 1.
-- Arguments: texts, and whole numbers. NULL in, NULL out; a text longer than 1,048,576 characters
-- is NULL where a function would make one of nothing (repeat, lpad, rpad; 16,384 in version 2).
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE FUNCTION sky.text_length_v1(t text)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN length(t);

-- The characters first..first+n-1, as far as there are any; NULL where n is negative.
CREATE OR REPLACE FUNCTION sky.text_part_v1(t text, first bigint, n bigint)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n >= 0 AND first IS NOT NULL THEN substr(
        t,
        CAST(LEAST(GREATEST(first, 1), 2000000000) AS integer),
        CAST(LEAST(GREATEST(
            LEAST(first, 2000000000) + LEAST(n, 2000000000) - GREATEST(LEAST(first, 2000000000), 1),
            0
        ), 1000000000) AS integer)
    ) END;

CREATE OR REPLACE FUNCTION sky.text_place_v1(t text, part text)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN part = '' THEN 1 ELSE strpos(t, part) END;

CREATE OR REPLACE FUNCTION sky.text_replaced_v1(t text, part text, by text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN replace(t, part, by);

CREATE OR REPLACE FUNCTION sky.text_trimmed_v1(t text, characters text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN btrim(t, characters);

CREATE OR REPLACE FUNCTION sky.text_trimmed_left_v1(t text, characters text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ltrim(t, characters);

CREATE OR REPLACE FUNCTION sky.text_trimmed_right_v1(t text, characters text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN rtrim(t, characters);

-- The n-th field of a text that a separator divides, from the end where n is negative; NULL for 0.
CREATE OR REPLACE FUNCTION sky.text_field_v1(t text, separator text, n integer)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN n = 0 THEN NULL
        WHEN separator = '' THEN CASE WHEN n IN (1, -1) THEN t ELSE '' END
        ELSE split_part(t, separator, n)
    END;

CREATE OR REPLACE FUNCTION sky.text_begins_v1(t text, part text)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN starts_with(t, part);

CREATE OR REPLACE FUNCTION sky.text_repeated_v1(t text, n integer)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n IS NOT NULL AND CAST(length(t) AS bigint) * GREATEST(n, 0) <= 1048576
        THEN repeat(t, GREATEST(n, 0))
    END;

CREATE OR REPLACE FUNCTION sky.text_padded_left_v1(t text, n integer, fill text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n <= 1048576 THEN lpad(t, GREATEST(n, 0), fill) END;

CREATE OR REPLACE FUNCTION sky.text_padded_right_v1(t text, n integer, fill text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n <= 1048576 THEN rpad(t, GREATEST(n, 0), fill) END;

-- Versions 2 make at most 16,384 characters. The bound stands around the count, too: DuckDB folds
-- constants inside a branch that is never taken, and no interrupt ends the making of one text.
CREATE OR REPLACE FUNCTION sky.text_repeated_v2(t text, n integer)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n IS NOT NULL AND CAST(length(t) AS bigint) * GREATEST(n, 0) <= 16384
        THEN repeat(t, LEAST(GREATEST(n, 0), 16384))
    END;

CREATE OR REPLACE FUNCTION sky.text_padded_left_v2(t text, n integer, fill text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n <= 16384 THEN lpad(t, LEAST(GREATEST(n, 0), 16384), fill) END;

CREATE OR REPLACE FUNCTION sky.text_padded_right_v2(t text, n integer, fill text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN n <= 16384 THEN rpad(t, LEAST(GREATEST(n, 0), 16384), fill) END;

CREATE OR REPLACE FUNCTION sky.text_reversed_v1(t text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN reverse(t);

-- ASCII letters: the first of each run of letters and digits as A..Z, the others as a..z.
CREATE OR REPLACE FUNCTION sky.text_capitalised_v1(t text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN initcap(t COLLATE "C");

-- Whether a part of the text matches; patterns are those that `qserv` lets through.
CREATE OR REPLACE FUNCTION sky.text_matches_v1(t text, pattern text)
    RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN t COLLATE "C" ~ pattern;
