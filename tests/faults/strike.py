"""One run: a catalog made ready, work begun, somebody killed, all started again, and everything looked at."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from loaders.copies.repair import RepairOptions, repair
from loaders.copies.verify import Depth, VerifyOptions
from procedures.catalogs import create_catalog
from tests.faults.arena import Arena
from tests.faults.checks import (
    assert_ledger,
    assert_nothing_else,
    assert_rows,
    assert_verified,
    sweep,
)
from tests.faults.plans import CZAR, LOADER, SHARD_NAMES, WORKER, Plan
from tests.faults.processes import Run
from tests.faults.readers import Readers, reading, settle
from tests.faults.works import WORKS, Prepared
from tests.faults.worlds import Rows
from tests.loaders.skies import SKY

ATTEMPTS = 5
"""How often an operator repeats a command."""
RUN_S = 120.0


def strike(arena: Arena, plan: Plan, folder: Path, executor: str = "processes") -> str:
    """Do it; one line of what happened. Raises AssertionError where anything is not as it must be.

    `executor` is what a worker that is to be killed works for.
    """
    started = time.monotonic()
    with new_catalog(arena, f"c{plan.seed}") as catalog:
        prepared = WORKS[plan.work].prepare(arena, catalog, folder)
        settle(arena, catalog, prepared.worlds[0])  # the run before may have killed the coordinator
        ready = time.monotonic()
        with reading(arena, catalog, prepared.worlds) as readers:
            run, is_reached = _struck(arena, plan, prepared, folder, executor)
            arena.restore()
            attempts = _repeated(arena, prepared, run)
            settle(arena, catalog, prepared.worlds[-1])
        look(arena, catalog, prepared.worlds[-1], readers)
    told = "" if is_reached else " (was done before)"
    is_short = plan.victim in SHARD_NAMES and not WORKS[plan.work].has_all_copies
    if plan.victim != CZAR and not is_short:
        assert not readers.errors, "\n".join(readers.errors[:5])
    return (
        f"{plan}{told}: {attempts} attempts, {readers.answers} answers, {len(readers.errors)} errors,"
        f" {ready - started:.1f} + {time.monotonic() - ready:.1f} s"
    )


@contextmanager
def new_catalog(arena: Arena, prefix: str) -> Iterator[str]:
    """An empty catalog of two copies; the shards are as empty afterwards as before."""
    catalog = f"{prefix}_{secrets.token_hex(3)}"
    with arena.pools.coordinator() as connection:
        create_catalog(connection, replace(SKY, name=catalog, replicas=2))
        connection.commit()
    try:
        yield catalog
    finally:
        arena.restore()
        sweep(arena, catalog)


def _struck(
    arena: Arena, plan: Plan, prepared: Prepared, folder: Path, executor: str
) -> tuple[Run, bool]:
    """The command, once it has ended, and whether it was met at work."""
    held = folder / "held"
    fail = ""
    if plan.point is not None:
        action = "kill" if plan.victim == LOADER else f"hold:{held}"
        fail = f"{plan.point}={action}@{plan.arrival}"
    words = prepared.words
    if plan.victim == WORKER:
        words += ("--executor", executor)
    run = arena.command(*words, fail=fail, environment=prepared.environment)
    if plan.point is None:
        run.ended.wait(plan.after_s)
    elif plan.victim != LOADER:
        while not (held.exists() and held.read_text()) and not run.ended.wait(0.002):
            pass
    is_reached = not run.ended.is_set()
    if plan.victim == LOADER:
        if plan.point is None:
            run.kill()
        return run, run.wait(RUN_S) < 0
    if plan.victim == WORKER:
        os.kill(int(held.read_text()), signal.SIGKILL)
        run.wait(RUN_S)
        return run, is_reached
    arena.crash(plan.victim, plan.way)
    if not plan.is_late:
        time.sleep(plan.down_s)
        arena.restore()
    held.unlink(missing_ok=True)
    if plan.is_late:
        run.ended.wait(plan.down_s)
        arena.restore()
    run.wait(RUN_S)
    return run, is_reached


def _repeated(arena: Arena, prepared: Prepared, run: Run) -> int:
    """The command repeated until it is done; how often it ran."""
    for attempt in range(1, ATTEMPTS + 1):
        if run.code in {0, 3} or (prepared.done_said and prepared.done_said in run.said):
            return attempt
        run = arena.command(*prepared.words, environment=prepared.environment)
        run.wait(RUN_S)
    raise AssertionError(f"not done after {ATTEMPTS} attempts:\n{run.said}")


def look(arena: Arena, catalog: str, world: Rows, readers: Readers) -> None:
    """All that must hold now, after a repair: copies may have been left out, or be nobody's."""
    assert not readers.faults, "\n".join(readers.faults)
    assert readers.answers > 0
    quick = RepairOptions(VerifyOptions(Depth.QUICK))  # all is read afterwards
    repaired = repair(arena.pools, arena.topology, options=quick)
    assert not repaired.left, repaired.left
    assert_rows(arena, catalog, world)
    assert_verified(arena)
    assert_ledger(arena, catalog)
    assert_nothing_else(arena, catalog)
