"""Many alerts at once: a feed is restored and every patient has a low lymphocyte count, one in a
hundred a critical one. By day there is a nurse, at 3 a.m. one person on call by rota. How many
mails, how long, how much memory; laying out what is owed; and two hours later, when nobody has
acknowledged."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select

from bench.databases import empty, opened
from bench.filling import settings
from bench.plan import SQLITE, Plan, alone, apart, this
from bench.record import Record
from monitor.config import Settings
from monitor.delivery.message import render
from monitor.delivery.mime import to_bytes
from monitor.review import review_due
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.leases import load_message
from monitor.store.outbox import DELIVERIES
from monitor.store.readings import Reading, Readings
from monitor.store.tables import table_of
from tests.clinic import Clinic

TITLE = "Many alerts at once"
DATABASES = (SQLITE,)
CONFIG = """
[clinic]
timezone = "Europe/London"
email = "clinic@hill.example"
[recipients.nurses]
addresses = ["nurse@hill.example"]
[recipients.on_call]
rota = "rota.csv"
hours = "always"
[[routes]]
to = ["nurses"]
then = [["on_call"]]
"""
ROTA = "week,name,addresses,telephone\n2026-W10,Dr Gray,gray@hill.example,+44 7700 900001\n"
_ONE_CRITICAL_IN = 100
_CALM = {"hemoglobin": "140", "white_cells": "6", "neutrophils": "4", "platelets": "250"}


class Seen(NamedTuple):
    """What came of it: seconds of CPU of the first review, of laying out its mails and of the
    review two hours later; the largest mail without its attached list, in bytes, and the alerts
    listed there; and the mails of each reader and urgency as (mails, alerts in them)."""

    first: float
    laid_out: float
    later: float
    largest: int
    listed: int
    mails: dict[str, tuple[int, int]]


def sizes(scale: str) -> Sequence[int]:
    """Patients, each with an alert."""
    return {"quick": (300,), "usual": (1_000,), "full": (10_000,)}[scale]


def run(plan: Plan) -> list[Record]:
    """By day and by night."""
    records = []
    for name, hour in (("by day", 10), ("at 3 a.m., one person on call", 3)):
        seen = [apart(restored, plan.database, plan.size, hour) for _ in range(plan.repeats)]
        memory = [it.peak_mib for it in seen]
        mails = seen[-1].value.mails
        told = "; ".join(
            f"{who}: {count[0]} mails, {count[1]} alerts" for who, count in mails.items()
        )
        last = seen[-1].value
        records += [
            Record(what=f"alerts opened and queued {name}", unit="s of CPU",
                   values=[it.value.first for it in seen], more_is_better=False, peak_mib=memory,
                   note=f"{plan.size:,} patients with an alert at once {name}, two hours later: "
                        f"{told}. The largest mail has {last.largest / 1024:.0f} KiB, the list "
                        f"attached to it {last.listed:,} alerts."),
            Record(what=f"their mails laid out, {name}", unit="s of CPU",
                   values=[it.value.laid_out for it in seen], more_is_better=False),
            Record(what=f"two hours later, none acknowledged, {name}", unit="s of CPU",
                   values=[it.value.later for it in seen], more_is_better=False),
        ]  # fmt: skip
    return records


def restored(database: str, patients: int, hour: int) -> Seen:
    """The feed is back at this hour."""
    now = datetime(2026, 3, 3, hour, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as name, empty(database) as url:
        (Path(name) / "rota.csv").write_text(ROTA)
        store = opened(url)
        ours = settings(Path(name), CONFIG)
        _fill(Clinic(store, ours), patients, now)
        first = _busy(lambda: review_due(store, ours, now))
        sizes: list[tuple[int, int]] = []
        laid_out = _busy(lambda: sizes.extend(_laid_out(store, ours, now)))
        later = _busy(lambda: review_due(store, ours, now + timedelta(hours=2)))
        mails = _mails(store)
        store.dispose()
    largest, listed = max(sizes)
    return Seen(first, laid_out, later, largest, listed, mails)


def _busy(step: Callable[[], object]) -> float:
    """Seconds of CPU."""
    began = time.process_time()
    step()
    return time.process_time() - began


def _laid_out(store: Store, settings: Settings, now: datetime) -> Iterator[tuple[int, int]]:
    """Each mail that is owed: bytes without its attached list, alerts in that list."""
    with store.read() as connection:
        for key in list(connection.scalars(select(DELIVERIES.c.id))):
            message = load_message(connection, key)
            mail = render(connection, message, settings, now)
            listed = max(0, len(mail.whole_list.splitlines()) - 1)
            bare = to_bytes(replace(mail, whole_list=""), message, settings, now)
            to_bytes(mail, message, settings, now)
            yield len(bare), listed


def _mails(store: Store) -> dict[str, tuple[int, int]]:
    deliveries, bears = table_of(tables.Delivery), table_of(tables.DeliveryAlert)
    query = (
        select(
            deliveries.c.recipient,
            deliveries.c.urgency,
            func.count(func.distinct(deliveries.c.id)),
            func.count(),
        )
        .select_from(bears.join(deliveries, bears.c.delivery_id == deliveries.c.id))
        .group_by(deliveries.c.recipient, deliveries.c.urgency)
        .order_by(deliveries.c.recipient, deliveries.c.urgency)
    )
    with store.read() as connection:
        return {
            f"{recipient} {urgency}": (mails, alerts)
            for recipient, urgency, mails, alerts in connection.execute(query)
        }


def _fill(clinic: Clinic, patients: int, now: datetime) -> None:
    collected = now - timedelta(hours=1)
    numbers = range(1, patients + 1)
    people = [
        {"id": n, "mrn": f"A{n}", "mrn_key": f"a{n}", "mrn_loose": f"a{n}", "family_name": "",
         "given_name": "", "sex": ""}
        for n in numbers
    ]  # fmt: skip
    enrolments = [
        {"id": n, "patient_id": n, "drug": "azathioprine", "protocol_id": "azathioprine",
         "indication": "", "clinic": "", "started_on": date(2026, 3, 1),
         "enrolled_on": date(2026, 3, 1), "enrolled_at": now - timedelta(days=2),
         "tpmt": "normal", "nudt15": "normal", "next_review_at": now}
        for n in numbers
    ]  # fmt: skip
    results: list[dict[str, Any]] = []
    said: list[Reading] = []
    for n in numbers:
        low = "0.4" if n % _ONE_CRITICAL_IN else "0.15"
        for analyte, value in (_CALM | {"lymphocytes": low}).items():
            said.append(Reading(Decimal(value), received_value=value))
            results.append({
                "patient_id": n, "analyte": analyte, "collected_at": collected,
                "collected_on": collected.date(), "timed": True, "specimen_id": "",
                "stands": True, "received_at": now, "comment": "", "doubtful_comment": "",
                "file_id": clinic.file_id, "line": len(results) + 1,
            })  # fmt: skip
    with clinic.store.write() as connection:
        for row, number in zip(results, Readings(connection).numbers(said), strict=True):
            row["reading_id"] = number
        connection.execute(insert(table_of(tables.Patient)), people)
        connection.execute(insert(table_of(tables.EnrolmentRow)), enrolments)
        connection.execute(insert(table_of(tables.ResultRow)), results)


if __name__ == "__main__":
    alone(this(__name__))
