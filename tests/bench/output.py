"""Figures: rows out as BINARY2, and the memory of the czar's process while they go."""

from __future__ import annotations

import http.client
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

from qserv.formats.votable import write_binary2
from qserv.result import Answer, ResultColumn
from tests.bench.figures import Figure, Mark, seconds
from tests.bench.rows import OBJECT, BenchRows
from tests.bench.store import Bench

COLUMNS = tuple(column.name for column in OBJECT.columns[:3] + OBJECT.columns[7:14])
BATCH_ROWS = 65_536
ROUNDS = 5
ROWS = 1_000_000
MIB = 2**20


def serialising(rows: BenchRows) -> Figure:
    """One core, rows already in memory, the whole document made and thrown away."""
    table = rows.given.select(COLUMNS).slice(0, ROWS)
    types = {column.name: column.type for column in OBJECT.columns}
    columns = tuple(ResultColumn(name, types[name]) for name in COLUMNS)
    batches = table.combine_chunks().to_batches(max_chunksize=BATCH_ROWS)

    def write() -> None:
        for _ in write_binary2(Answer("bench", columns, iter(batches))):
            pass

    best = min(seconds(write) for _ in range(ROUNDS))
    return Figure(
        f"BINARY2 of {table.num_rows:,} rows x {len(COLUMNS)} columns",
        table.num_rows / best / 1e6,
        "M rows/s",
        Mark.AT_LEAST,
        1.0,
        f"{best * 1000:.0f} ms on one core",
    )


def memory(bench: Bench, rows: BenchRows) -> Figure:
    """The largest resident size while a quarter and while all of the rows go out by TAP."""
    total = rows.given.num_rows
    pid = bench.czar_pid()
    _read(bench, total // 8)
    quarter, quarter_s = _peak(pid, bench, total // 4)
    whole, whole_s = _peak(pid, bench, total)
    return Figure(
        f"memory of the czar: {total:,} rows out by TAP over {total // 4:,}",
        whole / quarter,
        "x its peak",
        Mark.AT_MOST,
        1.25,
        f"{quarter / MIB:.0f} MiB ({quarter_s:.1f} s), then {whole / MIB:.0f} MiB ({whole_s:.1f} s,"
        f" {total / whole_s:,.0f} rows/s)",
    )


def _peak(pid: int, bench: Bench, count: int) -> tuple[int, float]:
    """The process's largest resident size while it sends so many rows, bytes; and the seconds."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # peak = what it is now (proc_pid_clear_refs)
    elapsed = seconds(lambda: _read(bench, count))
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next(line for line in status if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024, elapsed


def _read(bench: Bench, count: int) -> None:
    """Take so many rows by TAP and throw them away."""
    query = f"SELECT {', '.join(COLUMNS)} FROM bench.Object"
    form = urlencode({"LANG": "ADQL", "QUERY": query, "MAXREC": count})
    with closing(http.client.HTTPConnection(*bench.tap, timeout=300)) as client:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        client.request("POST", "/tap/sync", form, headers)
        response = client.getresponse()
        assert response.status == 200
        size = 0
        while piece := response.read(4 * MIB):
            size += len(piece)
        assert size > count * 50
