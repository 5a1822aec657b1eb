"""Whose an Observation is, and what the resources around it add: patients, specimens, reports.

A reference is followed within its file alone: by fullUrl, by `Patient/id`, into `contained`,
or by the identifier that it names itself. Where it leads nowhere, or to two patients, the row
says so and is held; nothing is guessed. Source: FHIR R4, 2.3 (references), 2.36.4 (resolving
references in Bundles).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from monitor.intake.fhir_json import Body, Found
from monitor.intake.hl7_values import is_not_blood
from monitor.intake.survey import UnreadableFile
from monitor.intake.vocabulary import key_of, vocabulary

MOST_KEPT = 2_000_000
"""Patients, specimens and reported results that are kept in mind while a file is read."""
_TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$")
_NO_NUMBERS = frozenset("SS SB DL PPN AN VN BC XX CZ DR TAX".split())
"""Types of identifiers (table 0203) that are no patient's number."""
_MR_IN_WORDS = ("mr", "mrn", "medical record number")


@dataclass(frozen=True, slots=True)
class Whose:
    """A patient as a row names one; without a number, `unresolved` says why and what was
    referred to."""

    mrn: str = ""
    issuer: str = ""
    family_name: str = ""
    given_name: str = ""
    birth_date: str = ""
    unresolved: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a Specimen adds."""

    id: str = ""
    collected: str = ""
    kinds: tuple[tuple[str, str], ...] = ()
    """What it is, as code or in words, each with the system of the code."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What the report or panel that names an Observation says of it."""

    subject: Any = None
    collected: str = ""
    specimen: Any = None
    issued: str = ""
    order: str = ""
    """What it is called, where that says that it is of no blood."""
    taken_back: str = ""
    """Its status, where that says that there is no such report."""
    version_at: str = ""
    """When this version of the Observation came, in a file of several versions."""


_TAKEN_BACK = ("entered-in-error", "cancelled")
_AMBIGUOUS = Whose(unresolved="two patients")


def many(value: Any) -> list[Any]:
    """The elements of what may repeat: none, one or a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def objects(value: Any) -> list[Body]:
    """Those of them that are objects."""
    return [it for it in many(value) if isinstance(it, dict)]


def text_of(value: Any, name: str) -> str:
    """A text member of an object; empty where it is none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found.strip() if isinstance(found, str) else ""


class Surroundings:
    """All that a file says beside its Observations, gathered before the rows are made."""

    def __init__(self) -> None:
        self._patients: dict[str, Whose] = {}
        self._samples: dict[str, Sample] = {}
        self._around: dict[str, Around] = {}
        self.kinds: set[str] = set()

    def add(self, found: Found) -> None:
        """Note what a resource says of others. Raises UnreadableFile beyond MOST_KEPT."""
        body = found.body
        kind = text_of(body, "resourceType")
        self.kinds.add(kind)
        if kind == "Patient":
            whose = patient_of(body)
            for key in _keys(found):
                known = self._patients.setdefault(key, whose)
                if known != whose:
                    self._patients[key] = _AMBIGUOUS
        elif kind == "Specimen":
            sample = sample_of(body)
            self._samples.update((key, sample) for key in _keys(found))
        elif kind == "DiagnosticReport":
            self._note(around_of(body, body.get("specimen")), body.get("result"))
        elif kind == "Observation":
            members = list(members_of(body))
            if members:
                self._note(around_of(body, body.get("specimen")), members)
        if len(self._patients) + len(self._samples) + len(self._around) > MOST_KEPT:
            raise UnreadableFile(
                f"more than {MOST_KEPT} patients, specimens and reported results refer to each "
                "other in one file; split it"
            )

    def _note(self, around: Around, references: Any) -> None:
        for reference in objects(references):
            for key in _keys_of(text_of(reference, "reference")):
                known = self._around.setdefault(key, around)
                if known.taken_back and not around.taken_back:
                    self._around[key] = around

    def around(self, found: Found) -> Around:
        """What the report or panel that names this Observation says of it."""
        return next((self._around[it] for it in _keys(found) if it in self._around), Around())

    def whose(self, subject: Any, contained: list[Body]) -> Whose:
        """The patient that a subject names."""
        if not isinstance(subject, dict):
            return Whose(unresolved="no patient is named")
        reference = text_of(subject, "reference")
        found = self._referred(reference, contained)
        if found is not None and found.mrn:
            return found
        named = _identified([subject.get("identifier")])
        if named[0]:
            return replace(found or Whose(), mrn=named[0], issuer=named[1], unresolved="")
        if found is not None:
            return found
        kind = text_of(subject, "type") or (_TAIL.search(reference) or ("", ""))[1]
        if kind not in ("", "Patient"):
            return Whose(unresolved=f"the subject is a {kind[:40]}, no Patient")
        if not reference:
            return Whose(unresolved="the subject names no patient")
        return Whose(unresolved=f"{reference[:120]} is not in this file")

    def _referred(self, reference: str, contained: list[Body]) -> Whose | None:
        if reference.startswith("#"):
            inner = _inner(reference, contained)
            return patient_of(inner) if text_of(inner, "resourceType") == "Patient" else None
        if "?" in reference:
            return _asked_for(reference)
        for key in _keys_of(reference):
            if key in self._patients:
                found = self._patients[key]
                if found is _AMBIGUOUS:
                    return Whose(unresolved=f"{reference[:120]} means two patients of this file")
                return found
        return None

    def sample(self, specimen: Any, contained: list[Body]) -> Sample:
        """What the specimen that is named here adds; the first, where there are several."""
        for one in objects(specimen):
            reference = text_of(one, "reference")
            if reference.startswith("#"):
                inner = _inner(reference, contained)
                if inner:
                    return sample_of(inner)
            for key in _keys_of(reference):
                if key in self._samples:
                    return self._samples[key]
            number = text_of(one.get("identifier"), "value")
            tail = _TAIL.search(reference)
            kinds = _kinds_in(text_of(one, "display"))
            if number or tail or kinds:
                return Sample(id=number or (tail[2] if tail else ""), kinds=kinds)
        return Sample()


def _kinds_in(display: str) -> tuple[tuple[str, str], ...]:
    """What a reference to a specimen is called, where that is a kind: `Urine`, not `Tube 4`."""
    is_kind = is_not_blood(display) or key_of(display) in vocabulary().blood
    return ((display, ""),) if display and is_kind else ()


def around_of(body: Body, specimen: Any) -> Around:
    """What a report or panel says of the results that it names."""
    subject, issued = body.get("subject"), text_of(body, "issued")
    status = text_of(body, "status")
    taken_back = status if status in _TAKEN_BACK else ""
    order = order_of_no_blood(body)
    return Around(subject, effective_of(body), specimen, issued, order, taken_back)


def order_of_no_blood(body: Body) -> str:
    """The name of a report or panel that says that it is of urine and the like; else empty."""
    code = body.get("code")
    names = [*(text_of(it, "display") for it in codings(code)), text_of(code, "text")]
    return next((it for it in names if vocabulary().is_of_no_blood(it)), "")


def members_of(body: Body) -> Iterator[Body]:
    """The references of a panel to its members; STU3 calls them related."""
    yield from objects(body.get("hasMember"))
    for one in objects(body.get("related")):
        target = one.get("target")
        if text_of(one, "type") == "has-member" and isinstance(target, dict):
            yield target


def effective_of(body: Body) -> str:
    """When what is observed was so: of a period its begin, of a timing its first event."""
    period, timing = body.get("effectivePeriod"), body.get("effectiveTiming")
    events = many(timing.get("event")) if isinstance(timing, dict) else []
    found = (
        text_of(body, "effectiveDateTime"),
        text_of(body, "effectiveInstant"),
        text_of(period, "start") or text_of(period, "end"),
        *(it for it in events if isinstance(it, str)),
    )
    return next((text for text in found if text), "")


def patient_of(body: Body) -> Whose:
    """Number, issuer, name and birth date of a Patient."""
    mrn, issuer = _identified(many(body.get("identifier")))
    names = objects(body.get("name"))
    name = min(names, key=_name_rank, default={})
    given = " ".join(it.strip() for it in many(name.get("given")) if isinstance(it, str))
    unresolved = "" if mrn else "the Patient has no identifier that is a patient's number"
    birth = text_of(body, "birthDate")
    return Whose(
        mrn=mrn,
        issuer=issuer,
        family_name=text_of(name, "family"),
        given_name=given,
        birth_date=birth if len(birth) >= len("2000-01-01") else "",
        unresolved=unresolved,
    )


def successions(body: Body) -> Iterator[tuple[str, Any]]:
    """The links of a Patient that say which record counts: `replaced-by`, `replaces`."""
    for link in objects(body.get("link")):
        if text_of(link, "type") in ("replaced-by", "replaces"):
            yield text_of(link, "type"), link.get("other")


def sample_of(body: Body) -> Sample:
    """Number, time of collection, kind and state of a Specimen."""
    numbers = objects(body.get("identifier"))
    filler = [it for it in numbers if "FILL" in _types(it)]
    number = next(
        (it for one in [*filler, *numbers] if (it := text_of(one, "value"))),
        "",
    )
    collection = body.get("collection")
    period = collection.get("collectedPeriod") if isinstance(collection, dict) else None
    kind = body.get("type")
    kinds = [
        (text_of(it, name), text_of(it, "system"))
        for it in codings(kind)
        for name in ("code", "display")
    ]
    kinds.append((text_of(kind, "text"), ""))
    notes = [text_of(it, "text") for it in objects(body.get("note"))]
    notes += [word for it in objects(body.get("condition")) for word in [word_of(it)]]
    if text_of(body, "status") == "unsatisfactory":
        notes.append("specimen unsatisfactory")
    return Sample(
        id=text_of(body.get("accessionIdentifier"), "value") or number,
        collected=text_of(collection, "collectedDateTime") or text_of(period, "start"),
        kinds=tuple(it for it in kinds if it[0]),
        notes=tuple(it for it in notes if it),
    )


def codings(concept: Any) -> list[Body]:
    """The codings of a CodeableConcept."""
    return objects(concept.get("coding")) if isinstance(concept, dict) else []


def word_of(concept: Any) -> str:
    """A CodeableConcept in words: its text, else what its first coding displays or is."""
    if text := text_of(concept, "text"):
        return text
    found = (text_of(it, name) for it in codings(concept) for name in ("display", "code"))
    return next((word for word in found if word), "")


def _identified(identifiers: list[Any]) -> tuple[str, str]:
    """The likeliest patient's number among identifiers, and who gave it out: one of type MR
    first, then another patient's number, then one that does not say its type."""
    found = [
        it
        for it in objects(identifiers)
        if text_of(it, "value")
        and text_of(it, "use") != "old"
        and not any(kind in _NO_NUMBERS for kind in _types(it))
    ]
    if not found:
        return "", ""
    chosen = min(found, key=_preference)
    issuer = text_of(chosen, "system") or text_of(chosen.get("assigner"), "display")
    return text_of(chosen, "value"), issuer


def _types(identifier: Body) -> list[str]:
    """The codes of its type; MR, too, where its text alone says so."""
    kind = identifier.get("type")
    codes = [text_of(it, "code").upper() for it in codings(kind)]
    said = text_of(kind, "text").casefold() in _MR_IN_WORDS
    return ["MR"] if said and not any(codes) else codes


def _preference(identifier: Body) -> tuple[int, int]:
    types = _types(identifier)
    ranks = [_rank(kind) for kind in types] or [4]
    return min(ranks), 0 if text_of(identifier, "use") in ("usual", "official", "") else 1


def _rank(kind: str) -> int:
    """How likely an identifier of a type of table 0203 is the clinic's own number."""
    if kind in ("MR", "MRN"):
        return 0
    if kind.startswith("MR"):
        return 1
    return {"PI": 2, "PT": 3}.get(kind, 5)


def _name_rank(name: Body) -> int:
    order = ("official", "usual", "", "maiden", "nickname", "temp", "anonymous", "old")
    use = text_of(name, "use")
    return order.index(use) if use in order else len(order)


def _asked_for(reference: str) -> Whose | None:
    """A conditional reference: `Patient?identifier=system|value`."""
    kind, _, query = reference.partition("?")
    asked = parse_qs(query).get("identifier", [])
    if kind.rpartition("/")[2] != "Patient" or len(asked) != 1:
        return None
    system, bar, value = asked[0].rpartition("|")
    return Whose(mrn=value.strip(), issuer=system.strip() if bar else "") if value else None


def _inner(reference: str, contained: list[Body]) -> Body:
    found = [it for it in contained if text_of(it, "id").lstrip("#") == reference[1:]]
    return found[0] if len(found) == 1 else {}


def _keys(found: Found) -> list[str]:
    """How others refer to a resource."""
    body = found.body
    keys = _keys_of(found.url)
    if number := text_of(body, "id"):
        keys.append(f"{text_of(body, 'resourceType')}/{number}")
    return list(dict.fromkeys(keys))


def _keys_of(reference: str) -> list[str]:
    """A reference to the letter, and its end `Patient/id`."""
    if not reference or reference.startswith("#"):
        return []
    tail = _TAIL.search(reference)
    keys = [reference.partition("/_history/")[0]]
    return keys + ([f"{tail[1]}/{tail[2]}"] if tail else [])
