"""A nurse's morning: the laboratory's file is seen, taken, mended once for all, and its alert is
on the worklist."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from monitor.core.permissions import Role

FILE = (
    b"mrn,collected_at,analyte,value,unit\n"
    b"D1021,2026-03-09T08:00,neutrophils,0.4,10*9/L\n"
    b"D1042,2026-03-09T08:10,platelets,40,furlongs\n"
    b"D1049,2026-03-09T08:20,platelets,250,furlongs\n"
)


def test_a_laboratorys_file_in_the_morning(someone: Any) -> None:
    nurse = someone()
    page = nurse.page
    nurse.open("/sign-in")
    nurse.sign_in(Role.NURSE)
    page.get_by_role("link", name="Load").click()
    page.wait_for_url("**/load", wait_until="load")
    _drop(page)
    page.get_by_role("button", name="Show what it holds").click()

    expect(page.get_by_role("heading", name="What it holds")).to_be_visible()
    expect(page.get_by_text("3 rows = 1 stored")).to_be_visible()
    expect(page.get_by_text("furlongs").first).to_be_visible()
    nurse.check_accessible()
    page.get_by_role("button", name="Take it").click()

    opened = page.get_by_role("region", name="Alerts that opened with it")
    expect(opened.get_by_role("link", name="D1021")).to_be_visible()
    nurse.check_accessible()
    page.get_by_role("link", name="See what is held").click()
    page.get_by_role("row", name="furlongs").get_by_role("link").click()
    expect(page.get_by_role("heading", name="2 rows alike")).to_be_visible()
    page.get_by_label("Its unit, or none, means").fill("10*9/L")
    page.get_by_role("button", name="Say so").first.click()

    expect(page.get_by_text("2 tried: 2 taken")).to_be_visible()
    remembered = page.get_by_role("region", name="Fixes")
    expect(remembered.get_by_role("row", name="furlongs")).to_contain_text("Nora Gray")
    nurse.open("/")
    for mrn, what in (("D1021", "eutrophils"), ("D1042", "latelets")):
        person = page.locator(".somebody").filter(has_text=mrn)
        expect(person.get_by_role("link", name=what).first).to_be_visible()
    assert nurse.said == []


def _drop(page: Any) -> None:
    """Drag the file onto the field, as a browser hands it over."""
    handed = page.evaluate_handle(
        """text => {
            const handed = new DataTransfer();
            handed.items.add(new File([text], "lab.csv", {type: "text/csv"}));
            return handed;
        }""",
        FILE.decode(),
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": handed})
