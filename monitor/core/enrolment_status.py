"""Where one enrolment stands at an instant: its state and that of its panels, without what the
rules say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.core.answer import NOTHING_SHARED, PanelStatus, Review, Shared, Unjudged
from monitor.core.vocabulary import EnrolmentState, PanelState

if TYPE_CHECKING:
    from monitor.core.judges import View

_NOT_HERE = (EnrolmentState.PLANNED, EnrolmentState.ELSEWHERE, EnrolmentState.STOPPED)
_WORST_FIRST = (PanelState.SERIOUSLY_OVERDUE, PanelState.OVERDUE, PanelState.DUE)
MONITORED_HERE = tuple(it.value for it in (*_WORST_FIRST, PanelState.UP_TO_DATE))
"""The states of the ledger of those whose tests are due here."""
LEDGER_STATES = (*MONITORED_HERE, *(it.value for it in _NOT_HERE))
"""Of these an enrolment is in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentStatus:
    """One enrolment at an instant."""

    state: EnrolmentState
    elsewhere: bool
    """Another clinic monitors now."""
    panels: tuple[PanelStatus, ...]
    shared: Shared = NOTHING_SHARED
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def is_monitored_here(self) -> bool:
        """Whether tests are due here: not while it is planned, monitored elsewhere or stopped."""
        return self.state not in _NOT_HERE

    @property
    def ledger_state(self) -> str:
        """The one state of the ledger that it is in: that of its worst panel while it is
        monitored here, held or not."""
        if not self.is_monitored_here:
            return self.state.value
        present = {panel.state for panel in self.panels}
        return next((it.value for it in _WORST_FIRST if it in present), PanelState.UP_TO_DATE.value)


def status_of(found: Review | View) -> EnrolmentStatus:
    """What is seen of where it stands; a view tells of no rule that lacked something."""
    return EnrolmentStatus(
        state=found.life.state,
        elsewhere=found.life.elsewhere,
        panels=tuple(found.panels),
        shared=found.shared,
        unjudged=found.unjudged if isinstance(found, Review) else (),
    )
