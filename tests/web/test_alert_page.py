"""What an alert's page answers: no less than its mail (specification, section 7)."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from monitor.core.permissions import Role
from monitor.operations.worklist import View, Wanted, worklist
from monitor.store import tables
from monitor.store.tables import table_of
from tests.web.test_patient import load
from tests.web_clinic import WebClinic, post, web_clinic


def page_of(web: WebClinic, mrn: str, **equal: str) -> str:
    """The alert of a patient with these values, as text."""
    wanted = Wanted(view=View.ALL, like=mrn)
    (own,) = worklist(web.store, web.settings, wanted, web.now).patients
    alert = next(
        it for it in own.causes if all(it.alert[name] == value for name, value in equal.items())
    )
    page = web.client(Role.NURSE).get(f"/alerts/{alert.id}").text
    plain = re.sub(r"<[^>]+>", " ", page.partition('<section class="card"')[2])
    return re.sub(r"\s+", " ", html.unescape(plain))


def test_a_value_has_the_decimals_of_the_others_beside_it(web: WebClinic) -> None:
    """The worst stood as 0.8 between a title and a table that say 0.80."""
    page = web.client(Role.NURSE).get(f"/alerts/{web.alert_id(rule='neutropenia')}").text
    assert "<dt>Worst</dt><dd>0.80 " in page


def test_a_value_with_its_distance_the_last_values_the_dose_and_the_rule(web: WebClinic) -> None:
    nurse = web.client(Role.NURSE)
    path = f"/patients/{web.patient_id('D1021')}/events"
    warfarin = {"event": "comedication_start", "on": "2026-02-01", "value": "warfarin"}
    assert post(nurse, path, seen=path, **warfarin, agreed="yes").status_code == 303
    load(
        web,
        "D1021,2026-03-02T08:00,neutrophils,1.8,10*9/L",
        "D1021,2026-03-09T08:00,neutrophils,800,/uL",
    )
    page = page_of(web, "D1021", rule="neutropenia")
    for words in (
        "20 % below the limit",
        "Neutrophils, ×10⁹/L: last values",
        "Mon 9 Mar 2026, 08:00 0.80 beyond the limit; received as 800 /uL",
        "Mon 2 Mar 2026, 08:00 1.80",
        "Last dose on record: ",
        "Warfarin is on the list: check INR.",
        "Rule neutropenia, level 2",
    ):
        assert words in page, words
    assert "days old" not in page


def test_a_history_writes_its_days_as_the_page_does(web: WebClinic) -> None:
    """Below "With Dr Example until Mon 16 Mar 2026" stood "until 2026-03-16; patient called"."""
    nurse, path = web.client(Role.NURSE), f"/alerts/{web.alert_id(rule='neutropenia')}"
    version = re.search(r'name="version" value="(\d+)"', nurse.get(path).text)
    assert version is not None
    done = post(nurse, f"{path}/acknowledge", seen=path, version=version[1])
    assert done.status_code == 303
    page = nurse.get(path).text
    assert re.search(r"<strong>Acknowledged</strong> by [^:]+: until [A-Z][a-z]{2} \d+ ", page)
    assert "until 2026-" not in page


def test_the_days_of_a_snooze_and_of_a_closing_are_written_so_too(web: WebClinic) -> None:
    doctor, path = web.client(Role.CLINICIAN), f"/alerts/{web.alert_id(kind='withhold')}"
    for what, fields in (
        ("snooze", {"until": "2026-03-14", "reason": "on holiday"}),
        ("close", {"outcome": "dose lowered", "review_by": "2026-03-20"}),
    ):
        version = re.search(r'name="version" value="(\d+)"', doctor.get(path).text)
        assert version is not None
        done = post(doctor, f"{path}/{what}", seen=path, version=version[1], **fields)
        assert done.status_code == 303, done.text
        if what == "snooze":
            page = doctor.get(path).text
            assert "It asks nobody: it is snoozed until Sat 14 Mar 2026." in page
            assert '<span class="tag">snoozed</span>' in page
    assert "dose lowered; review by Fri 20 Mar 2026" in doctor.get(path).text


def test_the_other_alerts_of_the_patient_are_named_at_its_head(web: WebClinic) -> None:
    """Whoever came by the mail of one saw nothing of what else stood."""
    nurse = web.client(Role.NURSE)
    late = nurse.get(f"/alerts/{web.alert_id(kind='overdue_test', urgency='urgent')}").text
    other = nurse.get(f"/alerts/{web.alert_id(rule='neutropenia')}").text
    told = (
        f'<a href="/patients/{web.patient_id("D1063")}">1 other alert stands for this patient</a>'
    )
    assert f"{told}, <strong>1 critical</strong>" in late
    assert f"{told}</p>" in other
    assert "for this patient" not in nurse.get(f"/alerts/{web.alert_id(kind='review')}").text


def test_who_was_not_told_yet_is_not_said_to_know(web: WebClinic) -> None:
    """ "Told nurse@clinic.example: opened (waiting)" stood where no mail had gone out."""
    page = page_of(web, "D1063", rule="neutropenia")
    assert "Not told yet, the message waits: nurse@clinic.example: opened" in page
    assert not re.search(r"\bTold \S+@", page)


def test_nobody_is_told_of_an_alert_before_it_opened(web: WebClinic) -> None:
    """What an alert joined had been waiting for ten minutes, and stood above its opening."""
    deliveries = table_of(tables.Delivery)
    with web.store.write() as connection:
        before = web.now - timedelta(days=3)
        connection.execute(update(deliveries).values(created_at=before))
    page = page_of(web, "D1063", rule="neutropenia").partition("What happened")[2]
    assert page.index("Opened") < page.index("Not told yet")
    assert "7 Mar 2026" not in page


def test_what_is_told_late_begins_with_its_age(web: WebClinic) -> None:
    load(web, "D1021,2026-03-04T08:00,neutrophils,0.4,10*9/L")
    page = page_of(web, "D1021", rule="neutropenia")
    assert "6 days old: state today unknown: test now." in page


def test_every_overdue_panel_is_listed(web: WebClinic) -> None:
    page = page_of(web, "D1063", kind="overdue_test")
    assert re.search(r"\w: 6 days overdue, was due \w+ \d+ \w+ 2026, last done ", page)


def test_a_panel_counts_its_days_as_the_due_day_below_it_does(web: WebClinic) -> None:
    """A week on, one page said 6 days overdue above, and 13 below."""
    web.now += timedelta(days=7)
    page = page_of(web, "D1063", kind="overdue_test")
    assert set(re.findall(r"(\d+) days overdue", page)) == {"13"}


def test_the_held_rows_are_there_to_be_read(web: WebClinic) -> None:
    load(web, "D1021,2026-03-09T08:00,neutrophils,0.4,furlong")
    page = page_of(web, "D1021", kind="quarantined_result")
    assert '9 Mar 2026: 0.4 furlong ("furlong" is no known unit of Neutrophils)' in page


@pytest.mark.parametrize(
    ("most", "last"), [("7 days", "2026-03-17"), ("90 days", "2026-04-07"), ("0 days", "")]
)
def test_the_form_to_snooze_offers_the_days_that_the_site_allows(
    made_clinic: Path, tmp_path: Path, most: str, last: str
) -> None:
    more = f'second_factor = []\n[escalation]\nsnooze_urgent_at_most = "{most}"'
    with web_clinic(made_clinic, tmp_path, more) as web:
        alert = web.alert_id(urgency="urgent", state="open")
        page = web.client(Role.NURSE).get(f"/alerts/{alert}").text
    _, _, form = page.partition(f'action="/alerts/{alert}/snooze"')
    assert re.findall(r'name="until"[^>]* max="([^"]+)"', form)[:1] == ([last] if last else [])


def test_who_takes_a_critical_alert_learns_what_it_still_asks(web: WebClinic) -> None:
    """ "Yours until Tuesday", and four hours later the night duty was rung up about it."""
    owed = "without an outcome within 4 hours of the first acknowledgement the next are told"
    nurse, clinician = web.client(Role.NURSE), web.client(Role.CLINICIAN)
    critical, urgent = web.alert_id(urgency="critical"), web.alert_id(urgency="urgent")
    assert owed in nurse.get(f"/alerts/{critical}").text
    assert owed not in nurse.get(f"/alerts/{urgent}").text
    for client, alert in ((nurse, critical), (clinician, urgent)):
        path = f"/alerts/{alert}"
        version = re.search(r'name="version" value="(\d+)"', client.get(path).text)
        assert version is not None
        post(client, f"{path}/acknowledge", seen=path, version=version[1])
        said = client.get("/account").text
        assert "Yours until Tue 17 Mar 2026" in said
        assert (owed in said) == (alert == critical)
    path = f"/alerts/{critical}"
    version = re.search(r'name="version" value="(\d+)"', clinician.get(path).text)
    assert version is not None
    post(clinician, f"{path}/assign", seen=path, version=version[1], to="Dr Carl Field")
    said = clinician.get("/account").text
    assert "Now with Dr Carl Field." in said and owed in said
