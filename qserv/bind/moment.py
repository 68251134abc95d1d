"""What one statement takes from outside: the time and a random number, each once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Moment:
    """The time (without zone, UTC) and the number in [0, 1) of one binding.

    `is_taken`: the bound query holds one of them, so that asked again it must be bound again.
    """

    _now: datetime
    _random: float
    is_taken: bool = field(default=False, init=False)

    @property
    def now(self) -> datetime:
        self.is_taken = True
        return self._now

    @property
    def random(self) -> float:
        self.is_taken = True
        return self._random
