"""The manifest's astronomy: photometry, the IVOA's catalogue of functions, sciSQL's regions."""

from __future__ import annotations

from procedures.function import Function
from schema.types import Type

_LONG, _INT, _DOUBLE, _TEXT, _BOOLEAN = Type.LONG, Type.INT, Type.DOUBLE, Type.TEXT, Type.BOOLEAN


def _doubles(
    name: str, names: str, description: str, *, known_as: str = "", version: int = 1
) -> Function:
    """A function of doubles that users call."""
    return Function(
        name,
        (_DOUBLE,) * len(names.split()),
        _DOUBLE,
        description,
        names=names,
        known_as=known_as,
        version=version,
    )


_PHOTOMETRY = (
    _doubles(
        "nanojansky_to_abmag",
        "flux",
        "AB magnitude of a flux in nJy; NULL where flux <= 0",
        known_as="nanojanskyToAbMag",
    ),
    _doubles(
        "nanojansky_to_abmag_sigma",
        "flux fluxSigma",
        "error of the AB magnitude, from a flux in nJy and its error",
        known_as="nanojanskyToAbMagSigma",
        version=2,
    ),
    _doubles(
        "abmag_to_nanojansky", "mag", "flux in nJy of an AB magnitude", known_as="abMagToNanojansky"
    ),
    _doubles(
        "abmag_to_nanojansky_sigma",
        "mag magSigma",
        "error of the flux in nJy, from an AB magnitude and its error",
        known_as="abMagToNanojanskySigma",
    ),
    _doubles(
        "flux_to_abmag",
        "flux",
        "AB magnitude of a flux in erg/s/cm2/Hz; NULL where flux <= 0",
        known_as="fluxToAbMag",
    ),
    _doubles(
        "flux_to_abmag_sigma",
        "flux fluxSigma",
        "error of the AB magnitude, from a flux in erg/s/cm2/Hz and its error",
        known_as="fluxToAbMagSigma",
    ),
    _doubles(
        "abmag_to_flux", "mag", "flux in erg/s/cm2/Hz of an AB magnitude", known_as="abMagToFlux"
    ),
    _doubles(
        "abmag_to_flux_sigma",
        "mag magSigma",
        "error of the flux in erg/s/cm2/Hz, from an AB magnitude and its error",
        known_as="abMagToFluxSigma",
    ),
    _doubles(
        "dn_to_abmag",
        "dn fluxMag0",
        "AB magnitude of raw counts, of which fluxMag0 have magnitude 0",
        known_as="dnToAbMag",
    ),
    _doubles(
        "dn_to_abmag_sigma",
        "dn dnSigma fluxMag0 fluxMag0Sigma",
        "error of the AB magnitude of raw counts",
        known_as="dnToAbMagSigma",
    ),
    _doubles(
        "dn_to_flux",
        "dn fluxMag0",
        "flux in erg/s/cm2/Hz of raw counts, of which fluxMag0 have magnitude 0",
        known_as="dnToFlux",
    ),
    _doubles(
        "dn_to_flux_sigma",
        "dn dnSigma fluxMag0 fluxMag0Sigma",
        "error of the flux in erg/s/cm2/Hz of raw counts",
        known_as="dnToFluxSigma",
    ),
    _doubles(
        "flux_to_dn",
        "flux fluxMag0",
        "raw counts of a flux in erg/s/cm2/Hz, fluxMag0 of which have magnitude 0",
        known_as="fluxToDn",
    ),
    _doubles(
        "flux_to_dn_sigma",
        "flux fluxSigma fluxMag0 fluxMag0Sigma",
        "error of the raw counts of a flux in erg/s/cm2/Hz",
        known_as="fluxToDnSigma",
    ),
    _doubles(
        "abmag_to_dn",
        "mag fluxMag0",
        "raw counts of an AB magnitude, fluxMag0 of which have magnitude 0",
        known_as="abMagToDn",
    ),
    _doubles(
        "abmag_to_dn_sigma",
        "mag magSigma fluxMag0 fluxMag0Sigma",
        "error of the raw counts of an AB magnitude",
        known_as="abMagToDnSigma",
    ),
)

_IVOA = (
    Function(
        "ivo_healpix_index",
        (_INT, _DOUBLE, _DOUBLE),
        _LONG,
        "the NESTED HEALPix pixel of an order (0..29) that holds (ra, dec)",
        names="hpxOrder ra dec",
    ),
    Function(
        "ivo_healpix_center",
        (_INT, _LONG),
        Type.POINT,
        "the centre of a NESTED HEALPix pixel of an order (0..29)",
        names="hpxOrder hpxIndex",
    ),
    Function(
        "ivo_epoch_prop_pos",
        (_DOUBLE,) * 8,
        Type.POINT,
        "where a star that moves in a straight line is at out_epoch; degrees, mas, mas/yr (pmra times"
        " cos(dec)), km/s, Julian years. NULL motions are 0, a NULL parallax is infinitely far",
        names="ra dec parallax pmra pmdec radial_velocity ref_epoch out_epoch",
    ),
    Function(
        "ivo_apply_pm",
        (_DOUBLE,) * 5,
        Type.POINT,
        "where proper motions (degrees a year, pmra times cos(dec)) take (ra, dec) in so many years",
        names="ra dec pmra pmdec epdist",
    ),
    Function("ivo_to_jd", (Type.TIMESTAMP,), _DOUBLE, "a time as a Julian date", names="d"),
    Function(
        "ivo_to_mjd", (Type.TIMESTAMP,), _DOUBLE, "a time as a modified Julian date", names="d"
    ),
    Function(
        "ivo_hasword",
        (_TEXT, _TEXT),
        _INT,
        "1 where each word of needle begins a word of haystack, in any case of ASCII's letters, else 0",
        names="haystack needle",
    ),
    Function(
        "ivo_hashlist_has",
        (_TEXT, _TEXT),
        _INT,
        "1 where item is among the words between the # of hashlist, in any case, else 0",
        names="hashlist item",
    ),
    Function(
        "ivo_interval_overlaps",
        (_DOUBLE,) * 4,
        _INT,
        "1 where [a1, b1] and [a2, b2] have a number in common, else 0",
        names="a1 b1 a2 b2",
    ),
    Function(
        "ivo_hms_to_degrees",
        (_TEXT,),
        _DOUBLE,
        "h:m:s, hhmmss or hHmMsS as degrees; NULL for any other text",
        names="hms",
    ),
    Function(
        "ivo_dms_to_degrees",
        (_TEXT,),
        _DOUBLE,
        "d:m:s, ddmmss or dDmMsS, perhaps signed, as degrees; NULL for any other text",
        names="dms",
    ),
    Function(
        "gavo_ipix", (_DOUBLE, _DOUBLE), _LONG, "the Q3C pixel of (long, lat)", names="long lat"
    ),
)

_RENDERED = (
    Function(
        "interval_has",
        (_DOUBLE,) * 3,
        _INT,
        "1 where x lies in [low, high], else 0",
        is_public=False,
    ),
    Function(
        "histogram_bin",
        (_DOUBLE, _DOUBLE, _DOUBLE, _INT),
        _INT,
        "the bin of x among so many between low and high: 0 below, bins + 1 above",
        is_public=False,
    ),
    Function(
        "rotated",
        (Type.POLYGON, *(_DOUBLE,) * 9),
        Type.POLYGON,
        "a geometry's points turned by a rotation matrix, given by rows",
        is_public=False,
    ),
    Function(
        "in_range",
        (_DOUBLE,) * 6,
        _BOOLEAN,
        "whether (ra, dec) lies between (ra_min, dec_min) and (ra_max, dec_max)",
        is_public=False,
    ),
    Function(
        "in_ellipse",
        (_DOUBLE,) * 7,
        _BOOLEAN,
        "whether (ra, dec) lies in the ellipse (ra0, dec0, major, minor, angle)",
        is_public=False,
    ),
)

ASTRONOMY: tuple[Function, ...] = (*_PHOTOMETRY, *_IVOA, *_RENDERED)
