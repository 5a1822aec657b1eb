"""The daily digest: once a recipient and day, on quiet days too, and every enrolment counted."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.vocabulary import Kind
from monitor.delivery.digest import DigestContent
from monitor.delivery.layout import lay_out
from monitor.delivery.pass_on import pass_on
from monitor.operations import people
from monitor.operations.digest_alerts import alerts_of
from monitor.operations.digest_readers import About
from monitor.operations.digests import compose_digests
from monitor.store import tables
from monitor.store.leases import load_message
from monitor.store.outbox import operator_alarm
from tests.clinic import CBC, LFT, ZONE, Clinic, at, settings_in
from tests.desk import sqlite_desk

NURSE, OPERATOR = "nurse@clinic.example", "operator@clinic.example"
HEAD = '[clinic]\ntimezone = "Europe/Zurich"\nemail = "operator@clinic.example"\n'


def digests(ward: Clinic, to: str = NURSE) -> list[DigestContent]:
    rows = ward.rows(tables.Delivery, kind="digest", recipient=to)
    return [DigestContent.from_payload(row.payload["content"]) for row in rows]


def compose(ward: Clinic, day: str, hour: int = 8, settings: Settings | None = None) -> int:
    now = at(day, hour)
    ward.review(now)
    return compose_digests(ward.store, settings or ward.settings, now)


def texts(content: DigestContent) -> dict[str, list[str]]:
    return {title: [line.text for line in lines] for title, _, lines in content.sections}


def anaemic(ward: Clinic, mrn: str = "A1", **more: Any) -> int:
    """A patient whose haemoglobin is 97: a routine alert."""
    enrolment = ward.enrol(mrn, now=at("2026-01-05", 9), **more)
    ward.results(mrn, "2026-01-05", CBC | LFT | {"hemoglobin": "97"}, hour=6)
    ward.review(at("2026-01-05", 9))
    return enrolment


def test_a_digest_goes_out_once_a_day_from_its_hour_on(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05", 6))
    assert compose(ward, "2026-01-05", 7) == 0
    assert compose(ward, "2026-01-05", 8) == 1
    assert compose(ward, "2026-01-05", 9) == 0
    assert compose(ward, "2026-01-06", 23) == 1  # the monitor was down until then
    assert [it.day for it in digests(ward)] == [date(2026, 1, 5), date(2026, 1, 6)]


def test_the_first_digest_speaks_of_a_day_and_not_of_one_before_it(ward: Clinic) -> None:
    """ "Since the last digest: no laboratory file came in" stood in a digest that was the first,
    four days after a file."""
    ward.enrol("A1", now=at("2026-01-05", 6))
    compose(ward, "2026-01-05")
    first = laid_out(ward, NURSE, "2026-01-05")
    compose(ward, "2026-01-06")
    assert "In the last 24 hours\n  No laboratory file came in." in first
    assert "Since the last digest\n  No laboratory" in laid_out(ward, NURSE, "2026-01-06")


def test_a_quiet_day_has_a_digest_that_says_so(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05", 6))
    ward.results("A1", "2026-01-05", CBC | LFT, hour=6)
    compose(ward, "2026-01-05")
    (content,) = digests(ward)
    assert (content.need, content.sections) == (0, [])
    assert str(content.ledger) == (
        "enrolled 1 = up to date 1 + due 0 + overdue 0 + seriously overdue 0 + planned 0 "
        "+ elsewhere 0 + stopped 0 (of whom held 0)"
    )
    assert [(it.panel, it.due_on, it.days) for it in content.due_soon] == [
        ("Complete blood count with differential", date(2026, 1, 12), 7)
    ]


@pytest.mark.parametrize("stopped", [True, False])
def test_a_recheck_is_due_this_week_after_a_stop_too_and_before_the_first_dose(
    ward: Clinic, stopped: bool
) -> None:
    start = "2026-01-05" if stopped else "2026-02-02"
    enrolment = ward.enrol("A1", start, now=at("2026-01-05", 6))
    ward.results("A1", "2026-01-06", CBC | {"neutrophils": "0.9"}, hour=7)
    if stopped:
        ward.event("A1", "2026-01-06", "stop", enrolment_id=enrolment)
    compose(ward, "2026-01-06")
    (content,) = digests(ward)
    assert [(it.due_on, it.days) for it in content.due_soon] == [(date(2026, 1, 8), 2)]


@pytest.mark.parametrize(
    ("day", "named"),
    [
        pytest.param("2026-01-15", date(2026, 1, 15), id="Friday is a holiday"),
        pytest.param("2026-01-16", date(2026, 1, 19), id="past: within the grace"),
        pytest.param("2026-01-19", date(2026, 1, 19), id="the last day of the grace"),
    ],
)
def test_a_reminder_names_the_last_open_day_before_a_closed_due_day(
    ward: Clinic, tmp_path: Path, day: str, named: date
) -> None:
    """Due on Saturday 17 January."""
    closed = settings_in(
        tmp_path, HEAD.replace("[clinic]\n", '[clinic]\nholidays = ["2026-01-16"]\n')
    )
    ward.enrol("A1", now=at("2026-01-05", 6))
    ward.results("A1", "2026-01-10", CBC | LFT, hour=6)
    compose(ward, day, settings=closed)
    (line,) = digests(ward, OPERATOR)[0].due_soon
    assert (line.due_on, line.latest_on) == (date(2026, 1, 17), named)


def test_a_test_due_in_a_long_closure_is_said_before_it_begins(
    ward: Clinic, tmp_path: Path
) -> None:
    """Due on 12 January; the clinic closes on the 3rd, and the grace ends when it opens."""
    days = ", ".join(f'"2026-01-{day:02}"' for day in range(3, 13))
    closed = settings_in(tmp_path, HEAD.replace("[clinic]\n", f"[clinic]\nholidays = [{days}]\n"))
    ward.enrol("A1", "2026-01-05", now=at("2026-01-01", 6))
    compose(ward, "2026-01-02", settings=closed)
    lines = [it for it in digests(ward, OPERATOR)[0].due_soon if it.due_on == date(2026, 1, 12)]
    assert [line.latest_on for line in lines] == [date(2026, 1, 2)]


def test_what_ought_to_be_done_today_is_said_at_the_head(ward: Clinic, tmp_path: Path) -> None:
    """Due on Saturday 17 January: Thursday is the last open day in time, and no alert stands."""
    closed = settings_in(
        tmp_path, HEAD.replace("[clinic]\n", '[clinic]\nholidays = ["2026-01-16"]\n')
    )
    ward.enrol("A1", now=at("2026-01-05", 6))
    ward.results("A1", "2026-01-10", CBC | LFT, hour=6)
    heads = []
    for day in ("2026-01-14", "2026-01-15"):
        compose(ward, day, settings=closed)
        row = ward.rows(tables.Delivery, kind="digest", recipient=OPERATOR)[-1]
        with ward.store.read() as connection:
            message = load_message(connection, row.id)
            mail = lay_out(connection, message, closed, at(day)).rendered
        heads.append(mail.subject.partition(": ")[2])
        assert f"{heads[-1].capitalize()}." in mail.text
    assert heads == ["nothing needs you today", "1 test to be done by today"]
    assert "last open day in time: Thu 15 Jan 2026, today" in " ".join(mail.text.split())


def test_a_test_that_two_treatments_ask_for_by_one_day_is_one_line(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    """The recheck that a stop left is the first test of the next treatment too."""
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        header = "mrn,drug,started_on"
        desk.enrol("P1,azathioprine,2026-01-05", header=header, now=at("2026-01-05"))
        desk.load("P1,2026-02-08,neutrophils,1.2,10*9/L,S1,final,,", now=at("2026-02-08"))
        desk.events("P1,2026-02-09,stop,,,,", now=at("2026-02-09"))
        desk.enrol("P1,azathioprine,2026-02-09", header=header, now=at("2026-02-09"))
        compose(desk.clinic, "2026-02-10")
        (content,) = digests(desk.clinic)
        assert [(it.person.mrn, it.due_on) for it in content.due_soon] == [
            ("P1", date(2026, 2, 15))
        ]


def test_a_routine_alert_is_new_then_open_then_in_hand_then_ended(ward: Clinic) -> None:
    anaemic(ward)
    compose(ward, "2026-01-06")
    ward.results("A1", "2026-01-06", CBC | {"hemoglobin": "96"})
    compose(ward, "2026-01-07")
    (alert,) = ward.rows(tables.AlertRow, rule="anaemia")
    people.acknowledge(
        ward.store, ward.settings, alert.id, by="Sister Kay", now=at("2026-01-07", 9)
    )
    compose(ward, "2026-01-08")
    people.close(
        ward.store,
        ward.settings,
        alert.id,
        by="Dr Who",
        outcome="iron given",
        review_by=date(2026, 1, 20),
        now=at("2026-01-08", 9),
    )
    compose(ward, "2026-01-09")
    titles = [list(texts(content)) for content in digests(ward)]
    assert titles == [
        ["New since the last digest"],
        ["Still open"],
        ["Acknowledged or snoozed"],
        ["Ended since the last digest"],
    ]
    assert [content.sections[0][2][0].note for content in digests(ward)] == [
        "open since 5 Jan 2026, 1 day",
        "open since 5 Jan 2026, 2 days",
        "acknowledged by Sister Kay until 14 Jan 2026",
        "closed by Dr Who: the details are not shown here",
    ]


@pytest.mark.parametrize(
    ("config", "notes"),
    [
        (
            'privacy = "full"',
            [
                "snoozed by Sister Kay until 9 Jan 2026: Anna is away",
                "closed by Dr Who: told Anna, 97 is usual for her",
            ],
        ),
        (
            'privacy = "minimal"',
            [
                "snoozed by Sister Kay until 9 Jan 2026: the details are not shown here",
                "closed by Dr Who: the details are not shown here",
            ],
        ),
    ],
)
def test_what_people_wrote_stands_in_the_digest_at_full_privacy_only(
    ward: Clinic, tmp_path: Path, config: str, notes: list[str]
) -> None:
    ward.settings = settings_in(tmp_path, f'{HEAD}[mail]\n{config}\n[[routes]]\nto = ["{NURSE}"]\n')
    anaemic(ward)
    people.snooze(
        ward.store, ward.settings, 1,
        until=date(2026, 1, 9), by="Sister Kay", reason="Anna is away", now=at("2026-01-05", 10),
    )  # fmt: skip
    compose(ward, "2026-01-06")
    people.close(
        ward.store, ward.settings, 1, by="Dr Who", outcome="told Anna, 97 is usual for her",
        review_by=date(2026, 1, 20), now=at("2026-01-06", 9),
    )  # fmt: skip
    compose(ward, "2026-01-07")
    assert [content.sections[0][2][0].note for content in digests(ward)] == notes


@pytest.mark.parametrize(("event", "value"), [("hold", "2026-02-01"), ("declined", "")])
@pytest.mark.parametrize("privacy", ["full", "minimal"])
def test_the_note_of_a_hold_or_a_refusal_stands_in_a_digest_at_full_privacy_only(
    ward: Clinic, tmp_path: Path, privacy: str, event: str, value: str
) -> None:
    """Beside an overdue test it stood in the digest of every reader."""
    mail = f'[mail]\nprivacy = "{privacy}"\n'
    ward.settings = settings_in(tmp_path, f'{HEAD}{mail}[[routes]]\nto = ["{NURSE}"]\n')
    ward.enrol("A1", now=at("2026-01-05", 6))
    ward.event("A1", "2026-01-12", event, value, note="Peter called; 0.3 (again)")
    compose(ward, "2026-01-16")
    said = laid_out(ward, NURSE, "2026-01-16")
    assert "overdue" in said and ("Held since" in said or "Declined on" in said)
    assert ("Peter" in said) == (privacy == "full")


def test_an_old_result_begins_with_its_age_in_the_digest_too(ward: Clinic) -> None:
    anaemic(ward)
    compose(ward, "2026-01-09")
    (line,) = digests(ward)[0].new
    assert line.text.startswith("4 days old: state today unknown: test now. ")


def test_the_latest_result_stands_beside_the_worst_one_with_its_day(
    ward: Clinic, tmp_path: Path
) -> None:
    """A line of 16 January with "4 days old ... 97 g/L on 5 Jan" hid the result of the 12th."""
    anaemic(ward)
    ward.results("A1", "2026-01-12", CBC | {"hemoglobin": "98"})
    full = settings_in(tmp_path, HEAD + f'[mail]\nprivacy = "full"\n[[routes]]\nto = ["{NURSE}"]\n')
    compose(ward, "2026-01-16", settings=full)
    (line,) = digests(ward)[0].new
    assert line.text.startswith("4 days old: state today unknown: test now. ")
    assert "97 g/L on 5 Jan 2026" in line.text
    assert line.note.startswith("latest 98 g/L on 12 Jan 2026; open since 5 Jan 2026")
    (alert,) = line.alert_ids
    people.acknowledge(ward.store, full, alert, by="Dr Ann", now=at("2026-01-16", 9))
    compose(ward, "2026-01-17", settings=full)
    (line,) = digests(ward)[1].in_hand
    assert line.note.startswith("latest 98 g/L on 12 Jan 2026; acknowledged by Dr Ann")
    compose(ward, "2026-01-18")
    (line,) = digests(ward)[2].in_hand
    assert "98" not in f"{line.text} {line.note}"  # at minimal privacy no value is shown


def test_two_alerts_of_one_specimen_are_one_line(ward: Clinic, tmp_path: Path) -> None:
    ward.enrol("A1", now=at("2026-01-05", 9))
    full = settings_in(tmp_path, HEAD + f'[mail]\nprivacy = "full"\n[[routes]]\nto = ["{NURSE}"]\n')
    liver = {"bilirubin": "10", "alt": "120", "ast": "130"}
    ward.results("A1", "2026-01-05", CBC | liver, hour=6)
    compose(ward, "2026-01-05", 12, settings=full)
    (line,) = digests(ward)[0].new
    assert len(line.alert_ids) == 2
    assert "ALT 120" in line.text
    assert "AST 130" in line.text


def test_what_is_overdue_and_held_is_in_the_ledger(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05", 6))
    ward.enrol("A2", now=at("2026-01-05", 6))
    ward.event("A2", "2026-01-06", "hold", received_at=at("2026-01-06"))
    ward.enrol("A3", "2026-03-02", now=at("2026-01-05", 6))
    compose(ward, "2026-01-15")
    (content,) = digests(ward)
    ledger = content.ledger
    assert (ledger.enrolled, ledger.overdue, ledger.held, ledger.planned) == (3, 2, 1, 1)
    assert all("overdue" in line.text for line in content.new)


def test_what_could_not_be_judged_is_said(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05", 6))
    ward.results("A1", "2026-01-05", {"creatinine": "90"}, hour=6, status="preliminary")
    compose(ward, "2026-01-05")
    (content,) = digests(ward)
    assert content.unjudged == (
        ("A1", "rising creatinine, result of 5 Jan 2026: no baseline value is known"),
    )


def test_alarms_of_the_operator_are_repeated_in_the_digest(ward: Clinic) -> None:
    ward.enrol("A1", now=at("2026-01-05", 6))
    with ward.store.write() as connection:
        now = at("2026-01-05", 7)
        operator_alarm(connection, "feed", "no file since Friday", OPERATOR, now, ZONE)
    compose(ward, "2026-01-05")
    compose(ward, "2026-01-06")
    assert [it.notices for it in digests(ward)] == [("feed: no file since Friday",), ()]


def test_each_reader_sees_their_own_clinic_and_nobody_falls_through(
    ward: Clinic, tmp_path: Path
) -> None:
    ward.settings = settings_in(
        tmp_path,
        HEAD + f'[[routes]]\nto = ["{NURSE}"]\nclinics = ["rheuma"]\ndigest_at = "06:00"\n',
    )
    anaemic(ward, "A1", clinic="rheuma")
    anaemic(ward, "B1", clinic="gastro")
    assert compose(ward, "2026-01-06") == 2
    seen = {
        to: [line.person.mrn for content in digests(ward, to) for line in content.new]
        for to in (NURSE, OPERATOR)
    }
    assert seen == {NURSE: ["A1"], OPERATOR: ["B1"]}
    assert [digests(ward, to)[0].ledger.enrolled for to in seen] == [1, 1]


@pytest.mark.parametrize(("then", "to"), [('then = [["ward"]]', NURSE), ("", OPERATOR)])
def test_a_week_that_a_rota_gives_to_nobody_has_a_reader_all_the_same(
    ward: Clinic, tmp_path: Path, then: str, to: str
) -> None:
    (tmp_path / "rota.csv").write_text(
        "week,name,addresses,telephone\n2025-W40,Ann,ann@clinic.example,\n"
    )
    ward.settings = settings_in(
        tmp_path,
        HEAD + f'[recipients.rota]\nrota = "rota.csv"\n[recipients.ward]\naddresses = ["{NURSE}"]\n'
        f'[[routes]]\nto = ["rota"]\n{then}\n',
    )
    anaemic(ward)
    assert compose(ward, "2026-01-06", 9) == 1
    assert [line.person.mrn for line in digests(ward, to)[0].new] == ["A1"]


def test_without_any_route_the_last_resort_reads_everything(ward: Clinic, tmp_path: Path) -> None:
    ward.settings = settings_in(tmp_path, HEAD)
    anaemic(ward)
    assert compose(ward, "2026-01-06") == 1
    assert [line.person.mrn for line in digests(ward, OPERATOR)[0].new] == ["A1"]


def test_a_name_stands_in_the_digest_at_full_privacy_only(ward: Clinic, tmp_path: Path) -> None:
    anaemic(ward)
    (patient,) = ward.rows(tables.Patient)
    ward.set(tables.Patient, patient.id, family_name="Miller", given_name="Anna")
    compose(ward, "2026-01-06")
    full = settings_in(tmp_path, HEAD + f'[mail]\nprivacy = "full"\n[[routes]]\nto = ["{NURSE}"]\n')
    compose(ward, "2026-01-07", settings=full)
    assert [it.new[0].person.name for it in digests(ward)[:1]] == [""]
    assert [it.still_open[0].person.name for it in digests(ward)[1:]] == ["Miller, Anna"]


FULL, MINIMAL = '[mail]\nprivacy = "full"\n', '[mail]\nprivacy = "minimal"\n'
NURSES = f'[recipients.nurses]\naddresses = ["{NURSE}"]\n'
ROTA = f"week,name,addresses,telephone\n2026-W02,Ann,{NURSE},\n"


@pytest.mark.parametrize(
    ("config", "to", "names"),
    [
        (FULL + NURSES, NURSE, True),
        (FULL + NURSES + 'privacy = "minimal"\n', NURSE, False),
        (MINIMAL + NURSES + 'privacy = "full"\n', NURSE, True),
        (FULL + '[recipients.nurses]\nrota = "rota.csv"\nprivacy = "minimal"\n', NURSE, False),
        (FULL + '[recipients.nurses]\naddresses = ["webhook:ehr"]\n', "webhook:ehr", False),
    ],
    ids=["as mails", "the role's less", "the role's more", "a rota's role", "the channel's"],
)
def test_a_digest_names_what_the_level_of_its_own_reader_allows(
    ward: Clinic, tmp_path: Path, config: str, to: str, names: bool
) -> None:
    (tmp_path / "rota.csv").write_text(ROTA)
    webhook = '[webhooks.ehr]\nurl = "http://localhost/"\nsecret_env = "S"\n'
    ward.settings = settings_in(tmp_path, f'{HEAD}{config}{webhook}[[routes]]\nto = ["nurses"]\n')
    anaemic_miller(ward)
    compose(ward, "2026-01-06", 9)
    text = laid_out(ward, to)
    assert ("Miller" in text, "97" in text) == (names, names)
    assert "MRN A1" in text


def test_a_digest_that_another_reader_gets_instead_names_no_more_than_that_one_may_read(
    ward: Clinic, tmp_path: Path
) -> None:
    ward.settings = settings_in(
        tmp_path, f'{HEAD}{NURSES}privacy = "full"\n[[routes]]\nto = ["nurses"]\n'
    )
    anaemic_miller(ward)
    compose(ward, "2026-01-06", 9)
    assert "Miller" in laid_out(ward, NURSE)
    with ward.store.write() as connection:
        message = load_message(connection, ward.rows(tables.Delivery, kind="digest")[0].id)
        pass_on(connection, ward.settings, message, "550 no such user", at("2026-01-06", 10))
    text = laid_out(ward, OPERATOR)
    assert "MRN A1, routine: the details are not shown here [1]" in text
    assert "Miller" not in text
    assert "97" not in text


@pytest.mark.parametrize("refused", [False, True])
def test_a_digest_that_came_instead_of_another_s_cuts_nothing_from_one_s_own(
    ward: Clinic, tmp_path: Path, refused: bool
) -> None:
    """What had ended since its own last digest was left out where another's came in between."""
    routes = f'''
    [[routes]]
    to = ["{OPERATOR}"]
    clinics = ["Hill"]
    digest_at = "09:00"
    [[routes]]
    to = ["{NURSE}"]
    clinics = ["Lake"]
    '''
    ward.settings = settings_in(tmp_path, HEAD + routes)
    ward.enrol("A2", now=at("2026-01-05", 9), clinic="Lake")
    enrolment = anaemic(ward, clinic="Hill")
    compose(ward, "2026-01-06", 10)
    alert = next(it for it in ward.alerts(enrolment) if it.kind is Kind.REVIEW)
    day = date(2026, 1, 20)
    people.close(
        ward.store, ward.settings, alert.id, by="Jo", outcome="iron given", review_by=day,
        now=at("2026-01-06", 12),
    )  # fmt: skip
    assert compose(ward, "2026-01-07", 8) == 1
    if refused:
        with ward.store.write() as connection:
            last = ward.rows(tables.Delivery, kind="digest", recipient=NURSE)[-1]
            message = load_message(connection, last.id)
            pass_on(connection, ward.settings, message, "550 no such user", at("2026-01-07", 8))
    compose(ward, "2026-01-07", 9)
    assert [it.alert_ids for it in digests(ward, OPERATOR)[-1].ended] == [(alert.id,)]


def anaemic_miller(ward: Clinic) -> None:
    anaemic(ward)
    (patient,) = ward.rows(tables.Patient)
    ward.set(tables.Patient, patient.id, family_name="Miller", given_name="Anna")


def laid_out(ward: Clinic, to: str, day: str = "2026-01-06") -> str:
    """The digest of a reader as it would go out that day."""
    on = date.fromisoformat(day)
    (row,) = ward.rows(tables.Delivery, kind="digest", recipient=to, for_day=on)
    with ward.store.read() as connection:
        letter = lay_out(connection, load_message(connection, row.id), ward.settings, at(day))
    return letter.rendered.text


def test_a_digest_bears_the_alerts_it_names(ward: Clinic) -> None:
    anaemic(ward)
    compose(ward, "2026-01-06")
    (row,) = ward.rows(tables.Delivery, kind="digest")
    with ward.store.read() as connection:
        message = load_message(connection, row.id)
    assert [what for _, what, _ in message.lines] == ["digest"]
    assert clinic_day(row.created_at, ZONE) == row.for_day


@pytest.mark.parametrize("hour", [0, 23])
def test_the_day_of_a_digest_is_the_clinic_s(ward: Clinic, tmp_path: Path, hour: int) -> None:
    ward.settings = settings_in(
        tmp_path, HEAD + f'[[routes]]\nto = ["{NURSE}"]\ndigest_at = "00:00"\n'
    )
    assert compose(ward, "2026-06-01", hour) == 1
    assert digests(ward)[0].day == date(2026, 6, 1)


def test_a_last_resort_at_another_hour_takes_nothing_from_a_digest_of_the_same_address(
    ward: Clinic, tmp_path: Path
) -> None:
    """The operator has a route of their own, at nine, and reads at half past seven what no route
    takes: what was closed the evening before is in the digest at nine, as ever."""
    routed = settings_in(
        tmp_path,
        HEAD
        + f'''[[routes]]
to = ["{OPERATOR}"]
clinics = ["North"]
digest_at = "09:00"
[[routes]]
to = ["{NURSE}"]
clinics = ["South"]
digest_at = "07:30"
''',
    )
    anaemic(ward, "A1", clinic="North")
    anaemic(ward, "A2", clinic="West")
    compose(ward, "2026-01-06", 9, settings=routed)
    alert, _ = ward.rows(tables.AlertRow, rule="anaemia")
    people.close(
        ward.store,
        routed,
        alert.id,
        by="Dr Who",
        outcome="iron given",
        review_by=date(2026, 1, 20),
        now=at("2026-01-06", 18),
    )
    compose(ward, "2026-01-07", 8, settings=routed)
    compose(ward, "2026-01-07", 9, settings=routed)
    own = [it for it in digests(ward, OPERATOR) if it.day == date(2026, 1, 7)]
    assert [list(texts(it)) for it in own] == [["Still open"], ["Ended since the last digest"]]


def test_a_reader_of_more_kinds_than_a_statement_takes_has_a_digest(ward: Clinic) -> None:
    """Every practice of a country is a clinic of its own."""
    anaemic(ward, clinic="Practice 7")
    practices = [About(f"Practice {n}", "azathioprine", "review", "routine") for n in range(20_000)]
    with ward.store.read() as connection:
        rows = alerts_of(connection, practices, at("2026-01-05"), ZONE)
    assert [row.rule for row in rows] == ["anaemia"]


def test_a_digest_that_cannot_be_made_keeps_nobody_else_s_back(
    ward: Clinic, tmp_path: Path
) -> None:
    """The row of an alert was damaged; its reader has no digest, which the job says loudly, and
    the next reader has theirs."""
    ward.settings = settings_in(
        tmp_path, HEAD + f'[[routes]]\nto = ["{NURSE}"]\nclinics = ["rheuma"]\n'
    )
    anaemic(ward, "A1", clinic="rheuma")
    anaemic(ward, "B1", clinic="gastro")
    (damaged,) = (it for it in ward.rows(tables.AlertRow, rule="anaemia") if it.enrolment_id == 1)
    ward.set(tables.AlertRow, damaged.id, urgency="damaged")
    with pytest.raises((KeyError, ValueError)):
        compose_digests(ward.store, ward.settings, at("2026-01-06", 8))
    assert digests(ward, NURSE) == []
    (other,) = digests(ward, OPERATOR)
    assert [line.person.mrn for line in other.new] == ["B1"]
