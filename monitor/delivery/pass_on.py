"""A message that its address does not take: the next tier has it, and the operator learns why.

The address is never switched off: the next message goes to it again, and is passed on again,
until somebody corrects it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.escalation import asks
from monitor.core.vocabulary import AlertState
from monitor.delivery.ladders import next_rung, tell_early
from monitor.store import outbox, tables
from monitor.store.frames import to_alert
from monitor.store.outbox import Leased
from monitor.store.tables import table_of

_ALERTS = table_of(tables.AlertRow)
Line = tuple[int, str, str]
"""(alert id, what, reason)."""


def pass_on(
    connection: Connection, settings: Settings, leased: Leased, error: str, now: datetime
) -> None:
    """Each alert of the message goes to the next tier of its ladder, at once; what has none
    (its ladder has ended, somebody has it, it is a digest or a correction) to the last resort.
    """
    instead = _instead(connection, settings, leased, now)
    clinic = settings.clinic
    whom = ", ".join(instead) or clinic.email
    text = (
        f"{'The mail server' if leased.channel == outbox.MAIL else 'The other side'} refused "
        f"{leased.recipient} for good: {error}. This message goes to {whom} now, and the address "
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
            payload={**leased.payload, "refused_by": leased.recipient},
            lines=lines,
            now=now,
            zone=clinic.zone,
            sender=settings.mail.sender,
        )


def _instead(
    connection: Connection, settings: Settings, leased: Leased, now: datetime
) -> dict[str, Sequence[Line]]:
    """Who has which lines of the message now."""
    found: dict[str, list[Line]] = defaultdict(list)
    for line in leased.lines if leased.kind == "alert" else ():
        for address in _next_tier(connection, settings, line[0], leased.recipient, now):
            found[address].append(line)
    told = {line for lines in found.values() for line in lines}
    left = [line for line in leased.lines if line not in told]
    last_resort = settings.clinic.email
    if (left or not leased.lines) and leased.recipient.lower() != last_resort.lower():
        found[last_resort] += left
    return dict(found)


def _next_tier(
    connection: Connection, settings: Settings, alert_id: int, refused: str, now: datetime
) -> Sequence[str]:
    """The addresses of the rung that is told now, where the alert asks and nobody has it."""
    row = connection.execute(select(_ALERTS).where(_ALERTS.c.id == alert_id)).one()
    alert = to_alert(row)
    if not asks(alert) or alert.state is AlertState.ACKNOWLEDGED:
        return ()
    rung = next_rung(connection, settings, alert)
    if rung is None or rung.again:
        return ()
    addresses = [it for it in rung.addresses if it.lower() != refused.lower()]
    if addresses:
        tell_early(connection, alert, f"{refused} did not take the message", now)
    return addresses
