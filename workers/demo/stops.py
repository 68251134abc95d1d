"""The stops of the tour: what an astronomer asks, in ADQL."""

from __future__ import annotations

from dataclasses import dataclass

from workers.simulate.population import CLUSTERS

SHOWN_ROWS = 6
_HEART = CLUSTERS[1]


@dataclass(frozen=True, slots=True)
class Stop:
    """One query of the tour and what it is for."""

    title: str
    adql: str


def density_map(order: int) -> Stop:
    """Counts by HEALPix pixel of an order."""
    pixel = f"IVO_HEALPIX_INDEX({order}, coord_ra, coord_dec)"
    return Stop(
        "How many objects are in each part of the sky?",
        f"""SELECT {pixel} AS pixel, COUNT(*) AS objects
FROM dp1.Object
GROUP BY {pixel}
ORDER BY objects DESC""",
    )


def stops(star: int, map_stop: Stop) -> tuple[Stop, ...]:
    """The tour; `star` is the objectId of a variable star worth a look."""
    return (
        Stop(
            "The brightest stars within 30 arcsec of a globular cluster's heart",
            f"""SELECT TOP 5 objectId, coord_ra, coord_dec, g_psfMag, r_psfMag
FROM dp1.Object
WHERE 1 = CONTAINS(POINT(coord_ra, coord_dec), CIRCLE({_HEART.ra}, {_HEART.dec}, 30.0 / 3600))
ORDER BY r_psfMag""",
        ),
        Stop(
            "The light curve of a variable star, by its id",
            f"""SELECT visit, band, psfFlux, psfFluxErr
FROM dp1.ForcedSource
WHERE objectId = {star} AND band = 'g'
ORDER BY visit""",
        ),
        Stop(
            "Quasar candidates: a colour cut over the whole sky",
            """SELECT COUNT(*) AS candidates, AVG(i_psfMag) AS mean_i, MIN(i_psfMag) AS brightest_i
FROM dp1.Object
WHERE u_psfMag - g_psfMag BETWEEN -0.3 AND 0.5 AND g_psfMag - r_psfMag < 0.4
  AND i_psfMag < 21 AND refExtendedness = 0""",
        ),
        map_stop,
        Stop(
            "The most variable stars: Object, ForcedSource and Visit joined",
            """SELECT TOP 5 o.objectId, COUNT(*) AS epochs, AVG(v.airmass) AS mean_airmass,
  STDDEV(f.psfFlux) / AVG(f.psfFlux) AS scatter
FROM dp1.Object AS o
JOIN dp1.ForcedSource AS f ON f.objectId = o.objectId
JOIN dp1.Visit AS v ON v.visit = f.visit
WHERE o.r_psfMag < 21.5 AND f.band = 'r' AND v.zenithDistance < 60
GROUP BY o.objectId
HAVING COUNT(*) >= 8
ORDER BY scatter DESC""",
        ),
        Stop(
            "Close pairs of bright objects, over the whole sky and across all borders",
            """SELECT a.refExtendedness AS extended_a, b.refExtendedness AS extended_b, COUNT(*) AS pairs
FROM dp1.Object AS a
JOIN dp1.Object AS b
  ON DISTANCE(POINT(a.coord_ra, a.coord_dec), POINT(b.coord_ra, b.coord_dec)) < 2.0 / 3600
WHERE a.objectId < b.objectId AND a.r_psfMag < 21 AND b.r_psfMag < 21
GROUP BY a.refExtendedness, b.refExtendedness
ORDER BY pairs DESC""",
        ),
    )
