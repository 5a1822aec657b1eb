"""What can still be done in time, and until which open day: the reminders of a digest."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from monitor.config import Settings
from monitor.core.answer import PanelStatus
from monitor.core.calendar import clinic_day
from monitor.core.open_days import OpenDays
from monitor.core.vocabulary import PanelState
from monitor.delivery.content import person_of
from monitor.delivery.digest import DueLine
from monitor.operations.statuses import Standing
from monitor.store.rulebook import RuleBook

DUE_WITHIN = timedelta(days=7)
"""How long before its due day a test stands in the digest."""


def due_soon(
    standing: Standing, rulebook: RuleBook, row: Row[Any], settings: Settings, now: datetime
) -> list[DueLine]:
    """What can still be done in time: due within the week, or due with the grace running; after
    a stop or before the first dose what a recheck asks for. As a reader at full privacy sees it:
    several may read it."""
    clinic = settings.clinic
    today = clinic_day(now, clinic.zone)
    open_days = OpenDays(clinic.open_days, clinic.holidays)
    titles = rulebook.protocols[standing.whose.protocol_id]
    if standing.status.elsewhere:
        return []
    return [
        DueLine(
            person=person_of(row, "full"),
            panel=titles.panel(panel.panel).title,
            due_on=panel.due_on,
            days=(panel.due_on - today).days,
            latest_on=_last_open_day(panel, open_days, today),
            ask=titles.asked_with(panel),
        )
        for panel in standing.status.panels
        if panel.due_on is not None
        and panel.state in {PanelState.UP_TO_DATE, PanelState.DUE}
        and _is_soon(panel, open_days, today)
    ]


def _last_open_day(panel: PanelStatus, open_days: OpenDays, today: date) -> date | None:
    """The last open day not later than the due day, for due days do not move for holidays
    (specification, section 4); once that is past, the last one within the grace. None where none
    is left."""
    ends = (panel.due_on, panel.in_time_until)
    days = (open_days.last_until(end) for end in ends if end is not None)
    return next((day for day in days if day >= today), None)


def _is_soon(panel: PanelStatus, open_days: OpenDays, today: date) -> bool:
    """Due within the week, or so that the next open day may be too late to say it."""
    assert panel.due_on is not None
    last = open_days.last_until(panel.due_on)
    return panel.due_on <= today + DUE_WITHIN or open_days.before(last) <= today
