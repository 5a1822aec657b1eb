"""What people do with an alert beside each other, and what routes, storms and burden come to."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from monitor.config import Settings, read_settings, route_book
from monitor.core.actions import ActionRefused
from monitor.core.faults import Faults
from monitor.core.protocol_file import digest_of
from monitor.core.vocabulary import Urgency
from monitor.operations import people
from monitor.operations.alert_story import story
from monitor.operations.burden import burden
from monitor.operations.explain import explain_alert
from monitor.operations.muted import muted_alerts
from monitor.operations.routes_check import check_routes
from monitor.operations.routes_explain import explain_routes, queue_tests
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import Edit, preview
from monitor.operations.verify import verify
from monitor.resources import schedules_folder
from monitor.store import tables
from monitor.store.rulebook import put_in_force
from tests.clinic import CBC, CONFIG, Clinic, at, settings_in
from tests.desk import sqlite_desk

NOW = at("2026-03-02", 10)
ROLES = """
[clinic]
timezone = "Europe/Zurich"
email = "operator@clinic.example"
hours = "08:00-18:00"

[recipients.nurses]
addresses = ["nurse@clinic.example"]
telephone = "+41 44 555 01 20"
confirmed_on = "2026-02-01"

[recipients.on_call]
addresses = ["duty@clinic.example"]
telephone = "+41 79 555 01 21"
hours = "always"
confirmed_on = "2026-02-01"

[[routes]]
to = ["nurses"]
then = [["on_call"]]
"""


def with_low(ward: Clinic, **values: str) -> int:
    """A patient with these values; the alert of the first."""
    ward.enrol("A1", "2026-03-01", now=at("2026-03-01"), tpmt="normal", nudt15="normal")
    ward.results("A1", "2026-03-02", CBC | values)
    ward.review(NOW)
    rule = {"neutrophils": "neutropenia", "lymphocytes": "lymphopenia"}[next(iter(values))]
    (row,) = ward.rows(tables.AlertRow, rule=rule)
    return int(row.id)


def test_two_people_on_one_alert_do_not_overwrite_each_other(ward: Clinic) -> None:
    alert = with_low(ward, neutrophils="0.4")
    refused: list[str] = []
    ready = threading.Barrier(2)

    def take(who: str) -> None:
        ready.wait()
        try:
            people.acknowledge(ward.store, ward.settings, alert, by=who, now=NOW)
        except ActionRefused as error:
            refused.append(str(error))

    threads = [threading.Thread(target=take, args=(who,)) for who in ("Jo", "Ann")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = ward.rows(tables.AlertRow, id=alert)
    loser = "Ann" if row.acknowledged_by == "Jo" else "Jo"
    taken = f"alert {alert} is with {row.acknowledged_by} until 2026-03-09"
    command = f"monitor assign {alert} --to {loser} --by {loser}"
    assert refused == [f"{taken}; to take it over: {command}"]
    assert row.version == 1


def test_an_act_on_an_older_version_is_refused_and_says_who_did_what(ward: Clinic) -> None:
    alert = with_low(ward, lymphocytes="0.4")
    people.comment(ward.store, ward.settings, alert, text="on leave", by="Jo", now=NOW)
    with pytest.raises(ActionRefused, match=r"version 0: comment by Jo, 2 Mar 2026, 10:00"):
        people.acknowledge(ward.store, ward.settings, alert, by="Ann", version=0, now=NOW)
    people.acknowledge(ward.store, ward.settings, alert, by="Ann", version=1, now=NOW)


def test_a_coded_closing_needs_more_than_that_the_laboratory_phoned(ward: Clinic) -> None:
    alert = with_low(ward, neutrophils="0.4")
    close: dict[str, Any] = {"by": "Jo", "review_by": at("2026-03-06").date(), "now": NOW}
    with pytest.raises(ActionRefused, match="knowing of it is not acting on it"):
        people.close(ward.store, ward.settings, alert, outcome="laboratory phoned", **close)
    words = "laboratory phoned and acted: held, Dr Gray, 2 March 10:00"
    people.close(ward.store, ward.settings, alert, outcome=words, **close)
    (entry,) = ward.rows(tables.AlertHistory, alert_id=alert, what="closed")
    assert entry.code == "laboratory_phoned_and_acted"
    assert entry.note.startswith(words)


@pytest.mark.parametrize(
    ("outcome", "settled"),
    [("reached", True), ("welfare_check_asked", True), ("appointment_made", False),
     ("moved away", False), ("no answer", False), ("declined", False)],
)  # fmt: skip
def test_which_contacts_settle_a_critical_alert(ward: Clinic, outcome: str, settled: bool) -> None:
    alert = with_low(ward, neutrophils="0.4")
    done = people.contact(ward.store, ward.settings, alert, outcome=outcome, by="Jo", now=NOW)
    assert done.settled is settled
    (row,) = ward.rows(tables.AlertRow, id=alert)
    assert (row.state == "acknowledged", row.outcome_at is not None) == (settled, settled)


def test_a_contact_needs_a_known_outcome_and_a_hand_over_a_name(ward: Clinic) -> None:
    alert = with_low(ward, neutrophils="0.4")
    with pytest.raises(ActionRefused, match="one of reached, no_answer"):
        people.contact(ward.store, ward.settings, alert, outcome="busy", by="Jo", now=NOW)
    with pytest.raises(ActionRefused, match="by name"):
        people.contact(
            ward.store, ward.settings, alert, outcome="handed_to_clinician", by="Jo", now=NOW
        )


def test_a_graver_alert_of_the_same_cause_mutes_the_lesser_visibly(ward: Clinic) -> None:
    grave = with_low(ward, neutrophils="0.8", white_cells="2.6")
    (lesser,) = ward.rows(tables.AlertRow, rule="leucopenia")
    with ward.store.read() as connection:
        assert muted_alerts(connection) == {lesser.id: grave}
    assert ward.rows(tables.DeliveryAlert, alert_id=lesser.id) == []
    ward.results("A1", "2026-03-03", CBC | {"white_cells": "1.9", "neutrophils": "0.8"})
    ward.review(at("2026-03-03"))
    (told,) = ward.rows(tables.DeliveryAlert, alert_id=lesser.id)
    assert told.what == "worse"  # critical now: never muted


@pytest.mark.parametrize("white_cells", ["2.9", "3.4"])
def test_what_came_while_it_was_muted_is_told_once_it_is_not(
    ward: Clinic, white_cells: str
) -> None:
    """A tenth worse, or an acknowledgement that ran out: its ladder begins when it is told."""
    ward.enrol("A1", "2026-02-28", now=at("2026-03-01"))
    ward.results("A1", "2026-03-02", CBC | {"white_cells": "3.4"})
    ward.review(NOW)
    (lesser,) = ward.rows(tables.AlertRow, rule="leucopenia")
    people.acknowledge(
        ward.store, ward.settings, lesser.id, by="Jo", until=date(2026, 3, 4), now=NOW
    )
    both = CBC | {"white_cells": white_cells, "neutrophils": "1.4"}
    ward.results("A1", "2026-03-03", both)
    ward.review(at("2026-03-03"))
    ward.review(at("2026-03-04"))
    (grave,) = ward.rows(tables.AlertRow, rule="neutropenia")
    people.close(
        ward.store, ward.settings, grave.id, by="Jo", outcome="drug_held: Dr Gray",
        review_by=date(2026, 3, 20), now=at("2026-03-04", 13),
    )  # fmt: skip
    ward.review(at("2026-03-04", 14))
    told = [row.what for row in ward.rows(tables.DeliveryAlert, alert_id=lesser.id)]
    assert told == ["opened", "no longer muted"]
    (row,) = ward.rows(tables.AlertRow, id=lesser.id)
    assert (row.asked_at, row.rungs_told) == (at("2026-03-04", 14), 1)
    assert row.told_value == Decimal(white_cells)


def test_a_muted_alert_is_told_when_an_edit_takes_away_what_mutes_it(ward: Clinic) -> None:
    with_low(ward, neutrophils="1.4", white_cells="2.6")
    (lesser,) = ward.rows(tables.AlertRow, rule="leucopenia")
    text = (schedules_folder() / "azathioprine.toml").read_text(encoding="utf-8")
    shown = 'muted_by = ["neutropenia"]\n'
    assert shown in text
    edit = Edit("azathioprine.toml", text.replace(shown, ""))
    (shown_first,) = preview(ward.store, ward.settings, edit, at("2026-03-03")).patients
    assert (shown_first.mrn, shown_first.counted_as()) == ("A1", {"alerted"})
    apply(ward.store, ward.settings, edit, at("2026-03-03"), by="Dr A", reason="tell both")
    (told,) = ward.rows(tables.DeliveryAlert, alert_id=lesser.id)
    assert told.what == "no longer muted"
    (row,) = ward.rows(tables.AlertRow, id=lesser.id)
    assert row.asked_at == at("2026-03-03"), "its ladder begins now"
    (line,) = ward.rows(tables.AlertHistory, alert_id=lesser.id, what="no longer muted")
    assert line.note == "protocol edited"
    ward.review(at("2026-03-03", 13), everyone=True)
    assert len(ward.rows(tables.DeliveryAlert, alert_id=lesser.id)) == 1


def test_what_was_muted_until_it_recovered_is_told_in_digests_only(ward: Clinic) -> None:
    with_low(ward, neutrophils="1.4", white_cells="3.2")
    assert verify(ward.store, ward.settings, NOW) == []
    ward.results("A1", "2026-03-09", CBC)
    ward.review(at("2026-03-09"))
    (lesser,) = ward.rows(tables.AlertRow, rule="leucopenia")
    assert (lesser.state, lesser.recovered) == ("open", True)
    assert ward.rows(tables.DeliveryAlert, alert_id=lesser.id) == []
    assert verify(ward.store, ward.settings, at("2026-03-09")) == []


def test_what_is_muted_no_more_is_owed_until_it_is_reviewed(ward: Clinic) -> None:
    grave = with_low(ward, neutrophils="1.4", white_cells="3.2")
    people.close(
        ward.store, ward.settings, grave, by="Jo", outcome="drug_held: Dr Gray",
        review_by=date(2026, 3, 20), now=at("2026-03-02", 11),
    )  # fmt: skip
    assert verify(ward.store, ward.settings, at("2026-03-02", 11)) == []
    ward.review(at("2026-03-02", 12))
    assert verify(ward.store, ward.settings, at("2026-03-02", 12)) == []
    (lesser,) = ward.rows(tables.AlertRow, rule="leucopenia")
    assert len(ward.rows(tables.DeliveryAlert, alert_id=lesser.id)) == 1


def test_one_creatinine_is_told_once_by_the_dose_check_that_says_what_it_means(
    ward: Clinic,
) -> None:
    ward.enrol("A1", "2026-01-05", now=at("2026-01-05"), tpmt="normal", nudt15="normal",
               dose_mg_per_day=Decimal(100), weight_kg=Decimal(70))  # fmt: skip
    ward.results("A1", "2026-01-02", {"creatinine": "80"})
    ward.results("A1", "2026-03-02", CBC | {"creatinine": "110"})
    ward.review(NOW)
    (rule,) = ward.rows(tables.AlertRow, rule="rising_creatinine")
    (check,) = ward.rows(tables.AlertRow, cause="dose_check:renal")
    with ward.store.read() as connection:
        assert muted_alerts(connection) == {rule.id: check.id}
    assert ward.rows(tables.DeliveryAlert, alert_id=rule.id) == []
    assert ward.rows(tables.DeliveryAlert, alert_id=check.id) != []
    told = explain_alert(ward.store, ward.settings, check.id, NOW)
    assert "is above baseline 80 + 30 % = 104 umol/L" in " ".join(told["arithmetic"])
    assert explain_alert(ward.store, ward.settings, rule.id, NOW)["muted_by"] == check.id
    ward.event("A1", "2026-03-03", "hold")
    ward.review(at("2026-03-03"))
    assert ward.rows(tables.DeliveryAlert, alert_id=rule.id) != [], "no dose is taken now"


def test_a_task_stays_in_the_first_tiers_digest(tmp_path: Path) -> None:
    """Whatever nobody acknowledges: no message to the next tier about a skin check."""
    book = route_book(read_settings(ROLES, tmp_path / "config.toml", {}))
    ladders = {
        kind: book.ladder(NOW, clinic="", drug="azathioprine", kind=kind, urgency=Urgency.ROUTINE)
        for kind in ("task_due", "review")
    }
    tiers = {kind: [rung.tier for rung in ladder.rungs(NOW)] for kind, ladder in ladders.items()}
    assert tiers == {"task_due": [1], "review": [1, 2]}


def test_a_storm_is_one_message_a_recipient_and_critical_ones_stand_alone(ward: Clinic) -> None:
    for number in range(60):
        ward.enrol(f"A{number}", "2026-03-01", now=at("2026-03-01"), tpmt="normal")
        low = "0.1" if number < 3 else "0.4"
        ward.results(f"A{number}", "2026-03-02", CBC | {"lymphocytes": low})
    ids = [row.id for row in ward.rows(tables.EnrolmentRow)]
    for start in (0, 40):  # two batches, as two files would make
        ward.review(NOW + timedelta(minutes=start // 10), only=ids[start : start + 40])
    sent = ward.rows(tables.Delivery, kind="alert")
    assert [row.urgency for row in sent].count("critical") == 3
    (storm,) = [row for row in sent if row.urgency != "critical"]
    assert storm.payload["storm"]
    assert storm.next_attempt_at == NOW + timedelta(minutes=10)
    urgent = [row for row in ward.rows(tables.AlertRow) if row.urgency == "urgent"]
    assert set(storm.payload["order"]) == {row.id for row in urgent}
    assert len(ward.rows(tables.DeliveryAlert, delivery_id=storm.id)) == len(urgent)


def test_the_story_of_an_alert_as_a_document(ward: Clinic) -> None:
    alert = with_low(ward, neutrophils="0.4")
    later = NOW + timedelta(minutes=1)
    people.acknowledge(ward.store, ward.settings, alert, by="Jo", now=later)
    told = story(ward.store, ward.settings, alert, later).document(ward.settings)
    json.dumps(told)
    assert [entry["what"] for entry in told["history"]] == ["opened", "told", "acknowledged"]
    assert told["next"] == [
        {
            "at": "2026-03-02T14:01:00+01:00",
            "tier": None,
            "to": [],
            "why": "an outcome is needed by then",
        }
    ]


def settings_of(ward: Clinic, tmp_path: Path, text: str = ROLES) -> Settings:
    return replace_settings(ward, settings_in(tmp_path, text))


def replace_settings(ward: Clinic, settings: Settings) -> Settings:
    ward.settings = settings
    return settings


def test_every_hour_of_the_year_has_somebody(ward: Clinic, tmp_path: Path) -> None:
    settings = settings_of(ward, tmp_path)
    found = check_routes(ward.store, settings, NOW)
    assert (found.faults, found.gaps, found.warnings) == ((), (), ())
    assert found.well


def test_one_uncovered_hour_of_the_year_is_found(ward: Clinic, tmp_path: Path) -> None:
    every = 'open_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'
    text = ROLES.replace('hours = "always"', f'hours = "18:00-07:00"\n{every}')
    text = text.replace('hours = "08:00-18:00"', 'hours = "07:00-18:00"')
    own = f'[recipients.nurses]\n{every}\nholidays = ["2026-08-01"]'
    text = text.replace("[recipients.nurses]", own)
    (gap,) = check_routes(ward.store, settings_of(ward, tmp_path, text), NOW).gaps
    assert (gap.first, gap.until) == (at("2026-08-01", 7), at("2026-08-01", 18))
    assert (gap.hours, gap.stretches) == (11, 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('telephone = "+41 79 555 01 21"', ""), "tier 2 (on_call): only mail"),
        (('confirmed_on = "2026-02-01"', 'confirmed_on = "2025-11-02"'), "every 3 months"),
        (('then = [["on_call"]]', 'then = [["on_call"]]\nclinics = ["north"]'), "under clinics"),
        (('addresses = ["duty@clinic.example"]', 'rota = "none.csv"'), "there is no such file"),
    ],
)
def test_what_is_wrong_with_routes_is_named(
    ward: Clinic, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    ward.enrol("A1", "2026-03-01", now=at("2026-03-01"))
    found = check_routes(ward.store, settings_of(ward, tmp_path, ROLES.replace(*change)), NOW)
    assert any(says in line for line in (*found.faults, *found.warnings)), found


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("webhook:pagr", "webhook:pagr: there is no [webhooks.pagr]"),
        ("pager:7", "pager:7: not an address"),
        ("ann@", "ann@: "),
    ],
)
def test_an_address_of_a_rota_that_nothing_can_be_sent_to_is_named(
    ward: Clinic, tmp_path: Path, address: str, says: str
) -> None:
    rota = f"week,name,addresses,telephone\n2026-W10,Ann,ann@clinic.example {address},1\n"
    (tmp_path / "rota.csv").write_text(rota)
    text = ROLES.replace('addresses = ["duty@clinic.example"]', 'rota = "rota.csv"')
    found = check_routes(ward.store, settings_of(ward, tmp_path, text), NOW)
    assert any(f"[recipients.on_call] rota rota.csv: {says}" in it for it in found.faults), found


def test_a_simple_route_is_covered_in_working_hours_only(ward: Clinic) -> None:
    found = check_routes(ward.store, ward.settings, NOW)
    assert not found.well
    assert any("only mail" in fault for fault in found.faults)
    (gap,) = found.gaps
    assert gap.first == at("2026-03-02", 18)


def test_a_role_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(Faults, match=r'no \[recipients.nurse\] did you mean "nurses"'):
        read_settings(ROLES.replace('to = ["nurses"]', 'to = ["nurse"]'), Path("config.toml"), {})


def test_who_was_and_will_be_told_is_explained(ward: Clinic, tmp_path: Path) -> None:
    settings = settings_of(ward, tmp_path)
    alert = with_low(ward, neutrophils="0.4")
    told = explain_routes(ward.store, settings, alert, NOW)
    assert [it["to"] for it in told["told"]] == ["nurse@clinic.example"]
    assert [(it["at"][11:16], it["tier"], it["to"]) for it in told["next"][:2]] == [
        ("10:30", 2, ["duty@clinic.example"]),
        ("11:00", "last resort", ["operator@clinic.example"]),
    ]
    assert queue_tests(ward.store, settings, NOW) == ["nurse@clinic.example", "duty@clinic.example"]


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        ([], 361),
        (["P1,2025-03-31,stop,,azathioprine,,"], 361),
        (["P1,2025-03-31,stop,,azathioprine,,", "P1,2025-06-30,stop,,mercaptopurine,,"], 177),
        (["P1,2025-03-31,died,,,,"], 86),
        (["P1,2025-03-01,transfer_out,St Example,,,", "P1,2025-03-31,accepted_by,Dr B,,,"], 86),
    ],
)
def test_the_days_of_a_patient_count_once_and_until_the_end(
    migrated_sqlite: Path, tmp_path: Path, rows: list[str], days: int
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        text = (schedules_folder() / "mercaptopurine.toml").read_text(encoding="utf-8")
        now = at("2025-12-31")
        with desk.store.write() as connection:
            put_in_force(connection, "mercaptopurine", text, digest_of(text), now, "test", "too")
        for drug in ("azathioprine", "mercaptopurine"):
            row = f"P1,{drug},2025-01-05"
            desk.enrol(row, header="mrn,drug,started_on", now=at("2025-01-05"))
        if rows:
            assert desk.events(*rows, now=now).taken == len(rows)
        found = burden(desk.store, desk.settings, date(2025, 1, 1), None, now)
        assert found.patient_years == round(days / 365.25, 2)


def test_the_burden_is_counted_and_compared_with_the_budget(ward: Clinic, tmp_path: Path) -> None:
    text = CONFIG + "\n[budget]\nmessages_a_day = 0.01\nalerts_per_100_patient_years = 1\n"
    settings = settings_of(ward, tmp_path, text)
    with_low(ward, neutrophils="0.4")
    found = burden(ward.store, settings, None, None, NOW)
    (reader,) = found.readers
    assert (reader.to, reader.messages, reader.alerts) == ("nurse@clinic.example", 1, 1)
    rule = next(it for it in found.rules if it.rule == "neutropenia")
    assert (rule.alerts, rule.messages) == (1, 1)
    assert found.patient_years == round(2 / 365.25, 2)
    assert len(found.over_budget) == 2
