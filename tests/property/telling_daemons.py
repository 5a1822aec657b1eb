"""Several daemons at one database, at the same instant, that die in the middle of what they do: at
a statement, or between the answer of a mail server and the note of it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from monitor.delivery.send import deliver_due
from monitor.review import review_due
from monitor.store import tables

if TYPE_CHECKING:
    from tests.property.telling_world import World

SLACK = timedelta(minutes=6)
"""So long may what a dead one held be late: a lease lasts five minutes."""


class Killed(BaseException):
    """It is gone, and does nothing more."""


@dataclass
class Daemons:
    """Of one world. `taken` counts how often the other side took each message."""

    world: World
    count: int
    deaths: int = 0
    taken: Counter[int] = field(default_factory=Counter)
    _left: threading.local = field(default_factory=threading.local)
    faults: list[BaseException] = field(default_factory=list)

    def look(self) -> None:
        """All of them at once."""
        luck = self.world.luck
        lives = [luck.choice([None, None, luck.randint(1, 60)]) for _ in range(self.count)]
        threads = [
            threading.Thread(target=self._one, args=(number, left))
            for number, left in enumerate(lives)
        ]
        with self._mortal():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if self.faults:
            raise self.faults[0]

    def note_taken(self, delivery: int) -> None:
        """The other side has it; whoever sent it may die now."""
        self.taken[delivery] += 1
        self._step()

    def wrong(self) -> Iterator[str]:
        """What was taken more often than somebody died."""
        over = sum(self.taken.values()) - len(self.taken)
        if over > self.deaths:
            yield f"{over} messages were taken again, and {self.deaths} daemons died"
        for row in self.world.clinic.rows(tables.Delivery, state="sent"):
            if not self.taken[row.id]:
                yield f"message {row.id} counts as sent, and nobody took it"

    def _one(self, number: int, left: int | None) -> None:
        self._left.steps = left
        clinic, now = self.world.clinic, self.world.now
        name = f"daemon {number}{self.deaths}"
        try:
            review_due(clinic.store, clinic.settings, now)
            ways = self.world.mail.ways
            deliver_due(clinic.store, clinic.settings, now, who=name, ways=ways)
        except Killed:
            self.deaths += 1
        except BaseException as fault:  # noqa: BLE001  # told by the thread that asked
            self.faults.append(fault)

    def _step(self) -> None:
        left = getattr(self._left, "steps", None)
        if left is None:
            return
        self._left.steps = left - 1
        if left <= 0:
            raise Killed

    @contextmanager
    def _mortal(self) -> Iterator[None]:
        engine = self.world.clinic.store.engine

        def step(*_: Any) -> None:
            self._step()

        event.listen(engine, "before_cursor_execute", step)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", step)
