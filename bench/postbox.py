"""A mail server in a process of its own that takes everything, and an outbox full of mails."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from bench.filling import put_protocols
from monitor.core.calendar import clinic_day
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.facts import installation
from monitor.store.outbox import message_id
from monitor.store.tables import table_of
from tests.golden.mail_samples import neutropenia

CONFIG = """
[clinic]
name = "Rheumatology"
timezone = "Europe/London"
email = "clinic@hill.example"
telephone = "+44 20 5550 0120"
[mail]
host = "127.0.0.1"
port = {port}
sender = "monitor@hill.example"
[[routes]]
to = ["nurse@hill.example"]
"""


@contextmanager
def mail_server(subjects: Any = None, away: float = 0) -> Iterator[int]:
    """The port of a server that accepts every message; `subjects` is a queue that gets the
    subject of each and the instant of its acceptance. `away`: seconds that each of its answers
    takes beside its work, as from another machine."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, subjects, away), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(port: Any, subjects: Any, away: float) -> None:
    asyncio.run(_serving(port, subjects, away))


async def _serving(port: Any, subjects: Any, away: float) -> None:
    from aiosmtpd.smtp import SMTP

    class Taker:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            if subjects is not None:
                import time

                subjects.put((time.time(), bytes(envelope.content)))
            return "250 OK"

    class Away(SMTP):
        async def push(self, status: Any) -> None:
            await asyncio.sleep(away)
            await super().push(status)

    loop = asyncio.get_running_loop()
    kind = Away if away else SMTP
    server = await loop.create_server(lambda: kind(Taker(), loop=loop), "127.0.0.1", 0)
    port.send(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


def evidence(number: int) -> dict[str, Any]:
    """A fall of neutrophils whose every value is this patient's own, so that its figure is."""
    shown = neutropenia(mrn=f"S{number}")
    series = [dict(point) for point in shown["series"]]
    for place, point in enumerate(series):
        if point["value"]:
            own = Decimal((number * 7 + place * 13) % 90 + 1) / 1000
            point["value"] = str(Decimal(point["value"]) + own)
            point["received"] = f"{point['value']} 10*9/L"
    last = series[-1]["value"]
    return shown | {"series": series, "value": last, "latest_value": last}


def fill_outbox(store: Store, count: int, now: datetime) -> None:
    """So many critical alerts of as many patients, each owed to a recipient of its own."""
    numbers = range(1, count + 1)
    start = date(2026, 3, 2)
    patients = [
        {"id": n, "mrn": f"S{n}", "mrn_key": f"s{n}", "mrn_loose": f"s{n}",
         "family_name": "Longname", "given_name": "Maximiliane", "sex": ""}
        for n in numbers
    ]  # fmt: skip
    enrolments = [
        {"id": n, "patient_id": n, "drug": "azathioprine", "protocol_id": "azathioprine",
         "indication": "", "clinic": "rheumatology", "started_on": start, "enrolled_on": start,
         "enrolled_at": now, "tpmt": "normal", "nudt15": "normal",
         "next_review_at": now + timedelta(days=30)}
        for n in numbers
    ]  # fmt: skip
    with store.write() as connection:
        put_protocols(connection)
        ours = installation(connection)
        zone_day = clinic_day(now, now.tzinfo)  # type: ignore[arg-type]  # UTC will do
        connection.execute(insert(table_of(tables.Patient)), patients)
        connection.execute(insert(table_of(tables.EnrolmentRow)), enrolments)
        for begin in range(1, count + 1, 1000):
            some = range(begin, min(begin + 1000, count + 1))
            connection.execute(insert(table_of(tables.AlertRow)), [_alert(n, now) for n in some])
            rows = [_delivery(n, now, zone_day, ours) for n in some]
            connection.execute(insert(table_of(tables.Delivery)), rows)
            bears = [
                {"delivery_id": n, "alert_id": n, "what": "opened", "reason": ""} for n in some
            ]
            connection.execute(insert(table_of(tables.DeliveryAlert)), bears)


def _alert(number: int, now: datetime) -> dict[str, Any]:
    shown = evidence(number)
    return {
        "id": number, "enrolment_id": number, "cause": "rule:neutropenia", "kind": shown["kind"],
        "rule": "neutropenia", "urgency": "critical", "state": "open", "recovered": False,
        "opened_at": now, "summary": shown["summary"], "level": 3, "downward": True,
        "breaches": [], "subjects": [], "shown": shown, "content": "",
        "first_seen_recovered": False, "closed_recovered": False, "protocol_digest": "8c1f",
    }  # fmt: skip


def _delivery(number: int, now: datetime, day: date, ours: str) -> dict[str, Any]:
    key = f"alert:nurse{number}@hill.example:{number}"
    return {
        "id": number, "once_key": key, "kind": "alert", "recipient": f"nurse{number}@hill.example",
        "channel": "mail", "urgency": "critical", "created_at": now, "for_day": day,
        "message_id": message_id(key, "monitor@hill.example", ours), "payload": {"order": [number]},
        "state": "waiting", "attempts": 0, "next_attempt_at": now, "last_error": "", "answer": "",
    }  # fmt: skip
