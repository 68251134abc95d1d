"""What SQL's functions on texts and times give, for both engines; by PostgreSQL's documentation."""

from __future__ import annotations

from datetime import datetime

LEAP = datetime(2024, 2, 29, 13, 45, 6, 250_000)  # noqa: DTZ001 (timestamps have no zone)
SUNDAY = datetime(2026, 1, 4)  # noqa: DTZ001
LAST_OF_JANUARY = datetime(2026, 1, 31, 12)  # noqa: DTZ001

TEXTS_AND_TIMES: list[tuple[str, tuple[object, ...], object]] = [
    ("text_length", ("añ\u0301b",), 4),
    ("text_length", ("",), 0),
    ("text_part", ("abcdef", 2, 3), "bcd"),
    ("text_part", ("abcdef", 0, 2), "a"),
    ("text_part", ("abcdef", -1, 4), "ab"),
    ("text_part", ("abcdef", -5, 2), ""),
    ("text_part", ("abcdef", 3, 2**40), "cdef"),
    ("text_part", ("abcdef", 2**40, 3), ""),
    ("text_part", ("abcdef", 3, -1), None),
    ("text_part", ("añb", 2, 1), "ñ"),
    ("text_place", ("abcabc", "ca"), 3),
    ("text_place", ("abc", "x"), 0),
    ("text_place", ("abc", ""), 1),
    ("text_replaced", ("banana", "an", "x"), "bxxa"),
    ("text_replaced", ("banana", "", "x"), "banana"),
    ("text_trimmed", ("xyabcyx", "xy"), "abc"),
    ("text_trimmed", ("  a ", " "), "a"),
    ("text_trimmed_left", ("xxax", "x"), "ax"),
    ("text_trimmed_right", ("xaxx", "x"), "xa"),
    ("text_field", ("a,b,c", ",", 2), "b"),
    ("text_field", ("a,b,c", ",", -1), "c"),
    ("text_field", ("a,b,c", ",", 9), ""),
    ("text_field", ("a,b,c", ",", 0), None),
    ("text_field", ("a,b,c", "", 1), "a,b,c"),
    ("text_field", ("a,b,c", "", 2), ""),
    ("text_begins", ("abc", "ab"), True),
    ("text_begins", ("abc", "b"), False),
    ("text_begins", ("abc", ""), True),
    ("text_repeated", ("ab", 3), "ababab"),
    ("text_repeated", ("ab", -1), ""),
    ("text_repeated", ("ab", 2**30), None),
    ("text_repeated", ("ab", 8192), "ab" * 8192),
    ("text_repeated", ("ab", 8193), None),
    ("text_repeated", ("", 2_000_000_000), ""),
    ("text_repeated", (None, 2_000_000_000), None),
    ("text_padded_left", ("abc", 5, "xy"), "xyabc"),
    ("text_padded_left", ("abc", 2, "xy"), "ab"),
    ("text_padded_left", ("abc", 5, ""), "abc"),
    ("text_padded_left", ("abc", -1, "x"), ""),
    ("text_padded_left", ("abc", 2**30, "x"), None),
    ("text_padded_left", ("X", 2_000_000_000, " "), None),
    ("text_padded_left", ("b", 16_384, "a"), "a" * 16_383 + "b"),
    ("text_padded_left", ("b", 16_385, "a"), None),
    ("text_padded_left", ("b", 5, None), None),
    ("text_padded_right", ("abc", 6, "xy"), "abcxyx"),
    ("text_padded_right", ("abc", 2, "xy"), "ab"),
    ("text_padded_right", ("X", 2_000_000_000, " "), None),
    ("text_padded_right", ("abc", 5, ""), "abc"),
    ("text_padded_right", ("b", 16_385, "a"), None),
    ("text_reversed", ("abñ",), "ñba"),
    ("text_reversed", ("",), ""),
    ("text_capitalised", ("hello wORLD 3rd-day",), "Hello World 3rd-Day"),
    ("text_capitalised", ("",), ""),
    ("text_matches", ("a\nb", "a.b"), True),
    ("text_matches", ("abc", "^b"), False),
    ("text_matches", ("a\nb", "a$"), False),
    ("text_matches", ("x12y", "\\d{2}"), True),
    ("text_matches", ("é", "\\w"), False),
    ("time_field", ("year", LEAP), 2024.0),
    ("time_field", ("quarter", LEAP), 1.0),
    ("time_field", ("doy", LEAP), 60.0),
    ("time_field", ("week", LEAP), 9.0),
    ("time_field", ("dow", SUNDAY), 0.0),
    ("time_field", ("isodow", SUNDAY), 7.0),
    ("time_field", ("second", LEAP), 6.25),
    ("time_field", ("milliseconds", LEAP), 6250.0),
    ("time_field", ("microseconds", LEAP), 6_250_000.0),
    ("time_field", ("epoch", LEAP), 1709214306.25),
    ("time_floor", ("week", LEAP), datetime(2024, 2, 26)),  # noqa: DTZ001
    ("time_floor", ("quarter", LEAP), datetime(2024, 1, 1)),  # noqa: DTZ001
    ("time_floor", ("second", LEAP), LEAP.replace(microsecond=0)),
    ("time_moved", (LAST_OF_JANUARY, 1, 0), datetime(2026, 2, 28, 12)),  # noqa: DTZ001
    ("time_moved", (LAST_OF_JANUARY, 0, -1), datetime(2026, 1, 31, 11, 59, 59, 999_999)),  # noqa: DTZ001
    ("time_moved", (LEAP, -12, 86_400_000_000), datetime(2023, 3, 1, 13, 45, 6, 250_000)),  # noqa: DTZ001
    ("time_between", (LEAP, LEAP.replace(microsecond=0)), 0.25),
    ("time_between", (SUNDAY, LAST_OF_JANUARY), -2376000.0),
]
