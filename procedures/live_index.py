"""The index of a live table on a shard: where the rows of a key lie, as some units have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from procedures.director_index import KeyMap, key_map
from schema.ddl import quote
from schema.live_ddl import live_name
from schema.manifest import PartId
from schema.units import Seen

I64 = npt.NDArray[np.int64]
_PROBES = 20_000
"""Keys sent in one statement."""


def held_live(connection: Any, part_ids: list[PartId]) -> set[PartId]:
    """Those of some live parts that the shard has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT part_id FROM skyshard.live_part WHERE part_id = ANY(%s)", (part_ids,)
        )
        return {PartId(row[0]) for row in cursor}


def find_keys(connection: Any, part_id: PartId, keys: I64, seen: Seen) -> KeyMap:
    """The home pixels of those keys that one bucket knows."""
    rows: list[tuple[int, int]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(keys), _PROBES):
            cursor.execute(
                f"SELECT key, _healpix_29 FROM {live_name(part_id)}"
                f" WHERE key = ANY(%s::bigint[]) AND {seen.visible_sql()}",
                (_array(keys[start : start + _PROBES]),),
            )
            rows += cursor.fetchall()
    pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return key_map(pairs[:, 0], pairs[:, 1])


def first_key(connection: Any, part_id: PartId, column: str, keys: I64, seen: Seen) -> int | None:
    """One of the keys that a live part has a row with in a column; None where it has none."""
    name = quote(column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {name} FROM {live_name(part_id)}"
            f" WHERE {name} = ANY(%s::bigint[]) AND {seen.visible_sql()} LIMIT 1",
            (_array(keys),),
        )
        row = cursor.fetchone()
        return None if row is None else int(row[0])


def _array(keys: I64) -> str:
    """Keys as the text of an array: as ARRAY[...] thousands cost the server more than their search."""
    return f"{{{','.join(map(str, keys.tolist()))}}}"
