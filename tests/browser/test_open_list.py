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
