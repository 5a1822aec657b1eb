"""A patient's page as people see it: what stands, the courses, why, and events with their
consequence before they are recorded."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from icalendar import Calendar
from sqlalchemy import update

from monitor.core.case import Event
from monitor.core.permissions import Role
from monitor.core.personal_terms import Personal, Terms
from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.operations.arrivals import load as take
from monitor.operations.personal import set_term
from monitor.store import tables
from monitor.store.tables import table_of
from monitor.web.render import happened
from tests.clinic import at
from tests.web_clinic import WebClinic, post

NEUTROPENIC = "D1063"


def test_a_name_is_looked_for_without_standing_in_an_address(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    several = post(nurse, "/patients", seen="/patients", text="D10")
    assert several.status_code == 200
    assert NEUTROPENIC in several.text
    one = post(nurse, "/patients", seen="/patients", text=NEUTROPENIC.lower())
    assert one.status_code == 303
    assert one.headers["location"] == f"/patients/{web.patient_id(NEUTROPENIC)}"


def test_a_browser_s_history_names_nobody(web: WebClinic) -> None:
    """It keeps the title of every page, on a computer that many use."""
    nurse = web.client(Role.NURSE)
    patient = web.patient_id(NEUTROPENIC)
    for path in (f"/patients/{patient}", f"/patients/{patient}/why", f"/patients/{patient}/events"):
        title = nurse.get(path).text.partition("<title>")[2].partition("</title>")[0]
        assert title and NEUTROPENIC not in title, path


def test_nobody_is_found_by_nothing_or_by_a_wildcard(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    for text in ("", "%", "_", "nobody-of-this-name"):
        found = post(nurse, "/patients", seen="/patients", text=text)
        assert "<tbody>" not in found.text, text


def test_the_page_tells_what_stands_and_leaves_a_line_in_the_audit_trail(web: WebClinic) -> None:
    page = web.client(Role.VIEWER).get(f"/patients/{web.patient_id(NEUTROPENIC)}").text
    for words in ("Neutrophils 0.80", "below 1.0", "held", "overdue", "6 days late", "Alert"):
        assert words in page, words
    assert re.search(r"born \d", page), "of a day of birth nobody asks which day of the week it was"
    assert "Vera Stone: patient seen" in web.audit()


def load(web: WebClinic, *lines: str, ahead: timedelta = timedelta(0)) -> None:
    """A laboratory's file, taken in with its reviews, by a clock that may be ahead."""
    path = web.folder / "lab.csv"
    path.write_text("\n".join(["mrn,collected_at,analyte,value,unit", *lines, ""]))
    take(web.store, web.settings, path, "", web.now + ahead)


@pytest.mark.parametrize("mrn", ["D1112", NEUTROPENIC])
def test_who_could_not_be_judged_is_not_called_well(web: WebClinic, mrn: str) -> None:
    patient = web.patient_id(mrn)
    enrolments = table_of(tables.EnrolmentRow)
    with web.store.write() as connection:
        own = update(enrolments).where(enrolments.c.patient_id == patient)
        connection.execute(own.values(protocol_id="no such protocol"))
    nurse = web.client(Role.NURSE)
    page = nurse.get(f"/patients/{patient}").text
    assert "could not be judged: a fault of the monitor" in page
    for untrue in ("nothing needs anybody", "No result has come yet"):
        assert untrue not in page, untrue
    for part in ("why", "tests.ics", "events"):
        assert nurse.get(f"/patients/{patient}/{part}").status_code == 200, part
    links = set(re.findall(r"/alerts/\d+", page))
    for link in links | {f"{it}/why" for it in links}:
        assert nurse.get(link).status_code == 200, link
    fever = {"event": "symptom", "on": "2026-03-10", "value": "fever"}
    path = f"/patients/{patient}/events"
    assert post(nurse, path, seen=path, **fever).status_code == 200


def test_the_worst_stands_first(web: WebClinic) -> None:
    """Also where it opened last."""
    load(web, "D1021,2026-03-08,platelets,120,10*9/L")
    load(web, "D1021,2026-03-09,neutrophils,0.4,10*9/L")
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1021')}").text
    urgencies = re.findall(r'class="card standing (\w+)', page)
    assert {"critical", "urgent"} <= set(urgencies)
    assert urgencies == sorted(urgencies, key=["critical", "urgent", "routine"].index)


def test_a_personal_limit_is_shown_where_the_limit_is(web: WebClinic) -> None:
    today = web.now.date()
    term = Personal(
        id=0, what=Terms.LIMIT, subject="neutropenia", level=1, value=Decimal("1.2"),
        since=today, until=today + timedelta(days=200), by="Dr Carl Field", reason="Duffy-null",
        set_at=web.now,
    )  # fmt: skip
    path = f"/patients/{web.patient_id('D1021')}"
    nurse = web.client(Role.NURSE)
    assert "below 1.6 ×10⁹/L: withhold" in nurse.get(path).text
    set_term(web.store, web.settings, "D1021", "", term, web.now)
    page = nurse.get(path).text
    assert "below 1.2 ×10⁹/L: withhold (personal limit until 26 Sep 2026)" in page
    assert "below 1.6 ×10⁹/L: withhold" not in page
    said = "personal limit on neutropenia, level 1: 1.2 until 26 Sep 2026 (Dr Carl Field)"
    assert f"{said}: Duffy-null" in page


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(minutes=5)])
def test_what_a_machine_with_a_clock_ahead_found_is_there(web: WebClinic, ahead: timedelta) -> None:
    """Two machines on one database: the link of a mail led to a fault, and the patient's page
    said that nothing needs anybody."""
    load(web, "D1021,2026-03-09,neutrophils,0.4,10*9/L", ahead=ahead)
    nurse = web.client(Role.NURSE)
    file = nurse.get(f"/patients/{web.patient_id('D1021')}").text
    link = re.search(r"Neutrophils 0\.40[^@]*?href=\"(/alerts/\d+)\"", file)
    assert link is not None
    page = nurse.get(link[1])
    assert page.status_code == 200
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version is not None
    taken = post(nurse, f"{link[1]}/acknowledge", seen=link[1], version=version[1])
    assert taken.status_code == 303


def test_the_latest_value_is_shown_as_it_came(web: WebClinic) -> None:
    load(web, "D1021,2026-03-08,platelets,120,10*9/L", "D1021,2026-03-09,platelets,>100,10*9/L")
    nurse = web.client(Role.NURSE)
    file = nurse.get(f"/patients/{web.patient_id('D1021')}").text
    alert = re.search(r"Platelets 120[^@]*?href=\"(/alerts/\d+)\"", file)
    assert alert is not None
    page = nurse.get(alert[1]).text
    assert "<dt>Worst</dt><dd>120 " in page
    assert "<dt>Latest</dt><dd>&gt;100 " in page


def test_a_genotype_is_told_in_words_and_has_no_course(web: WebClinic) -> None:
    """It was "TPMT genotype 1 {code}"."""
    load(web, "D1021,2026-03-09,TPMT,*1/*3A,")
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1021')}").text
    assert "{code}" not in page
    assert re.search(r'TPMT genotype</td>\s*<td class="number">intermediate</td>', page)
    assert "<span>TPMT genotype</span>" not in page


def test_of_many_incomplete_tests_the_latest_are_named(web: WebClinic) -> None:
    """Ten years of them without one analyte made a column of four metres."""
    days = [f"2026-02-{day:02}" for day in range(20, 27)]
    load(web, *(f"D1007,{it}T08:00,platelets,200,10*9/L" for it in days))
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1007')}").text
    named = re.findall(r"<small>(\w+ \d+ Feb 2026): without", page)
    assert named == ["Thu 26 Feb 2026", "Wed 25 Feb 2026", "Tue 24 Feb 2026"]
    assert re.search(r"and \d+ earlier, incomplete too", page)


def test_who_was_never_tested_is_not_called_up_to_date(web: WebClinic) -> None:
    """Beside "Last done: never" stood "up to date" in green; and no heading has nothing below."""
    path = web.folder / "new.csv"
    path.write_text("mrn,drug,started_on\nN1,azathioprine,2026-03-09\n")
    enrol_file(web.store, web.settings, path, web.now)
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('N1')}").text
    assert "not due yet" in page and ">up to date<" not in page
    assert 'id="results"' not in page


def test_a_merged_number_stands_beside_the_one_that_is_left(web: WebClinic) -> None:
    """Who held a paper with the other number saw nothing of it on the page that it led to."""
    path = web.folder / "merge.csv"
    path.write_text("mrn,on,event,value\nD1028,2026-03-09,merge,D1056\n")
    events_file(web.store, web.settings, path, web.now)
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1056')}").text
    assert "MRN <strong>D1056</strong>, also D1028 " in page


def test_a_limit_that_no_line_can_show_is_said_beside_the_value(web: WebClinic) -> None:
    """A creatinine that had doubled, with its alert, stood there like any other."""
    load(
        web,
        "D1112,2026-02-20T08:00,creatinine,70,umol/L",
        "D1112,2026-03-09T08:00,creatinine,210,umol/L",
    )
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1112')}").text
    (figure,) = re.findall(r"<figcaption><span>Creatinine</span>.*?</figcaption>", page, re.DOTALL)
    assert "an alert stands" in figure


def test_who_is_not_in_the_database_is_not_found(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    for path in ("/patients/99999", "/patients/99999/why", "/patients/99999/tests.ics"):
        assert nurse.get(path).status_code == 404, path


def test_why_calls_a_value_with_a_comparator_no_earlier_one(web: WebClinic) -> None:
    """ "The latest" platelets were those of December, and on the same page below 20 in March."""
    load(web, "D1112,2026-03-09T08:00,platelets,<20,10*9/L")
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1112')}/why").text
    quiet = page.split("<h3>falling platelets: quiet</h3>")[1].split("</ul>")[0]
    assert "the latest exact value, " in quiet
    assert "<h3>CBC: " in page and "<br>How sure: " in page


def test_why_is_told_for_any_day(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    path = f"/patients/{web.patient_id(NEUTROPENIC)}/why"
    assert "neutropenia: spoke" in nurse.get(path).text
    assert "neutropenia: spoke" not in nurse.get(f"{path}?on=2026-02-01").text
    assert "Write the day as 2026-03-02" in nurse.get(f"{path}?on=yesterday").text
    assert "Not enrolled yet on this day" in nurse.get(f"{path}?on=2020-02-01").text


@pytest.mark.parametrize("on", ["9999-12-31", "0001-01-01", "2026-02-30", "soon"])
def test_a_day_that_cannot_be_explained_is_said_to_be_none(web: WebClinic, on: str) -> None:
    page = f"/patients/{web.patient_id(NEUTROPENIC)}/why?on={on}"
    answer = web.client(Role.NURSE).get(page)
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.text


def test_the_calendar_names_tests_and_nobody(web: WebClinic) -> None:
    file = web.client(Role.NURSE).get(f"/patients/{web.patient_id(NEUTROPENIC)}/tests.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    entries = Calendar.from_ical(file.text).walk("VEVENT")
    (late,) = [it for it in entries if "was due" in str(it["summary"])]
    assert str(late.decoded("dtstart")) == "2026-03-10", "today: nobody looks at a day gone by"
    assert "blood count" in str(late["summary"])
    assert "was due 4 Mar 2026" in str(late["summary"])
    assert NEUTROPENIC not in file.text
    assert "PETER" not in file.text.upper()


def test_an_event_is_shown_with_its_consequence_and_then_recorded(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    path = f"/patients/{web.patient_id(NEUTROPENIC)}/events"
    fever = {"on": "2026-03-10", "event": "symptom", "value": "fever"}
    seen = post(nurse, path, seen=path, **fever)
    assert "An alert opens" in seen.text
    assert "fever" not in nurse.get(path.removesuffix("/events")).text, "only foreseen"
    done = post(nurse, path, seen=path, agreed="yes", **fever)
    assert done.status_code == 303
    page = nurse.get(path.removesuffix("/events")).text
    assert "symptom: fever" in page
    assert "Nora Gray: event recorded" in web.audit()


def test_of_an_event_to_come_it_is_said_that_it_changes_nothing_before_its_day(
    web: WebClinic,
) -> None:
    """A planned stop was shown as "no alert and no due day changes", as if it did nothing."""
    nurse = web.client(Role.NURSE)
    path = f"/patients/{web.patient_id(NEUTROPENIC)}/events"
    said = "That day is to come: nothing changes before it."
    assert said in post(nurse, path, seen=path, on="2026-04-10", event="stop").text
    assert said not in post(nurse, path, seen=path, on="2026-03-10", event="stop").text


def test_an_event_to_come_is_seen_on_the_page_before_it_comes_true(web: WebClinic) -> None:
    """A stop of a day ahead, or of a slip in the year, stood nowhere until that day."""
    nurse = web.client(Role.NURSE)
    page = f"/patients/{web.patient_id(NEUTROPENIC)}"
    path = f"{page}/events"
    planned = {"on": "2026-04-10", "event": "stop", "note": "after the trip"}
    post(nurse, path, seen=path, agreed="yes", **planned)
    (row,) = re.findall(r"<tr>.*?after the trip.*?</tr>", nurse.get(page).text)
    assert "Fri 10 Apr 2026<small>to come</small>" in row
    assert "stop (azathioprine)" in row
    web.now += timedelta(days=31)
    nurse = web.client(Role.NURSE)
    (row,) = re.findall(r"<tr>.*?after the trip.*?</tr>", nurse.get(page).text)
    assert "to come" not in row
    post(nurse, path, seen=path, agreed="yes", withdraw="yes", **planned)
    assert "after the trip" not in nurse.get(page).text


def test_what_is_to_come_of_two_numbers_that_are_one_patient_s_is_seen_once(web: WebClinic) -> None:
    path = web.folder / "merge.csv"
    path.write_text(
        "mrn,on,event,value,note\nD1028,2026-04-10,stop,,after the trip\n"
        "D1056,2026-04-10,stop,,after the trip\nD1028,2026-03-09,merge,D1056,\n"
    )
    assert events_file(web.store, web.settings, path, web.now).taken == 3
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1056')}").text
    assert page.count("after the trip") == 1


def test_looking_at_a_patient_to_record_an_event_is_a_line_too(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    path = f"/patients/{web.patient_id(NEUTROPENIC)}/events"
    nurse.get(path)
    assert web.audit()[-1] == "Nora Gray: patient seen"
    before = len(web.audit())
    post(nurse, path, event="symptom", on="2026-03-10", value="fever")
    assert web.audit()[before:] == ["Nora Gray: patient seen"]


def test_who_has_died_is_not_taken_for_somebody_to_be_called(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    page = f"/patients/{web.patient_id(NEUTROPENIC)}"
    assert "years old" in nurse.get(page).text
    died = {"event": "died", "on": "2026-03-09", "agreed": "yes"}
    assert post(nurse, f"{page}/events", **died).status_code == 303
    told = nurse.get(page).text
    assert "<strong>died Mon 9 Mar 2026</strong>" in told.partition("</h1>")[2].partition("<h2")[0]
    assert "years old" not in told.partition("<h2")[0]
    assert "the patient is well" not in told
    assert post(nurse, f"{page}/events", **died, withdraw="yes").status_code == 303
    assert "<strong>died" not in nurse.get(page).text


def test_a_page_has_no_lines(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    path = f"/patients/{web.patient_id(NEUTROPENIC)}/events"
    coming = post(nurse, path, event="task_done", on="2026-03-09", value="nonsense").text
    assert "no protocol names the task" in coming
    assert "line 2" not in coming


def test_what_a_file_refuses_the_page_refuses_in_the_same_words(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    path = f"/patients/{web.patient_id(NEUTROPENIC)}/events"
    for fields, words in (
        ({"event": "dose", "value": "-5"}, "value"),
        ({"event": "dos", "value": "50"}, "did you mean"),
        ({"event": "stop", "on": "3026-01-01"}, "years ahead"),
        ({"event": "merge", "value": "D1"}, "events file"),
        ({"event": " Merge", "value": "D1021"}, "events file"),
        ({"event": "UNMERGE", "value": "D1021"}, "events file"),
    ):
        answer = post(nurse, path, seen=path, **{"on": "2026-03-10", **fields})
        assert answer.status_code == 422, fields
        assert words in answer.text, fields


def test_a_viewer_records_nothing(web: WebClinic) -> None:
    viewer = web.client(Role.VIEWER)
    patient = f"/patients/{web.patient_id(NEUTROPENIC)}"
    assert "Record an event" not in viewer.get(patient).text
    assert viewer.get(f"{patient}/events").status_code == 403
    assert post(viewer, f"{patient}/events", event="stop", on="2026-03-10").status_code == 403


@pytest.mark.parametrize(
    ("event", "value", "said"),
    [
        ("hold", "2026-03-16", "hold, to be reviewed on Mon 16 Mar 2026"),
        ("hold", "", "hold"),
        ("monitored_elsewhere", "2026-04-01", "monitored elsewhere until Wed 1 Apr 2026"),
        ("dose", "125", "dose: 125 mg/day"),
        ("symptom", "sore_throat", "symptom: sore throat"),
        ("genotype", "tpmt:poor", "genotype: tpmt:poor"),
    ],
)
def test_an_event_says_what_its_value_is(event: str, value: str, said: str) -> None:
    """`hold: 2026-03-16` reads as a hold that ends on that day."""
    on = date(2026, 3, 3)
    told = Event(id=1, on=on, event=event, value=value, received_at=at("2026-03-03"))
    assert happened(told) == said


def test_no_page_tells_anybody_to_stop(web: WebClinic) -> None:
    """ "Critical: discontinue" stood on two of three pages about an alert; the third and the mail
    say that the prescriber decides."""
    nurse = web.client(Role.NURSE)
    patient, alert = web.patient_id("D1063"), web.alert_id(rule="neutropenia")
    for path in (f"/patients/{patient}", f"/alerts/{alert}", f"/alerts/{alert}/why"):
        page = nurse.get(path).text
        assert "Discontinuation: prescriber to decide" in page, path
        assert "<strong>discontinue</strong>" not in page, path
