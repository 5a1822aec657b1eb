"""Reports on the pages: the same numbers as the commands, on the screen and as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from monitor.core.permissions import Role
from monitor.operations.report_overdue import Which, overdue
from tests.web_clinic import WebClinic


def test_each_report_is_shown_and_taken_as_csv(web: WebClinic) -> None:
    admin = web.client(Role.ADMIN)
    index = admin.get("/reports").text
    for name in ("overdue", "compliance", "gaps", "burden", "late", "audit"):
        assert f"/reports/{name}" in index
        assert admin.get(f"/reports/{name}").status_code == 200, name
        rows = admin.get(f"/reports/{name}", params={"form": "csv"})
        assert rows.headers["content-type"].startswith("text/csv"), name
    assert admin.get("/reports/nothing").status_code == 404
    assert "Ada Moore: report seen" in web.audit()


def test_the_page_and_the_command_count_the_same(web: WebClinic) -> None:
    found = overdue(web.store, web.settings, Which(), web.now)
    taken = web.client(Role.VIEWER).get("/reports/overdue?form=csv").text
    rows = list(csv.DictReader(io.StringIO(taken)))
    assert [row["mrn"] for row in rows] == [it.mrn for it in found.rows]
    assert rows


def test_a_report_has_no_word_of_the_program(web: WebClinic) -> None:
    """Rules stood there as overdue_test, who waits longest as SERIOUS, a day in three lines."""
    viewer = web.client(Role.VIEWER)
    burden = viewer.get("/reports/burden").text
    assert ">overdue test</td>" in burden and "overdue_test" not in burden
    late = viewer.get("/reports/overdue").text
    assert "quarterly): seriously overdue" in late and "SERIOUS" not in late
    assert '<td data-label="Due" class="whole">21 Jan 2026</td>' in late
    late = viewer.get("/reports/late").text
    assert 'class="whole">2 Mar 2026</td>' in late
    assert "10*9/L" not in late and "2026-03-" not in late


def test_a_clinic_narrows_it(web: WebClinic) -> None:
    viewer = web.client(Role.VIEWER)
    everybody = viewer.get("/reports/overdue?form=csv").text.splitlines()
    nobody = viewer.get("/reports/overdue?form=csv&clinic=elsewhere").text.splitlines()
    assert len(everybody) > len(nobody) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.NURSE, Role.CLINICIAN])
def test_what_people_did_is_for_admins(web: WebClinic, role: Role) -> None:
    client = web.client(role)
    assert "/reports/audit" not in client.get("/reports").text
    assert client.get("/reports/audit").status_code == 403


def test_days_in_the_wrong_order_are_told(web: WebClinic) -> None:
    answer = web.client(Role.VIEWER).get("/reports/compliance?from=2026-03-02&to=2026-01-01")
    assert answer.status_code == 422
    assert "first day lies after the last" in answer.text


@pytest.mark.parametrize("asked", ["from=soon", "to=2026-02-30", "from=soon&form=csv"])
def test_days_that_are_none_are_said_and_not_left_out(web: WebClinic, asked: str) -> None:
    """Left out, the figures of another time stood under the days that were asked for."""
    answer = web.client(Role.VIEWER).get(f"/reports/compliance?{asked}")
    assert answer.status_code == 422
    assert "Write a day as 2026-03-02" in answer.text
