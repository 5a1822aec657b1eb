"""A monitor that did not run for days: the tests of those days lie in the inbox."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from monitor.demo.catcher import Catcher
from tests.processes import ClinicFolder, met

COUNT = {
    "hemoglobin": "140,g/L",
    "white_cells": "6.0,10*9/L",
    "neutrophils": "4.0,10*9/L",
    "lymphocytes": "1.5,10*9/L",
    "platelets": "250,10*9/L",
}
MANY = 25
"""Files of others, which are read before: intake is still at work when a sweep is through."""


def test_nobody_is_asked_for_a_test_that_lies_in_the_inbox(
    clinic: ClinicFolder, mailbox: Catcher
) -> None:
    (clinic.folder / "people.csv").write_text(
        f"mrn,drug,started_on\nA1,azathioprine,{days_ago(27)}\n"
    )
    taken = clinic.run("enrol", "people.csv", "--at", f"{days_ago(27)}T08:00")
    assert taken.returncode == 0, taken.stderr
    (clinic.folder / "before.csv").write_text(count_of("A1", days_ago(13)))
    clinic.run("load", "before.csv", "--at", f"{days_ago(13)}T20:00")
    for number in range(MANY):
        clinic.drop(f"a{number:02}.csv", count_of(f"X{number}", days_ago(5)))
    clinic.drop("b.csv", count_of("A1", days_ago(5)))
    clinic.start()
    assert met(lambda: clinic.done("b.csv"))
    assert met(lambda: bool(asked(clinic, "SELECT name FROM job_runs WHERE name = 'nightly'")))
    late = "SELECT id FROM alerts WHERE kind = 'overdue_test' AND opened_at > ?"
    assert asked(clinic, late, days_ago(2)) == []
    assert not any("no lab results" in mail.subject for mail in mailbox.caught)


def days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def count_of(mrn: str, day: str) -> str:
    rows = (f"{mrn},{day}T08:00,{analyte},{it}\n" for analyte, it in COUNT.items())
    return "mrn,collected_at,analyte,value,unit\n" + "".join(rows)


def asked(clinic: ClinicFolder, query: str, *values: str) -> list[object]:
    with sqlite3.connect(clinic.folder / "monitor.db") as connection:
        return connection.execute(query, values).fetchall()
