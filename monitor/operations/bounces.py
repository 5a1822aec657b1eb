"""Mails that came back: the alert goes to somebody else, and the operator is told.

An address is never switched off: the next alert goes to it again, and bounces again, until
somebody corrects it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select, update

from monitor import logs
from monitor.config import Settings
from monitor.core.vocabulary import Urgency
from monitor.delivery.bounce_box import BoxFailed, empty_folder, empty_mailbox
from monitor.delivery.bounces import DELAYED, FAILED, Report, reports_of
from monitor.delivery.pass_on import pass_on
from monitor.store import leases, outbox
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES


@dataclass(slots=True)
class Emptied:
    """What came out of the bounce boxes."""

    mails: int = 0
    bounced: int = 0
    """Messages of ours that did not arrive, each counted once."""


def empty_boxes(store: Store, settings: Settings, now: datetime) -> Emptied:
    """Take in every report that lies in the boxes of the config; a box that cannot be read is
    told to the operator, and the other one is read all the same."""
    bounces, emptied = settings.bounces, Emptied()
    take = partial(_take, store, settings, now, emptied)
    boxes = []
    if bounces.folder is not None:
        boxes.append(partial(empty_folder, bounces.folder, take))
    if bounces.imap_host:
        boxes.append(partial(empty_mailbox, bounces, take))
    for box in boxes:
        try:
            emptied.mails += box()
        except BoxFailed as failure:
            _alarm(store, settings, now, "bounces", str(failure))
    return emptied


def _take(store: Store, settings: Settings, now: datetime, emptied: Emptied, raw: bytes) -> None:
    """Anybody can write to the box: a mail that cannot be read keeps no other one back."""
    try:
        reports = reports_of(raw)
    except Exception as error:  # noqa: BLE001  # of one mail; the others have their turn
        text = (
            f"A mail in the bounce box cannot be read ({logs.places(error)}). It may be a report "
            "that a message did not arrive: look there."
        )
        _alarm(store, settings, now, "a bounce that cannot be read", text)
        return
    if not reports:
        text = (
            "A mail in the bounce box is no delivery report (an automatic answer, or a person "
            "who wrote back). Nobody has read it: look there."
        )
        _alarm(store, settings, now, "a mail nobody reads", text)
    for report in reports:
        with store.write() as connection:
            row = _about(connection, report)
            if report.action == FAILED:
                emptied.bounced += _bounced(connection, settings, now, report, row)
            elif report.action == DELAYED and row is not None and row.urgency != "routine":
                _delayed(connection, settings, now, row, report)


def _about(connection: Connection, report: Report) -> Row[Any] | None:
    """The message of ours that a report is about."""
    if not report.message_id:
        return None
    query = select(DELIVERIES).where(DELIVERIES.c.message_id == report.message_id)
    return connection.execute(query).one_or_none()


def _bounced(
    connection: Connection, settings: Settings, now: datetime, report: Report, row: Row[Any] | None
) -> bool:
    """Mark it, pass it on, tell the operator; False for one that was known before."""
    if row is None:
        text = (
            f"A mail to {report.recipient or 'an unnamed address'} came back: {report.said}. The "
            "report does not say which; every alert told to this address needs another way."
        )
        outbox.operator_alarm(
            connection,
            f"mail came back: {report.recipient}",
            text,
            settings.clinic.email,
            now,
            settings.clinic.zone,
        )
        return False
    mine = (DELIVERIES.c.id == row.id) & DELIVERIES.c.bounced_at.is_(None)
    values = {"state": "failed", "bounced_at": now, "last_error": f"came back: {report.said}"}
    if not connection.execute(update(DELIVERIES).where(mine).values(values)).rowcount:
        return False
    message = leases.load_message(connection, row.id)
    pass_on(connection, settings, message, f"it came back: {report.said}", now)
    return True


def _delayed(
    connection: Connection, settings: Settings, now: datetime, row: Row[Any], report: Report
) -> None:
    text = (
        f"Message {row.id} ({row.urgency}) to {row.recipient} has not arrived yet, says a mail "
        f"system on its way: {report.said}. Nobody there may have read it: telephone."
    )
    topic = f"mail delayed: {row.recipient}"
    if row.urgency == Urgency.CRITICAL.value:
        topic += f", message {row.id}"  # each is a patient of its own, once a day is not enough
    clinic = settings.clinic
    outbox.operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)


def _alarm(store: Store, settings: Settings, now: datetime, topic: str, text: str) -> None:
    clinic = settings.clinic
    with store.write() as connection:
        outbox.operator_alarm(connection, topic, text, clinic.email, now, clinic.zone)
