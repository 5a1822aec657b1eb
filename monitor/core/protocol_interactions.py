"""`[[interactions]]` of a protocol file: what another drug, a vaccine or a life event means for
who takes the monitored drug.

What the values mean to a patient is in `interactions.py`; the keys are in
docs/protocol-files.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from monitor.core.calendar import Duration
from monitor.core.drugs import DrugNames
from monitor.core.faults import nearest
from monitor.core.indications import read_indications
from monitor.core.toml_reader import Table, suggest
from monitor.core.vocabulary import Kind, Urgency

INTERACTION_KEYS: Mapping[str, tuple[str, ...]] = {
    "interactions[]": (
        "id", "title", "event", "drugs", "classes", "not_classes", "indications", "except",
        "action", "urgency", "say", "source", "note", "restart", "counts_before", "tests",
        "intended",
    ),
    "interactions[].tests[]": (
        "panel", "every", "lasting", "after", "within", "after_stop", "urgency",
    ),
    "interactions[].intended": (
        "at_least", "at_most", "of_highest_within", "usual_mg_per_kg", "say",
    ),
}  # fmt: skip
COMEDICATION = "comedication"
EVENTS = (COMEDICATION, "vaccine", "pregnancy", "breastfeeding")
"""What an interaction may be about: a drug on the list, or an event of its own."""
AFTER = ("start", "dose", "hold", "resume", "stop")
"""What happens to the monitored drug that a test may follow; `start` is the first day on which
both drugs are taken."""
ACTIONS = (Kind.INTERACTION, Kind.REVIEW)
NO_TIME = Duration(text="0 days")
_FRACTION = re.compile(r"([1-9]\d?)/([1-9]\d?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraTest:
    """A panel that an interaction asks for beside the schedule: at an interval (`every`), or
    once `within` a time after each of the events `after`; and once more `after_stop`."""

    panel: str
    every: Duration | None = None
    lasting: Duration | None = None
    """How long after both are taken; None: as long as they are."""
    after: tuple[str, ...] = ()
    within: Duration | None = None
    after_stop: Duration | None = None
    urgency: Urgency = Urgency.URGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """When a documented intended combination answers the alarm: the dose of the monitored drug
    is at most this part of the highest dose in force within a time before the combination, or,
    where none is known, of the usual dose for the weight."""

    at_most: Fraction
    text: str
    """As people read it: `1/4 to 1/3`."""
    of_highest_within: Duration
    usual_mg_per_kg: Decimal | None = None
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One entry. With neither `drugs` nor `classes` an event counts whatever its value."""

    id: str
    title: str
    urgency: Urgency
    source: str
    say: str
    event: str = COMEDICATION
    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    not_classes: tuple[str, ...] = ()
    """Drugs known by name or class that it is not about; for `vaccine`: those known as harmless."""
    indications: tuple[str, ...] = ()
    except_indications: tuple[str, ...] = ()
    action: Kind = Kind.INTERACTION
    note: str = ""
    restart: bool = False
    counts_before: Duration = NO_TIME
    """How long before the start of treatment an event still counts."""
    tests: tuple[ExtraTest, ...] = ()
    intended: Intended | None = None

    def is_about(self, name: str, names: DrugNames) -> bool:
        """Whether a drug or vaccine, by the name protocols use, is one of those meant."""
        classes = names.classes_of(name)
        if name in self.not_classes or any(it in self.not_classes for it in classes):
            return False
        if not self.drugs and not self.classes:
            return True
        return name in self.drugs or any(it in self.classes for it in classes)


def read_interactions(
    top: Table, names: DrugNames, panel_ids: Sequence[str]
) -> tuple[Interaction, ...]:
    """The interactions of a file; faults go into the report of `top`."""
    return tuple(
        _interaction(table, names, panel_ids)
        for table in top.tables("interactions", INTERACTION_KEYS["interactions[]"])
    )


def _interaction(table: Table, names: DrugNames, panel_ids: Sequence[str]) -> Interaction:
    table.report.label(table.path, f"interaction {table.peek('id')}")
    event = table.text("event", COMEDICATION)
    if event not in EVENTS:
        table.fault("event", "is nothing an interaction can be about", suggest(event, EVENTS))
    drugs, classes = table.texts("drugs"), table.texts("classes")
    _check_known(table, "drugs", drugs, tuple(names.drugs))
    _check_known(table, "classes", classes, tuple(sorted(names.classes)))
    unless = table.texts("not_classes")
    _check_known(table, "not_classes", unless, (*sorted(names.classes), *names.drugs))
    if event == COMEDICATION and not drugs and not classes and table.sound:
        table.report.add(table.at("drugs"), "", "is missing", "`drugs` or `classes`")
    inner = Table(table.report, table.at("intended"), table.mapping("intended"), _INTENDED)
    return Interaction(
        id=table.name("id"),
        title=table.text("title"),
        event=event,
        drugs=drugs,
        classes=classes,
        not_classes=unless,
        indications=read_indications(table, "indications"),
        except_indications=read_indications(table, "except"),
        action=table.optional_choice("action", ACTIONS) or Kind.INTERACTION,
        urgency=table.choice("urgency", tuple(Urgency)),
        say=table.text("say"),
        source=table.text("source"),
        note=table.text("note", "", long=True),
        restart=table.flag("restart"),
        counts_before=table.optional_duration("counts_before", zero=True) or NO_TIME,
        tests=tuple(
            _test(row, panel_ids)
            for row in table.tables("tests", INTERACTION_KEYS["interactions[].tests[]"])
        ),
        intended=_intended(inner) if inner.data else None,
    )


_INTENDED = INTERACTION_KEYS["interactions[].intended"]


def _check_known(table: Table, key: str, named: Sequence[str], known: Sequence[str]) -> None:
    for name in named:
        if name not in known:
            problem = f"names {name}, which analytes.toml does not know"
            valid = nearest(name, known)
            if key == "drugs":
                valid += ", or the drug added to [drugs] of analytes.toml"
            table.fault(key, problem, valid)


def _test(table: Table, panel_ids: Sequence[str]) -> ExtraTest:
    panel = table.text("panel")
    if panel and panel not in panel_ids:
        table.fault("panel", "is no panel of this file", suggest(panel, panel_ids))
    test = ExtraTest(
        panel=panel,
        every=table.optional_duration("every"),
        lasting=table.optional_duration("lasting"),
        after=table.texts("after", AFTER),
        within=table.optional_duration("within"),
        after_stop=table.optional_duration("after_stop"),
        urgency=table.optional_choice("urgency", tuple(Urgency)) or Urgency.URGENT,
    )
    if table.sound and test.every is None and not test.after and test.after_stop is None:
        table.report.add(table.path, "", "asks for nothing", "`every`, `after` or `after_stop`")
    if table.sound and bool(test.after) is not (test.within is not None):
        table.report.add(table.path, "", "needs both or neither", "`after` and `within`")
    if table.sound and test.lasting is not None and test.every is None:
        table.fault("lasting", "means nothing without `every`", "`every` beside it")
    return test


def _intended(table: Table) -> Intended:
    at_most, least = _fraction(table, "at_most"), None
    if "at_least" in table:
        least = _fraction(table, "at_least")
        if table.sound and least >= at_most:
            table.fault("at_least", "is not less than at_most", "a smaller part")
    shown = f"{at_most.numerator}/{at_most.denominator}"
    return Intended(
        at_most=at_most,
        text=shown if least is None else f"{least.numerator}/{least.denominator} to {shown}",
        of_highest_within=table.duration("of_highest_within"),
        usual_mg_per_kg=table.number("usual_mg_per_kg"),
        say=table.text("say", ""),
    )


def _fraction(table: Table, key: str) -> Fraction:
    match = _FRACTION.fullmatch(table.text(key).strip())
    found = Fraction(int(match[1]), int(match[2])) if match else Fraction(1)
    if table.sound and not 0 < found < 1:
        table.fault(key, "is no part of a dose", 'a fraction such as "1/3"')
    return found if found < 1 else Fraction(1, 2)
