"""When daemons are killed and the server is restarted: drawn from a seed, at instants that are
drawn too, and there at moments that are."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tools.week.days import Step

KILL, CRASH, RESTART = "kill", "crash", "restart"
"""SIGKILL of a daemon; of the server, an end without a checkpoint, and one in good order."""
_USUAL = 1.5
"""Seconds that an instant takes as long as nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One disturbance."""

    what: str
    place: float
    """When it falls, as a share of the time that the instant takes."""
    amid_mail: bool
    """It waits until a mail is on its way, if one is in this instant."""


@dataclass
class Trouble:
    """Every disturbance of a week."""

    plan: dict[Step, list[Blow]]
    took: dict[str, float] = field(default_factory=dict)
    """Seconds, by the step's name, of the day before."""
    done: list[str] = field(default_factory=list)
    _left: list[tuple[float, Blow]] = field(default_factory=list)
    _began: float = 0.0

    def begin(self, step: Step) -> None:
        """The instant has come."""
        usual = self.took.get(step.name, _USUAL)
        self._began = time.monotonic()
        self._left = sorted(
            ((self._began + blow.place * usual, blow) for blow in self.plan.get(step, ())),
            key=lambda it: it[0],
        )

    def end(self, step: Step) -> None:
        """All was done in it."""
        self.took[step.name] = max(0.3, time.monotonic() - self._began)

    def next(self, *, mail_on_its_way: bool, settled: bool) -> Blow | None:
        """What falls now."""
        for number, (at, blow) in enumerate(self._left):
            if time.monotonic() < at:
                break
            if blow.amid_mail and not mail_on_its_way and not settled:
                continue
            del self._left[number]
            self.done.append(blow.what)
            return blow
        return None

    @property
    def is_over(self) -> bool:
        """Nothing more falls in this instant."""
        return not self._left


def none() -> Trouble:
    """Of a run in peace."""
    return Trouble({})


def drawn(steps: Sequence[Step], kills: int, restarts: int, seed: int) -> Trouble:
    """So many of each; most where most is done, half of the kills amid a mail."""
    luck = Random(f"{seed} trouble")  # noqa: S311  # to be repeated
    whats = [KILL] * kills + [CRASH if number % 2 == 0 else RESTART for number in range(restarts)]
    chosen = luck.choices(steps, [step.weight for step in steps], k=len(whats))
    plan: defaultdict[Step, list[Blow]] = defaultdict(list)
    for what, step in zip(whats, chosen, strict=True):
        plan[step].append(Blow(what, luck.random(), what == KILL and luck.random() < 0.5))
    return Trouble(dict(plan))
