"""What reports and panels say of the results that they name, however deep laboratories nest them.

A report names panels, and a panel names its members; each may leave out what the one above says:
whose it is, when and from what it was collected, and that there is no such report. So a result
goes by the nearest of them that says it. Source: FHIR R4, DiagnosticReport ("Panels"),
Observation.hasMember.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.intake.fhir_json import Body
from monitor.intake.fhir_parts import codings, keys_of, many, objects, text_of
from monitor.intake.under_headings import material_of
from monitor.intake.vocabulary import vocabulary

_TAKEN_BACK = ("entered-in-error", "cancelled")
_DEEPEST = 30
"""Panels above a result that are looked through; no laboratory puts a tenth of them together."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the report or panel that names an Observation says of it."""

    subject: Any = None
    collected: str = ""
    specimen: Any = None
    issued: str = ""
    order: str | None = None
    """What it is called, where that says that it is of no blood; empty where it says that it is of
    blood, None where it says nothing."""
    taken_back: str = ""
    """Its status, where that says that there is no such report."""
    notes: tuple[str, ...] = ()
    """What is told beside the results: a report's conclusion, the notes of a panel."""
    version_at: str = ""
    """When this version of the Observation came, in a file of several versions."""
    keys: tuple[str, ...] = ()
    """How others refer to it."""
    members: tuple[str, ...] = ()
    """How it refers to the results that it names, where those are not very many."""


_NOTHING = Around()
_MOST_MEMBERS = 1000
"""Results of a report beside which a text of its own is looked for."""


class Arounds:
    """The reports and panels of a file, by the results that they name."""

    def __init__(self) -> None:
        self._reports: dict[str, Around] = {}
        self._panels: dict[str, Around] = {}
        self._said: dict[str, str] = {}
        """What results of their own say of the sample, by how others refer to them."""

    def __len__(self) -> int:
        return len(self._reports) + len(self._panels)

    def note(self, around: Around, references: Any, *, is_report: bool) -> None:
        """Keep what a report or panel says of the results that it refers to."""
        kept = self._reports if is_report else self._panels
        named = [text_of(it, "reference") for it in objects(references)]
        if len(named) <= _MOST_MEMBERS:
            around = replace(around, members=tuple(named))
        for reference in objects(references):
            for key in keys_of(text_of(reference, "reference")):
                kept[key] = _either(kept[key], around) if key in kept else around

    def of(self, keys: Sequence[str]) -> Around:
        """What those above say of the result with these keys: the panel first, then whoever names
        that, then the report that names the result itself."""
        found = self._of(keys, frozenset(), _DEEPEST)
        if not self._said:
            return found
        others = (key for it in found.members for key in keys_of(it) if key not in keys)
        said = (self._said[key] for key in others if key in self._said)
        return replace(found, notes=tuple(dict.fromkeys((*found.notes, *said))))

    def say(self, keys: Sequence[str], text: str) -> None:
        """Keep what a result of its own says of the sample: of all that are named beside it."""
        self._said.update(dict.fromkeys(keys, text))

    def _of(self, keys: Sequence[str], below: frozenset[str], above: int) -> Around:
        panel = next((self._panels[it] for it in keys if it in self._panels), _NOTHING)
        report = next((self._reports[it] for it in keys if it in self._reports), _NOTHING)
        if panel is _NOTHING:
            return report
        passed = below.union(keys)
        if above and passed.isdisjoint(panel.keys):
            panel = _over(panel, self._of(panel.keys, passed, above - 1))
        return _over(panel, report)


def around_of(body: Body, specimen: Any, keys: Sequence[str] = ()) -> Around:
    """What a report or panel says of the results that it names."""
    status = text_of(body, "status")
    return Around(
        subject=body.get("subject"),
        collected=effective_of(body),
        specimen=specimen,
        issued=text_of(body, "issued"),
        order=_order_of(body),
        taken_back=status if status in _TAKEN_BACK else "",
        notes=notes_of(body),
        keys=tuple(keys),
    )


def notes_of(body: Body) -> tuple[str, ...]:
    """The texts of an Observation or a report; STU3 and DSTU2 have one text."""
    notes = [text_of(note, "text") for note in objects(body.get("note"))]
    notes += [text_of(body, name) for name in ("comment", "comments", "conclusion")]
    return tuple(note for note in notes if note)


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


def members_of(body: Body) -> Iterator[Body]:
    """The references of a panel to its members; STU3 calls them related."""
    yield from objects(body.get("hasMember"))
    for one in objects(body.get("related")):
        target = one.get("target")
        if text_of(one, "type") == "has-member" and isinstance(target, dict):
            yield target


def order_of_no_blood(body: Body) -> str:
    """The name of a report, panel or request that says that it is of urine and the like."""
    return next((it for it in _names_of(body, "code") if vocabulary().is_of_no_blood(it)), "")


def place_of_no_blood(body: Body) -> str:
    """The category (`Urinalysis`) or the site of the body (`Pleural cavity`) of an Observation
    that says the same."""
    names = (name for member in ("category", "bodySite") for name in _names_of(body, member))
    return next((it for it in names if vocabulary().is_of_no_blood(it)), "")


def _order_of(body: Body) -> str | None:
    said = (material_of(name) for name in _names_of(body, "code"))
    found = [it for it in said if it is not None]
    return next((it for it in found if it), "") if found else None


def _names_of(body: Body, member: str) -> list[str]:
    concepts = objects(body.get(member))
    names = [text_of(it, "display") for concept in concepts for it in codings(concept)]
    return [name for name in (*names, *(text_of(it, "text") for it in concepts)) if name]


def _over(near: Around, far: Around) -> Around:
    """What the nearer one says, and of what it does not say what the farther one does."""
    return Around(
        subject=near.subject or far.subject,
        collected=near.collected or far.collected,
        specimen=near.specimen or far.specimen,
        issued=near.issued or far.issued,
        order=far.order if near.order is None else near.order,
        taken_back=near.taken_back or far.taken_back,
        notes=tuple(dict.fromkeys((*near.notes, *far.notes))),
        members=tuple(dict.fromkeys((*near.members, *far.members))),
    )


def _either(one: Around, other: Around) -> Around:
    """Of two reports, or two panels, that name the same result: it is taken back where both are."""
    taken_back = one.taken_back if other.taken_back else ""
    return replace(_over(one, other), taken_back=taken_back, keys=one.keys + other.keys)
