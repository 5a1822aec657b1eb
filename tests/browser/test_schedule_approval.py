"""An admin's edit of a schedule: a mistake told at its place, an example that no longer holds,
both mended; shown on those enrolled, proposed; and in force once a clinician at another screen
has approved it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect
from sqlalchemy import delete

from monitor.core.permissions import Role
from monitor.operations.schedule_proposals import proposals
from monitor.store import tables
from monitor.store.rulebook import texts_in_force
from monitor.store.tables import table_of
from tests.web_clinic import WebClinic

LINE = '{ below = 1.0, action = "discontinue", urgency = "critical", recheck = "2 days" }'
SOONER, MISTAKE = LINE.replace("2 days", "1 day"), LINE.replace("2 days", "1 dy")
EXAMPLE = 'expect = { cbc = { due_on = 2026-06-04, state = "due", because = "recheck" } }'
ITS_DAY = EXAMPLE.replace("2026-06-04", "2026-06-03")
REASON = "Minutes of the committee, 9 March 2026"


def in_force(web: WebClinic) -> str:
    with web.store.read() as connection:
        return texts_in_force(connection)["azathioprine"].text


def retype(page: Any, old: str, new: str) -> None:
    """Select a piece of the text, as with a mouse, and type another over it."""
    page.get_by_label("The text").evaluate(
        """(it, old) => {
            const at = it.value.indexOf(old);
            it.focus();
            it.setSelectionRange(at, at + old.length);
        }""",
        old,
    )
    page.keyboard.insert_text(new)


def test_an_admins_edit_with_a_second_persons_approval(web: WebClinic, someone: Any) -> None:
    before = in_force(web)
    wanted = before.replace(LINE, SOONER, 1).replace(EXAMPLE, ITS_DAY, 1)
    mistaken = before.replace(LINE, MISTAKE, 1)
    place = next(at for at, it in enumerate(mistaken.splitlines(), 1) if MISTAKE in it)
    admin, clinician = someone(Role.ADMIN), someone(Role.CLINICIAN)
    page = admin.page
    page.get_by_role("link", name="Schedules").click()
    page.get_by_role("row").filter(has_text="azathioprine, version").get_by_role("link").click()
    page.get_by_role("link", name="Propose a change").click()
    text = page.get_by_label("The text")
    expect(text).to_have_value(before)

    retype(page, LINE, MISTAKE)
    page.get_by_label("Why").fill(REASON)
    page.get_by_role("button", name="Check").click()
    faults = page.get_by_role("region", name="nothing of this text can go live")
    expect(faults).to_contain_text(f"Line {place}")
    expect(faults).to_contain_text(MISTAKE)
    admin.check_accessible()
    admin.settled()
    faults.get_by_role("link", name=f"Line {place}").click()
    expect(text).to_be_focused()
    chosen = text.evaluate("it => it.value.slice(it.selectionStart, it.selectionEnd)")
    assert chosen == mistaken.splitlines()[place - 1]

    page.keyboard.insert_text(chosen.replace(MISTAKE, SOONER))
    page.get_by_role("button", name="Check").click()
    expect(faults).to_contain_text("neutrophils 0.9 ask for the next count in 2 days")
    retype(page, EXAMPLE, ITS_DAY)
    page.get_by_role("button", name="Check").click()
    coming = page.get_by_role("region", name="What it would change today")
    expect(coming).to_contain_text("enrolled")
    expect(coming.get_by_role("row").nth(1)).to_contain_text("D1063")
    expect(page.get_by_label("Why")).to_have_value(REASON)
    admin.check_accessible()
    assert in_force(web) == before
    page.get_by_role("button", name="Propose it").click()

    expect(page.get_by_text("Nothing changes until a second person approves it")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert in_force(web) == before

    second = clinician.page
    clinician.open("/schedules")
    waiting = second.get_by_role("region", name="Waiting for a second person")
    expect(waiting).to_contain_text(REASON)
    waiting.get_by_role("link").click()
    expect(second.locator(".difference")).to_contain_text("1 day")
    expect(second.get_by_role("region", name="What it would change today")).to_be_visible()
    clinician.check_accessible()
    second.get_by_label("Note").fill("agreed")
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_role("status")).to_contain_text("It is in force")
    assert in_force(web) == wanted

    admin.open("/schedules/azathioprine")
    expect(page.locator("main")).to_contain_text("Ada Moore, approved by Dr Carl Field")
    admin.open("/audit")
    for who, what in (("Ada Moore", "schedule proposed"), ("Dr Carl Field", "schedule approved")):
        row = page.get_by_role("row").filter(has_text=what)
        expect(row).to_contain_text(who)
    assert admin.said == clinician.said == []


def test_what_was_typed_outlives_the_session(web: WebClinic, someone: Any) -> None:
    """Half an hour passes over a protocol, and the session ends unseen."""
    wanted = in_force(web).replace(LINE, SOONER, 1).replace(EXAMPLE, ITS_DAY, 1)
    admin = someone(Role.ADMIN)
    page, put_back = admin.page, admin.page.get_by_role("button", name="Put it back")
    admin.open("/schedules/azathioprine/edit")
    expect(put_back).to_be_hidden()
    retype(page, LINE, SOONER)
    retype(page, EXAMPLE, ITS_DAY)
    page.get_by_label("Why").fill(REASON)
    with web.store.write() as connection:
        connection.execute(delete(table_of(tables.SessionRow)))
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("what you sent was not done")).to_be_visible()
    admin.sign_in(Role.ADMIN)
    page.wait_for_url(f"{web.url}/schedules/azathioprine/edit")
    admin.check_accessible()
    put_back.click()
    expect(page.get_by_label("The text")).to_have_value(wanted)
    expect(page.get_by_label("Why")).to_have_value(REASON)
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Propose it").dblclick()
    expect(page.get_by_text("Nothing changes until a second person approves it")).to_be_visible()
    assert [it.text for it in proposals(web.store)] == [wanted]
    admin.open("/schedules/azathioprine/edit")
    admin.settled()
    expect(put_back).to_be_hidden()
