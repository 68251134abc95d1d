"""Simulated prompt products: objects in a square of the sky, their histories, and visits that measure some.

All columns of the Alert Production Database are filled; the random ones are the same for every seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from loaders.live.unit import Put, Unit
from procedures.live_tables import Change
from schema.catalog import Catalog, Table
from schema.types import SPELLINGS, Type

RA, DEC = 150.0, 2.0
"""The centre of the square, degrees."""
MJD = 61_000.0
"""Of the first visit; histories are of the year before."""
HISTORY = (
    *("diaSourceId", "diaObjectId", "ssObjectId", "visit", "detector", "band", "midpointMjdTai"),
    *("ra", "raErr", "dec", "decErr", "x", "y", "snr", "reliability", "apFlux", "apFluxErr"),
    *(
        "psfFlux",
        "psfFluxErr",
        "psfChi2",
        "psfNdata",
        "scienceFlux",
        "scienceFluxErr",
        "extendedness",
    ),
)
"""The columns of DiaSource that are read back."""


@dataclass(slots=True)
class PromptSky:
    """What is known of the objects by now. `side` of the square, degrees."""

    catalog: Catalog
    count: int
    side: float = 3.2
    seed: int = 11
    random: np.random.Generator = field(init=False)
    ids: np.ndarray = field(init=False)
    ra: np.ndarray = field(init=False)
    dec: np.ndarray = field(init=False)
    start: np.ndarray = field(init=False)
    visits: int = 0

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        self.ids = np.arange(1, self.count + 1, dtype=np.int64)
        self.ra = RA + self.random.uniform(-0.5, 0.5, self.count) * self.side
        self.dec = DEC + self.random.uniform(-0.5, 0.5, self.count) * self.side
        self.start = np.full(self.count, MJD - 365.0)

    def table(self, name: str) -> Table:
        found = self.catalog.table(name)
        assert found is not None
        return found

    def region(self) -> str:
        """The condition that a row lies in the square, and a little around it."""
        half = 0.5 * self.side + 0.05
        return (
            f"ra BETWEEN {RA - half} AND {RA + half} AND dec BETWEEN {DEC - half} AND {DEC + half}"
        )

    # ------------------------------------------------------------------ rows

    def objects(self, which: np.ndarray, *, end: np.ndarray | None = None) -> pa.Table:
        """The newest versions of some objects (their places among `ids`)."""
        return self._filled(
            "DiaObject",
            len(which),
            diaObjectId=self.ids[which],
            validityStartMjdTai=self.start[which],
            validityEndMjdTai=pa.nulls(len(which), pa.float64()) if end is None else end,
            ra=self.ra[which],
            dec=self.dec[which],
        )

    def newest(self, which: np.ndarray) -> pa.Table:
        return self._filled(
            "DiaObjectLast",
            len(which),
            diaObjectId=self.ids[which],
            validityStartMjdTai=self.start[which],
            ra=self.ra[which],
            dec=self.dec[which],
        )

    def sources(self, which: np.ndarray, visit: int, mjd: np.ndarray) -> pa.Table:
        """A source near each of some objects."""
        return self._filled(
            "DiaSource",
            len(which),
            diaSourceId=visit * 10_000_000 + self.ids[which],
            visit=np.full(len(which), visit, np.int64),
            diaObjectId=self.ids[which],
            ssObjectId=pa.nulls(len(which), pa.int64()),
            ra=self.ra[which] + self.random.normal(0, 2e-5, len(which)),
            dec=self.dec[which] + self.random.normal(0, 2e-5, len(which)),
            midpointMjdTai=mjd,
        )

    def forced(self, which: np.ndarray, visit: int, mjd: np.ndarray) -> pa.Table:
        return self._filled(
            "DiaForcedSource",
            len(which),
            diaForcedSourceId=visit * 10_000_000 + self.ids[which],
            diaObjectId=self.ids[which],
            visit=np.full(len(which), visit, np.int64),
            detector=np.zeros(len(which), np.int16),
            ra=self.ra[which],
            dec=self.dec[which],
            midpointMjdTai=mjd,
        )

    def _filled(self, name: str, count: int, **given: object) -> pa.Table:
        """The given columns, and something in all others."""
        columns = {}
        for column in self.table(name).columns:
            kind = SPELLINGS[column.type].arrow
            value = given.get(column.name)
            if value is None:
                value = self._something(column.type, count)
            columns[column.name] = (
                value.cast(kind) if isinstance(value, pa.Array) else pa.array(value).cast(kind)
            )
        return pa.table(columns)

    def _something(self, kind: Type, count: int) -> pa.Array:
        match kind:
            case Type.FLOAT | Type.DOUBLE:
                return pa.array(self.random.standard_normal(count))
            case Type.TEXT:
                return pa.array(["r"] * count)
            case Type.BOOLEAN:
                return pa.array(np.zeros(count, np.bool_))
            case Type.TIMESTAMP:
                return pa.array(np.full(count, 1_700_000_000_000_000, np.int64))
            case _:
                return pa.array(np.ones(count, np.int16))

    # ------------------------------------------------------------------ units

    def write_history(self, unit: Unit, *, sources: int, forced: int) -> None:
        """The objects, and for each so many sources and forced sources of the year before."""
        everything = np.arange(self.count)
        unit.insert("DiaObject", self.objects(everything))
        unit.insert("DiaObjectLast", self.newest(everything))
        for number in range(max(sources, forced)):
            mjd = MJD - 360.0 * (number + self.random.uniform(0, 1, self.count)) / max(
                sources, forced
            )
            if number < sources:
                unit.insert("DiaSource", self.sources(everything, 100_000 + number, mjd))
            if number < forced:
                unit.insert("DiaForcedSource", self.forced(everything, 100_000 + number, mjd))

    def visit(self, count: int) -> Visit:
        """The rows of the next visit: `count` sources, a twentieth of them of new objects."""
        fresh = count // 20
        which = self.random.choice(self.count, count - fresh, replace=False)
        self.visits += 1
        mjd = MJD + self.visits / 1000.0
        closed = self.objects(which, end=np.full(len(which), mjd))
        self.start[which] = mjd
        first = int(self.ids[-1]) + 1
        self.ids = np.append(self.ids, np.arange(first, first + fresh))
        for name, centre in (("ra", RA), ("dec", DEC)):
            more = centre + self.random.uniform(-0.5, 0.5, fresh) * self.side
            setattr(self, name, np.append(getattr(self, name), more))
        self.start = np.append(self.start, np.full(fresh, mjd))
        chosen = np.append(which, np.arange(len(self.ids) - fresh, len(self.ids)))
        times = np.full(count, mjd)
        return Visit(
            number=self.visits,
            objects=pa.concat_tables([closed, self.objects(chosen)]),
            newest=self.newest(chosen),
            sources=self.sources(chosen, self.visits, times),
            forced=self.forced(chosen, self.visits, times),
        )


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit writes back: former versions of objects with their end, new ones, measurements."""

    number: int
    objects: pa.Table
    newest: pa.Table
    sources: pa.Table
    forced: pa.Table

    def write(self, unit: Unit) -> None:
        unit.put(
            [
                Put("DiaObject", self.objects),
                Put("DiaObjectLast", self.newest),
                Put("DiaSource", self.sources, Change.INSERT),
                Put("DiaForcedSource", self.forced, Change.INSERT),
            ]
        )


def region_queries(sky: PromptSky) -> tuple[str, str, str]:
    """What prompt processing reads before a visit: the objects, and their histories of 12 months.

    Of sources what association and the objects' summaries take, of the other tables all columns.
    """
    inside, year = sky.region(), f"midpointMjdTai > {MJD - 365.0}"
    return (
        f"SELECT * FROM prompt.DiaObjectLast WHERE {inside}",
        f"SELECT {', '.join(HISTORY)} FROM prompt.DiaSource WHERE {inside} AND {year}",
        f"SELECT * FROM prompt.DiaForcedSource WHERE {inside} AND {year}",
    )
