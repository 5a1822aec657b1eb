"""One patient on several monitored drugs: whose due day counts, and who speaks.

Each enrolment keeps the due days of its own protocol. For a panel that several ask for (of one
name, and with something in it that both want: "level" is of each drug another), the stricter date
is the patient's; where it is late, the enrolment that set it tells, and the others are silent
about that panel, so that one patient is told once. A treatment that was
stopped asks by the recheck that it left, and of one day after those that last. A task that
several protocols have is asked for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from monitor.core.answer import PanelStatus, Shared, SharedPanel
from monitor.core.findings import day_text
from monitor.core.indications import meant_for
from monitor.core.protocol_interactions import COMEDICATION
from monitor.core.vocabulary import LATE, EnrolmentState, PanelState, worst_urgency

if TYPE_CHECKING:
    from monitor.core.judges import View

_ASKED = (EnrolmentState.ACTIVE, EnrolmentState.HELD)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One enrolment that asks for a panel."""

    view: View
    status: PanelStatus

    @property
    def order(self) -> tuple[date, bool, int]:
        assert self.status.due_on is not None
        return self.status.due_on, self.has_ended, self.view.case.enrolment.id

    @property
    def has_ended(self) -> bool:
        return self.view.life.state is EnrolmentState.STOPPED

    @property
    def drug(self) -> str:
        return self.view.case.enrolment.drug

    @property
    def named(self) -> str:
        return f"{self.drug} (stopped)" if self.has_ended else self.drug

    @property
    def speaks(self) -> bool:
        return self.status.state in LATE

    @property
    def is_serious(self) -> bool:
        return self.status.state is PanelState.SERIOUSLY_OVERDUE

    @property
    def analytes(self) -> set[str]:
        return set(self.view.protocol.panel(self.status.panel).analytes)

    def covers(self, other: _Ask) -> bool:
        """Whether its panel asks for all that the other's does."""
        return other.analytes <= self.analytes


def shared(view: View, siblings: Sequence[View]) -> Shared:
    """What the patient's other enrolments mean for this one."""
    panels = tuple(it for status in view.panels if (it := _panel(view, status, siblings)))
    return Shared(panels=panels, tasks=_tasks(view, siblings), pairs=_pairs(view, siblings))


def told_here(panels: Sequence[PanelStatus], known: Shared) -> list[PanelStatus]:
    """The panels this enrolment tells of, as urgent as the most urgent that is silent for it,
    and seriously overdue where one of these is."""
    others = {it.panel: it for it in known.panels}
    found = []
    for status in panels:
        other = others.get(status.panel)
        if other is None:
            found.append(status)
        elif not other.told_by:
            urgency = worst_urgency(status.urgency, *other.urgencies)
            state = PanelState.SERIOUSLY_OVERDUE if other.serious else status.state
            found.append(replace(status, urgency=urgency, state=state))
    return found


def _panel(view: View, status: PanelStatus, siblings: Sequence[View]) -> SharedPanel | None:
    if status.due_on is None or view.life.elsewhere:
        return None
    mine = _Ask(view, status)
    named_so = [
        _Ask(sibling, it)
        for sibling in siblings
        for it in sibling.panels
        if it.panel == status.panel and it.due_on is not None and not sibling.life.elsewhere
    ]
    others = [it for it in named_so if it.analytes & mine.analytes]
    if not others:
        return None
    first = min((mine, *others), key=lambda it: it.order)
    assert first.status.due_on is not None
    tellers = [it for it in others if it.speaks and it.order < mine.order and it.covers(mine)]
    teller = min(tellers, key=lambda it: it.order, default=None) if mine.speaks else None
    silent = [it for it in others if it.speaks and mine.order < it.order and mine.covers(it)]
    return SharedPanel(
        panel=status.panel,
        due_on=first.status.due_on,
        set_by=first.drug,
        told_by=teller.drug if teller is not None else "",
        urgencies=tuple(it.status.urgency for it in silent) if mine.speaks else (),
        serious=mine.speaks and any(it.is_serious for it in silent),
        text=_text(view, status.panel, sorted((mine, *others), key=lambda it: it.order)),
    )


def _text(view: View, panel: str, asks: Sequence[_Ask]) -> str:
    first, *later = asks
    title = view.protocol.panel(panel).title
    rest = "; ".join(f"{it.named} asks for it by {day_text(it.order[0])}" for it in later)
    return f"{title}: {first.named} set the date, {day_text(first.order[0])}; {rest}."


def _tasks(view: View, siblings: Sequence[View]) -> frozenset[str]:
    """Tasks that an older enrolment of the patient asks for already."""
    mine = view.case.enrolment.id
    return frozenset(
        task.id
        for sibling in siblings
        if sibling.case.enrolment.id < mine
        and sibling.life.state in _ASKED
        and sibling.life.start_confirmed
        for task in sibling.protocol.tasks
        if meant_for(task, sibling.case.enrolment.indication)
    )


def _pairs(view: View, siblings: Sequence[View]) -> frozenset[int]:
    """Where both protocols have a word about the other's drug, the more urgent one is said: by
    enrolment, for an earlier one on the same drug does not tell of the present."""
    found = set()
    for sibling in siblings:
        mine, theirs = _weight(view, sibling), _weight(sibling, view)
        if mine is not None and theirs is not None and theirs > mine:
            found.add(sibling.case.enrolment.id)
    return frozenset(found)


def _weight(view: View, other: View) -> tuple[int, int] | None:
    """How urgent a protocol finds the other drug; between equals the older enrolment counts."""
    names, indication = view.catalogue.drugs, view.case.enrolment.indication
    urgencies = [
        it.urgency.rank
        for it in view.protocol.interactions
        if it.event == COMEDICATION
        and meant_for(it, indication)
        and it.is_about(other.case.enrolment.drug, names)
    ]
    return (max(urgencies), -view.case.enrolment.id) if urgencies else None
