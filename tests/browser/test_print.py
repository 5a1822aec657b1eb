"""What a page is on paper."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from monitor.core.permissions import Role
from tests.web_clinic import WebClinic

_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")


@pytest.mark.parametrize("mrn", ["D1063", "D1035", "D1112"])
def test_a_patient_prints_on_one_sheet(web: WebClinic, someone: Any, mrn: str) -> None:
    """With two alerts and a hold, with two alerts, with none."""
    nurse = someone(Role.NURSE)
    nurse.open(f"/patients/{web.patient_id(mrn)}")
    sheet = nurse.page.pdf(prefer_css_page_size=True)
    assert len(_PAGE.findall(sheet)) == 1


def test_a_sheet_says_of_when_it_is_and_what_was_left_out(someone: Any) -> None:
    """A list on paper gets old, and the choices that made it are not printed."""
    nurse = someone(Role.NURSE)
    nurse.open("/?urgency=urgent&overdue=yes&mine=yes&view=in_hand")
    told = nurse.page.locator(".heading .only-print")
    expect(told).to_be_hidden()
    nurse.page.emulate_media(media="print")
    expect(told).to_be_visible()
    said = (
        "North clinic, as of Tue 10 Mar 2026, 10:00: In hand, urgent, overdue tests, with Nora Gray"
    )
    expect(told).to_have_text(re.compile(rf"^{re.escape(said)}; \d+ patients?$"))


def test_an_alert_on_paper_is_without_its_forms(web: WebClinic, someone: Any) -> None:
    """ "What you can do" took a third of each sheet; how urgent it is stays."""
    nurse = someone(Role.NURSE)
    nurse.open("/alerts/1")
    told, forms = nurse.page.locator("section", has_text="What happened").first, "#do"
    nurse.page.emulate_media(media="print")
    expect(nurse.page.locator(forms)).to_be_hidden()
    expect(nurse.page.get_by_text("Back to the worklist")).to_be_hidden()
    urgency = nurse.page.locator(".heading .badge")
    expect(urgency).to_be_visible()
    box, sheet = told.bounding_box(), nurse.page.locator("main").bounding_box()
    assert box is not None and sheet is not None and box["width"] > sheet["width"] * 0.95
