"""A genotype or phenotype under a code that any gene may have: the gene stands beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.config import Source
from monitor.intake.raw import RawRow
from tests.fhir_resources import LOINC, PATIENT, bundle, items_in, observation
from tests.hl7_messages import items, oru

HGNC = "http://www.genenames.org"
GENOTYPE = "84413-4^Genotype display name^LN"
POOR = "Poor metabolizer"
EFFECT = "53040-2^Genetic variation's effect on drug metabolism^LN"


def studied(gene: str, group: str = "1a") -> str:
    return f"OBX|1|CWE|48018-6^Gene studied [ID]^LN|{group}|{gene}^HGNC||||||F"


def found(code: str, value: str, group: str = "1a") -> str:
    return f"OBX|2|CWE|{code}|{group}|{value}||||||F"


def named(*segments: str, source: Source | None = None) -> list[tuple[str, str]]:
    """What each result is called, and its value."""
    rows = [it for it in items(oru(*segments), source) if isinstance(it, RawRow)]
    return [(row.analyte, row.value) for row in rows]


def test_each_group_of_segments_has_the_gene_that_it_names() -> None:
    assert named(
        studied("HGNC:12014^TPMT"),
        found(GENOTYPE, "^*1/*3A"),
        found(EFFECT, "LA10317-8^Intermediate metabolizer^LN"),
        studied("^NUDT15", "1b"),
        found(GENOTYPE, "^*3/*3", "1b"),
        studied("HGNC:2625^CYP2D6", "1c"),
        found(GENOTYPE, "^*4/*4", "1c"),
    ) == [
        ("48018-6", "TPMT"),
        ("tpmt", "*1/*3A"),
        ("tpmt", "Intermediate metabolizer"),
        ("48018-6", "NUDT15"),
        ("nudt15", "*3/*3"),
        ("48018-6", "CYP2D6"),
        ("84413-4", "*4/*4"),
    ]


@pytest.mark.parametrize("group", ["1a.a", "1a.2"])
def test_a_group_within_a_group_has_its_gene(group: str) -> None:
    rows = named(studied("TPMT^TPMT"), found(GENOTYPE, "^*3A/*3A", group))
    assert rows[1] == ("tpmt", "*3A/*3A")


def test_without_groups_the_only_gene_is_meant_and_of_two_neither() -> None:
    one, other = studied("^TPMT", ""), studied("^NUDT15", "")
    assert named(one, found(GENOTYPE, "^*2/*2", ""))[1] == ("tpmt", "*2/*2")
    assert named(one, other, found(GENOTYPE, "^*2/*2", ""))[2] == ("84413-4", "*2/*2")


@pytest.mark.parametrize(
    ("order", "name"),
    [
        ("TPMT^TPMT Genotyping^L", "tpmt"),
        ("81335^NUDT15 gene analysis^CPT", "nudt15"),
        ("TPNU^TPMT and NUDT15 genotyping^L", "GENO"),
        ("CYP^CYP2D6 genotyping^L", "GENO"),
    ],
)
def test_the_order_names_the_gene_of_a_genotype(order: str, name: str) -> None:
    message = oru("OBX|1|ST|GENO^Genotype^L||*3A/*3A||||||F").replace("CBC^Blood count^L", order)
    (row,) = [it for it in items(message) if isinstance(it, RawRow)]
    assert row.analyte == name


def test_the_value_may_name_its_gene() -> None:
    assert named(found(GENOTYPE, "^TPMT *1/*3A", "")) == [("tpmt", "TPMT *1/*3A")]


@pytest.mark.parametrize(
    "name", ["84414-2^Haplotype name^LN", "X^Allele of genotype^L", "WBC^WBC^L"]
)
def test_one_allele_or_another_result_beside_a_gene_is_no_genotype(name: str) -> None:
    (_, row) = named(studied("^TPMT"), found(name, "^*3A"))
    assert row[0] == name.partition("^")[0]


def test_what_the_source_maps_comes_before_the_gene() -> None:
    source = Source(codes={"84413-4": "nudt15"})
    assert named(studied("^TPMT"), found(GENOTYPE, "^*2/*2"), source=source)[1][0] == "84413-4"


def coded(code: str, display: str = "", system: str = LOINC) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def gene(number: str, name: str) -> dict[str, Any]:
    return {"code": coded("48018-6"), "valueCodeableConcept": coded(number, name, HGNC)}


def genotype(value: str, **more: Any) -> dict[str, Any]:
    said = {"code": coded("84413-4"), "valueCodeableConcept": {"text": value}}
    return observation(valueQuantity=None) | said | more


def rows_of(tmp_path: Path, *resources: dict[str, Any]) -> list[tuple[str, str]]:
    found = items_in(tmp_path, bundle(PATIENT, *resources))
    return [(it.analyte, it.value) for it in found if isinstance(it, RawRow)]


def test_a_component_names_the_gene_of_an_observation(tmp_path: Path) -> None:
    tpmt = genotype("*3A/*3A", component=[gene("HGNC:12014", "TPMT")])
    other = genotype("*4/*4", component=[gene("HGNC:2625", "CYP2D6")])
    rows = rows_of(tmp_path, tpmt, other)
    assert rows[0] == ("tpmt", "*3A/*3A")
    assert rows[2] == ("84413-4", "*4/*4")


def test_the_extension_for_genes_names_it(tmp_path: Path) -> None:
    url = "http://hl7.org/fhir/StructureDefinition/observation-geneticsGene"
    extension = [{"url": url, "valueCodeableConcept": coded("12014", "TPMT", HGNC)}]
    sct = {"system": "http://snomed.info/sct", "code": "363779003"}
    diplotype = {"coding": [sct], "text": "Diplotype Call"}
    haplotype = {"coding": [sct], "text": "Haplotype Call"}
    rows = rows_of(
        tmp_path,
        genotype("*1/*4", code=diplotype, extension=extension),
        genotype("*4", code=haplotype, extension=extension),
    )
    assert rows == [("tpmt", "*1/*4"), ("363779003", "*4")]


def test_an_effect_has_the_gene_of_what_it_was_derived_from(tmp_path: Path) -> None:
    source = genotype("*3/*3", id="g1", component=[gene("HGNC:23063", "NUDT15")])
    effect = observation(valueQuantity=None) | {
        "code": coded("therapeutic-implication", system="urn:tbd"),
        "derivedFrom": [{"reference": "Observation/g1"}],
        "component": [
            {"code": coded("53040-2"), "valueCodeableConcept": coded("LA9657-3", POOR)},
            {"code": coded("51963-7"), "valueCodeableConcept": {"text": "azathioprine"}},
        ],
    }
    rows = rows_of(tmp_path, effect, source)
    assert rows[:2] == [("nudt15", POOR), ("51963-7", "azathioprine")]
