"""Ten thousand alerts at once: how many mails, how long, how much memory.

    python bench/storm.py [PATIENTS] [CRITICAL_PERCENT] [day|night]

A feed is restored: every patient has one low lymphocyte count. `night` is 3 a.m. with one
person on call by rota, `day` a nurse in working hours. A folder of its own is made and removed;
nothing is sent.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, insert, select

from monitor.config import read_settings
from monitor.review import review_due
from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.tables import table_of
from tests.clinic import Clinic

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


def main(patients: int, critical_percent: float, when: str) -> None:
    now = datetime(2026, 3, 3, 3 if when == "night" else 10, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rota.csv").write_text(
            "week,name,addresses,telephone\n2026-W10,Dr Gray,gray@hill.example,+44 7700 900001\n"
        )
        store = open_store(f"sqlite:///{folder / 'monitor.db'}")
        store.migrate()
        clinic = Clinic(store, read_settings(CONFIG, folder / "config.toml", {}))
        _fill(clinic, patients, critical_percent, now)
        began = time.perf_counter()
        tally = review_due(store, clinic.settings, now)
        took = time.perf_counter() - began
        _say(clinic, f"opened {tally.opened}", took)
        later = now + timedelta(hours=2)
        began = time.perf_counter()
        review_due(store, clinic.settings, later)
        _say(clinic, "two hours later, nobody has acknowledged", time.perf_counter() - began)
        store.dispose()


def _say(clinic: Clinic, what: str, seconds: float) -> None:
    deliveries, bears = table_of(tables.Delivery), table_of(tables.DeliveryAlert)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.1f} s, {peak:.0f} MiB at most")
    joined = bears.join(deliveries, bears.c.delivery_id == deliveries.c.id)
    query = (
        select(
            deliveries.c.recipient,
            deliveries.c.urgency,
            func.count(func.distinct(deliveries.c.id)),
            func.count(),
        )
        .select_from(joined)
        .group_by(deliveries.c.recipient, deliveries.c.urgency)
        .order_by(deliveries.c.recipient)
    )
    with clinic.store.read() as connection:
        for recipient, urgency, mails, alerts in connection.execute(query):
            print(f"  {recipient}  {urgency}: {mails} mails, {alerts} alerts in them")


def _fill(clinic: Clinic, patients: int, critical_percent: float, now: datetime) -> None:
    collected = now - timedelta(hours=1)
    critical = int(patients * critical_percent / 100)
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
    results = []
    calm = {"hemoglobin": "140", "white_cells": "6", "neutrophils": "4", "platelets": "250"}
    for n in numbers:
        low = "0.15" if n <= critical else "0.4"
        for analyte, value in (calm | {"lymphocytes": low}).items():
            results.append({
                "patient_id": n, "analyte": analyte, "collected_at": collected,
                "collected_on": collected.date(), "timed": True, "specimen_id": "",
                "value": Decimal(value), "comparator": "", "no_result": "", "status": "final",
                "stands": True, "received_value": value, "received_unit": "",
                "received_at": now, "comment": "", "below_plausible": False,
                "doubtful_comment": "", "file_id": clinic.file_id, "line": len(results) + 1,
            })  # fmt: skip
    with clinic.store.write() as connection:
        connection.execute(insert(table_of(tables.Patient)), people)
        connection.execute(insert(table_of(tables.EnrolmentRow)), enrolments)
        connection.execute(insert(table_of(tables.ResultRow)), results)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]) if given else 10_000,
        float(given[1]) if len(given) > 1 else 1,
        given[2] if len(given) > 2 else "night",
    )
