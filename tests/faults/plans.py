"""One fault of a run, by its seed: what is done meanwhile, who is killed, how, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from typing_extensions import override

from tests.faults.arena import COORDINATOR, SHARDS
from tests.faults.works import WORKS

SHARD_NAMES = tuple(f"shard-{number}" for number in range(1, SHARDS + 1))
LOADER, CZAR = "loader", "czar"
VICTIMS = (LOADER, COORDINATOR, "shard", CZAR)
WORKER = "worker"
"""A process that works off the loader's tasks: of a process pool here, a Ray worker in test_workers."""
TASKS = frozenset({"stage.done", "load.copied", "load.twinned"})
"""Fail points that such a process comes to; at the first arrival, as tasks are spread over several."""
WAYS = ("postmaster", "all", "backend")
RANDOM = 2
"""Random moments for each victim of a work, beside its fail points."""
LONGEST_S = 1.2
"""A random moment lies within so many seconds after the start."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`point` None: the moment is `after_s` seconds from the start. `is_late`: started again afterwards."""

    seed: int
    work: str
    victim: str
    way: str
    point: str | None
    arrival: int
    after_s: float
    down_s: float
    is_late: bool

    @override
    def __str__(self) -> str:
        when = f"at {self.point}@{self.arrival}" if self.point else f"after {self.after_s:.2f} s"
        whom = (
            self.victim if self.victim in (LOADER, CZAR, WORKER) else f"{self.victim} ({self.way})"
        )
        late = ", back later" if self.is_late else ""
        return f"seed {self.seed}: {self.work}: {whom} killed {when}{late}"


@cache
def matrix() -> tuple[tuple[str, str, str | None], ...]:
    """Every work with every victim at every fail point, and at random moments; well mixed."""
    cells = [
        (name, victim, point)
        for name, work in WORKS.items()
        for victim in VICTIMS
        for point in [*work.points, *[None] * RANDOM]
    ]
    cells += [
        (name, WORKER, point)
        for name in ("load", "degraded load", "split")
        for point in sorted(TASKS)
    ]
    random.Random(4).shuffle(cells)
    return tuple(cells)


def plan(seed: int) -> Plan:
    """The fault of a seed; as many seeds as the matrix has cells meet each of them once."""
    chance = random.Random(seed)
    work, victim, point = matrix()[seed % len(matrix())]
    named = chance.choice(SHARD_NAMES) if victim == "shard" else victim
    return Plan(
        seed=seed,
        work=work,
        victim=named,
        way=chance.choice(WAYS),
        point=point,
        arrival=chance.randint(1, 1 if victim == WORKER else WORKS[work].points[point or ""])
        if point
        else 1,
        after_s=chance.uniform(0.0, LONGEST_S),
        down_s=chance.uniform(0.0, 0.5),
        is_late=chance.random() < 0.5,
    )
