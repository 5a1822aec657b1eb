"""The worklist and the pages of alerts: who is there, in which order, and what people do."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import Client, Response
from sqlalchemy import update

from monitor.core.permissions import Role
from monitor.intake.enrol import enrol_file
from monitor.operations import people
from monitor.operations.arrivals import load
from monitor.operations.job_runs import record
from monitor.operations.worklist import View, Wanted, view_of, worklist
from monitor.store import tables
from monitor.store.tables import table_of
from tests.web_clinic import WebClinic, post, token_of

CRITICAL = "D1063"
"""The patient with neutrophils of 0.8."""
PHONED = "laboratory_phoned_and_acted"


def names(web: WebClinic, **wanted: Any) -> list[str]:
    found = worklist(web.store, web.settings, Wanted(**wanted), web.now)
    return [it.mrn for it in found.patients]


def alert_of(web: WebClinic, mrn: str, **equal: str) -> int:
    found = worklist(web.store, web.settings, Wanted(view=View.ALL), web.now)
    (own,) = [it for it in found.patients if it.mrn == mrn]
    return next(
        it.id for it in own.causes if all(it.alert[name] == value for name, value in equal.items())
    )


def test_one_row_a_patient_the_worst_first(web: WebClinic) -> None:
    found = worklist(web.store, web.settings, Wanted(), web.now)
    ranks = ["critical", "urgent", "routine"]
    order = [ranks.index(it.urgency) for it in found.patients]
    assert order == sorted(order)
    assert found.patients[0].mrn == CRITICAL
    assert len({it.id for it in found.patients}) == len(found.patients) == found.total
    first = [it.alert["urgency"] for it in found.patients[0].causes]
    assert first == ["critical", "urgent"]


def test_of_two_drugs_each_alert_says_whose_it_is(web: WebClinic) -> None:
    """A count below the limits of both drugs stood there twice in the same words."""
    path = web.folder / "second.csv"
    path.write_text("mrn,drug,started_on\nD1112,methotrexate,2026-03-02\n")
    enrol_file(web.store, web.settings, path, web.now)
    path.write_text(
        "mrn,collected_at,analyte,value,unit\nD1112,2026-03-10T08:00,neutrophils,0.4,10*9/L\n"
    )
    load(web.store, web.settings, path, "", web.now)
    page = web.client(Role.NURSE).get("/?view=all").text
    named = {}
    for drug in ("azathioprine", "methotrexate"):
        alert = alert_of(web, "D1112", rule="neutropenia", drug=drug)
        cause = page.split(f'id="a{alert}"')[1].split("</li>")[0]
        named[drug] = re.findall(r'class="tag drug">([^<]+)<', cause)
    assert named == {it: [it] for it in named}
    one = page.split(f'id="a{alert_of(web, CRITICAL, urgency="critical")}"')[1].split("</li>")[0]
    assert "tag drug" not in one


def test_each_alert_says_what_it_asks_for(web: WebClinic) -> None:
    """Of two counts below a limit the list did not say which of them asks to discontinue."""
    page = web.client(Role.NURSE).get("/?view=all").text
    asked = {}
    for urgency in ("critical", "urgent"):
        cause = page.split(f'id="a{alert_of(web, CRITICAL, urgency=urgency)}"')[1].split("</li>")[0]
        asked[urgency] = re.findall(r'class="tag asks">([^<]+)<', cause)
    assert asked == {"critical": ["Discontinuation"], "urgent": []}


def test_a_clinic_that_watches_nobody_is_not_called_quiet(web: WebClinic) -> None:
    """ "Nobody needs you now", with a green tick, stood where nobody was enrolled."""
    with web.store.write() as connection:
        connection.execute(update(table_of(tables.EnrolmentRow)).values(next_review_at=None))
        connection.execute(update(table_of(tables.AlertRow)).values(state="closed"))
    page = web.client(Role.NURSE).get("/").text
    assert "Nobody has a review ahead" in page and "No enrolments have a review ahead" in page
    assert "Nobody needs you" not in page


def test_every_live_alert_is_on_it(web: WebClinic) -> None:
    """Nothing falls between the views: the ledger of the list."""
    everything = worklist(web.store, web.settings, Wanted(view=View.ALL), web.now)
    listed = {cause.id for it in everything.patients for cause in it.causes}
    with web.store.read() as connection:
        alerts = table_of(tables.AlertRow)
        live = {row.id for row in connection.execute(alerts.select()) if row.state != "closed"}
        assert {view_of(row) for row in connection.execute(alerts.select())} <= set(View)
    assert listed == live


def test_what_people_do_moves_an_alert_between_views(web: WebClinic) -> None:
    own: dict[str, Any] = {"by": "Nora Gray", "now": web.now}
    critical = alert_of(web, CRITICAL, urgency="critical")
    late = alert_of(web, CRITICAL, kind="overdue_test")
    people.acknowledge(web.store, web.settings, critical, **own)
    assert CRITICAL in names(web)  # the other cause still asks
    until = (web.now + timedelta(days=3)).date()
    people.snooze(web.store, web.settings, late, until=until, reason="on holiday", **own)
    assert CRITICAL not in names(web)
    assert names(web, view=View.IN_HAND) == names(web, view=View.SNOOZED) == [CRITICAL]
    assert names(web, view=View.IN_HAND, mine="nora gray") == [CRITICAL]
    assert names(web, view=View.IN_HAND, mine="Dr Carl Field") == []


def test_choices_narrow_the_list_and_its_counts(web: WebClinic) -> None:
    everyone = worklist(web.store, web.settings, Wanted(), web.now)
    north = worklist(web.store, web.settings, Wanted(clinic="north"), web.now)
    south = worklist(web.store, web.settings, Wanted(clinic="south"), web.now)
    assert north.total + south.total == everyone.total
    assert north.counts[View.NEEDED] == north.total > 0
    late = worklist(web.store, web.settings, Wanted(overdue=True), web.now)
    assert 0 < late.total < everyone.total
    assert names(web, urgency="critical") == [CRITICAL]


def test_search_finds_names_and_numbers_without_case(web: WebClinic) -> None:
    critical = web.patient_id(CRITICAL)
    (somebody,) = worklist(web.store, web.settings, Wanted(like="d1063"), web.now).patients
    assert somebody.id == critical
    for words in (
        f"{somebody.given_name[:3]} {somebody.family_name.lower()}",
        f"{somebody.family_name}, {somebody.given_name}",
    ):
        assert CRITICAL in names(web, like=words), words
    for words in ("%", "_", "", ",", "x" * 100_000):
        assert names(web, like=words) == [], words[:9]


def test_what_is_searched_stands_in_no_address(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    answer = post(client, "/worklist/search", seen="/", q=CRITICAL)
    assert answer.status_code == 200
    assert answer.text.count('class="somebody') == 1
    addresses = re.findall(r'(?:href|action|data-\w+)="([^"]*)"', answer.text)
    assert not any(CRITICAL in it for it in addresses)


def test_a_nurse_records_calls_and_the_third_tells_the_next(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    alert = alert_of(web, CRITICAL, kind="overdue_test")
    for number in range(3):
        page = client.get(f"/alerts/{alert}").text
        answer = act(client, alert, "contact", page, outcome="no_answer", note="called")
        assert answer.status_code == 303, answer.text
        told = client.get("/").text
        assert "called, no answer" in told
        assert f"{number + 1} call" in told


def act(client: Client, alert: int, what: str, page: str, **fields: str) -> Response:
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    data = {"csrf": token_of(page), "version": version[1], "back": "/", **fields}
    return client.post(f"/alerts/{alert}/{what}", data=data)


def test_two_people_on_one_alert_do_not_overwrite_each_other(web: WebClinic) -> None:
    nurse, doctor = web.client(Role.NURSE), web.client(Role.CLINICIAN)
    alert = alert_of(web, CRITICAL, urgency="critical")
    both = {
        "nurse": nurse.get(f"/alerts/{alert}").text,
        "doctor": doctor.get(f"/alerts/{alert}").text,
    }
    assert act(nurse, alert, "acknowledge", both["nurse"]).status_code == 303
    late = act(doctor, alert, "close", both["doctor"], outcome="held", review_by="2026-03-12")
    assert late.status_code == 409
    assert "It has changed since you opened it" in late.text
    assert "acknowledged by Nora Gray" in late.text
    assert "held" in late.text  # what was written is not lost
    done = act(doctor, alert, "close", late.text, outcome="held", review_by="2026-03-12")
    assert done.status_code == 303
    assert "Closed. It comes back on Thu 12 Mar 2026." in doctor.get("/").text


def test_what_was_written_waits_as_a_comment_where_its_form_is_gone(web: WebClinic) -> None:
    """A colleague had taken it, so the form was not there any more, and with it went a note that
    the page said was still in it."""
    nurse, doctor = web.client(Role.NURSE), web.client(Role.CLINICIAN)
    alert = alert_of(web, CRITICAL, urgency="critical")
    seen = nurse.get(f"/alerts/{alert}").text
    assert act(doctor, alert, "acknowledge", doctor.get(f"/alerts/{alert}").text).status_code == 303
    late = act(nurse, alert, "acknowledge", seen, note="rang twice, no answer")
    assert late.status_code == 409
    assert "still in its form" not in late.text and "waits as a comment" in late.text
    assert re.search(r'name="text"[^>]*>rang twice, no answer</textarea>', late.text)
    assert re.search(r" open><summary>(?:(?!summary).)*Comment", late.text)
    bare = act(nurse, alert, "acknowledge", seen)
    assert bare.status_code == 409 and "waits as a comment" not in bare.text


def test_a_form_that_has_seen_nothing_does_nothing(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    alert = alert_of(web, CRITICAL, urgency="critical")
    data = {"csrf": token_of(client.get("/").text), "back": "/"}
    assert client.post(f"/alerts/{alert}/acknowledge", data=data).status_code == 409


def test_a_nurse_closes_what_has_recovered_and_nothing_else(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    alert = alert_of(web, CRITICAL, urgency="critical")
    page = nurse.get(f"/alerts/{alert}").text
    assert act(nurse, alert, "close", page, outcome="held").status_code == 403
    with web.store.write() as connection:
        alerts = table_of(tables.AlertRow)
        recovered = alerts.update().where(alerts.c.id == alert).values(recovered=True)
        connection.execute(recovered)
    page = nurse.get(f"/alerts/{alert}").text
    assert act(nurse, alert, "close", page, outcome="counted again").status_code == 303


def test_refusals_speak_of_pages_and_not_of_commands(web: WebClinic) -> None:
    client = web.client(Role.CLINICIAN)
    critical = alert_of(web, CRITICAL, urgency="critical")
    page = client.get(f"/alerts/{critical}").text
    for what, fields, says in (
        ("close", {"outcome": "held"}, "on which day to look again"),
        ("close", {"code": PHONED, "review_by": "2026-03-12"}, "knowing of it is not acting on it"),
        ("contact", {"outcome": "handed_to_clinician"}, "which clinician, by name"),
        ("snooze", {"until": "2026-03-12", "reason": "later"}, "cannot be snoozed"),
        ("acknowledge", {"until": "2027-01-01"}, "28 days"),
        ("comment", {"text": " "}, "A comment needs a text"),
    ):
        answer = act(client, critical, what, page, **fields)
        assert answer.status_code == 422, what
        assert says in html.unescape(answer.text).replace("Knowing", "knowing")
        assert "--" not in re.sub(r"<!--.*?-->|<svg.*?</svg>", "", answer.text)
        assert "monitor alert" not in answer.text


def test_several_at_once(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    urgent = [alert_of(web, mrn, urgency="urgent") for mrn in ("D1035", "D1070")]
    critical = alert_of(web, CRITICAL, urgency="critical")
    page = client.get("/").text
    ticks = [f"{alert}:0" for alert in (*urgent, critical)]
    fields = {"csrf": token_of(page), "alerts": [*ticks, f"{urgent[0]}:7", "rubbish"]}
    answer = client.post("/worklist/together", data=fields | {"do": "acknowledge", "next": "/"})
    assert answer.status_code == 303
    told = client.get("/").text
    assert "2 alerts acknowledged." in told
    assert (
        f"Alert {critical} of {CRITICAL} was left as it is: a critical alert is taken in hand by"
        in told
    )
    assert re.search(
        rf"Alert {urgent[0]} of D\d+ was left as it is", told
    )  # seen at another version
    assert names(web, view=View.IN_HAND, mine="Nora Gray") == ["D1035", "D1070"]
    late = {"csrf": token_of(page), "alerts": [f"{urgent[1]}:0"], "do": "acknowledge"}
    client.post("/worklist/together", data=late | {"next": "/"})
    told = client.get("/").text
    assert "has changed since you looked: acknowledged by Nora Gray, 10 Mar 2026, 10:00." in told
    assert "monitor alert" not in told and "version 0" not in told
    fields = {"csrf": token_of(page), "alerts": [f"{critical}:0"], "do": "assign"}
    client.post("/worklist/together", data=fields | {"to": "Dr Carl Field", "next": "/"})
    assert names(web, mine="dr carl field") == [CRITICAL]


def test_no_two_fields_of_a_page_have_one_name(web: WebClinic) -> None:
    client = web.client(Role.CLINICIAN)
    for path in ("/", f"/alerts/{alert_of(web, CRITICAL, urgency='critical')}"):
        ids = re.findall(r' id="([^"]+)"', client.get(path).text)
        assert len(ids) == len(set(ids)), path


def test_opening_an_alert_changes_nothing_and_is_noted(web: WebClinic) -> None:
    client = web.client(Role.VIEWER)
    alert = alert_of(web, CRITICAL, urgency="critical")
    with web.store.read() as connection:
        history = table_of(tables.AlertHistory)
        before = len(connection.execute(history.select()).all())
    assert client.get(f"/alerts/{alert}").status_code == 200
    with web.store.read() as connection:
        assert len(connection.execute(history.select()).all()) == before
    assert web.audit()[-1] == "Vera Stone: alert seen"
    assert client.get("/alerts/99999").status_code == 404


def test_what_has_happened_is_seen_from_a_number(web: WebClinic) -> None:
    client = web.client(Role.VIEWER)
    before = client.get("/worklist/seen").json()
    assert client.get("/worklist/seen").json() == before
    alert = alert_of(web, CRITICAL, urgency="critical")
    people.comment(web.store, web.settings, alert, text="x", by="N", now=web.now)
    assert client.get("/worklist/seen").json() != before


@pytest.mark.parametrize(
    "path", ["/?view=nonsense", "/?page=x", "/?urgency=huge", "/?page=0", "/?clinic=nowhere"]
)
def test_odd_addresses_are_answered(web: WebClinic, path: str) -> None:
    assert web.client(Role.VIEWER).get(path).status_code == 200


def test_a_clock_that_is_behind_is_no_busy_database(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    alert = alert_of(web, CRITICAL, urgency="critical")
    page = client.get(f"/alerts/{alert}").text
    assert act(client, alert, "comment", page, text="rang").status_code == 303
    web.now -= timedelta(minutes=10)
    answer = act(client, alert, "comment", page, text="rang again")
    assert answer.status_code == 503
    assert "The clock is behind" in answer.text
    assert "Nothing was changed" in answer.text


def test_nothing_is_assigned_to_who_cannot_deal_with_it(web: WebClinic) -> None:
    """A form that was open while an admin disabled the colleague in it."""
    client, admin = web.client(Role.NURSE), web.client(Role.ADMIN)
    alert = alert_of(web, CRITICAL, kind="overdue_test")
    page = client.get(f"/alerts/{alert}").text
    assert act(client, alert, "assign", page, to="Dr Carl Field").status_code == 303
    page = client.get(f"/alerts/{alert}").text
    post(admin, "/people/c.field/disable")
    told = admin.get("/people").text
    assert "1 patient has alerts in the hands of Dr Carl Field" in told
    for to in ("Dr Carl Field", "Nobody At All"):
        refused = act(client, alert, "assign", page, to=to)
        assert refused.status_code == 422
        assert f"{to} cannot deal with alerts here" in refused.text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    fields = {"do": "assign", "to": "Dr Carl Field", "alerts": f"{alert}:{version[1]}"}
    post(client, "/worklist/together", seen="/", **fields)
    assert "Dr Carl Field cannot deal with alerts here" in client.get("/").text
    post(admin, "/people/v.stone/disable")
    assert "in the hands of Vera Stone" not in admin.get("/people").text


def run(web: WebClinic) -> None:
    """A job of the daemon ends now."""
    with web.store.write() as connection:
        record(connection, "outbox", web.now, web.now, "")


def test_a_list_that_nobody_keeps_up_says_so(web: WebClinic) -> None:
    """Without reviews, or after the daemon has fallen silent: nobody needs you, as far as it
    knows."""
    client = web.client(Role.VIEWER)
    told, before = "The monitor stands still", client.get("/worklist/seen").json()
    assert told not in client.get("/").text
    run(web)
    web.now += timedelta(minutes=16)
    assert "its daemon has fallen silent" in client.get("/").text
    assert client.get("/worklist/seen").json() != before, "open pages hear of it"
    run(web)
    assert told not in client.get("/").text
    assert client.get("/worklist/seen").json() == before
    enrolments = table_of(tables.EnrolmentRow)
    with web.store.write() as connection:
        owed = web.now - timedelta(hours=2)
        some = update(enrolments).where(enrolments.c.id <= 2)
        connection.execute(some.values(next_review_at=owed))
    page = client.get("/worklist/part").text
    assert "2 enrolments wait longer than an hour for a review" in page


def test_a_contact_without_an_outcome_is_refused_in_the_words_of_the_page(web: WebClinic) -> None:
    client = web.client(Role.NURSE)
    alert = alert_of(web, CRITICAL, kind="overdue_test")
    page = client.get(f"/alerts/{alert}").text
    for outcome in ("", "called"):
        refused = act(client, alert, "contact", page, outcome=outcome)
        assert refused.status_code == 422
        assert "Choose what came of the contact: reached, " in refused.text
        assert "--outcome" not in refused.text


@pytest.mark.parametrize(
    ("before", "after", "what", "fields"),
    [
        ("1.2", "0.3", "acknowledge", {}),
        ("1.2", "0.3", "assign", {"to": "Nora Gray"}),
        ("1.2", "0.3", "contact", {"outcome": "reached"}),
        ("1.4", "1.2", "close", {"outcome": "dose lowered", "review_by": "2026-03-20"}),
        ("1.4", "1.2", "snooze", {"until": "2026-03-14", "reason": "on holiday"}),
    ],
)
def test_nobody_answers_what_has_got_worse_since_they_looked(
    web: WebClinic, before: str, after: str, what: str, fields: dict[str, str]
) -> None:
    """A page said one value, a worse one came, and the form that was sent then took the worse alert
    in hand, so that nobody else was told of it."""
    doctor = web.client(Role.CLINICIAN)
    lab(web, f"D1021,2026-03-09T08:00,neutrophils,{before},10*9/L")
    alert = alert_of(web, "D1021", rule="neutropenia")
    seen = doctor.get(f"/alerts/{alert}").text
    lab(web, f"D1021,2026-03-10T08:00,neutrophils,{after},10*9/L")
    late = act(doctor, alert, what, seen, **fields)
    assert late.status_code == 409, late.headers
    assert "It has changed since you opened it" in late.text
    assert "<strong>worse, " in late.text
    done = act(doctor, alert, what, late.text, **fields)
    assert done.status_code in (303, 422), done.text


def test_forms_in_a_row_are_of_what_the_row_shows(web: WebClinic) -> None:
    """The row said 1.2 and was not shown anew, for somebody was at another one; the form that
    opened in it was of the 0.3 that had come meanwhile."""
    nurse = web.client(Role.NURSE)
    lab(web, "D1021,2026-03-09T08:00,neutrophils,1.2,10*9/L")
    alert = alert_of(web, "D1021", rule="neutropenia")
    rows = nurse.get("/?view=all").text
    lab(web, "D1021,2026-03-10T08:00,neutrophils,0.3,10*9/L")
    path = re.search(rf'data-forms="(/alerts/{alert}/forms[^"]*)"', rows)
    assert path is not None
    form = nurse.get(html.unescape(path[1])).text
    late = act(nurse, alert, "contact", form, outcome="no_answer")
    assert late.status_code == 409 and "<strong>worse, " in late.text


def lab(web: WebClinic, line: str) -> None:
    path = web.folder / "lab.csv"
    path.write_text(f"mrn,collected_at,analyte,value,unit\n{line}\n")
    load(web.store, web.settings, path, "", web.now)
