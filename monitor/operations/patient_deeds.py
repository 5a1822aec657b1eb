"""Who did what about one patient: with an alert, and by recording an event on the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from monitor.store import tables
from monitor.store.alerts import MONITOR, history_of
from monitor.store.audit import EVENT_RECORDED
from monitor.store.database import Store
from monitor.store.tables import table_of

_AUDIT = table_of(tables.AuditRow)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that a person did, with which alert if it was one."""

    at: datetime
    who: str
    what: str
    note: str = ""
    alert_id: int | None = None


def deeds(
    store: Store, patient_id: int, alert_ids: Sequence[int], now: datetime
) -> tuple[Deed, ...]:
    """What people did up to `now`, latest first; `alert_ids` are all alerts of the patient."""
    recorded = (
        select(_AUDIT.c.at, _AUDIT.c.who, _AUDIT.c.what, _AUDIT.c.detail)
        .where(_AUDIT.c.patient_id == patient_id, _AUDIT.c.what == EVENT_RECORDED)
        .where(_AUDIT.c.at <= now)
    )
    with store.read() as connection:
        acts = history_of(connection, alert_ids)
        events = connection.execute(recorded).all()
    found = [
        Deed(it.at, it.by, it.what.replace("_", " "), it.note, it.alert_id)
        for it in acts
        if it.by not in ("", MONITOR) and it.at <= now
    ]
    found += [Deed(it.at, it.who, it.what, it.detail.replace("_", " ")) for it in events]
    return tuple(sorted(found, key=lambda it: it.at, reverse=True))
