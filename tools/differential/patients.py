"""A made patient of a seed and a number, and what the core and the oracle say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.case import Case
from monitor.core.review import review
from tests.property.comparing import differences
from tests.property.luck import Seeded
from tests.property.oracle import answer
from tests.property.shipped import NAMES, SHIPPED, catalogue, protocol
from tests.property.strategies import DAYS_TO_THE_LAST_NEWS, history_of

_PROTOCOLS = (*NAMES, *NAMES, *NAMES, *SHIPPED)
"""The default protocol and those made for the tests are drawn most."""


@dataclass(frozen=True)
class Looked:
    """What was known of one patient when it was looked at."""

    name: str
    case: Case
    now: datetime
    zone: ZoneInfo

    def differences(self) -> list[str]:
        """One line for each point on which core and oracle differ; a crash of either is one."""
        rules = protocol(self.name)
        [found] = review([self.case], {rules.id: rules}, catalogue(), self.now, self.zone)
        said = answer(self.case, rules, catalogue(), self.now, self.zone)
        return differences(found, said, self.zone)


def patient_of(seed: int, number: int) -> Looked:
    """The same for the same seed and number, as long as the drawing is not changed."""
    luck = Seeded(f"{seed}:{number}")
    name = luck.one_of(_PROTOCOLS)
    history = history_of(luck, protocol(name))
    early = luck.integer(0, 250)
    if luck.flag():
        early = luck.one_of(DAYS_TO_THE_LAST_NEWS)
    now = history.noon(history.last_day - timedelta(days=early))
    return Looked(name, history.known(now), now, history.zone)
