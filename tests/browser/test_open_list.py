"""A worklist that stays open: it follows colleagues, and says so where it cannot any more."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from monitor.core.permissions import Role
from tests.web_clinic import WebClinic

OLD = "this list may be old"


def test_whoever_is_signed_out_does_not_look_at_an_old_list(web: WebClinic, someone: Any) -> None:
    nurse = someone(Role.NURSE)
    nurse.open("/?view=all")
    expect(nurse.page.locator(".somebody").first).to_be_visible()
    web.now += timedelta(hours=1)
    expect(nurse.page).to_have_url(re.compile(r"/sign-in\?next=/%3Fview%3Dall$"))
    expect(nurse.page.locator(".somebody")).to_have_count(0)


def test_whoever_is_writing_keeps_the_words_and_is_told(web: WebClinic, someone: Any) -> None:
    nurse = someone(Role.NURSE)
    nurse.page.locator("a[data-forms]").first.click()
    nurse.page.locator(".panel summary", has_text="Comment").click()
    nurse.page.get_by_label("A word for the next reader").last.fill("rang twice")
    web.now += timedelta(hours=1)
    expect(nurse.page.locator(".notices")).to_contain_text("You are signed out")
    expect(nurse.page.get_by_label("A word for the next reader").last).to_have_value("rang twice")


def test_whoever_writes_stays_signed_in_meanwhile(web: WebClinic, someone: Any) -> None:
    """A note of a long telephone call was lost when it was sent."""
    nurse = someone(Role.NURSE)
    alert = web.alert_id(urgency="critical")
    nurse.open(f"/alerts/{alert}")
    nurse.page.locator("summary", has_text="Comment").click()
    web.now += timedelta(minutes=20)
    with nurse.page.expect_response("**/account/here"):
        nurse.page.get_by_label("A word for the next reader").last.fill("rang twice")
    web.now += timedelta(minutes=20)
    nurse.page.get_by_role("button", name="Leave it").click()
    nurse.page.wait_for_url(f"{web.url}/")
    nurse.open(f"/alerts/{alert}")
    expect(nurse.page.locator("main")).to_contain_text("rang twice")


def test_whoever_begins_to_write_signed_out_is_told_at_once(web: WebClinic, someone: Any) -> None:
    nurse = someone(Role.NURSE)
    nurse.open(f"/patients/{web.patient_id('D1063')}/events")
    web.now += timedelta(hours=1)
    nurse.page.get_by_label("Note").press_sequentially("f")
    expect(nurse.page.get_by_role("alert")).to_contain_text("You are signed out")
    nurse.check_accessible()
    nurse.page.get_by_label("Note").press_sequentially("ever")
    expect(nurse.page.get_by_role("alert")).to_have_count(1)


@pytest.mark.parametrize(
    "what", [lambda route: route.abort(), lambda _route: None], ids=["refused", "silent"]
)
def test_a_monitor_that_does_not_answer_is_missed(someone: Any, what: Any) -> None:
    nurse = someone(Role.NURSE)
    nurse.settled()
    nurse.page.route("**/worklist/seen", what)
    expect(nurse.page.locator(".notices")).to_contain_text(OLD, timeout=60_000)
    nurse.page.unroute("**/worklist/seen")
    expect(nurse.page.locator(".notices")).not_to_contain_text(OLD)
