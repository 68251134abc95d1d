-- Strings: what SQL's functions on texts give. A character is a code point, the first is at 1.
-- Arguments: texts, and whole numbers. NULL in, NULL out; a text longer than 1,048,576 characters
-- is NULL where a function would make one of nothing (repeat, lpad, rpad; 16,384 in version 2).
-- Errors raised: none.
-- Locks taken: none.

CREATE OR REPLACE MACRO sky.text_length_v1(t) AS
    CAST(length(t) AS INTEGER);

-- The characters first..first+n-1, as far as there are any; NULL where n is negative.
CREATE OR REPLACE MACRO sky.text_part_v1(t, first, n) AS
    CASE WHEN t IS NOT NULL AND first IS NOT NULL AND n >= 0 THEN substr(
        t,
        LEAST(GREATEST(CAST(first AS BIGINT), 1), 2000000000),
        LEAST(GREATEST(
            LEAST(CAST(first AS BIGINT), 2000000000) + LEAST(CAST(n AS BIGINT), 2000000000)
            - GREATEST(LEAST(CAST(first AS BIGINT), 2000000000), 1),
            0
        ), 1000000000)
    ) END;

CREATE OR REPLACE MACRO sky.text_place_v1(t, part) AS
    CAST(CASE WHEN t IS NOT NULL AND part = '' THEN 1 ELSE strpos(t, part) END AS INTEGER);

CREATE OR REPLACE MACRO sky.text_replaced_v1(t, part, by_) AS
    CASE WHEN part = '' AND by_ IS NOT NULL THEN t ELSE replace(t, part, by_) END;

CREATE OR REPLACE MACRO sky.text_trimmed_v1(t, characters) AS
    trim(t, characters);

CREATE OR REPLACE MACRO sky.text_trimmed_left_v1(t, characters) AS
    ltrim(t, characters);

CREATE OR REPLACE MACRO sky.text_trimmed_right_v1(t, characters) AS
    rtrim(t, characters);

-- The n-th field of a text that a separator divides, from the end where n is negative; NULL for 0.
CREATE OR REPLACE MACRO sky.text_field_v1(t, separator, n) AS
    CASE
        WHEN n = 0 OR n IS NULL OR t IS NULL THEN NULL
        WHEN separator = '' THEN CASE WHEN n IN (1, -1) THEN t ELSE '' END
        ELSE split_part(t, separator, n)
    END;

CREATE OR REPLACE MACRO sky.text_begins_v1(t, part) AS
    starts_with(t, part);

CREATE OR REPLACE MACRO sky.text_repeated_v1(t, n) AS
    CASE WHEN n IS NOT NULL AND length(t) * GREATEST(CAST(n AS BIGINT), 0) <= 1048576
        THEN repeat(t, GREATEST(CAST(n AS BIGINT), 0))
    END;

CREATE OR REPLACE MACRO sky.text_padded_left_v1(t, n, fill) AS
    CASE
        WHEN n IS NULL OR n > 1048576 THEN NULL
        WHEN fill = '' OR n <= length(t) THEN CASE WHEN fill IS NOT NULL THEN
            substr(t, 1, GREATEST(n, 0)) END
        ELSE lpad(t, CAST(GREATEST(n, 0) AS INTEGER), fill)
    END;

CREATE OR REPLACE MACRO sky.text_padded_right_v1(t, n, fill) AS
    CASE
        WHEN n IS NULL OR n > 1048576 THEN NULL
        WHEN fill = '' OR n <= length(t) THEN CASE WHEN fill IS NOT NULL THEN
            substr(t, 1, GREATEST(n, 0)) END
        ELSE rpad(t, CAST(GREATEST(n, 0) AS INTEGER), fill)
    END;

-- Versions 2 make at most 16,384 characters. The bound stands around the count, too: DuckDB folds
-- constants inside a branch that is never taken, and no interrupt ends the making of one text.
CREATE OR REPLACE MACRO sky.text_repeated_v2(t, n) AS
    CASE WHEN n IS NOT NULL AND length(t) * GREATEST(CAST(n AS BIGINT), 0) <= 16384
        THEN repeat(t, CASE
            WHEN length(t) * GREATEST(CAST(n AS BIGINT), 0) <= 16384
            THEN LEAST(GREATEST(CAST(n AS BIGINT), 0), 16384)
        END)
    END;

CREATE OR REPLACE MACRO sky.text_padded_left_v2(t, n, fill) AS
    CASE
        WHEN n IS NULL OR n > 16384 THEN NULL
        WHEN fill = '' OR n <= length(t) THEN CASE WHEN fill IS NOT NULL THEN
            substr(t, 1, GREATEST(n, 0)) END
        ELSE lpad(t, CAST(LEAST(GREATEST(n, 0), 16384) AS INTEGER), CASE WHEN fill <> '' THEN fill END)
    END;

CREATE OR REPLACE MACRO sky.text_padded_right_v2(t, n, fill) AS
    CASE
        WHEN n IS NULL OR n > 16384 THEN NULL
        WHEN fill = '' OR n <= length(t) THEN CASE WHEN fill IS NOT NULL THEN
            substr(t, 1, GREATEST(n, 0)) END
        ELSE rpad(t, CAST(LEAST(GREATEST(n, 0), 16384) AS INTEGER), CASE WHEN fill <> '' THEN fill END)
    END;

CREATE OR REPLACE MACRO sky.text_reversed_v1(t) AS
    CASE WHEN t = '' THEN '' ELSE
        array_to_string(list_reverse(list_transform(
            range(1, length(t) + 1), lambda i: substr(t, i, 1)
        )), '')
    END;

-- ASCII letters: the first of each run of letters and digits as A..Z, the others as a..z.
CREATE OR REPLACE MACRO sky.text_capitalised_v1(t) AS
    CASE WHEN t = '' THEN '' ELSE
        array_to_string(list_transform(range(1, length(t) + 1), lambda i:
            CASE WHEN i > 1 AND regexp_matches(substr(t, i - 1, 1), '[A-Za-z0-9]')
                THEN sky.lower_v1(substr(t, i, 1))
                ELSE sky.upper_v1(substr(t, i, 1))
            END
        ), '')
    END;

-- Whether a part of the text matches; patterns are those that `qserv` lets through.
CREATE OR REPLACE MACRO sky.text_matches_v1(t, pattern) AS
    regexp_matches(t, pattern, 's');
