"""Schedules on the pages: what is in force, and a change that two people have to see."""

from __future__ import annotations

import html
import re

import httpx

from monitor.core.permissions import Role
from monitor.intake.enrol import enrol_file
from monitor.operations.accounts import add
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.store.rulebook import texts_in_force
from tests.web_clinic import PASSWORD, WebClinic, post

EDIT = "/schedules/azathioprine/edit"


def text_on(client: httpx.Client) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", client.get(EDIT).text, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def edit(client: httpx.Client, page: str = "", **fields: str) -> httpx.Response:
    """Send the form of the editor as it is now, or as it was on a page."""
    found = re.search(r'name="based_on" value="([^"]*)"', page or client.get(EDIT).text)
    assert found is not None
    return post(client, EDIT, seen=EDIT, based_on=found[1], **fields)


def milder(text: str) -> str:
    """The platelets' first limit from 140 to 130, and the examples that show it."""
    changed = text.replace("{ below = 140,", "{ below = 130,")
    return changed.replace('value = "139000"', 'value = "129000"')


def in_force(web: WebClinic) -> str:
    with web.store.read() as connection:
        return texts_in_force(connection)["azathioprine"].text


def test_the_counts_of_a_preview_add_up_to_those_it_names(web: WebClinic) -> None:
    """69 were enrolled, of whom one changed and 69 stayed: the other drug of a patient."""
    path = web.folder / "second.csv"
    path.write_text("mrn,drug,started_on\nD1112,methotrexate,2026-03-02\n")
    enrol_file(web.store, web.settings, path, web.now)
    admin = web.client(Role.ADMIN)
    shown = edit(admin, text=milder(text_on(admin)), reason="x", step="check").text
    told = re.search(r"; (\d+) enrolled, and 1 on the other drugs of the same patients\.", shown)
    assert told is not None
    stays = re.search(r"<strong>(\d+)</strong> stay", shown)
    assert stays is not None
    assert int(stays[1]) == int(told[1]) + 1 - len(set(re.findall(r'row">(D\d+)<', shown)))


def second_clinician(web: WebClinic) -> httpx.Client:
    add(
        web.store, name="d.hill", full_name="Dr Dora Hill", role=Role.CLINICIAN, password=PASSWORD,
        must_change=False, by=ON_THE_COMMAND_LINE, now=web.now,
    )  # fmt: skip
    client = web.client()
    web.sign_in(client, "d.hill")
    return client


def test_everybody_sees_what_is_in_force_and_where_it_comes_from(web: WebClinic) -> None:
    viewer = web.client(Role.VIEWER)
    assert "azathioprine-us-label" in viewer.get("/schedules").text
    page = viewer.get("/schedules/azathioprine?start=2026-03-02").text
    for words in ("Mon 9 Mar 2026", "below 0.5 ×10⁹/L", "Propose a change", "Source"):
        assert (words in page) is (words != "Propose a change"), words
    assert viewer.get("/schedules/aspirin").status_code == 404
    assert viewer.get(EDIT).status_code == 403


def test_two_are_compared_and_the_looser_one_is_named(web: WebClinic) -> None:
    page = web.client(Role.VIEWER).get("/schedules/compare?a=azathioprine&b=azathioprine-us-label")
    assert "Where one is looser" in page.text
    assert "Nowhere" not in page.text
    for words in ("Neutrophils<small>×10⁹/L</small>", "above, times the upper reference limit"):
        assert words in page.text, words
    assert "times uln" not in page.text


def test_a_fault_is_told_at_its_place(web: WebClinic) -> None:
    clinician = web.client(Role.CLINICIAN)
    wrong = text_on(clinician).replace("{ below = 140,", '{ below = "14O",', 1)
    answer = edit(clinician, text=wrong, reason="minutes")
    assert answer.status_code == 422
    line = next(n for n, it in enumerate(wrong.splitlines(), 1) if '"14O"' in it)
    assert f"Line {line}" in answer.text
    assert "nothing of this text can go live" in answer.text


def test_nothing_goes_live_before_a_second_person_approves_it(web: WebClinic) -> None:
    first = web.client(Role.CLINICIAN)
    before = in_force(web)
    text = milder(text_on(first))
    assert text != before
    shown = edit(first, text=text, reason="minutes of March")
    assert "What it would change today" in shown.text
    sent = edit(first, text=text, reason="minutes of March", step="propose")
    assert sent.status_code == 303
    path = sent.headers["location"]
    assert in_force(web) == before

    own = post(first, path, seen=path, decision="approve")
    assert own.status_code == 422
    assert "second person" in own.text
    assert in_force(web) == before

    second = second_clinician(web)
    page = second.get(path).text
    assert "was: </span><code>" in page
    assert "minutes of March" in page
    done = post(second, path, seen=path, decision="approve", note="agreed")
    assert done.status_code == 303
    assert in_force(web) == text
    page = second.get("/schedules/azathioprine").text
    assert "Dr Carl Field, approved by Dr Dora Hill" in page
    again = post(second, path, seen="/account", decision="approve")
    assert "approved by Dr Dora Hill before" in again.text
    assert "Dr Dora Hill: schedule approved" in web.audit()


def test_a_proposal_on_top_of_an_older_text_is_not_approved(web: WebClinic) -> None:
    first, second = web.client(Role.CLINICIAN), second_clinician(web)
    text = milder(text_on(first))
    paths = [
        edit(first, text=it, reason="x", step="propose").headers["location"]
        for it in (text, text.replace('version = "', 'version = "b-', 1))
    ]
    assert post(second, paths[0], seen=paths[0], decision="approve").status_code == 303
    late = post(second, paths[1], seen=paths[1], decision="approve")
    assert late.status_code == 422
    assert "nother text went live" in late.text


def test_an_editor_that_was_opened_before_another_text_went_live_undoes_nothing(
    web: WebClinic,
) -> None:
    """Yesterday's text was sent today, on top of what had been approved meanwhile: it was proposed
    as a change of that, and would have taken it back."""
    first, second = web.client(Role.CLINICIAN), second_clinician(web)
    page, text = first.get(EDIT).text, text_on(first)
    path = edit(second, text=milder(text), reason="x", step="propose").headers["location"]
    assert post(first, path, seen=path, decision="approve").status_code == 303
    mine = text.replace('version = "', 'version = "b-', 1)
    late = edit(first, page, text=mine, reason="y", step="propose")
    assert late.status_code == 422
    assert "nother text went live since you opened this one" in late.text
    assert "version = &#34;b-" in late.text  # what was written is still there
    again = edit(first, late.text, text=mine, reason="y", step="propose")
    assert again.status_code == 422


def test_an_admin_proposes_and_withdraws_and_does_not_approve(web: WebClinic) -> None:
    admin, clinician = web.client(Role.ADMIN), web.client(Role.CLINICIAN)
    text = milder(text_on(admin))
    mine = edit(admin, text=text, reason="x", step="propose").headers["location"]
    theirs = edit(clinician, text=text, reason="y", step="propose")
    assert post(admin, theirs.headers["location"], decision="approve").status_code == 403
    assert post(admin, mine, seen=mine, decision="refuse").status_code == 303
    assert "withdrawn" in admin.get(mine).text
    unsaid = post(clinician, mine, decision="refuse")
    assert "withdrawn by Ada Moore before" in unsaid.text
