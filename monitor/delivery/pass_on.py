"""A message that its address does not take: the next tier has it, and the operator learns why.

The address is never switched off: the next message goes to it again, and is passed on again,
until somebody corrects it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.escalation import asks
from monitor.core.vocabulary import AlertState, Urgency
from monitor.delivery.content import recorded_dead
from monitor.delivery.ladders import next_rung, tell_early
from monitor.store import outbox, tables
from monitor.store.frames import to_alert
from monitor.store.leases import Leased
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
_ENROLMENTS = table_of(tables.EnrolmentRow)
_PATIENTS = table_of(tables.Patient)
Line = tuple[int, str, str]
"""(alert id, what, reason)."""


def pass_on(
    connection: Connection, settings: Settings, leased: Leased, error: str, now: datetime
) -> None:
    """Each alert of the message goes to the next tier of its ladder, at once; what has none
    (its ladder has ended, somebody has it, it is a digest, a correction or an alarm) to the last
    resort.
    """
    refused = [*leased.payload.get("refused", ()), leased.recipient]
    kept = _of_the_living(connection, leased, now)
    is_needed = bool(kept) or not leased.lines
    leased = replace(leased, lines=kept)
    instead = _instead(connection, settings, leased, refused, now) if is_needed else {}
    clinic = settings.clinic
    goes = f"goes to {', '.join(instead)} now" if instead else "has nobody else to go to"
    goes = goes if is_needed else "is not needed any more"
    text = (
        f"{'The mail server' if leased.channel == outbox.MAIL else 'The other side'} refused "
        f"{leased.recipient} for good: {error}. This message {goes}, and the address "
        "is used again next time. Correct it in [[routes]] or [recipients]."
    )
    topic = f"address refused: {leased.recipient}"
    outbox.operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)
    for recipient, lines in instead.items():
        outbox.put(
            connection,
            once_key=f"passed-on:{leased.id}:{recipient.lower()}",
            kind=leased.kind,
            recipient=recipient,
            urgency=leased.urgency,
            payload={**leased.payload, "refused_by": leased.recipient, "refused": refused},
            lines=lines,
            now=now,
            zone=clinic.zone,
            sender=settings.mail.sender,
        )


def _of_the_living(connection: Connection, leased: Leased, now: datetime) -> tuple[Line, ...]:
    """Nothing is said about the dead, to nobody. (A digest leaves them out when it is laid out.)"""
    dead = recorded_dead(connection, now)
    if leased.kind == "digest" or not dead:
        return leased.lines
    query = (
        select(_ALERTS.c.id)
        .join(_ENROLMENTS, _ENROLMENTS.c.id == _ALERTS.c.enrolment_id)
        .join(_PATIENTS, _PATIENTS.c.id == _ENROLMENTS.c.patient_id)
        .where(_ALERTS.c.id.in_([line[0] for line in leased.lines]))
        .where(_PATIENTS.c.mrn.in_(dead))
    )
    about = set(connection.scalars(query))
    return tuple(line for line in leased.lines if line[0] not in about)


def _instead(
    connection: Connection,
    settings: Settings,
    leased: Leased,
    refused: Sequence[str],
    now: datetime,
) -> dict[str, Sequence[Line]]:
    """Who has which lines of the message now: never an address that has refused it, so that no
    message goes round in circles. The same address in other letters is the same reader."""
    found: dict[str, list[Line]] = defaultdict(list)
    written: dict[str, str] = {}
    for line in leased.lines if leased.kind == "alert" else ():
        for address in _next_tier(connection, settings, line[0], refused, now):
            found[written.setdefault(address.lower(), address)].append(line)
    told = {line for lines in found.values() for line in lines}
    left = [line for line in leased.lines if line not in told]
    if left or not leased.lines:
        for address in _last_resort(settings, leased.urgency, refused):
            found[written.setdefault(address.lower(), address)] += left
    return dict(found)


def _last_resort(settings: Settings, urgency: str, refused: Sequence[str]) -> Sequence[str]:
    """The clinic's address; where that refuses, the other ways of [alarm], but for routine."""
    clinic = _others([settings.clinic.email], refused)
    if clinic or urgency == Urgency.ROUTINE.value:
        return clinic
    return _others(settings.alarm.to, refused)


def _others(addresses: Sequence[str], refused: Sequence[str]) -> list[str]:
    known = {address.lower() for address in refused}
    return [address for address in addresses if address.lower() not in known]


def _next_tier(
    connection: Connection, settings: Settings, alert_id: int, refused: Sequence[str], now: datetime
) -> Sequence[str]:
    """The addresses of the rung that is told now, where the alert asks and nobody has it."""
    row = connection.execute(select(_ALERTS).where(_ALERTS.c.id == alert_id)).one()
    alert = to_alert(row)
    if not asks(alert) or alert.state is AlertState.ACKNOWLEDGED:
        return ()
    rung = next_rung(connection, settings, alert)
    if rung is None or rung.again:
        return ()
    addresses = _others(rung.addresses, refused)
    if addresses:
        tell_early(connection, alert, f"{refused[-1]} did not take the message", now)
    return addresses
