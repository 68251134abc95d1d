"""A typical text is parsed in less than the design's 2.5 ms."""

import timeit

from qserv.adql import parse_adql

TEXT = """
SELECT TOP 100 o.objectId, o.coord_ra AS ra, o.coord_dec, s.psfFlux
FROM dp1.Object AS o JOIN dp1.ForcedSource AS s ON o.objectId = s.objectId
WHERE 1 = CONTAINS(POINT('ICRS', o.coord_ra, o.coord_dec), CIRCLE('ICRS', 53.1, -27.8, 0.1))
  AND s.band = 'r'
ORDER BY o.objectId
"""


def test_a_typical_text_is_parsed_in_two_and_a_half_milliseconds() -> None:
    best_s = min(timeit.repeat(lambda: parse_adql(TEXT), number=20, repeat=5)) / 20
    assert best_s < 2.5e-3
