"""The operator's page and the audit trail."""

from __future__ import annotations

from monitor.core.permissions import Role
from tests.web_clinic import WebClinic


def test_the_operator_sees_health_and_that_everything_adds_up(web: WebClinic) -> None:
    page = web.client(Role.ADMIN).get("/operations").text
    for words in (
        "the daemon has never run",
        "it adds up",
        "enrolments",
        "Feeds",
        "Messages",
        "monitored here:",
        "with a review ahead:",
    ):
        assert words in page, words
    assert web.client(Role.VIEWER).get("/operations").status_code == 403


def test_the_audit_trail_tells_who_saw_whom_and_is_for_admins(web: WebClinic) -> None:
    patient = web.patient_id("D1063")
    web.client(Role.NURSE).get(f"/patients/{patient}")
    web.client(Role.VIEWER).get("/patients")
    admin = web.client(Role.ADMIN)
    assert "patient seen" in admin.get("/audit").text
    of_nurse = admin.get("/audit", params={"who": "Nora Gray"}).text
    assert "D1063" in of_nurse
    of_other = admin.get("/audit", params={"patient": patient + 1}).text
    assert "patient seen" not in of_other
    assert web.client(Role.CLINICIAN).get("/audit").status_code == 403


def test_a_long_trail_is_read_page_by_page(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    for _ in range(210):
        nurse.get("/patients/1")
    admin = web.client(Role.ADMIN)
    first = admin.get("/audit").text
    older = first.split('href="/audit?before=')[1].split('"')[0]
    second = admin.get(f"/audit?before={older}").text
    assert first.count("<tr>") > second.count("<tr>") > 1
