"""FHIR files through `load`: other people's, accounted for by row, and stories of our own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.intake.load import load_file
from monitor.intake.report import OUTCOMES, FileReport
from monitor.intake.retry import retry_held
from monitor.intake.survey import UnreadableFile
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.rulebook import load_rulebook
from tests.clinic import CONFIG, at, settings_in
from tests.desk import Desk, sqlite_desk
from tests.fhir_resources import PATIENT, REAL, bundle, dumped, observation

NOW = at("2026-12-01")
BY_ID = CONFIG + "\n[sources.lab]\npatient_id_is_mrn = true\n"
FILES = {
    # file: rows, stored, ignored, other messages; what else there is is in quarantine
    "ch_lab_report__Observation-ExampleObservationCBCPanel.json": (0, 0, 0, 0),
    "ch_lab_report__Observation-ExampleObservationMCV.json": (1, 1, 0, 0),
    "ch_lab_report__Observation-ExampleObservationPlateletCount.json": (1, 1, 0, 0),
    "ch_lab_report__Observation-ExampleObservationWBC.json": (1, 1, 0, 0),
    "from_hl7v2__LAB-ORU-1-expected.json": (10, 6, 0, 15),
    "hl7_r4_spec__Bundle-101.json": (17, 14, 0, 1),
    "hl7_r4_spec__Bundle-f001.json": (0, 0, 0, 2),
    "hl7_r4_spec__DiagnosticReport-f201.json": (0, 0, 0, 1),
    "hl7_r4_spec__Observation-blood-pressure-cancel.json": (2, 0, 0, 0),
    "hl7_r4_spec__Observation-blood-pressure-dar.json": (2, 0, 0, 0),
    "hl7_r4_spec__Observation-decimal.json": (7, 0, 0, 0),
    "hl7_r4_spec__Observation-example-TPMT-diplotype.json": (1, 0, 0, 0),
    "hl7_r4_spec__Observation-example-TPMT-haplotype-one.json": (1, 0, 0, 0),
    "hl7_r4_spec__Observation-example-TPMT-haplotype-two.json": (1, 0, 0, 0),
    "hl7_r4_spec__Observation-f001.json": (1, 0, 0, 0),
    "hl7_r4_spec__Observation-f002.json": (1, 0, 0, 0),
    "hl7_r4_spec__Observation-f005.json": (1, 1, 0, 0),
    "hl7_r4_spec__Observation-f206.json": (1, 0, 0, 0),
    "hl7_r4_spec__Observation-unsat.json": (1, 0, 0, 0),
    "mii_germany__Observation-mii-exa-labor-laborwert-data-absent-reason.json": (1, 1, 0, 0),
    "mii_germany__Observation-mii-exa-labor-laborwert-range.json": (1, 0, 0, 0),
    "nhs_edifact_adaptor__NHS002.fhir.json": (12, 8, 0, 9),
    "uk_core_xml__UKCore-Observation-Group-FullBloodCount-Example.xml": (0, 0, 0, 0),
    "uk_core_xml__UKCore-Observation-Lab-RedCellCount-Example.xml": (1, 0, 0, 0),
    "us_core__diagnosticreport-cbc.json": (0, 0, 0, 1),
    "us_core__observation-cbc-leukocytes.json": (1, 1, 0, 0),
    "us_core__observation-cbc-mcv.json": (1, 1, 0, 0),
    "us_core__observation-cbc-platelets.json": (1, 1, 0, 0),
}


@pytest.fixture
def desk(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Desk]:
    with sqlite_desk(migrated_sqlite, tmp_path) as found:
        yield found


def load(desk: Desk, path: Path, source: str = "") -> FileReport:
    report = load_file(desk.store, desk.settings, path, source, NOW)
    assert report.rows == sum(getattr(report, name) for name in OUTCOMES)
    return report


def write(desk: Desk, body: Any, name: str = "file.json") -> Path:
    path = desk.folder / name
    path.write_text(body if isinstance(body, str) else dumped(body), encoding="utf-8")
    return path


@pytest.mark.parametrize(("relation", "told"), [("next", True), ("self", False)])
def test_a_page_of_a_search_tells_that_there_are_more(
    desk: Desk, relation: str, told: bool
) -> None:
    page = bundle(PATIENT, observation(), kind="searchset")
    page["link"] = [{"relation": relation, "url": "https://ehr.example/next"}]
    notes = load(desk, write(desk, page)).notes
    assert any("one page of a search" in note for note in notes) is told


def patients_of(path: Path) -> set[str]:
    """Every number under which the file may mean somebody: identifiers, ids of references."""
    if path.suffix == ".xml":
        return {"UKCore-Patient-RichardSmith-Example"}
    found = set()
    body = json.loads(path.read_text(encoding="utf-8-sig"))
    entries = [it.get("resource", {}) for it in body.get("entry", [])] or [body]
    for one in entries:
        if one.get("resourceType") == "Patient":
            found.add(one["identifier"][0]["value"])
        if one.get("resourceType") == "Observation":
            reference = one.get("subject", {}).get("reference", "")
            found.add(re.split("[/:]", reference)[-1])
    return found - {""}


def test_every_real_file_is_in_the_table() -> None:
    assert {path.name for path in REAL.iterdir()} == {
        *FILES,
        "nhs_edifact_adaptor__NHS002.edifact.dat",
    }


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_accounted_for(migrated_sqlite: Path, tmp_path: Path, name: str) -> None:
    path = REAL / name
    with sqlite_desk(migrated_sqlite, tmp_path, BY_ID) as desk:
        for number in sorted(patients_of(path)):
            desk.clinic.enrol(number, "1990-01-01")
        report = load(desk, path, "lab")
        found = (report.rows, report.stored, report.ignored, report.other_messages)
        assert found == FILES[name]
        held = report.quarantined + report.duplicate  # a component may say what another one says
        assert held == report.rows - report.stored - report.ignored
        again = load(desk, path, "lab")
        assert (again.rows, again.stored, again.quarantined) == (report.rows, 0, 0)


def test_edifact_is_refused_by_name(desk: Desk) -> None:
    with pytest.raises(UnreadableFile, match="an EDIFACT interchange, which no reader takes"):
        load(desk, REAL / "nhs_edifact_adaptor__NHS002.edifact.dat")


def test_a_reference_that_leads_nowhere_is_held_until_somebody_says_what_it_means(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path, CONFIG + "\n[sources.lab]\n") as desk:
        desk.enrol("p1,azathioprine,2026-01-05,,,")
        report = load(desk, write(desk, observation("0.9")), "lab")
        assert report.quarantined == 1
        (held,) = desk.held()
        assert held.reason == "the reference to the patient leads to no patient's number"
        assert "Patient/p1 is not in this file" in held.hint
        assert desk.standing() == []
        told = settings_in(tmp_path, BY_ID)
        with desk.store.write() as connection:
            catalogue = load_rulebook(connection).catalogue
            held_rows = tables.table_of(tables.HeldRowTable)
            retry_held(connection, told, catalogue, held_rows.c.id == held.id, NOW, by="told")
        assert desk.standing() == ["0.9"]


def test_a_name_that_is_not_this_numbers_is_held(desk: Desk) -> None:
    desk.enrol("F1,azathioprine,2026-01-05,Muster,Anna,1970-03-02")
    desk.enrol("F2,azathioprine,2026-01-05,Muster,Berta,1971-01-01")
    of_another = {**PATIENT, "identifier": [{"value": "F2"}], "id": "p2"}
    report = load(
        desk,
        write(
            desk,
            bundle(
                observation("1.1"),
                observation("1.2", subject={"reference": "Patient/p2"}),
                PATIENT,
                of_another,
            ),
        ),
    )
    assert (report.stored, report.quarantined, report.other_messages) == (1, 1, 2)
    assert desk.whose() == {"F1": ["1.1"]}
    assert desk.held()[0].reason_code == "identity"


STATUSES = [
    # status: what stands afterwards of 4.2, first reported final
    ("registered", ["4.2"]),
    ("preliminary", ["4.2"]),
    ("unknown", ["4.2"]),
    ("final", ["3.9"]),
    ("amended", ["3.9"]),
    ("corrected", ["3.9"]),
    ("cancelled", []),
    ("entered-in-error", []),
    ("nonsense", ["4.2"]),
]


@pytest.mark.parametrize(("status", "stands"), STATUSES)
def test_what_a_status_does(
    migrated_sqlite: Path, tmp_path: Path, status: str, stands: list[str]
) -> None:
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol("F1,azathioprine,2026-01-05,,,")
        load(desk, write(desk, bundle(PATIENT, observation("4.2"))))
        load(desk, write(desk, bundle(PATIENT, observation("3.9", status=status)), "next.json"))
        assert desk.standing() == stands


def test_the_same_result_in_another_bundle_is_a_duplicate_held_or_not(desk: Desk) -> None:
    desk.enrol("F1,azathioprine,2026-01-05,,,")
    odd = observation(valueQuantity=None, valueString="O.5")
    first = load(desk, write(desk, bundle(PATIENT, observation(), odd)))
    again = load(desk, write(desk, bundle(odd, observation(), PATIENT), "again.json"))
    assert (first.stored, first.quarantined) == (1, 1)
    assert (again.duplicate, again.quarantined) == (2, 0)


def test_many_patients_in_lines(desk: Desk) -> None:
    desk.enrol(*(f"N{number},azathioprine,2026-01-05,,," for number in range(30)))
    lines = []
    for number in range(30):
        identifier = [{"value": f"N{number}"}]
        patient = {**PATIENT, "id": f"p{number}", "identifier": identifier, "name": []}
        del patient["birthDate"]
        lines.append(dumped(patient))
        subject = {"reference": f"Patient/p{number}"}
        lines += [
            dumped(observation(f"{number}.{day}", subject=subject,
                               effectiveDateTime=f"2026-03-0{day}T08:00:00Z"))
            for day in range(1, 5)
        ]  # fmt: skip
    report = load(desk, write(desk, "\n".join(lines), "export.ndjson"))
    assert (report.rows, report.stored, report.other_messages) == (120, 120, 30)


@pytest.mark.parametrize("escape", ["\\ud800", "\\u0000", "\\ude00\\ud83d"])
def test_what_only_an_escape_can_say_is_stored_or_held_and_stops_nothing(
    store: Store, tmp_path: Path, escape: str
) -> None:
    desk = Desk(store, tmp_path)
    desk.enrol("F1,azathioprine,2026-01-05,,,", now=NOW)
    path = tmp_path / "odd.json"
    found = [
        observation(id="o1", note=[{"text": "MARK"}]),
        observation(id="o2", valueQuantity={"value": "MARK", "unit": "10*9/L"}),
        observation(id="o3", MARK="MARK"),
    ]
    path.write_text(dumped(bundle(PATIENT, *found)).replace("MARK", escape), encoding="utf-8")
    report = load_file(desk.store, desk.settings, path, "", NOW)
    assert (report.rows, report.stored, report.quarantined) == (3, 1, 1)
    assert desk.held()[0].reason_code == "not_a_number"
