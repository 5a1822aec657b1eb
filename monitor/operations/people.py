"""What people do with an alert: take it in hand, hand it on, try to reach the patient, let it
rest, close it.

Every action is a line of the alert's history and wakes the enrolment, so that the review
reckons anew when the alert is to come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from monitor.config import Settings
from monitor.core import actions
from monitor.core.actions import ActionRefused, Overtaken
from monitor.core.calendar import clinic_day, instant_text
from monitor.core.changes import Alert, ChangeWhat
from monitor.core.outcomes import (
    CONTACT,
    DECLINED,
    UNANSWERED,
    UNANSWERED_AT_MOST,
    closing_code,
    contact_code,
    settles,
)
from monitor.core.vocabulary import AlertState, Urgency
from monitor.operations.next_tier import tell_next_tier
from monitor.store import tables
from monitor.store.alerts import (
    ACKNOWLEDGED,
    ASSIGNED,
    COMMENTED,
    CONTACTED,
    MONITOR,
    SNOOZED,
    acknowledged,
    add_history,
    closed,
    has_it_still,
    history_of,
    reopened,
    snoozed,
)
from monitor.store.database import Store
from monitor.store.facts import bring_to, check_not_earlier
from monitor.store.frames import to_alert, wake_enrolments
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_NAME_LIMIT = 200


def acknowledge(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    by: str,
    until: date | None = None,
    note: str = "",
    version: int | None = None,
    now: datetime,
) -> date:
    """Somebody has it: the day on which it comes back (by default in 7 days, at most 28). Whoever
    has it already keeps it until that day; the time for an outcome goes on running.

    Raises ActionRefused, saying what is possible.
    """
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        alert = _hold(connection, settings, alert_id, by, version, now)
        agreed = actions.acknowledgement_until(alert, today, until)
        actions.refuse_another_s(alert, by)
        told = _sentence(f"until {agreed.isoformat()}", note)
        has_it = alert.state is AlertState.ACKNOWLEDGED
        values = has_it_still(agreed, by) if has_it else acknowledged(now, agreed, by)
        values |= _known_by_now(alert)
        _record(connection, alert, values, ACKNOWLEDGED, by, told, now)
    return agreed


def says_now(store: Store, alert_id: int) -> str:
    """What an alert says, in a line: whoever answers it from an older mail may have read less."""
    query = select(_ALERTS.c.urgency, _ALERTS.c.summary).where(_ALERTS.c.id == alert_id)
    with store.read() as connection:
        row = connection.execute(query).one()
    return f"It says, {row.urgency}: {row.summary}"


def outcome_owed(store: Store, settings: Settings, alert_id: int) -> str:
    """What whoever has a critical alert still owes, as a sentence; "" where that is nothing: who
    is told only "until Monday" learns of it when the next are rung up at night."""
    columns = _ALERTS.c
    query = select(columns.state, columns.urgency, columns.outcome_at).where(columns.id == alert_id)
    within = settings.escalation.critical_outcome
    with store.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.state != AlertState.ACKNOWLEDGED.value or row.outcome_at:
        return ""
    if row.urgency != Urgency.CRITICAL.value or within is None:
        return ""
    return (
        f"It is critical: without an outcome within {within} of the first acknowledgement the "
        "next are told."
    )


def snooze(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    by: str,
    until: date,
    reason: str,
    version: int | None = None,
    now: datetime,
) -> date:
    """Let it rest until a day, with a reason. Raises ActionRefused (critical ones never do)."""
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        alert = _hold(connection, settings, alert_id, by, version, now)
        most = settings.escalation.snooze_at_most(alert.urgency)
        agreed = actions.snoozing(alert, today, until, reason, most)
        told = _sentence(f"until {agreed.isoformat()}", reason)
        values = snoozed(agreed, by, reason) | _known_by_now(alert)
        _record(connection, alert, values, SNOOZED, by, told, now)
    return agreed


def close(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    by: str,
    outcome: str,
    review_by: date | None = None,
    version: int | None = None,
    now: datetime,
) -> date | None:
    """Close it with its outcome; the day on which it comes back if its episode still goes on,
    None where it is over. Raises ActionRefused for kinds that close by themselves."""
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        alert = _hold(connection, settings, alert_id, by, version, now)
        agreed = actions.closing(alert, today, outcome, review_by)
        code = closing_code(outcome)
        values = closed(now, by, outcome, recovered=alert.recovered, review_by=agreed)
        values |= _known_by_now(alert)
        told = _sentence(outcome, f"review by {agreed.isoformat()}" if agreed else "")
        _record(connection, alert, values, ChangeWhat.CLOSED.value, by, told, now, code)
    return agreed


def assign(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    to: str,
    by: str,
    note: str = "",
    version: int | None = None,
    now: datetime,
) -> bool:
    """Give it to somebody. Where it is acknowledged, they have it from now on (and the time
    for an outcome goes on running): True. An open one stays open until they acknowledge it.
    Raises ActionRefused."""
    if not to.strip():
        raise ActionRefused("say to whom: --to WHOM", plain="say to whom")
    _refuse_no_name(to)
    with store.write() as connection:
        alert = _hold(connection, settings, alert_id, by, version, now)
        actions.refuse_closed(alert)
        values: dict[str, Any] = {"assigned_to": to.strip()}
        handed_over = alert.state is AlertState.ACKNOWLEDGED
        if handed_over:
            values["acknowledged_by"] = to.strip()
        before = f"from {alert.acknowledged_by}" if handed_over else ""
        told = _sentence(f"to {to.strip()}", before, note)
        _record(connection, alert, values, ASSIGNED, by, told, now)
    return handed_over


def comment(
    store: Store, settings: Settings, alert_id: int, *, text: str, by: str, now: datetime
) -> None:
    """A word for the next reader; on a closed alert too. Raises ActionRefused."""
    if not text.strip():
        raise ActionRefused("a comment needs a text")
    with store.write() as connection:
        alert = _hold(connection, settings, alert_id, by, None, now)
        _record(connection, alert, {}, COMMENTED, by, text.strip(), now)


@dataclass(frozen=True, slots=True)
class Contacted:
    """What a contact attempt did: whether it settles the alert for now, and who was told
    because it does not."""

    code: str
    settled: bool
    told: tuple[str, ...] = ()
    unanswered: int = 0


def contact(
    store: Store,
    settings: Settings,
    alert_id: int,
    *,
    outcome: str,
    by: str,
    to: str = "",
    note: str = "",
    version: int | None = None,
    now: datetime,
) -> Contacted:
    """An attempt to reach the patient, with a coded outcome.

    What settles the alert acknowledges it for whoever called. Three calls in a row without an
    answer tell the next tier at once; so does a patient who declines, and an alert that is
    declined asks again at once: it is an outcome, never a snooze. Raises ActionRefused.
    """
    code = contact_code(outcome)
    if code == "handed_to_clinician" and not to.strip():
        raise ActionRefused(
            "say to which clinician, by name: --to NAME", plain="say to which clinician, by name"
        )
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        alert = _hold(connection, settings, alert_id, by, version, now)
        actions.refuse_closed(alert)
        unanswered = alert.no_answers + 1 if code == UNANSWERED else 0
        values: dict[str, Any] = {"no_answers": unanswered, "contact_outcome": code}
        settled = settles(alert, code)
        follows: tuple[str, str, str] | None = None
        if settled:
            values |= {"outcome_at": now, "outcome_missed": False}
            if alert.state is AlertState.OPEN:
                until = actions.acknowledgement_until(alert, today, None)
                values |= acknowledged(now, until, by) | _known_by_now(alert)
                follows = (ACKNOWLEDGED, by, f"until {until.isoformat()}")
        elif code == DECLINED:
            values |= reopened()
            if alert.state is AlertState.ACKNOWLEDGED or alert.snoozed_until is not None:
                follows = (ChangeWhat.REOPENED.value, MONITOR, "declined, so it goes on asking")
        words = _sentence(CONTACT[code], f"to {to.strip()}" if to.strip() else "", note)
        _record(connection, alert, values, CONTACTED, by, words, now, code)
        if follows is not None:
            add_history(connection, [(alert.id, *follows)], now)
        told: tuple[str, ...] = ()
        if code == DECLINED or (unanswered and unanswered % UNANSWERED_AT_MOST == 0):
            told = tell_next_tier(connection, settings, alert, CONTACT[code], now)
    return Contacted(code, settled, told, unanswered)


def _hold(
    connection: Connection,
    settings: Settings,
    alert_id: int,
    by: str,
    version: int | None,
    now: datetime,
) -> Alert:
    """The alert, its enrolment woken (and so locked) first: a review of it is waited for, and
    two people follow each other. `version` is what the person has seen."""
    check_not_earlier(connection, now)
    if not by.strip():
        raise ActionRefused("say who does this: --by WHO")
    _refuse_no_name(by)
    query = select(_ALERTS.c.enrolment_id).where(_ALERTS.c.id == alert_id)
    enrolment_id = connection.scalar(query.where(_ALERTS.c.opened_at <= now))
    if enrolment_id is None:
        raise ActionRefused(f"there is no alert {alert_id}; see: monitor alerts --state all")
    wake_enrolments(connection, [enrolment_id], now, results=False)
    row = connection.execute(select(_ALERTS).where(_ALERTS.c.id == alert_id)).one()
    if version is not None and row.version != version:
        raise _meanwhile(connection, settings, alert_id, version)
    return to_alert(row)


def _refuse_no_name(text: str) -> None:
    """What is longer is a text that came into the wrong place; the index of the worklist holds the
    name, and PostgreSQL's is bounded."""
    if len(text) > _NAME_LIMIT:
        raise ActionRefused(f"a name of {len(text)} characters: at most {_NAME_LIMIT}")


def _meanwhile(
    connection: Connection, settings: Settings, alert_id: int, version: int
) -> Overtaken:
    """Who did what since a person looked, and what became of it by itself."""
    newer = tuple(
        f"{it.what}{'' if it.by == MONITOR else f' by {it.by}'}, "
        f"{instant_text(it.at, settings.clinic.zone)}"
        for it in history_of(connection, [alert_id])
        if it.version > max(version, 0)
    )
    since = "; ".join(newer) or "look again"
    return Overtaken(
        f"alert {alert_id} has changed since version {version}: {since}. "
        f"Nothing was done. See: monitor alert show {alert_id}",
        alert_id,
        newer,
    )


def _known_by_now(alert: Alert) -> dict[str, Any]:
    """The columns of the worst that people know, once somebody answers an alert: of a muted one
    nobody was told, and without them nothing would be worse than what is known of it."""
    if alert.told_level is not None:
        return {}
    return {"told_level": alert.level, "told_value": alert.worst_value}


def _record(
    connection: Connection,
    alert: Alert,
    values: dict[str, Any],
    what: str,
    by: str,
    note: str,
    now: datetime,
    code: str = "",
) -> None:
    version = alert.version + 1
    values = {**values, "version": version}
    connection.execute(update(_ALERTS).where(_ALERTS.c.id == alert.id).values(values))
    add_history(connection, [(alert.id, what, by, note)], now, code=code, version=version)
    bring_to(connection, now)


def _sentence(*parts: str) -> str:
    return "; ".join(part.strip() for part in parts if part.strip())
