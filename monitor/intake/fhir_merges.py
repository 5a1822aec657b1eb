"""Merges of patients as FHIR tells them: the links of a Patient that say which record counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from monitor.intake.fhir_json import Body, Found
from monitor.intake.fhir_parts import TAIL, objects, text_of
from monitor.intake.fhir_people import Surroundings, patient_of
from monitor.intake.raw import PatientMerge, may_be_one


def merges_of(
    found: Found, contained: list[Body], around: Surroundings, shown: str, *, id_is_mrn: bool
) -> Iterator[PatientMerge]:
    """Each record that a Patient replaces or is replaced by; a number that is told nowhere is
    empty. `id_is_mrn`: where nothing else is told, the ids of the server are the numbers."""
    body = found.body
    this = patient_of(body, around.system)
    if id_is_mrn and not this.mrn:
        this = replace(this, mrn=text_of(body, "id"))
    for relation, other in _successions(body):
        that = around.whose(other, contained)
        tail = TAIL.search(text_of(other, "reference"))
        if id_is_mrn and not that.mrn and tail:
            that = replace(that, mrn=tail[2])
        old, new = (this, that) if relation == "replaced-by" else (that, this)
        if not may_be_one(old.mrn, old.issuer, new.mrn, new.issuer):
            yield PatientMerge(
                line=found.line,
                kind="Patient",
                old=old.mrn,
                new=new.mrn,
                issuer=new.issuer,
                old_issuer=old.issuer,
                family_name=new.family_name,
                given_name=new.given_name,
                birth_date=new.birth_date,
                text=shown,
                place=found.place,
            )


def _successions(body: Body) -> Iterator[tuple[str, Any]]:
    for link in objects(body.get("link")):
        if text_of(link, "type") in ("replaced-by", "replaces"):
            yield text_of(link, "type"), link.get("other")
