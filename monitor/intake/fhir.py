"""FHIR to raw rows: each Observation, and each component of one, is one row.

A panel's header (no value of its own, but components or members) is none; resources of other
kinds are counted. A file is read twice, resource by resource: first for what the resources
say of each other (patients, specimens, reports), then for the rows. R4 and R5 are read alike,
as are STU3 where it names the same things; which of several members counts, docs/fhir.md tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import overload

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.intake.fhir_around import (
    Around,
    around_of,
    effective_of,
    members_of,
    order_of_no_blood,
    place_of_no_blood,
)
from monitor.intake.fhir_doubts import doubt_of
from monitor.intake.fhir_genes import gene_in_value, own_gene, texts_of
from monitor.intake.fhir_json import Body, Found, json_resources
from monitor.intake.fhir_json import Item as Resource
from monitor.intake.fhir_merges import merges_of
from monitor.intake.fhir_parameters import opened
from monitor.intake.fhir_parts import many, objects, text_of, word_of
from monitor.intake.fhir_people import Sample, Surroundings, Whose
from monitor.intake.fhir_values import (
    comments_of,
    limits_of,
    meant_otherwise,
    names_of,
    unit_of,
    value_keys,
    value_of,
)
from monitor.intake.fhir_xml import check_xml, xml_resources
from monitor.intake.genes import named_by_gene
from monitor.intake.raw import BadLine, Item, OtherMessage, PatientMerge, RawRow
from monitor.intake.survey import ASK_FOR_ANOTHER, Survey, UnreadableFile

KEPT = 2000
"""Characters of an Observation that quarantine keeps."""
_KIND = re.compile(r"[A-Z][A-Za-z]{1,59}")
_ENTRY = re.compile(r"entry\[(\d+)\]")
_MOST_BROKEN = 100
_FURTHER_PAGES = (
    "this is one page of a search: its server has further ones, which must be loaded too"
)
_HAS_TIME = re.compile(r".*T\d")


class BrokenFile(UnreadableFile):
    """JSON or XML of which not one resource can be read as such."""


class FhirFile:
    """A FHIR file that can be read. Raises UnreadableFile where nothing in it is FHIR."""

    def __init__(self, survey: Survey, mapping: Source, catalogue: Catalogue) -> None:
        self._survey = survey
        self._mapping = mapping
        self._catalogue = catalogue
        self._is_xml = survey.format == "xml"
        named = mapping.columns.get("mrn", "").strip()
        self._surroundings = Surroundings(named if ":" in named else "")
        self.kind = ""
        """Of a file that is one resource: Observation, Bundle ..."""
        self.bundle = ""
        """Type of a Bundle: transaction, searchset ..."""
        self.entries = 0
        self._goes_on = False
        self._newest: dict[str, tuple[str, str]] = {}
        """Of a history, by the id of an Observation: when its newest version came, and of what
        result that is."""
        self.broken: list[BadLine] = []
        """The first resources that cannot be read."""
        if self._is_xml:
            check_xml(survey)
        self._look_around()
        if self.bundle == "history":
            self._look_at_versions()

    @property
    def introduction(self) -> tuple[str, ...]:
        """What was recognised, in sentences."""
        read = f"read as FHIR {'XML' if self._is_xml else 'JSON'}"
        return (read, _FURTHER_PAGES) if self._goes_on else (read,)

    def items(self) -> Iterator[Item]:
        """The items of the file, in the order in which they stand there."""
        for found in self._resources():
            if isinstance(found, Found):
                yield from self._items_of(found)
            else:
                yield found

    def _resources(self) -> Iterator[Resource]:
        read: Callable[[Survey], Iterator[Resource]]
        read = xml_resources if self._is_xml else json_resources
        return opened(read(self._survey))

    def _look_around(self) -> None:
        seen = is_fhir = False
        for found in self._resources():
            seen = True
            if isinstance(found, Found):
                self._note(found)
                is_fhir = is_fhir or bool(_KIND.fullmatch(text_of(found.body, "resourceType")))
            elif isinstance(found, OtherMessage):
                is_fhir = True
            elif len(self.broken) < _MOST_BROKEN:
                self.broken.append(found)
        if self.broken and not is_fhir:
            raise BrokenFile(f"{self._survey.format_title}: {self.broken[0].reason}")
        if seen and not is_fhir:
            raise UnreadableFile(
                f"this is {self._survey.format_title}, but nothing in it is a FHIR resource: none "
                f"names a resourceType; {ASK_FOR_ANOTHER}"
            )

    def _look_at_versions(self) -> None:
        for found in self._resources():
            if isinstance(found, Found) and text_of(found.body, "resourceType") == "Observation":
                version = _came_at(found.body), _result_of(found.body)
                if name := text_of(found.body, "id"):
                    self._newest[name] = max(self._newest.get(name, version), version)

    def _note(self, found: Found) -> None:
        self._surroundings.add(found)
        links = objects(found.body.get("link"))
        kind = text_of(found.body, "resourceType")
        if kind == "Bundle" and any(text_of(it, "relation") == "next" for it in links):
            self._goes_on = True
        if kind == "Observation" and (doubt := doubt_of(found.body, self._catalogue)):
            self._surroundings.say(found, doubt)
        if entry := _ENTRY.match(found.place):
            self.entries = max(self.entries, int(entry[1]) + 1)
        elif not found.place and not self.kind:
            self.kind = text_of(found.body, "resourceType")
            self.bundle = text_of(found.body, "type") if self.kind == "Bundle" else ""

    def _items_of(self, found: Found) -> Iterator[Item]:
        kind = text_of(found.body, "resourceType")
        if kind == "Bundle":
            return
        contained = objects(found.body.get("contained"))
        if kind == "Observation":
            around = self._surroundings.around(found)
            if self.bundle == "history":
                around = replace(around, version_at=_came_at(found.body))
                found = self._as_of_now(found)
            yield from self._observation(found, around, contained)
        elif _KIND.fullmatch(kind):
            yield from self._other(found, kind, contained)
        else:
            reason = "a resource that does not say of which kind it is"
            yield BadLine(found.line, "fhir", reason, _shown(found.body), found.place)
        yield from self._contained(found, kind, contained)

    def _as_of_now(self, found: Found) -> Found:
        """A version of an Observation, as entered in error where a newer one is of another time,
        patient or analyte: the older result is no other's."""
        came, result = self._newest.get(text_of(found.body, "id"), ("", ""))
        if came <= _came_at(found.body) or result == _result_of(found.body):
            return found
        return replace(found, body=found.body | {"status": "entered-in-error"})

    def _contained(self, found: Found, kind: str, contained: list[Body]) -> Iterator[Item]:
        """The Observations within another resource; what that says counts for them too."""
        around = Around()
        if kind in ("DiagnosticReport", "Observation"):
            around = around_of(found.body, found.body.get("specimen"))
        for number, inner in enumerate(contained):
            if text_of(inner, "resourceType") == "Observation":
                place = _below(found.place, f"contained[{number}]")
                within = Found(found.line, place, "", inner)
                yield from self._observation(within, around, contained)

    def _other(
        self, found: Found, kind: str, contained: list[Body]
    ) -> Iterator[OtherMessage | PatientMerge]:
        merged = False
        if kind == "Patient":
            around, by_id = self._surroundings, self._mapping.patient_id_is_mrn
            shown = _shown(found.body)
            for merge in merges_of(found, contained, around, shown, id_is_mrn=by_id):
                merged = True
                yield merge
        if not merged:
            yield OtherMessage(found.line, kind)

    def _observation(
        self, found: Found, around: Around, contained: list[Body]
    ) -> Iterator[RawRow | BadLine]:
        """The rows of an Observation: its own value, and each component's."""
        body = found.body
        components = many(body.get("component"))
        is_header = bool(components) or next(members_of(body), None) is not None
        make = _Maker(self._surroundings, self._mapping, self._catalogue, found, around, contained)
        if value_keys(body) or not is_header:
            yield make.row(body, found.place)
        for number, component in enumerate(components):
            place = _below(found.place, f"component[{number}]")
            if isinstance(component, dict):
                yield make.row(component, place)
            else:
                reason = "a component that is no object"
                yield BadLine(found.line, "fhir", reason, str(component)[:KEPT], place)


class _Maker:
    """Makes the rows of one Observation: what they share is found once."""

    def __init__(
        self,
        surroundings: Surroundings,
        mapping: Source,
        catalogue: Catalogue,
        found: Found,
        around: Around,
        contained: list[Body],
    ) -> None:
        body = found.body
        self._mapping, self._catalogue = mapping, catalogue
        self._found = found
        subject = body.get("subject") or around.subject
        self._whose: Whose = surroundings.whose(subject, contained)
        self._reference = text_of(subject, "reference")
        specimen = body.get("specimen") or around.specimen
        self._sample: Sample = surroundings.sample(specimen, contained)
        self._collected = _collected(effective_of(body), self._sample.collected, around.collected)
        self._issued = around.version_at or text_of(body, "issued") or around.issued
        self._notes = around.notes
        self._surroundings = surroundings
        self._order = around.order or place_of_no_blood(body) or surroundings.order_of(body)
        self._status = _status(text_of(body, "status") or "unknown", around.taken_back)

    def row(self, part: Body, place: str) -> RawRow:
        """The row of the Observation itself, or of a component of it."""
        body, whose, sample = self._found.body, self._whose, self._sample
        order = self._order or (order_of_no_blood(body) if part is not body else "")
        names = names_of(part, sample, self._mapping, self._catalogue, order)
        names = named_by_gene(
            names,
            [text for text in texts_of(part.get("code")) if text],
            lambda: self._gene_of(part),
            self._catalogue,
            self._mapping.codes,
        )
        unit = unit_of(part, names, self._mapping, self._catalogue)
        low, high = limits_of(part, unit, names, self._mapping, self._catalogue)
        comments = comments_of(part)
        if part is not body:
            comments += [text for text in comments_of(body) if text not in comments]
        value, otherwise = value_of(part), meant_otherwise(body, part)
        return RawRow(
            line=self._found.line,
            mrn=whose.mrn,
            collected_at=self._collected,
            analyte=names[0] if names else "",
            value=f"{value} ({otherwise})" if otherwise else value,
            unit=unit,
            ref_low=low,
            ref_high=high,
            specimen_id=sample.id,
            status=self._status,
            reported_at=self._issued,
            comment="\n".join(dict.fromkeys([*comments, *self._notes, *sample.notes])),
            family_name=whose.family_name,
            given_name=whose.given_name,
            birth_date=whose.birth_date,
            issuer=whose.issuer,
            method=word_of(body.get("method")),
            given=_Given(body, part),
            place=place,
            also=names[1:],
            reference=self._reference if whose.unresolved else "",
            unresolved=whose.unresolved,
        )

    def _gene_of(self, part: Body) -> str:
        body = self._found.body
        return own_gene(body) or self._surroundings.gene_behind(body) or gene_in_value(part)


class _Given(Sequence[tuple[str, str]]):
    """The Observation as it came, for quarantine; written out only for rows that are held."""

    def __init__(self, body: Body, part: Body) -> None:
        self._body, self._part = body, part

    def _cells(self) -> list[tuple[str, str]]:
        cells = [("Observation", _shown(self._body))]
        return cells if self._part is self._body else [*cells, ("component", _shown(self._part))]

    def __len__(self) -> int:
        return 1 if self._part is self._body else 2

    @overload
    def __getitem__(self, index: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[tuple[str, str]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, str] | Sequence[tuple[str, str]]:
        return self._cells()[index]


def _came_at(body: Body) -> str:
    """When a version came."""
    return text_of(body.get("meta"), "lastUpdated")


def _result_of(body: Body) -> str:
    """Of what result a version is: what another version of the same may have put right."""
    names = ("code", "subject", "specimen")
    told = [json.dumps(body.get(name), sort_keys=True) for name in names]
    return "\n".join([effective_of(body), *told])


def _status(own: str, taken_back: str) -> str:
    """The status of an Observation; where its report is taken back and it is not, both, which is
    no status: nobody knows which is meant."""
    return f"{own} in a report {taken_back}" if taken_back and own != taken_back else own


def _collected(own: str, of_sample: str, of_report: str) -> str:
    """When the specimen was collected: the Observation's own time; the specimen's, where the
    Observation names none or only its day; else the report's."""
    own = own or of_report if not of_sample else own
    if not own:
        return of_sample
    if of_sample and not _HAS_TIME.match(own) and of_sample.startswith(own):
        return of_sample
    return own


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _shown(body: Body) -> str:
    shown = {name: value for name, value in body.items() if name not in ("text", "contained")}
    return json.dumps(shown, ensure_ascii=False)[:KEPT]
