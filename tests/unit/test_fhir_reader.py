"""FHIR to raw rows: what each member becomes, and what is held rather than guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.intake import fhir_json
from monitor.intake.formats import open_rows
from monitor.intake.raw import BadLine, Item, OtherMessage, PatientMerge, RawRow
from monitor.intake.survey import UnreadableFile, survey
from monitor.resources import schedules_folder
from tests.fhir_resources import (
    LOINC,
    MR,
    PATIENT,
    Number,
    bundle,
    dumped,
    observation,
    quantity,
)

URN = "urn:uuid:6b8a0365-5022-403b-a5a5-8d8680d701ef"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    file = schedules_folder() / "analytes.toml"
    return load_catalogue(file.read_text(encoding="utf-8"), file.name)


@pytest.fixture
def read(catalogue: Catalogue, tmp_path: Path) -> Any:
    def reader(content: Any, name: str = "file.json", source: Source | None = None) -> list[Item]:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            text = content if isinstance(content, str) else dumped(content)
            path.write_text(text, encoding="utf-8")
        with open_rows(survey(path), source or Source(), catalogue) as opened:
            return list(opened.items)

    return reader


def the_row(items: list[Item]) -> RawRow:
    (row,) = [item for item in items if isinstance(item, RawRow)]
    return row


def rows(items: list[Item]) -> list[RawRow]:
    return [item for item in items if isinstance(item, RawRow)]


def bad(items: list[Item]) -> list[BadLine]:
    return [item for item in items if isinstance(item, BadLine)]


def others(items: list[Item]) -> list[str]:
    return [item.kind for item in items if isinstance(item, OtherMessage | PatientMerge)]


def test_an_observation_and_its_patient_become_a_row(read: Any) -> None:
    items = read(
        bundle(
            observation(
                "0.90",
                issued="2026-03-02T11:02:00+01:00",
                note=[{"text": "smear seen"}],
                method={"text": "flow cytometry"},
                referenceRange=[{"low": quantity("1.80"), "high": quantity("7.5")}],
            ),
            PATIENT,
        )
    )
    row = the_row(items)
    assert (row.mrn, row.issuer) == ("F1", "urn:clinic")
    assert (row.family_name, row.given_name, row.birth_date) == (
        "Muster",
        "Anna Maria",
        "1970-03-02",
    )
    assert (row.collected_at, row.reported_at) == (
        "2026-03-02T08:30:00+01:00",
        "2026-03-02T11:02:00+01:00",
    )
    assert (row.analyte, row.value, row.unit) == ("751-8", "0.90", "10*9/L")
    assert (row.ref_low, row.ref_high, row.status) == ("1.80", "7.5", "final")
    assert (row.comment, row.method, row.place) == ("smear seen", "flow cytometry", "entry[0]")
    assert others(items) == ["Patient"]
    assert "valueQuantity" in dict(row.given)["Observation"]


VALUES = [
    ({"valueQuantity": quantity("0.1", comparator="<")}, "<0.1"),
    ({"valueQuantity": quantity("0.1", comparator="<=")}, "<=0.1"),
    ({"valueQuantity": quantity("9", comparator=">=")}, ">=9"),
    ({"valueQuantity": quantity("9", comparator=">")}, ">9"),
    ({"valueQuantity": quantity("9", comparator="ad")}, "ad 9"),
    ({"valueQuantity": quantity("0.5"), "interpretation": [{"coding": [{"code": "L"}]}]}, "0.5"),
    (
        {
            "valueQuantity": quantity("0.5"),
            "interpretation": [{"coding": [{"code": "L"}]}, {"coding": [{"code": "<"}]}],
        },
        "<0.5",
    ),
    (
        {
            "valueQuantity": quantity("0.5", comparator="<="),
            "interpretation": [{"coding": [{"code": "<"}]}],
        },
        "<=0.5",
    ),
    ({"valueQuantity": quantity("4.20000000000000000001")}, "4.20000000000000000001"),
    ({"valueQuantity": quantity("1E-22")}, "1E-22"),
    ({"valueQuantity": {"unit": "g"}}, ""),
    ({"valueInteger": 4}, "4"),
    ({"valueString": " clotted "}, "clotted"),
    ({"valueBoolean": True}, "true"),
    ({"valueCodeableConcept": {"text": "few", "coding": [{"code": "1", "display": "x"}]}}, "few"),
    ({"valueCodeableConcept": {"coding": [{"code": "LA6576-8"}]}}, "LA6576-8"),
    ({"valueRange": {"low": quantity("2"), "high": quantity("5")}}, "2 - 5"),
    ({"valueRange": {"low": quantity("2"), "high": quantity("2")}}, "2"),
    ({"valueRange": {"low": quantity("2")}}, ">=2"),
    ({"valueRange": {"high": quantity("5")}}, "<=5"),
    ({"valueRatio": {"numerator": quantity("1"), "denominator": quantity("128")}}, "1 : 128"),
    ({"valueSampledData": {"data": "1 2 3"}}, "(SampledData)"),
    ({"valueQuantity": quantity("4"), "valueString": "5"}, "4 and 5"),
    ({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}, ""),
    ({"dataAbsentReason": {"coding": [{"code": "temp-unknown"}]}}, "pending"),
    ({"dataAbsentReason": {"coding": [{"code": "not-asked"}]}}, "not asked"),
    ({"dataAbsentReason": {"coding": [{"code": "as-text"}]}}, "(as-text)"),
    ({"dataAbsentReason": {"coding": [{"code": "masked"}]}}, "(masked)"),
    ({}, ""),
]


@pytest.mark.parametrize(("members", "value"), VALUES)
def test_values(read: Any, members: dict[str, Any], value: str) -> None:
    assert the_row(read(observation(**{"valueQuantity": None} | members))).value == value


def test_a_value_that_is_meant_otherwise_is_no_plain_number(read: Any) -> None:
    negated = {"url": "http://lab.example/negated", "valueBoolean": True}
    row = the_row(read(observation(modifierExtension=[negated])))
    assert row.value == "4.2 (modifierExtension http://lab.example/negated)"
    whose = observation()["subject"]
    assert the_row(read(observation(focus=[whose]))).value == "4.2"
    of_a_donor = the_row(read(observation(focus=[{"reference": "RelatedPerson/donor"}])))
    assert of_a_donor.value == "4.2 (focus RelatedPerson/donor)"


TABLE_0487 = "http://terminology.hl7.org/CodeSystem/v2-0487"
UNITS = [
    # code, unit: what is taken
    ("10*9/L", "K/uL", "10*9/L"),
    ("10*9/L", "10*9U/L", "10*9/L"),
    ("10*9/L", "10*6/L", "10*6/L, coded as 10*9/L"),
    ("%", "10*9/L", "10*9/L, coded as %"),
    ("{count}", "K/uL", "K/uL"),
    ("", "K/uL", "K/uL"),
    ("10*9/L", "", "10*9/L"),
    ("furlong", "x", "x"),
]


@pytest.mark.parametrize(("code", "unit", "taken"), UNITS)
def test_the_code_of_a_unit_counts_unless_its_text_contradicts(
    read: Any, code: str, unit: str, taken: str
) -> None:
    value = {"value": 4, "unit": unit, "code": code}
    assert the_row(read(observation(valueQuantity=value))).unit == taken


@pytest.mark.parametrize(
    ("code", "unit", "taken"),
    [
        ("g/dL", "mmol/l", "mmol/l, coded as g/dL"),
        ("mmol/L", "g/dL", "g/dL, coded as mmol/L"),
        ("mmol/L", "mmol/l", "mmol/L"),
        ("g/dL", "gm/dl", "g/dL"),
    ],
)
def test_a_unit_that_the_code_of_the_test_rules_out_contradicts_too(
    read: Any, code: str, unit: str, taken: str
) -> None:
    """8.1 mmol/l are not 8.1 g/dL, whatever kind of quantity the LOINC code names."""
    mass = {"coding": [{"system": LOINC, "code": "718-7"}]}
    value = {"value": 8.1, "unit": unit, "code": code}
    assert the_row(read(observation(valueQuantity=value) | {"code": mass})).unit == taken


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ({"high": quantity("5")}, "10*9/L"),
        ({"low": quantity("5")}, "10*9/L"),
        ({"low": quantity("5"), "high": quantity("5")}, "10*9/L"),
        ({"low": quantity("5"), "high": {"value": 5, "unit": "10*6/L"}}, ""),
    ],
)
def test_the_unit_of_a_range_is_that_of_its_ends(
    read: Any, value: dict[str, Any], unit: str
) -> None:
    body = {it: kept for it, kept in observation().items() if it != "valueQuantity"}
    assert the_row(read(body | {"valueRange": value})).unit == unit


def test_loinc_is_tried_first_then_other_codes_then_words(read: Any) -> None:
    codings = [
        {"system": "urn:lab", "code": "NEUT#", "display": "Neutrophils abs."},
        {"system": LOINC, "code": "751-8"},
    ]
    row = the_row(read(observation() | {"code": {"coding": codings, "text": "Neutro"}}))
    assert (row.analyte, *row.also) == ("751-8", "NEUT#", "Neutrophils abs.", "Neutro")


@pytest.mark.parametrize(
    ("display", "names"),
    [
        ("Carboxyhemoglobin/Hemoglobin.total in Blood", "Hemoglobin (20563-3)"),
        ("Hemoglobin [Mass/volume] in Arterial blood", "Hemoglobin"),
        ("", "Hemoglobin"),
    ],
)
def test_what_a_loinc_code_calls_otherwise_is_not_taken_for_the_text(
    read: Any, display: str, names: str
) -> None:
    coding = {"system": LOINC, "code": "20563-3", "display": display}
    row = the_row(read(observation() | {"code": {"coding": [coding], "text": "Hemoglobin"}}))
    assert names in row.also


def test_digits_of_another_code_system_are_no_loinc_code(read: Any) -> None:
    concept = {"coding": [{"system": "urn:lab", "code": "7187", "display": "Sodium"}]}
    assert the_row(read(observation() | {"code": concept})).analyte == "Sodium"
    mapped = Source(codes={"7187": "hemoglobin"})
    assert the_row(read(observation() | {"code": concept}, source=mapped)).analyte == "7187"


def test_what_is_not_measured_in_blood_is_another_quantity(read: Any) -> None:
    specimen = {
        "resourceType": "Specimen",
        "id": "s1",
        "accessionIdentifier": {"value": "U-77"},
        "type": {"coding": [{"code": "122575003", "display": "Urine specimen"}]},
    }
    concept = {"coding": [{"system": "urn:lab", "code": "LEUK"}]}
    measured = observation(specimen={"reference": "Specimen/s1"}) | {"code": concept}
    row = the_row(read(bundle(measured, specimen)))
    assert (row.analyte, row.specimen_id) == ("LEUK (122575003)", "U-77")


@pytest.mark.parametrize(
    ("code", "display", "specimen", "names"),
    [
        ("26464-8", "WBC", "258450006", ("26464-8 (258450006)", "WBC (258450006)")),
        ("6690-2", "WBC in Urine", "", ("6690-2 (WBC in Urine)", "WBC in Urine")),
        ("2161-8", "Creatinine", "", ("2161-8", "Creatinine (2161-8)")),
        ("6690-2", "WBC", "", ("6690-2", "WBC")),
        ("41048-0", "TPMT gene", "119342007", ("41048-0", "TPMT gene")),
    ],
)
def test_a_loinc_code_of_the_blood_does_not_make_blood_of_another_material(
    read: Any, code: str, display: str, specimen: str, names: tuple[str, ...]
) -> None:
    concept = {"coding": [{"system": LOINC, "code": code, "display": display}]}
    sample = {"resourceType": "Specimen", "id": "s1", "type": {"coding": [{"code": specimen}]}}
    measured = observation(specimen={"reference": "Specimen/s1"}) | {"code": concept}
    row = the_row(read(bundle(measured, sample)))
    assert (row.analyte, *row.also) == names


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ({"coding": [{"code": "PCEDTA", "display": "Pericardvocht in EDTA"}]}, "WBC (Pericard"),
        ({"coding": [{"system": TABLE_0487, "code": "LSAC"}]}, "WBC (LSAC)"),
        ({"coding": [{"system": TABLE_0487, "code": "EYE"}]}, "WBC (EYE)"),
        ({"coding": [{"system": "urn:lab", "code": "EYE"}]}, "WBC"),
        ({"coding": [{"code": "258454002"}]}, "WBC (258454002)"),
        ({"text": "Punctievocht"}, "WBC (Punctievocht)"),
        ({"text": "EDTA (paars)"}, "WBC"),
    ],
)
def test_cells_of_every_other_specimen_are_none_of_the_blood(
    read: Any, kind: dict[str, Any], name: str
) -> None:
    sample = {"resourceType": "Specimen", "id": "s1", "type": kind}
    measured = observation(specimen={"reference": "Specimen/s1"}) | {"code": {"text": "WBC"}}
    found = the_row(read(bundle(measured, sample))).analyte
    assert found.startswith(name) and (found == name or name != "WBC")


URINE = {"resourceType": "Specimen", "id": "u", "type": {"text": "Urine"}}
BLOOD = {"resourceType": "Specimen", "id": "b", "type": {"text": "Blood"}}


def leaf(**more: Any) -> dict[str, Any]:
    """White cells by a name alone, that a panel or report refers to."""
    return observation(id="leaf", **more) | {"code": {"text": "WBC"}}


def panel(**more: Any) -> dict[str, Any]:
    """A panel that names the leaf and says nothing else."""
    return {
        "resourceType": "Observation",
        "id": "panel",
        "status": "final",
        "code": {"text": "Cells"},
        "hasMember": [{"reference": "Observation/leaf"}],
    } | more


def report(of: str = "panel", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": "final",
        "code": {"text": "Laboratory report"},
        "result": [{"reference": f"Observation/{of}"}],
    } | more


def specimen(*names: str) -> list[dict[str, str]]:
    return [{"reference": f"Specimen/{name}"} for name in names]


@pytest.mark.parametrize(
    ("resources", "name"),
    [
        ((report(specimen=specimen("u")), URINE, panel(), leaf()), "WBC (Urine)"),
        ((panel(), leaf(), URINE, report(specimen=specimen("u"))), "WBC (Urine)"),
        ((panel(), leaf(), report("leaf", specimen=specimen("u")), URINE), "WBC (Urine)"),
        ((report(code={"text": "Urinalysis"}), panel(), leaf()), "WBC (Urinalysis)"),
        ((report(code={"text": "Urinalysis"}), panel(code={"text": "CBC"}), leaf()), "WBC"),
        (
            (report("leaf", specimen=[{"reference": "#u"}], contained=[URINE]), leaf()),
            "WBC (Urine)",
        ),
        ((report("leaf", specimen=specimen("b", "u")), BLOOD, URINE, leaf()), "WBC (Urine)"),
        ((report("leaf", specimen=specimen("u", "b")), BLOOD, URINE, leaf()), "WBC (Urine)"),
        ((URINE | {"id": "u2"}, URINE, leaf(specimen=specimen("u", "u2"))), "WBC (Urine)"),
        (
            (
                leaf(specimen=specimen("aliquot")[0]),
                {"resourceType": "Specimen", "id": "aliquot", "parent": specimen("u")},
                URINE,
            ),
            "WBC (Urine)",
        ),
        (
            (
                leaf(basedOn=[{"reference": "ServiceRequest/q"}]),
                {"resourceType": "ServiceRequest", "id": "q", "code": {"text": "Urinalysis"}},
            ),
            "WBC (Urinalysis)",
        ),
        ((leaf(bodySite={"text": "Pleural cavity"}),), "WBC (Pleural cavity)"),
        ((leaf(bodySite={"text": "Left arm"}),), "WBC"),
        ((leaf(category=[{"text": "Urinalysis"}]),), "WBC (Urinalysis)"),
        ((leaf(category=[{"coding": [{"display": "Laboratory"}]}]),), "WBC"),
    ],
)
def test_what_is_above_a_result_tells_its_material_however_far_above(
    read: Any, resources: tuple[dict[str, Any], ...], name: str
) -> None:
    assert the_row(read(bundle(PATIENT, *resources))).analyte == name


def test_of_two_specimens_a_loinc_code_of_ours_says_which(read: Any) -> None:
    above = report("leaf", specimen=specimen("u", "b"))
    coded = observation(id="leaf", code="751-8")
    assert the_row(read(bundle(above, BLOOD, URINE, coded))).analyte == "751-8"


def test_a_report_says_whose_and_when_of_what_its_panels_name(read: Any) -> None:
    above = report(
        subject={"reference": "Patient/p1"},
        effectiveDateTime="2026-03-02T08:00:00Z",
        issued="2026-03-02T11:00:00Z",
    )
    row = the_row(read(bundle(PATIENT, above, panel(), leaf(subject=None, effectiveDateTime=None))))
    assert (row.mrn, row.collected_at) == ("F1", "2026-03-02T08:00:00Z")
    assert row.reported_at == "2026-03-02T11:00:00Z"


@pytest.mark.parametrize(
    ("of_report", "of_panel", "status"),
    [
        ("entered-in-error", "final", "final in a report entered-in-error"),
        ("final", "cancelled", "final in a report cancelled"),
        ("final", "final", "final"),
    ],
)
def test_a_report_that_is_taken_back_holds_what_its_panels_name(
    read: Any, of_report: str, of_panel: str, status: str
) -> None:
    above = report(status=of_report)
    found = the_row(read(bundle(PATIENT, above, panel(status=of_panel), leaf())))
    assert found.status == status


@pytest.mark.parametrize(
    ("kind", "low"),
    [
        ({"coding": [{"code": "critical", "display": "Critical Range"}]}, "1.5"),
        ({"coding": [{"code": "therapeutic"}]}, "1.5"),
        ({"text": "Panic limits"}, "1.5"),
        ({"coding": [{"code": "normal"}]}, "0.5"),
        ({"text": "Referenzbereich"}, "0.5"),
    ],
)
def test_a_range_of_another_kind_is_no_reference(read: Any, kind: dict[str, Any], low: str) -> None:
    ranges = [
        {"low": quantity("0.5"), "high": quantity("30"), "type": kind},
        {"low": quantity("1.5"), "high": quantity("7.5")},
    ]
    assert the_row(read(observation(referenceRange=ranges))).ref_low == low


@pytest.mark.parametrize(
    ("value", "unit", "low"),
    [
        ({"valueQuantity": quantity("4.2")}, "x10^9/L", "1.5"),
        ({"valueQuantity": quantity("4.2", "10*3/uL")}, "K/uL", "1.5"),
        ({"valueQuantity": quantity("4.2", "10*3/uL")}, "/uL", ""),
        ({"valueQuantity": quantity("4.2", "furlong")}, "10*9/L", ""),
        ({"valueString": "<4.2 K/uL"}, "K/uL", "1.5"),
        ({"valueString": "4.2 K/uL"}, "10*9/L", "1.5"),
        ({"valueString": "4.2"}, "10*9/L", ""),
        ({"valueString": "clumped"}, "10*9/L", ""),
    ],
)
def test_limits_are_in_the_unit_of_the_value_however_it_is_spelt(
    read: Any, value: dict[str, Any], unit: str, low: str
) -> None:
    limit = {"value": Number("1.5"), "unit": unit}
    body = observation(valueQuantity=None, referenceRange=[{"low": limit}]) | value
    assert the_row(read(body)).ref_low == low


def test_a_quantity_that_is_no_number_is_no_empty_one(read: Any) -> None:
    for written, value in ((True, "(true)"), ([4.2], '(["4.2"])'), (None, ""), ("", "")):
        body = observation(valueQuantity={"value": written, "unit": "10*9/L"})
        assert the_row(read(body)).value == value
    for whole in ([quantity("4.2")], True):
        assert the_row(read(observation(valueQuantity=whole))).value.startswith("(")


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [
        ({"text": "Anna Muster"}, "Anna Muster", ""),
        ({"text": "Muster"}, "", ""),
        ({"text": "Frau Anna Muster", "family": "Muster"}, "Muster", ""),
        ({"family": ["Muster", "Meier"], "given": ["Anna"]}, "Muster Meier", "Anna"),
    ],
)
def test_names_of_one_text_and_of_dstu2_are_compared_too(
    read: Any, name: dict[str, Any], family: str, given: str
) -> None:
    row = the_row(read(bundle(PATIENT | {"name": [name]}, observation())))
    assert (row.family_name, row.given_name) == (family, given)


@pytest.mark.parametrize(("named", "mrn"), [("urn:b", "F2"), ("MRN", "N1"), ("", "N1")])
def test_a_source_may_name_the_system_of_the_patients_numbers(
    read: Any, named: str, mrn: str
) -> None:
    numbers = [{"system": "urn:n", "value": "N1"}, {"system": "urn:b", "value": "F2"}]
    found = bundle(PATIENT | {"identifier": numbers}, observation())
    assert the_row(read(found, source=Source(columns={"mrn": named}))).mrn == mrn


def test_a_number_whose_time_is_over_comes_last(read: Any) -> None:
    numbers = [{"value": "F9", "period": {"end": "2020-01-01"}}, {"value": "F1"}]
    assert the_row(read(bundle(PATIENT | {"identifier": numbers}, observation()))).mrn == "F1"


def test_panels_that_name_each_other_come_to_an_end(read: Any) -> None:
    one = panel(id="one", hasMember=[{"reference": "Observation/two"}])
    two = panel(id="two", hasMember=[{"reference": f"Observation/{it}"} for it in ("one", "leaf")])
    assert the_row(read(bundle(PATIENT, one, two, leaf()))).analyte == "WBC"


def test_thousands_of_panels_within_each_other_are_read(read: Any) -> None:
    names = [f"p{number}" for number in range(1_200)]
    panels = [
        panel(id=name, hasMember=[{"reference": f"Observation/{below}"}])
        for name, below in zip(names, [*names[1:], "leaf"], strict=True)
    ]
    assert the_row(read(bundle(PATIENT, *panels, leaf()))).analyte == "WBC"


@pytest.mark.parametrize(
    ("display", "name"),
    [("Urin", "Leukozyten (Urin)"), ("Serum", "Leukozyten"), ("", "Leukozyten")],
)
def test_a_specimen_may_be_named_where_it_is_referred_to(
    read: Any, display: str, name: str
) -> None:
    measured = observation(specimen={"display": display}) | {"code": {"text": "Leukozyten"}}
    assert the_row(read(measured)).analyte == name


@pytest.mark.parametrize(
    ("order", "specimen", "name"),
    [
        ({"text": "Urinstatus"}, None, "Leukozyten (Urinstatus)"),
        (
            {"coding": [{"display": "Urinalysis complete"}]},
            None,
            "Leukozyten (Urinalysis complete)",
        ),
        ({"text": "Urinstatus"}, {"display": "EDTA-Blut"}, "Leukozyten"),
        (
            {"text": "Cytologie"},
            {"display": "Pleuravocht in EDTA buis"},
            "Leukozyten (Pleuravocht in EDTA buis)",
        ),
        ({"text": "Blutbild"}, None, "Leukozyten"),
    ],
)
def test_what_a_report_of_urine_names_is_not_measured_in_blood(
    read: Any, order: dict[str, Any], specimen: dict[str, Any] | None, name: str
) -> None:
    more: dict[str, Any] = {"specimen": specimen} if specimen else {}
    measured = observation(id="o1", **more) | {"code": {"text": "Leukozyten"}}
    report = {"resourceType": "DiagnosticReport", "code": order}
    named = report | {"result": [{"reference": "Observation/o1"}]}
    assert the_row(read(bundle(measured, named))).analyte == name
    contained = report | {"contained": [measured], "result": [{"reference": "#o1"}]}
    assert the_row(read(contained)).analyte == name


def test_a_component_of_a_panel_of_urine_is_not_measured_in_blood(read: Any) -> None:
    component = {"code": {"text": "Leukozyten"}, "valueQuantity": quantity("25", "/uL")}
    panel = observation(valueQuantity=None, component=[component]) | {"code": {"text": "Urin"}}
    assert the_row(read(panel)).analyte == "Leukozyten (Urin)"


def test_components_are_rows_and_their_header_is_none(read: Any) -> None:
    component = {"code": {"text": "ALT"}, "valueQuantity": quantity("30", "U/L")}
    absent = {"code": {"text": "AST"}, "dataAbsentReason": {"text": "sample lost"}}
    panel = observation(valueQuantity=None, component=[component, absent, 7])
    items = read(panel)
    found = [(row.analyte, row.value, row.place, row.comment) for row in rows(items)]
    assert found == [("ALT", "30", "component[0]", ""), ("AST", "", "component[1]", "sample lost")]
    assert [line.place for line in bad(items)] == ["component[2]"]
    with_value = read(observation("7", component=[component]))
    assert [row.value for row in rows(with_value)] == ["7", "30"]


@pytest.mark.parametrize(
    "members",
    [
        {"hasMember": [{"reference": "Observation/o2"}]},
        {"related": [{"type": "has-member", "target": {"reference": "Observation/o2"}}]},
    ],
)
def test_a_panel_is_no_row_and_lends_its_members_what_they_lack(
    read: Any, members: dict[str, Any]
) -> None:
    panel = observation(valueQuantity=None, issued="2026-03-02T12:00:00Z", **members)
    member = observation("3", id="o2", subject=None, effectiveDateTime=None)
    row = the_row(read(bundle(panel, member, PATIENT)))
    assert (row.mrn, row.collected_at, row.reported_at) == (
        "F1",
        "2026-03-02T08:30:00+01:00",
        "2026-03-02T12:00:00Z",
    )


@pytest.mark.parametrize(
    ("status", "of_reports", "read_as"),
    [
        ("final", ["final"], "final"),
        ("final", ["entered-in-error"], "final in a report entered-in-error"),
        ("final", ["cancelled"], "final in a report cancelled"),
        ("entered-in-error", ["entered-in-error"], "entered-in-error"),
        ("corrected", ["entered-in-error", "corrected"], "corrected"),
        ("corrected", ["corrected", "entered-in-error"], "corrected"),
    ],
)
def test_a_result_of_a_report_that_is_taken_back_has_no_status(
    read: Any, status: str, of_reports: list[str], read_as: str
) -> None:
    result = [{"reference": "Observation/o1"}]
    reports = [
        {"resourceType": "DiagnosticReport", "status": it, "result": result} for it in of_reports
    ]
    row = the_row(read(bundle(*reports, observation(id="o1", status=status), PATIENT)))
    assert row.status == read_as


def test_a_report_holds_contained_results(read: Any) -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "subject": {"reference": "#me"},
        "effectivePeriod": {"start": "2026-03-02T08:00:00Z", "end": "2026-03-02T09:00:00Z"},
        "specimen": [{"reference": "#tube"}],
        "result": [{"reference": "#o"}],
        "contained": [
            {**PATIENT, "id": "me"},
            {"resourceType": "Specimen", "id": "tube", "identifier": [{"value": "B-1"}]},
            observation("2", id="o", subject=None, effectiveDateTime=None),
        ],
    }
    items = read(report)
    row = the_row(items)
    assert (row.mrn, row.collected_at, row.specimen_id) == ("F1", "2026-03-02T08:00:00Z", "B-1")
    assert (row.place, others(items)) == ("contained[2]", ["DiagnosticReport"])


TIMES = [
    ({"effectiveDateTime": "2026-03-02"}, "2026-03-02T07:10:00+01:00"),
    ({"effectiveDateTime": "2026-03-03"}, "2026-03-03"),
    ({"effectiveDateTime": None}, "2026-03-02T07:10:00+01:00"),
    (
        {"effectiveDateTime": None, "effectiveInstant": "2026-03-04T01:00:00Z"},
        "2026-03-04T01:00:00Z",
    ),
    ({"effectiveDateTime": None, "effectivePeriod": {"end": "2026-03-05"}}, "2026-03-05"),
    ({"effectiveDateTime": None, "effectiveTiming": {"event": ["2026-03-06"]}}, "2026-03-06"),
]


@pytest.mark.parametrize(("members", "collected"), TIMES)
def test_when_it_was_collected(read: Any, members: dict[str, Any], collected: str) -> None:
    tube = {
        "resourceType": "Specimen",
        "id": "s1",
        "collection": {"collectedDateTime": "2026-03-02T07:10:00+01:00"},
    }
    row = the_row(read(bundle(observation(specimen={"reference": "Specimen/s1"}, **members), tube)))
    assert row.collected_at == collected


ELSEWHERE = {**PATIENT, "identifier": [{"type": MR, "system": "urn:other", "value": "99"}]}
SUBJECTS: list[tuple[str, Any, list[Any], str, str]] = [
    ("relative", {"reference": "Patient/p1"}, [PATIENT], "F1", ""),
    ("of a version", {"reference": "Patient/p1/_history/3"}, [PATIENT], "F1", ""),
    ("by identifier", {"identifier": {"system": "urn:x", "value": "77"}}, [], "77", ""),
    ("asked for", {"reference": "Patient?identifier=urn:x|78"}, [], "78", ""),
    (
        "an identifier beside a reference",
        {"reference": "Patient/nobody", "identifier": {"value": "79"}},
        [],
        "79",
        "",
    ),
    ("nowhere", {"reference": "Patient/p2"}, [PATIENT], "", "Patient/p2 is not in this file"),
    ("a urn", {"reference": URN}, [PATIENT], "", f"{URN} is not in this file"),
    (
        "two patients",
        {"reference": "Patient/p1"},
        [PATIENT, ELSEWHERE],
        "",
        "Patient/p1 means two patients of this file",
    ),
    ("a name alone", {"display": "Anna"}, [PATIENT], "", "the subject names no patient"),
    ("nobody", None, [PATIENT], "", "no patient is named"),
    ("a group", {"reference": "Group/g1"}, [PATIENT], "", "the subject is a Group, no Patient"),
    (
        "no number",
        {"reference": "Patient/p1"},
        [{**PATIENT, "identifier": [{"type": {"coding": [{"code": "SS"}]}, "value": "1"}]}],
        "",
        "the Patient has no identifier that is a patient's number",
    ),
]


@pytest.mark.parametrize(("subject", "patients", "mrn", "why"), [it[1:] for it in SUBJECTS],
                         ids=[it[0] for it in SUBJECTS])  # fmt: skip
def test_whose_it_is_is_said_or_not_known(
    read: Any, subject: Any, patients: list[Any], mrn: str, why: str
) -> None:
    row = the_row(read(bundle(observation(subject=subject), *patients)))
    assert (row.mrn, row.unresolved) == (mrn, why)


def test_full_urls_tell_patients_of_one_id_apart(read: Any) -> None:
    entries = [
        {"fullUrl": f"http://{server}.example/Patient/p1", "resource": patient}
        for server, patient in (("a", PATIENT), ("b", ELSEWHERE))
    ]
    subject = {"reference": "http://b.example/Patient/p1"}
    entries.append({"fullUrl": "", "resource": observation(subject=subject)})
    items = read({"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert the_row(items).mrn == "99"


@pytest.mark.parametrize(
    ("reference", "mrn"),
    [
        ("http://b.example/fhir/Patient/p1", ""),
        ("https://A.example/fhir/Patient/p1", "F1"),
        ("http://a.example/fhir/Patient/p1/_history/4", "F1"),
        ("Patient/p1", "F1"),
    ],
)
def test_an_address_of_another_server_is_no_patient_of_this_file(
    read: Any, reference: str, mrn: str
) -> None:
    entries: list[dict[str, Any]] = [
        {"fullUrl": "http://a.example/fhir/Patient/p1", "resource": PATIENT},
        {"resource": observation(subject={"reference": reference})},
    ]
    row = the_row(read({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    assert (row.mrn, bool(row.unresolved)) == (mrn, not mrn)


def test_an_mr_number_is_preferred_and_a_social_security_number_never_taken(read: Any) -> None:
    identifiers = [
        {"system": "urn:ssn", "value": "1", "type": {"coding": [{"code": "SS"}]}},
        {"system": "urn:plain", "value": "2"},
        {"system": "urn:old", "value": "3", "type": MR, "use": "old"},
        {"system": "urn:mr", "value": "4", "type": MR},
    ]
    for chosen in ("4", "2"):
        row = the_row(read(bundle(observation(), {**PATIENT, "identifier": identifiers})))
        assert row.mrn == chosen
        identifiers.pop()


def test_a_system_that_the_source_names_has_the_number_whatever_its_type(read: Any) -> None:
    ssn = {"system": "urn:ssn", "value": "1", "type": {"coding": [{"code": "SS"}]}}
    patient = {**PATIENT, "identifier": [ssn]}
    source = Source(columns={"mrn": "urn:ssn"})
    assert the_row(read(bundle(observation(), patient), source=source)).mrn == "1"


def test_a_number_whose_type_is_told_in_words_alone_is_preferred(read: Any) -> None:
    identifiers = [
        {"system": "urn:oid:1", "value": "E5", "type": {"text": "EPI"}},
        {"system": "urn:oid:2", "value": "1001", "type": {"text": "MRN"}},
    ]
    row = the_row(read(bundle(observation(), {**PATIENT, "identifier": identifiers})))
    assert row.mrn == "1001"


def test_a_record_that_another_replaced_is_a_merge(read: Any) -> None:
    link = {"type": "replaced-by", "other": {"identifier": {"system": "urn:clinic", "value": "F2"}}}
    (merge,) = read({**PATIENT, "link": [link]})
    assert isinstance(merge, PatientMerge)
    assert (merge.old, merge.new, merge.issuer) == ("F1", "F2", "urn:clinic")


def test_lines_are_resources_and_a_broken_one_costs_itself(read: Any) -> None:
    good = [dumped(observation(str(number))) for number in range(3)]
    lines = [dumped(PATIENT), good[0], good[1][:50], "", good[2], "[1]", '{"a": NaN}']
    items = read("\n".join(lines), "export.ndjson")
    assert [(row.line, row.value) for row in rows(items)] == [(2, "0"), (5, "2")]
    assert [(line.line, line.reason) for line in bad(items)] == [
        (3, "a resource that cannot be read: not readable as JSON"),
        (6, "a resource that cannot be read: no FHIR resource: no JSON object"),
        (7, "a resource that cannot be read: NaN is no number in JSON"),
    ]


def test_a_broken_entry_costs_itself(read: Any) -> None:
    good = dumped(observation())
    twice = good.replace('"status"', '"status": "final", "status"')
    spoilt = good.replace('"final"', "final")
    entries = ",\n".join(f'{{"resource": {it}}}' for it in (good, spoilt, twice, "7", good))
    items = read(f'{{"resourceType": "Bundle", "entry": [\n{entries}\n]}}')
    assert [(row.line, row.place) for row in rows(items)] == [(2, "entry[0]"), (6, "entry[4]")]
    assert [line.reason.partition(": ")[2] for line in bad(items)] == [
        "not readable as JSON",
        'the key "status" stands twice',
        "no FHIR resource: no JSON object",
    ]


def test_a_bundle_that_breaks_off_keeps_what_was_whole(read: Any) -> None:
    text = dumped(bundle(*[observation(str(number)) for number in range(5)]))
    items = read(text[: text.rindex("valueQuantity")])
    assert [row.value for row in rows(items)] == ["0", "1", "2", "3"]
    assert len(bad(items)) >= 1


def test_entries_come_before_what_they_belong_to(read: Any) -> None:
    text = json.dumps(bundle(observation(), PATIENT))
    entries = text[text.index('"entry"') : -1]
    assert the_row(read(f'{{{entries}, "type": "batch", "resourceType": "Bundle"}}')).mrn == "F1"


def test_bundles_in_bundles_arrays_and_deletions(read: Any) -> None:
    inner = bundle(observation("1"), PATIENT)
    outer = bundle(inner)
    outer["entry"].append({"request": {"method": "DELETE", "url": "Observation/1"}})
    items = read([outer, observation("2")])
    assert [(row.value, row.mrn) for row in rows(items)] == [("1", "F1"), ("2", "F1")]
    assert others(items) == ["Patient", "DELETE without a resource"]


def test_the_versions_of_a_history_are_told_apart_by_when_they_came(read: Any) -> None:
    newer, older = "2026-03-13T12:00:00Z", "2026-03-13T10:00:00Z"
    issued = "2026-03-13T09:00:00Z"
    versions = [
        observation(valueQuantity=quantity(value), issued=issued, meta={"lastUpdated": at})
        for value, at in (("3.4", newer), ("8.4", older))
    ]
    history, other = (bundle(PATIENT, *versions, kind=it) for it in ("history", "searchset"))
    assert [it.reported_at for it in rows(read(history))] == [newer, older]
    assert [it.reported_at for it in rows(read(other))] == [issued, issued]


def test_an_older_version_of_another_time_is_taken_back(read: Any) -> None:
    """Of a history: what the newer one puts right would stand beside it for ever."""
    wrong, right = "2026-03-13T08:30:00+01:00", "2026-03-06T08:30:00+01:00"
    came = "2026-03-13T12:00:00Z", "2026-03-13T10:00:00Z"

    def versions(name: str | None, *times: str) -> list[dict[str, Any]]:
        return [
            observation(id=name, effectiveDateTime=time, meta={"lastUpdated": at})
            for time, at in zip(times, came, strict=True)
        ]

    def statuses(kind: str, *bodies: dict[str, Any]) -> list[str]:
        return [it.status for it in rows(read(bundle(PATIENT, *bodies, kind=kind)))]

    changed = versions("o1", right, wrong)
    assert statuses("history", *changed) == ["final", "entered-in-error"]
    assert statuses("history", *reversed(changed)) == ["entered-in-error", "final"]
    assert statuses("searchset", *changed) == ["final", "final"]
    assert statuses("history", *versions("o1", right, right)) == ["final", "final"]
    assert statuses("history", *versions(None, right, wrong)) == ["final", "final"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_any_encoding(read: Any, encoding: str) -> None:
    body = observation(note=[{"text": "Blutung über Nacht"}])
    text = json.dumps(body, ensure_ascii=False, indent=1)
    assert the_row(read(text.encode(encoding))).comment == "Blutung über Nacht"


XML = """<?xml version="1.0"?>{doctype}
<Bundle xmlns="http://hl7.org/fhir"><type value="message"/>
 <entry><fullUrl value="{urn}"/><resource><Patient><identifier><system value="urn:clinic"/>
  <value value="F1"/></identifier></Patient></resource></entry>
 <entry><resource><Observation><status value="amended"/>
  <code><coding><system value="http://loinc.org"/><code value="751-8"/></coding></code>
  <subject><reference value="{urn}"/></subject><effectiveDateTime value="2026-03-02"/>
  <valueQuantity><value value="0.90"/><comparator value="&lt;"/>
   <unit value="10*9/L"/></valueQuantity>
 </Observation></resource></entry>
</Bundle>"""


def test_xml_is_the_same(read: Any) -> None:
    items = read(XML.format(doctype="", urn=URN), "bundle.xml")
    row = the_row(items)
    assert (row.mrn, row.issuer, row.value, row.status) == ("F1", "urn:clinic", "<0.90", "amended")
    assert (row.place, others(items)) == ("entry[1]", ["Patient"])


REFUSED = [
    (XML.format(doctype='<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>', urn=URN),
     "document type"),
    ("<html><body>a page</body></html>", "a web page.*save it as .xlsx"),
    ("<!DOCTYPE html><HTML><TABLE><TR><TD>MRN<TD>WBC</TABLE>", "a web page.*save it as .xlsx"),
    (
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "an Excel workbook in XML.*save it as .xlsx",
    ),
    ('<ClinicalDocument xmlns="urn:hl7-org:v3"/>', "a CDA document"),
    ('{"resourceType": "Observation", "status": ', "not readable as JSON|not complete"),
    ("<a><b></a>", "XML, but not FHIR"),
    ('[{"mrn": "F1", "value": 4}]', "nothing in it is a FHIR resource"),
    ('{"results": [1, 2]}', "nothing in it is a FHIR resource"),
    ("UNA:+.? 'UNB+UNOB:2+1:80'", "an EDIFACT interchange"),
    ("H|~^\\&|A.HPM||LABO||ORU|||DEST||P|H2.1^C|20260302\rP|1|A1", "an HPRIM file"),
    ("2026-03-02 10:00:01 INFO in: MSH|^~\\&|LAB|N|||20260302||ORU^R01|1|P|2.5\nPID|1||A1",
     "a log with HL7 messages"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "what"), REFUSED)
def test_what_is_no_fhir_is_refused_by_name(read: Any, text: str, what: str) -> None:
    with pytest.raises(UnreadableFile, match=what):
        read(text, "file.txt")


def test_nothing_is_held_whole(read: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blocks of a few signs give the same rows, and the longest value is limited."""
    text = json.dumps(bundle(*[observation(str(number)) for number in range(40)]), indent=1)
    expected = read(text)
    monkeypatch.setattr(fhir_json, "_BLOCK", 7)

    def plain(items: Any) -> list[Any]:
        return [it._replace(given=tuple(it.given)) for it in rows(items)]

    assert plain(read(text)) == plain(expected)
    monkeypatch.setattr(fhir_json, "LARGEST", 2000)
    long = observation("41", note=[{"text": "x" * 3000}])
    items = read(bundle(observation("1"), long, observation("2")))
    assert [row.value for row in rows(items)] == ["1", "2"]
    assert len(bad(items)) == 1
    items = read("\n".join(dumped(it) for it in (observation(), long, observation())), "a.ndjson")
    assert [row.line for row in rows(items)] == [1, 3]
    assert len(bad(items)) == 1


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*observation(), "component", "entry", "id"]), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_a_member_is_every_observation_is_one_row(
    catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    body: dict[str, Any] = dict(observation())
    for name in data.draw(st.sets(st.sampled_from(sorted(body)), max_size=4)):
        if name != "resourceType":
            body[name] = data.draw(_ANY_JSON)
    path = tmp_path_factory.mktemp("fhir") / "file.json"
    path.write_text(dumped(bundle(body, PATIENT)), encoding="utf-8")
    with open_rows(survey(path), Source(), catalogue) as opened:
        items = list(opened.items)
    assert len(rows(items)) == 1
    assert others(items) == ["Patient"]
