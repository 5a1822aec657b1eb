"""Held rows on the page: two people on one row, what is said in plain words, what is let go."""

from __future__ import annotations

import re
from datetime import timedelta
from unittest.mock import patch

import httpx

from monitor.core.permissions import Role
from tests.web.test_load import HEAD, bring, first_held, uploads, waiting
from tests.web_clinic import WebClinic, post

UNITS = HEAD + "".join(
    f"{mrn},2026-03-09T08:00,platelets,{value},furlongs\n"
    for mrn, value in (("D1021", 250), ("D1042", 40), ("D1049", 210))
)


def take(client: httpx.Client, text: str = UNITS) -> httpx.Response:
    done = post(client, "/load/take", token=waiting(bring(client, text)))
    assert done.status_code == 303
    return client.get(done.headers["location"])


def test_two_people_on_one_row_do_not_overwrite_each_other(web: WebClinic) -> None:
    nurse, other = web.client(Role.NURSE), web.client(Role.ADMIN)
    take(nurse)
    path = first_held(nurse, "furlongs")
    assert "3 rows alike" in other.get(path).text
    assert post(nurse, f"{path}/mend", seen=path, unit="10*9/L").status_code == 303
    late = post(other, f"{path}/discard", seen="/account", reason="not ours")
    assert late.status_code == 422
    assert "It is not held any more" in late.text
    assert "by Nora Gray" in late.text
    assert "Ada Moore: rows let go" not in web.audit()


def test_a_row_that_is_not_held_any_more_is_not_said_to_be_like_itself(web: WebClinic) -> None:
    """The page of a row that was let go called another patient's row "The only one"."""
    nurse = web.client(Role.NURSE)
    take(nurse)
    path = first_held(nurse, "furlongs")
    post(nurse, f"{path}/discard", seen=path, reason="not ours")
    page = nurse.get(path).text
    assert "Still held for the same reason" in page and "The only one" not in page
    for _ in range(2):
        other = first_held(nurse, "furlongs")
        post(nurse, f"{other}/discard", seen=other, reason="not ours")
    assert "Still held for the same reason" not in nurse.get(path).text


def test_a_row_that_was_let_go_by_mistake_is_held_again(web: WebClinic) -> None:
    nurse, other = web.client(Role.NURSE), web.client(Role.ADMIN)
    take(nurse)
    path = first_held(nurse, "furlongs")
    assert "Let go by mistake?" not in nurse.get(path).text
    post(nurse, f"{path}/discard", seen=path, reason="not ours")
    assert "Let go by mistake?" in other.get(path).text
    refused = post(other, f"{path}/hold", seen=path, reason="")
    assert refused.status_code == 422 and "Say what was mistaken" in refused.text
    assert post(other, f"{path}/hold", seen=path, reason="it is ours").status_code == 303
    page = nurse.get(path).text
    assert "Held again by Ada Moore: it is ours; let go before by Nora Gray: not ours." in page
    assert "What does it mean?" in page
    assert "Ada Moore: row held again" in web.audit()


def test_one_row_alone_is_mended_and_nothing_remembered(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    take(nurse)
    path = first_held(nurse, "furlongs")
    post(nurse, f"{path}/mend", seen=path, unit="10*9/L", once="yes")
    page = nurse.get("/quarantine").text
    assert "1 tried: 1 taken" in page
    assert "What is remembered" not in page
    assert "2 rows alike" in nurse.get(first_held(nurse, "furlongs")).text


def test_what_patients_are_watched_by_is_not_offered_to_be_ignored(web: WebClinic) -> None:
    """A stranger's row is held because of the stranger: one press took that analyte of the
    source from everybody."""
    nurse = web.client(Role.NURSE)
    stranger = "X9,2026-03-09T08:00,neutrophils,2,10*9/L\n"
    take(nurse, UNITS + stranger + "D1077,2026-03-09T08:00,Frobulin,1,g/L\n")
    for held, offered in (("furlongs", False), ("not enrolled", False), ("Frobulin", True)):
        page = nurse.get(first_held(nurse, held)).text
        assert ("Its code needs nobody" in page) is offered, held


def test_only_what_was_seen_is_let_go(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    take(nurse)
    path = first_held(nurse, "furlongs")
    last = re.search(r'name="last" value="(\d+)"', nurse.get(path).text)
    assert last is not None
    take(nurse, HEAD + "D1077,2026-03-09T09:00,platelets,180,furlongs\n")
    fields = {"reason": "a test file", "all": "yes", "last": last[1]}
    assert post(nurse, f"{path}/discard", seen=path, **fields).status_code == 303
    page = nurse.get("/quarantine").text
    assert "3 let go" in page
    assert "The only one" in nurse.get(first_held(nurse, "furlongs")).text


def test_a_refusal_has_no_words_of_the_command_line(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    take(nurse, UNITS + "D1077,2026-03-09T08:00,Frobulin,1,g/L\n")
    unit, code = first_held(nurse, "furlongs"), first_held(nurse, "Frobulin")
    refused: tuple[tuple[str, dict[str, str], str], ...] = (
        (unit, {}, "say one thing"),
        (code, {"unit": "g/L"}, "say first what its code means"),
        (code, {"ignore": "yes", "once": "yes"}, "cannot be said of one alone"),
        (unit, {"ignore": "yes"}, "by which patients are watched"),
        (unit, {"patient": "D9999"}, "nobody is enrolled under D9999"),
    )
    for path, fields, words in refused:
        answer = post(nurse, f"{path}/mend", seen=path, **fields)
        assert answer.status_code == 422, fields
        assert words.casefold() in answer.text.casefold()
        assert "--once" not in answer.text
        assert "--analyte" not in answer.text


def test_the_alerts_that_opened_with_a_file_are_links(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    page = take(nurse, UNITS + "D1021,2026-03-09T08:00,neutrophils,0.4,10*9/L\n").text
    links = re.findall(r'href="(/alerts/\d+)">(D\d+)', page)
    assert {mrn for _, mrn in links} == {"D1021", "D1042", "D1049"}, "held rows warn as well"
    assert f"Alerts: {len(links)} opened" in page
    for path, _ in links:
        assert nurse.get(path).status_code == 200
    (number,) = (path for path in re.findall(r'href="(/load/\d+)"', nurse.get("/load").text)[:1])
    with patch("monitor.web.load._OPENED", 2):
        shown = nurse.get(number).text
    assert f"The 2 most urgent of {len(links)}." in shown
    assert re.findall(r'href="(/alerts/\d+)">(D\d+)', shown) == links[:2]


def test_a_file_waits_an_hour_and_no_longer(web: WebClinic) -> None:
    token = waiting(bring(web.client(Role.NURSE)))
    web.now += timedelta(minutes=59)
    assert post(web.client(Role.NURSE), "/load/again", token=token).status_code == 200
    web.now += timedelta(minutes=2)
    gone = post(web.client(Role.NURSE), "/load/take", token=token)
    assert "not here any more" in gone.text
    assert uploads(web) == []
