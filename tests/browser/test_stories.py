"""What people do with the pages, told as stories, in a real browser."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from monitor.core.permissions import Role
from tests.web_clinic import WebClinic

CRITICAL = "D1063"


def critical_alert(web: WebClinic) -> int:
    return web.alert_id(urgency="critical")


def test_a_critical_alert_from_the_mail_to_closed(web: WebClinic, someone: Any) -> None:
    """The link of the mail leads to sign-in, then to the alert; nothing happened by opening it;
    the doctor takes it, reaches the patient, and closes it with a day to look again."""
    alert = critical_alert(web)
    doctor = someone()
    doctor.open(f"/alerts/{alert}")
    expect(doctor.page).to_have_title(re.compile("Sign in"))
    doctor.sign_in(Role.CLINICIAN)
    expect(doctor.page).to_have_url(f"{web.url}/alerts/{alert}")
    page = doctor.page
    expect(page.get_by_role("heading", level=1)).to_contain_text("prescriber to decide")
    expect(page.locator("main")).to_contain_text("Neutrophils 0.80")
    page.locator("summary", has_text="Acknowledge").click()
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_text("Yours until Tue 17 Mar 2026")).to_be_visible()

    page.goto(f"{web.url}/alerts/{alert}")
    page.locator("summary", has_text="Contact with the patient").click()
    page.get_by_label("What came of it").select_option(label="the patient was reached")
    page.get_by_label("What, who, when").fill("well, no fever; stops until Thursday")
    page.get_by_role("button", name="Record the contact").click()
    expect(page.get_by_text("Noted: the patient was reached.")).to_be_visible()

    page.goto(f"{web.url}/alerts/{alert}")
    page.locator("summary", has_text="Close").click()
    page.get_by_label("Outcome", exact=True).select_option(label="the drug was held")
    page.get_by_label("What was done, by whom, when").fill("Dr Field, today")
    page.get_by_label("Look again on").fill("2026-03-12")
    page.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("Closed. It comes back on Thu 12 Mar 2026.")).to_be_visible()
    page.goto(f"{web.url}/alerts/{alert}")
    expect(page.locator(".story")).to_contain_text("Closed by Dr Carl Field")
    assert doctor.said == []


def test_a_locked_out_guess(web: WebClinic, someone: Any) -> None:
    guesser = someone()
    for _ in range(5):
        guesser.open("/sign-in")
        guesser.sign_in(Role.NURSE, "perhaps it is this")
    expect(guesser.page.get_by_role("alert")).to_contain_text("Too many wrong attempts")
    guesser.sign_in(Role.NURSE)  # the right one, too soon
    expect(guesser.page.get_by_role("alert")).to_contain_text("Nothing is tried for the next")
    guesser.check_accessible()


def test_two_people_on_one_row(web: WebClinic, someone: Any) -> None:
    """The nurse has the forms of a row open while the doctor acknowledges; what she sends then
    does not overwrite it, and her list follows by itself once she is done."""
    alert = critical_alert(web)
    nurse, doctor = someone(Role.NURSE), someone(Role.CLINICIAN)
    row = nurse.page.locator(f"#a{alert}")
    row.get_by_role("link", name="Deal with").click()
    row.locator("summary", has_text="Assign or take over").click()
    doctor.page.locator(f"#a{alert}").get_by_role("button", name="Acknowledge").click()
    expect(doctor.page.locator(f"#a{alert}")).to_contain_text("with Dr Carl Field")
    row.get_by_role("button", name="Assign", exact=True).click()
    expect(nurse.page.get_by_text("It has changed since you opened it")).to_be_visible()
    expect(nurse.page.locator(".told")).to_contain_text("acknowledged by Dr Carl Field")
    nurse.check_accessible()
    assert nurse.said == doctor.said == []


PRESS_AS_IT_MOVES = """([x, y]) => {
    const list = document.getElementById("worklist");
    const watch = new MutationObserver(() => {
        watch.disconnect();
        const how = { bubbles: true, cancelable: true, detail: 1, clientX: x, clientY: y };
        document.elementFromPoint(x, y).dispatchEvent(new MouseEvent("click", how));
    });
    watch.observe(list, { childList: true });
}"""


def test_a_press_as_the_list_moves_does_nothing(web: WebClinic, someone: Any) -> None:
    """The nurse points at a row; a colleague's change moves another one beneath her pointer in
    the moment she presses. Nobody but who she meant is dealt with: nobody."""
    nurse, doctor = someone(Role.NURSE), someone(Role.CLINICIAN)
    page, alert = nurse.page, critical_alert(web)
    nurse.settled()
    buttons = page.get_by_role("button", name=re.compile("Acknowledge alert"))
    box = next(it for it in map(_box_of, buttons.all()) if it["y"] > 300)
    place = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    page.mouse.move(*place)
    page.evaluate(PRESS_AS_IT_MOVES, place)
    doctor.page.locator(f"#a{alert}").get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_contain_text("nothing was done")
    assert page.url == f"{web.url}/"
    acknowledged = [it for it in web.audit() if "alert acknowledged" in it]
    assert acknowledged == ["Dr Carl Field: alert acknowledged"]
    assert nurse.said == []


def _box_of(button: Any) -> dict[str, float]:
    box: dict[str, float] = button.bounding_box()
    return box


def test_a_nurses_morning(web: WebClinic, someone: Any) -> None:
    """By keyboard: down the list, two ticked and acknowledged; a third asked for by name; and a
    colleague's change shows without reload."""
    nurse, doctor = someone(Role.NURSE), someone(Role.CLINICIAN)
    page = nurse.page
    expect(page.locator(".somebody")).not_to_have_count(0)
    nurse.settled()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text(re.compile(r"\d+ alerts? ticked"))
    page.locator("#together").get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_contain_text("acknowledged.")

    nurse.settled()
    page.keyboard.press("/")
    page.keyboard.type(CRITICAL)
    page.keyboard.press("Enter")
    expect(page.locator(".somebody")).to_have_count(1)
    page.get_by_role("link", name="Back to the whole worklist").click()

    alert = critical_alert(web)
    doctor.page.locator(f"#a{alert}").get_by_role("button", name="Acknowledge").click()
    expect(page.locator(f"#a{alert}")).to_contain_text("with Dr Carl Field")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".panel")).to_be_visible()
    nurse.check_accessible()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_have_count(0)
    assert nurse.said == []


def test_without_script_it_works_too(web: WebClinic, someone: Any) -> None:
    nurse = someone(Role.NURSE, java_script_enabled=False)
    page, alert = nurse.page, critical_alert(web)
    page.locator(f"#a{alert}").get_by_role("link", name="Deal with").click()
    page.locator("summary", has_text="Comment").click()
    page.get_by_label("A word for the next reader").last.fill("asked the ward")
    page.get_by_role("button", name="Leave it").click()
    expect(page.get_by_text("Your comment stands in its history.")).to_be_visible()
