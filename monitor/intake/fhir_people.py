"""Whose an Observation is, and what the resources around it add: patients, specimens, reports.

A reference is followed within its file alone: by fullUrl, by `Patient/id`, into `contained`,
or by the identifier that it names itself. Where it leads nowhere, or to two patients, the row
says so and is held; nothing is guessed. Source: FHIR R4, 2.3 (references), 2.36.4 (resolving
references in Bundles).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from monitor.intake.conditions import condition
from monitor.intake.fhir_around import (
    Around,
    Arounds,
    around_of,
    members_of,
    order_of_no_blood,
)
from monitor.intake.fhir_genes import own_gene, sources_of
from monitor.intake.fhir_json import Body, Found
from monitor.intake.fhir_parts import (
    TAIL,
    base_of,
    codings,
    keys_of,
    keys_to,
    many,
    objects,
    text_of,
    word_of,
)
from monitor.intake.genes import the_one
from monitor.intake.hl7_values import is_not_blood
from monitor.intake.row_steps import is_whole_name
from monitor.intake.survey import UnreadableFile
from monitor.intake.vocabulary import key_of, vocabulary

MOST_KEPT = 2_000_000
"""Patients, specimens and reported results that are kept in mind while a file is read."""
_NO_NUMBERS = frozenset("SS SB DL PPN AN VN BC XX CZ DR TAX".split())
"""Types of identifiers (table 0203) that are no patient's number."""
_REQUESTS = frozenset(
    {"ServiceRequest", "ProcedureRequest", "DiagnosticRequest", "DiagnosticOrder"}
)
"""What asks for a test, in R4 and in earlier versions."""
_OLDEST = 4
"""Generations of specimens that are looked through for what the first was."""
_DOUBTFUL_STATES = {
    "unsatisfactory": "specimen unsatisfactory",
    "entered-in-error": "specimen entered in error",
}
"""States of a Specimen by which nothing that was measured in it can be relied on."""
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
    parents: tuple[str, ...] = ()
    """How those are referred to that it was made of."""
    unsure: str = ""
    """What one of several specimens is that are named together, where it is no blood and another
    may be."""

    @property
    def of_no_blood(self) -> str:
        """The kind that says that it is no blood; empty where none does."""
        return next((name for name, system in self.kinds if is_not_blood(name, system)), "")


_AMBIGUOUS = Whose(unresolved="two patients")


class Surroundings:
    """All that a file says beside its Observations, gathered before the rows are made."""

    def __init__(self, system: str = "") -> None:
        self.system = system
        """Whose numbers the source's mapping names as the patients', where it names any."""
        self._patients: dict[str, Whose] = {}
        self._bases: dict[str, str] = {}
        """The server of a patient by the end of an address, where the file says it."""
        self._samples: dict[str, Sample] = {}
        self._arounds = Arounds()
        self._orders: dict[str, str] = {}
        self._genes: dict[str, str] = {}
        self.kinds: set[str] = set()

    def add(self, found: Found) -> None:
        """Note what a resource says of others. Raises UnreadableFile beyond MOST_KEPT."""
        body = found.body
        kind = text_of(body, "resourceType")
        self.kinds.add(kind)
        if kind == "Patient":
            whose = patient_of(body, self.system)
            base = base_of(found.url)
            for key in keys_to(found):
                self._bases.update({key: base} if base else {})
                known = self._patients.setdefault(key, whose)
                if known != whose:
                    self._patients[key] = _AMBIGUOUS
        elif kind == "Specimen":
            sample = sample_of(body)
            self._samples.update((key, sample) for key in keys_to(found))
        elif kind == "DiagnosticReport":
            self._note(found, body.get("result"), is_report=True)
        elif kind == "Observation":
            self._add_observation(found)
        elif kind in _REQUESTS and (order := order_of_no_blood(body)):
            self._orders.update((key, order) for key in keys_to(found))
        noted = (self._patients, self._samples, self._orders, self._genes, self._arounds)
        kept = sum(len(it) for it in noted)
        if kept > MOST_KEPT:
            raise UnreadableFile(
                f"more than {MOST_KEPT} patients, specimens and reported results refer to each "
                "other in one file; split it"
            )

    def _add_observation(self, found: Found) -> None:
        if gene := own_gene(found.body):
            self._genes.update((key, gene) for key in keys_to(found))
        members = list(members_of(found.body))
        if members:
            self._note(found, members, is_report=False)

    def _note(self, found: Found, references: Any, *, is_report: bool) -> None:
        body = found.body
        around = around_of(body, self._lifted(found, body.get("specimen")), keys_to(found))
        around = replace(around, subject=next(iter(self._lifted(found, body.get("subject"))), None))
        self._arounds.note(around, references, is_report=is_report)

    def _lifted(self, found: Found, references: Any) -> list[Body]:
        """References out of a resource, also those into what it contains: others go by them."""
        lifted: list[Body] = []
        for one in objects(references):
            reference = text_of(one, "reference")
            if reference.startswith("#"):
                inner = _inner(reference, objects(found.body.get("contained")))
                key = f"{found.line}:{found.place}{reference}"
                if text_of(inner, "resourceType") == "Specimen":
                    self._samples[key] = sample_of(inner)
                elif text_of(inner, "resourceType") == "Patient":
                    self._patients[key] = patient_of(inner, self.system)
                one = {**one, "reference": key}
            lifted.append(one)
        return lifted

    def say(self, found: Found, text: str) -> None:
        """Note what an Observation says of the sample, for the results beside it."""
        self._arounds.say(keys_to(found), text)

    def around(self, found: Found) -> Around:
        """What the reports and panels above this Observation say of it."""
        return self._arounds.of(keys_to(found))

    def order_of(self, body: Body) -> str:
        """What an Observation was asked for as, where that says that it is of no blood."""
        asked = (text_of(it, "reference") for it in objects(body.get("basedOn")))
        keys = (key for reference in asked for key in keys_of(reference))
        return next((self._orders[key] for key in keys if key in self._orders), "")

    def gene_behind(self, body: Body) -> str:
        """The gene of what an Observation was derived from; empty where those are of several."""
        keys = (key for reference in sources_of(body) for key in keys_of(reference))
        return the_one({self._genes[key] for key in keys if key in self._genes})

    def whose(self, subject: Any, contained: list[Body]) -> Whose:
        """The patient that a subject names."""
        if not isinstance(subject, dict):
            return Whose(unresolved="no patient is named")
        reference = text_of(subject, "reference")
        found = self._referred(reference, contained)
        if found is not None and found.mrn:
            return found
        named = _identified([subject.get("identifier")], self.system)
        if named[0]:
            return replace(found or Whose(), mrn=named[0], issuer=named[1], unresolved="")
        if found is not None:
            return found
        kind = text_of(subject, "type") or (TAIL.search(reference) or ("", ""))[1]
        if kind not in ("", "Patient"):
            return Whose(unresolved=f"the subject is a {kind[:40]}, no Patient")
        if not reference:
            return Whose(unresolved="the subject names no patient")
        return Whose(unresolved=f"{reference[:120]} is not in this file")

    def _referred(self, reference: str, contained: list[Body]) -> Whose | None:
        if reference.startswith("#"):
            inner = _inner(reference, contained)
            is_patient = text_of(inner, "resourceType") == "Patient"
            return patient_of(inner, self.system) if is_patient else None
        if "?" in reference:
            return _asked_for(reference)
        base = base_of(reference)
        for key in keys_of(reference):
            if key in self._patients and base in ("", self._bases.get(key, base)):
                found = self._patients[key]
                if found is _AMBIGUOUS:
                    return Whose(unresolved=f"{reference[:120]} means two patients of this file")
                return found
        return None

    def sample(self, specimen: Any, contained: list[Body]) -> Sample:
        """What the specimen that is named here adds. Of several, the first that may be blood, and
        that another is none."""
        named = (self._one_sample(one, contained) for one in objects(specimen))
        found = [it for it in named if it is not None]
        others = [it for it in found if it.of_no_blood]
        if not others or len(others) == len(found):
            return found[0] if found else Sample()
        first = next(it for it in found if not it.of_no_blood)
        return replace(first, unsure=others[0].of_no_blood)

    def _one_sample(self, one: Body, contained: list[Body]) -> Sample | None:
        reference = text_of(one, "reference")
        if reference.startswith("#") and (inner := _inner(reference, contained)):
            return self._whole(sample_of(inner))
        for key in keys_of(reference):
            if key in self._samples:
                return self._whole(self._samples[key])
        number = text_of(one.get("identifier"), "value")
        tail = TAIL.search(reference)
        kinds = _kinds_in(text_of(one, "display"))
        if number or tail or kinds:
            return Sample(id=number or (tail[2] if tail else ""), kinds=kinds)
        return None

    def _whole(self, sample: Sample) -> Sample:
        """A specimen with what only those say that it was made of: an aliquot of urine is urine."""
        parents = sample.parents
        for _ in range(_OLDEST):
            above = next((self._samples[it] for it in parents if it in self._samples), None)
            if above is None:
                break
            collected, kinds = sample.collected or above.collected, sample.kinds or above.kinds
            sample, parents = replace(sample, collected=collected, kinds=kinds), above.parents
        return sample


def _kinds_in(display: str) -> tuple[tuple[str, str], ...]:
    """What a reference to a specimen is called, where that is a kind: `Urine`, not `Tube 4`."""
    is_kind = is_not_blood(display) or key_of(display) in vocabulary().blood
    return ((display, ""),) if display and is_kind else ()


def patient_of(body: Body, system: str = "") -> Whose:
    """Number, issuer, name and birth date of a Patient. A name that is one text alone is a whole
    one; that of DSTU2 has several families."""
    mrn, issuer = _identified(many(body.get("identifier")), system)
    names = objects(body.get("name"))
    name = min(names, key=_name_rank, default={})
    family, given = (
        " ".join(it.strip() for it in many(name.get(part)) if isinstance(it, str))
        for part in ("family", "given")
    )
    if not family and not given and is_whole_name(text_of(name, "text")):
        family = text_of(name, "text")
    unresolved = "" if mrn else "the Patient has no identifier that is a patient's number"
    birth = text_of(body, "birthDate")
    return Whose(
        mrn=mrn,
        issuer=issuer,
        family_name=family,
        given_name=given,
        birth_date=birth if len(birth) >= len("2000-01-01") else "",
        unresolved=unresolved,
    )


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
    notes += [condition(word_of(it)) for it in objects(body.get("condition"))]
    notes.append(_DOUBTFUL_STATES.get(text_of(body, "status"), ""))
    return Sample(
        id=text_of(body.get("accessionIdentifier"), "value") or number,
        collected=text_of(collection, "collectedDateTime") or text_of(period, "start"),
        kinds=tuple(it for it in kinds if it[0]),
        notes=tuple(it for it in notes if it),
        parents=tuple(
            key for it in objects(body.get("parent")) for key in keys_of(text_of(it, "reference"))
        ),
    )


def _identified(identifiers: list[Any], system: str = "") -> tuple[str, str]:
    """The likeliest patient's number among identifiers, and who gave it out: one of type MR
    first, then another patient's number, then one that does not say its type. Where the source
    names a system, its number and no other, of whatever type."""
    found = [
        it
        for it in objects(identifiers)
        if text_of(it, "value")
        and (not system or text_of(it, "system") == system)
        and text_of(it, "use") != "old"
        and (system or not any(kind in _NO_NUMBERS for kind in _types(it)))
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


def _preference(identifier: Body) -> tuple[int, bool, bool]:
    types = _types(identifier)
    ranks = [_rank(kind) for kind in types] or [4]
    is_secondary = text_of(identifier, "use") not in ("usual", "official", "")
    has_ended = bool(text_of(identifier.get("period"), "end"))
    return min(ranks), has_ended, is_secondary


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
