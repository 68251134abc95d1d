"""Rows of the small live catalog: objects, and their sources."""

from __future__ import annotations

import numpy as np
import pyarrow as pa


def objects(count: int, *, first: int = 1, start: float = 60000.0) -> pa.Table:
    """Objects in a dozen chunks of order 3."""
    ids = np.arange(first, first + count)
    random = np.random.default_rng(7)
    ra, dec = random.uniform(100, 125, first + count), random.uniform(0, 20, first + count)
    return pa.table(
        {
            "objectId": ids,
            "start": np.full(count, start),
            "ra": ra[ids],
            "dec": dec[ids],
            "n": pa.array(np.zeros(count), pa.int32()),
        }
    )


def sources(of: pa.Table, visit: int, *, mjd: float = 60000.0) -> pa.Table:
    """A source for each object in a visit, half an arcsecond away."""
    ids = np.asarray(of["objectId"])
    return pa.table(
        {
            "sourceId": visit * 1_000_000 + ids,
            "objectId": ids,
            "visit": np.full(len(ids), visit),
            "ra": of["ra"],
            "dec": np.clip(np.asarray(of["dec"]) + 1.5e-4, -90, 90),
            "mjd": np.full(len(ids), mjd),
            "flux": pa.array(np.full(len(ids), float(visit)), pa.float32()),
        }
    )
