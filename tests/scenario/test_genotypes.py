"""TPMT and NUDT15 from files to alerts, and every way out of a clinic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.core.vocabulary import AlertState, Kind
from monitor.intake.load import load_file
from monitor.operations.patient_facts import facts
from monitor.operations.status import ledger, status_rows
from monitor.operations.verify import verify
from monitor.store import tables
from tests.clinic import at
from tests.desk import Desk, sqlite_desk
from tests.hl7_messages import oru

ENROL = "mrn,drug,started_on,dose_mg_per_day,weight_kg,tpmt,nudt15,last_tested_on"
WAYS_OUT = (
    "hold,2026-03-20",
    "away,2026-03-20",
    "inpatient,2026-03-20",
    "declined,",
    "supply,7",
    "monitored_elsewhere,2026-03-20",
    "transfer_out,Dr Gray",
    "stop,",
    "died,",
)


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path) as made:
        made.enrol(
            "P1,azathioprine,2026-01-05,100,70,,,2026-02-23", header=ENROL, now=at("2026-03-01")
        )
        yield made


def live(desk: Desk, now: str) -> list[tuple[str, str, str]]:
    """Kind, urgency and summary of the live alerts, after a review."""
    desk.clinic.review(at(now))
    (row,) = desk.clinic.rows(tables.EnrolmentRow)
    return [
        (alert.kind.value, alert.urgency.value, alert.summary)
        for alert in desk.clinic.alerts(row.id)
        if alert.state is not AlertState.CLOSED
    ]


def test_a_poor_metaboliser_from_the_laboratory_speaks_at_once(desk: Desk) -> None:
    report = desk.load("P1,2026-03-02,TPMT genotype,*3A/*3A,,S1,final,,")
    assert report.stored == 1
    kinds = {(kind, urgency) for kind, urgency, _ in live(desk, "2026-03-10")}
    assert (Kind.CONTRAINDICATED.value, "critical") in kinds
    desk.load("P1,2026-03-02,TPMT genotype,*1/*3A,,S1,corrected,,")
    kinds = {(kind, urgency) for kind, urgency, _ in live(desk, "2026-03-10")}
    assert (Kind.CONTRAINDICATED.value, "critical") not in kinds
    assert (Kind.DOSE_CHECK.value, "urgent") in kinds


@pytest.mark.parametrize(("value", "urgency"), [("*3A/*3A", "critical"), ("*77/*78", "urgent")])
def test_a_genotype_under_a_code_of_any_gene_speaks_for_the_gene_beside_it(
    desk: Desk, value: str, urgency: str
) -> None:
    studied = "OBX|1|CWE|48018-6^Gene studied^LN|1a|HGNC:12014^TPMT^HGNC||||||F"
    genotype = f"OBX|2|ST|84413-4^Genotype display name^LN|1a|{value}||||||F"
    path = desk.folder / "genes.hl7"
    path.write_text(oru(studied, genotype, mrn="P1").replace("|Keller^Anna||19700501|F", ""))
    load_file(desk.store, desk.settings, path, "", at("2026-03-10"))
    kinds = {
        "critical": Kind.CONTRAINDICATED,
        "urgent": Kind.QUARANTINED_RESULT,
    }
    found = {(kind, said) for kind, said, _ in live(desk, "2026-03-10")}
    assert (kinds[urgency].value, urgency) in found


def test_what_an_earlier_treatment_knew_of_a_gene_is_known_in_the_next(desk: Desk) -> None:
    """A gene does not change: an empty cell makes no poor one unknown."""
    desk.enrol("P2,azathioprine,2026-01-05,25,70,poor,,", header=ENROL, now=at("2026-03-01"))
    desk.events("P2,2026-03-02,stop,,,,", now=at("2026-03-02"))
    desk.enrol("P2,azathioprine,2026-03-09,50,70,,,", header=ENROL, now=at("2026-03-09"))
    desk.clinic.review(at("2026-03-09"))
    first, again = (it.id for it in desk.clinic.rows(tables.EnrolmentRow, patient_id=2))
    assert (poor(desk, first), poor(desk, again)) == (["recovered"], ["open"])


def test_an_old_event_is_no_answer_to_what_a_later_enrolment_says(desk: Desk) -> None:
    desk.events("P1,2026-03-02,genotype,tpmt:normal,,,", "P1,2026-03-03,stop,,,,")
    desk.enrol("P1,azathioprine,2026-03-20,50,70,poor,,", header=ENROL, now=at("2026-03-20"))
    desk.clinic.review(at("2026-03-20"))
    again = desk.clinic.rows(tables.EnrolmentRow)[-1].id
    assert poor(desk, again) == ["open"]
    desk.events("P1,2026-03-01,genotype,tpmt:normal,,typed wrongly,", now=at("2026-03-21"))
    desk.clinic.review(at("2026-03-21"))
    assert poor(desk, again) == ["open"], "the event of 2 March is still the last"
    desk.events("P1,2026-03-04,genotype,tpmt:normal,,typed wrongly,", now=at("2026-03-22"))
    desk.clinic.review(at("2026-03-22"))
    assert poor(desk, again) == [], "said after the enrolment, of a test before it"


def poor(desk: Desk, enrolment: int) -> list[str]:
    """How the live alerts stand that the drug must not be taken."""
    return [
        "recovered" if alert.recovered else alert.state.value
        for alert in desk.clinic.alerts(enrolment)
        if alert.kind is Kind.CONTRAINDICATED and alert.state is not AlertState.CLOSED
    ]


def test_what_cannot_be_read_is_held_and_urgent(desk: Desk) -> None:
    report = desk.load("P1,2026-03-02,TPMT genotype,see attached report,,S1,final,,")
    assert report.quarantined == 1
    found = live(desk, "2026-03-10")
    assert ("quarantined_result", "urgent") in {(kind, urgency) for kind, urgency, _ in found}


def test_a_decision_that_a_test_is_not_available_needs_author_and_reason(desk: Desk) -> None:
    refused = desk.events("P1,2026-03-05,genotype_unavailable,tpmt:2026-09-01,,no,")
    assert "who decided and why" in refused.refused[0].reason
    taken = desk.events(
        "P1,2026-03-05,genotype_unavailable,tpmt:2026-09-01,,Dr Gray: laboratory closed,"
    )
    assert taken.taken == 1
    summaries = [text for kind, _, text in live(desk, "2026-03-10") if kind == "baseline_missing"]
    assert summaries
    assert all("TPMT" not in text and "NUDT15 not known" in text for text in summaries)


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_way_out_that_is_taken_back_leaves_no_trace(desk: Desk, way: str) -> None:
    def standing() -> tuple[Any, Any, dict[str, int]]:
        return (
            live(desk, "2026-03-10"),
            status_rows(desk.store, desk.settings, at("2026-03-10")),
            ledger(desk.store, desk.settings, at("2026-03-10")),
        )

    before = standing()
    event, value = way.split(",")
    line = f"P1,2026-03-08,{event},{value},,Dr Gray: asked,"
    assert desk.events(line).taken == 1
    during = standing()
    assert sum(v for k, v in during[2].items() if k not in ("enrolled", "of_whom_held")) == 1
    assert desk.events(f"{line}entered-in-error").taken == 1
    assert standing() == before
    assert not list(verify(desk.store, desk.settings, at("2026-03-10")))


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("away,2026-03-20", "Away until 20 Mar 2026: the test can still be done elsewhere."),
        ("inpatient,2026-03-20", "In hospital until 20 Mar 2026"),
        ("supply,2", "Supply ran out on 10 Mar 2026: still taking it?"),
        ("hold,", "Held since 8 Mar 2026 (Dr Gray: asked)."),
        ("hold,2026-03-11", "Held since 8 Mar 2026 (Dr Gray: asked), to be reviewed on 11 Mar"),
        ("hold,2026-03-10", "to be reviewed by 10 Mar 2026: resume, stop or hold on?"),
        ("declined,", "Declined on 8 Mar 2026 (Dr Gray: asked)"),
        ("transfer_out,Dr Gray", "Transfer to Dr Gray on 8 Mar 2026 is not accepted yet"),
    ],
)
def test_an_absence_is_said_and_moves_no_due_day(desk: Desk, way: str, said: str) -> None:
    due = [row["due_on"] for row in status_rows(desk.store, desk.settings, at("2026-03-10"))]
    event, value = way.split(",")
    desk.events(f"P1,2026-03-08,{event},{value},,Dr Gray: asked,")
    rows = status_rows(desk.store, desk.settings, at("2026-03-10"))
    assert [row["due_on"] for row in rows] == due
    lines = facts(desk.store, desk.settings, at("2026-03-10"), "P1")
    assert any(said in line for line in lines), lines
    assert any("1.43 mg/kg/day at 70 kg" in line for line in lines), lines


def test_a_hold_that_goes_on_names_its_next_decision(desk: Desk) -> None:
    desk.events(
        "P1,2026-03-02,hold,2026-03-06,,infection,", "P1,2026-03-06,hold,2026-03-20,,still ill,"
    )
    said = "Held since 2 Mar 2026 (still ill), to be reviewed on 20 Mar 2026."
    assert said in [it.strip() for it in facts(desk.store, desk.settings, at("2026-03-10"), "P1")]
    desk.events("P1,2026-03-09,resume,,,,")
    lines = facts(desk.store, desk.settings, at("2026-03-10"), "P1")
    assert not any("Held" in line for line in lines)


@pytest.mark.parametrize(
    ("born", "said"),
    [
        ("1961-03-10", "65 years old: a risk, side effects are commoner from 65 years on"),
        ("1961-03-11", "64 years old"),
        ("", "age not known"),
    ],
)
def test_the_age_is_shown_as_a_risk_and_the_notes_of_the_indication_beside_it(
    desk: Desk, born: str, said: str
) -> None:
    header = "mrn,drug,started_on,birth_date,indication"
    desk.enrol(f"P2,azathioprine,2026-01-05,{born},autoimmune_hepatitis", header=header)
    lines = [it.strip() for it in facts(desk.store, desk.settings, at("2026-03-10"), "P2")]
    assert said in lines
    assert any("prednisolone" in line and "no alert ever asks" in line for line in lines)


def test_what_is_asked_with_the_quarterly_test_is_one_line(desk: Desk) -> None:
    """Beside the liver tests once they are overdue in the quarterly phase; no alert of its own."""
    desk.clinic.review(at("2026-07-20"))
    (late,) = desk.clinic.rows(tables.AlertRow, cause="overdue")
    asked = [line for line in late.shown["say"] if line.startswith("Ask with it:")]
    assert asked == ["Ask with it: is it taken as prescribed, and the skin protected from the sun?"]
