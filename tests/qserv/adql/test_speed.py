"""A typical text is parsed in less than the design's 2.5 ms, of processor time.

By the wall clock it is the same on a machine that does nothing else, and chance on one that does.
"""

import time
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
    runs_s = timeit.repeat(lambda: parse_adql(TEXT), timer=time.process_time, number=20, repeat=5)
    best_s = min(runs_s) / 20
    assert best_s < 2.5e-3
