"""By which routes the alerts that wait for somebody were last looked at: others may ask for people
who have not heard, or sooner."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select

from monitor.config import Settings
from monitor.core.vocabulary import AlertState
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.facts import fact, put_fact
from monitor.store.frames import wake_enrolments
from monitor.store.tables import table_of

_ROUTES = "routes"
_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)


def wake_for_other_routes(store: Store, settings: Settings, now: datetime) -> int:
    """Wake everybody with an alert that was put to people by other routes; how many."""
    routes = _digest(settings)
    with store.read() as connection:
        if fact(connection, _ROUTES) == routes:
            return 0
    asking = select(_ALERTS.c.enrolment_id).where(
        _ALERTS.c.state != AlertState.CLOSED.value,
        _ALERTS.c.asked_at.is_not(None),
        _ALERTS.c.recovered.is_(False),
        _ALERTS.c.snoozed_until.is_(None),
    )
    columns = _ENROLMENTS.c
    asleep = columns.next_review_at.is_(None) | (columns.next_review_at > now)
    with store.write() as connection:
        first = fact(connection, _ROUTES) is None
        put_fact(connection, _ROUTES, routes)
        if first:
            return 0
        ids = list(connection.scalars(select(columns.id).where(columns.id.in_(asking), asleep)))
        wake_enrolments(connection, ids, now, results=False)
    return len(ids)


class RoutesRead:
    """What one program knows of its routes: a rota is edited while it runs. Two programs with
    different ones do not wake everybody in turns."""

    def __init__(self) -> None:
        self._known = ""

    def read_anew(self, store: Store, settings: Settings, now: datetime) -> int:
        """`wake_for_other_routes`, where this program finds others than before; how many."""
        routes = _digest(settings)
        if routes == self._known:
            return 0
        woken = wake_for_other_routes(store, settings, now)
        self._known = routes
        return woken


def _digest(settings: Settings) -> str:
    """Of all that a ladder follows from; a rota that cannot be read has nobody."""
    clinic = settings.clinic
    says = [
        {name: it.model_dump(mode="json") for name, it in settings.recipients.items()},
        [it.model_dump(mode="json") for it in settings.routes],
        settings.escalation.model_dump(mode="json"),
        clinic.model_dump(mode="json"),
    ]
    digest = sha256(json.dumps(says, sort_keys=True).encode())
    for name in sorted(settings.recipients):
        rota = settings.recipients[name].rota
        with suppress(OSError):
            digest.update(b"" if rota is None else rota.read_bytes())
    return digest.hexdigest()[:16]
