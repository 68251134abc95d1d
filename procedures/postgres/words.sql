-- Texts as the IVOA's Catalogue of ADQL User Defined Functions 1.2 has them: words, lists of words
-- and angles written in sixties.
-- Arguments: texts. NULL in, NULL out. Only ASCII's letters have two cases.
-- Errors raised: none.
-- Locks taken: none.

-- The words of a text, small, with one blank before each: runs of letters, digits and all that is
-- not ASCII.
CREATE OR REPLACE FUNCTION sky.words_v1(t text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(
        ' ' || lower(t COLLATE "C"),
        '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+' COLLATE "C",
        ' ',
        'g'
    );

-- 1 where each word of needle begins a word of haystack, else 0.
CREATE OR REPLACE FUNCTION sky.ivo_hasword_v1(haystack text, needle text)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN haystack IS NOT NULL AND needle IS NOT NULL THEN (
        SELECT CAST(coalesce(bool_and(
            position(' ' || word IN sky.words_v1(haystack)) > 0
        ), true) AS integer)
        FROM unnest(string_to_array(sky.words_v1(needle), ' ')) AS word
        WHERE word <> ''
    ) END;

-- 1 where item is one of the words between the # of hashlist, else 0.
CREATE OR REPLACE FUNCTION sky.ivo_hashlist_has_v1(hashlist text, item text)
    RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN hashlist IS NULL OR item IS NULL THEN NULL
        WHEN position('#' IN item) > 0 THEN 0
        WHEN position(
            '#' || lower(item COLLATE "C") || '#' IN '#' || lower(hashlist COLLATE "C") || '#'
        ) > 0 THEN 1
        ELSE 0
    END;

-- 'a:b:c', with one digit or more each and decimals in the last, as a number of whole a's; NULL for
-- any other text, and where b or c is 60 or more.
CREATE OR REPLACE FUNCTION sky.sixties_v1(t text)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN t ~ '^[0-9]{1,3}:[0-5]?[0-9]:[0-5]?[0-9]([.][0-9]*)?$'
        THEN CAST(split_part(t, ':', 1) AS double precision)
            + CAST(split_part(t, ':', 2) AS double precision) / 60
            + CAST(rtrim(split_part(t, ':', 3), '.') AS double precision) / 3600
    END;

-- The three ways of writing sixties as one, 'a:b:c', whatever they are; first is the letter that
-- may stand after a, small and large.
CREATE OR REPLACE FUNCTION sky.colons_v1(t text, first text)
    RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(
        btrim(t),
        '^([+-]?[0-9]+)[' || first || ']([0-9]+)[mM]([0-9.]+)[sS]$', '\1:\2:\3'),
        '^([+-]?[0-9]{2,3})([0-9]{2})([0-9]{2}([.][0-9]*)?)$', '\1:\2:\3'
    );

-- Hours, minutes and seconds, 'h:m:s', 'hhmmss' or 'hHmMsS', below 24 hours, as degrees.
CREATE OR REPLACE FUNCTION sky.ivo_hms_to_degrees_v1(hms text)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN sky.colons_v1(hms, 'hH') ~ '^([01]?[0-9]|2[0-3]):'
        THEN 15 * sky.sixties_v1(sky.colons_v1(hms, 'hH'))
    END;

-- Degrees, minutes and seconds, 'd:m:s', 'ddmmss' or 'dDmMsS', perhaps signed, within 360 degrees.
CREATE OR REPLACE FUNCTION sky.ivo_dms_to_degrees_v1(dms text)
    RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN sky.colons_v1(dms, 'dD') ~ '^[+-]?([0-2]?[0-9]?[0-9]|3[0-5][0-9]):'
        THEN CASE WHEN left(btrim(dms), 1) = '-' THEN -1 ELSE 1 END
            * sky.sixties_v1(ltrim(sky.colons_v1(dms, 'dD'), '+-'))
    END;
