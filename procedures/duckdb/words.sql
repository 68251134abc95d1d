-- Texts as the IVOA's Catalogue of ADQL User Defined Functions 1.2 has them: words, lists of words
-- and angles written in sixties.
-- Arguments: texts. NULL in, NULL out. Only ASCII's letters have two cases.
-- Errors raised: none.
-- Locks taken: none.

-- The words of a text, small, with one blank before each: runs of letters, digits and all that is
-- not ASCII.
CREATE OR REPLACE MACRO sky.words_v1(t) AS
    regexp_replace(
        ' ' || sky.lower_v1(t), '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+', ' ', 'g'
    );

-- 1 where each word of needle begins a word of haystack, else 0.
CREATE OR REPLACE MACRO sky.ivo_hasword_v1(haystack, needle) AS
    CASE
        WHEN haystack IS NULL OR needle IS NULL THEN NULL
        WHEN len(list_filter(
            string_split(sky.words_v1(needle), ' '),
            lambda word: word <> '' AND NOT contains(sky.words_v1(haystack), ' ' || word)
        )) = 0 THEN 1
        ELSE 0
    END;

-- 1 where item is one of the words between the # of hashlist, else 0.
CREATE OR REPLACE MACRO sky.ivo_hashlist_has_v1(hashlist, item) AS
    CASE
        WHEN hashlist IS NULL OR item IS NULL THEN NULL
        WHEN contains(item, '#') THEN 0
        WHEN contains(
            '#' || sky.lower_v1(hashlist) || '#', '#' || sky.lower_v1(item) || '#'
        ) THEN 1
        ELSE 0
    END;

-- 'a:b:c', with one digit or more each and decimals in the last, as a number of whole a's; NULL for
-- any other text, and where b or c is 60 or more.
CREATE OR REPLACE MACRO sky.sixties_v1(t) AS
    CASE WHEN regexp_matches(t, '^[0-9]{1,3}:[0-5]?[0-9]:[0-5]?[0-9]([.][0-9]*)?$')
        THEN TRY_CAST(split_part(t, ':', 1) AS DOUBLE)
            + TRY_CAST(split_part(t, ':', 2) AS DOUBLE) / 60
            + TRY_CAST(rtrim(split_part(t, ':', 3), '.') AS DOUBLE) / 3600
    END;

-- The three ways of writing sixties as one, 'a:b:c', whatever they are; first is the letter that
-- may stand after a, small and large.
CREATE OR REPLACE MACRO sky.colons_v1(t, first) AS
    regexp_replace(regexp_replace(
        trim(t),
        '^([+-]?[0-9]+)[' || first || ']([0-9]+)[mM]([0-9.]+)[sS]$', '\1:\2:\3'),
        '^([+-]?[0-9]{2,3})([0-9]{2})([0-9]{2}([.][0-9]*)?)$', '\1:\2:\3'
    );

-- Hours, minutes and seconds, 'h:m:s', 'hhmmss' or 'hHmMsS', below 24 hours, as degrees.
CREATE OR REPLACE MACRO sky.ivo_hms_to_degrees_v1(hms) AS
    CASE WHEN regexp_matches(sky.colons_v1(hms, 'hH'), '^([01]?[0-9]|2[0-3]):')
        THEN 15 * sky.sixties_v1(sky.colons_v1(hms, 'hH'))
    END;

-- Degrees, minutes and seconds, 'd:m:s', 'ddmmss' or 'dDmMsS', perhaps signed, within 360 degrees.
CREATE OR REPLACE MACRO sky.ivo_dms_to_degrees_v1(dms) AS
    CASE WHEN regexp_matches(
        sky.colons_v1(dms, 'dD'), '^[+-]?([0-2]?[0-9]?[0-9]|3[0-5][0-9]):'
    )
        THEN CASE WHEN left(trim(dms), 1) = '-' THEN -1 ELSE 1 END
            * sky.sixties_v1(ltrim(sky.colons_v1(dms, 'dD'), '+-'))
    END;
