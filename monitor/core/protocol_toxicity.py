"""Reading `[[symptoms]]` and `[[combinations]]` of a protocol file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from monitor.core.catalogue import Catalogue
from monitor.core.faults import almost
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report, Table, is_no_name, members, suggest, texts_at
from monitor.core.toxicity_rules import (
    AfterEvent,
    Combination,
    CombinationLevel,
    LastValue,
    NoValue,
    SymptomLevel,
    SymptomRule,
)
from monitor.core.vocabulary import SYMPTOMS, Kind, Urgency

TOXICITY_KEYS: Mapping[str, tuple[str, ...]] = {
    "symptoms[]": (
        "id", "title", "source", "note", "groups", "together", "unless", "test_today", "levels",
    ),
    "symptoms[].levels[]": (
        "action", "urgency", "say", "soon_after_start", "last", "none_since", "after",
    ),
    "symptoms[].levels[].last": ("analyte", "below"),
    "symptoms[].levels[].none_since": ("analyte", "within", "phase"),
    "symptoms[].levels[].after": ("event", "within"),
    "combinations[]": ("id", "title", "source", "note", "lines", "together", "levels"),
    "combinations[].levels[]": ("lines_low", "action", "urgency", "say"),
}  # fmt: skip
_ACTIONS = (Kind.REVIEW, Kind.WITHHOLD, Kind.DOSE_REDUCTION, Kind.DISCONTINUE)
_LASTING = ("pregnancy", "breastfeeding", "transfusion", "relapse", "vaccine")


def read_symptoms(
    top: Table, catalogue: Catalogue, panels: Sequence[str], phases: Sequence[str]
) -> tuple[SymptomRule, ...]:
    """The symptom rules of a file; faults go into the report of `top`."""
    reader = _Symptoms(top.report, catalogue, panels, phases)
    rules = tuple(reader.rule(it) for it in top.tables("symptoms", TOXICITY_KEYS["symptoms[]"]))
    ids = [rule.id for rule in rules]
    for place, rule in enumerate(rules):
        for name in rule.unless:
            if name not in ids or name == rule.id:
                others = [it for it in ids if it != rule.id]
                path = ("symptoms", place, "unless")
                top.report.add(path, name, "is no other symptom rule", suggest(name, others))
    return rules


def read_combinations(top: Table, rules: Sequence[str]) -> tuple[Combination, ...]:
    """The combinations of a file, whose lines name its rules."""
    return tuple(
        _combination(table, rules)
        for table in top.tables("combinations", TOXICITY_KEYS["combinations[]"])
    )


class _Symptoms:
    def __init__(
        self,
        report: Report,
        catalogue: Catalogue,
        panels: Sequence[str],
        phases: Sequence[str],
    ) -> None:
        self._report = report
        self._catalogue = catalogue
        self._panels = panels
        self._phases = phases

    def rule(self, table: Table) -> SymptomRule:
        self._report.label(table.path, f"symptom rule {table.peek('id')}")
        groups = self._groups(table)
        together = table.optional_duration("together")
        if len(groups) > 1 and together is None:
            valid = 'a duration such as "7 days"'
            self._report.add(table.at("together"), "", "is missing beside several groups", valid)
        if len(groups) == 1 and together is not None:
            table.fault("together", "means nothing with one group", "leave it out")
        levels = tuple(
            self._level(it) for it in table.tables("levels", TOXICITY_KEYS["symptoms[].levels[]"])
        )
        _check_ladder(self._report, table.at("levels"), [it.urgency for it in levels])
        return SymptomRule(
            id=table.name("id"),
            title=table.text("title"),
            source=table.text("source"),
            note=table.text("note", "", long=True),
            groups=groups,
            together=together,
            unless=table.texts("unless"),
            test_today=table.texts("test_today", self._panels),
            levels=levels,
        )

    def _groups(self, table: Table) -> tuple[tuple[str, ...], ...]:
        found = []
        path = table.at("groups")
        for place, value in members(self._report, path, table.data.get("groups", []), "lists"):
            words = texts_at(self._report, place, value)
            for word in words:
                if is_no_name(word):
                    valid = "as in the events file: small letters and _, such as sore_throat"
                    self._report.add(place, word, "is no symptom", valid)
                check_symptom_word(self._report, place, word)
            found.append(words)
        if not all(found) or not found:
            self._report.add(path, "", "names no symptom", 'a list such as [["fever", "rash"]]')
        return tuple(found)

    def _level(self, table: Table) -> SymptomLevel:
        return SymptomLevel(
            action=table.choice("action", _ACTIONS),
            urgency=table.choice("urgency", tuple(Urgency)),
            say=_sentences(table),
            soon_after_start=table.optional_duration("soon_after_start"),
            last=self._last(table),
            none_since=self._none_since(table),
            after=_after(table),
        )

    def _last(self, level: Table) -> LastValue | None:
        table = _inner(level, "last")
        if table is None:
            return None
        return LastValue(analyte=self._analyte(table), below=table.needed_number("below"))

    def _none_since(self, level: Table) -> NoValue | None:
        table = _inner(level, "none_since")
        if table is None:
            return None
        phase = table.text("phase")
        if phase and phase not in self._phases:
            table.fault("phase", "is no phase of this file", suggest(phase, self._phases))
        return NoValue(analyte=self._analyte(table), within=table.duration("within"), phase=phase)

    def _analyte(self, table: Table) -> str:
        name = table.text("analyte")
        if name and name not in self._catalogue.analytes:
            valid = self._catalogue.suggest(name)
            table.fault("analyte", "is no analyte of analytes.toml", valid)
        return name


def check_symptom_word(report: Report, path: Path, word: str) -> None:
    """A symptom that nobody writes would never be met."""
    meant = almost(word, SYMPTOMS)
    if meant:
        report.add(path, word, "is no word of the events file", f'did you mean "{meant}"?')


def _inner(level: Table, key: str) -> Table | None:
    if key not in level:
        return None
    return level.table(key, TOXICITY_KEYS[f"symptoms[].levels[].{key}"])


def _after(level: Table) -> AfterEvent | None:
    table = _inner(level, "after")
    if table is None:
        return None
    event = table.text("event")
    if event and event not in _LASTING:
        table.fault("event", "is no event that a rule may wait for", suggest(event, _LASTING))
    return AfterEvent(event=event, within=table.duration("within"))


def _sentences(table: Table) -> tuple[str, ...]:
    """`say` of a symptom: one sentence, or a list of them."""
    if isinstance(table.data.get("say"), list):
        return table.texts("say")
    text = table.text("say", "")
    return (text,) if text else ()


def _combination(table: Table, rules: Sequence[str]) -> Combination:
    table.report.label(table.path, f"combination {table.peek('id')}")
    lines = tuple(_lines(table, rules))
    if len(lines) < 2:
        table.fault("lines", "names fewer than two lines", "two or more lists of rules")
    levels = tuple(
        CombinationLevel(
            lines_low=it.whole("lines_low", 1, max(len(lines), 1)),
            action=it.choice("action", _ACTIONS),
            urgency=it.choice("urgency", tuple(Urgency)),
            say=it.text("say", ""),
        )
        for it in table.tables("levels", TOXICITY_KEYS["combinations[].levels[]"])
    )
    _check_ladder(table.report, table.at("levels"), [it.urgency for it in levels])
    for place, (milder, level) in enumerate(pairwise(levels), start=1):
        if level.lines_low <= milder.lines_low:
            path = (*table.at("levels"), place, "lines_low")
            problem = "is not more than in the level before it"
            table.report.add(path, level.lines_low, problem, "levels from mild to severe")
    return Combination(
        id=table.name("id"),
        title=table.text("title"),
        source=table.text("source"),
        note=table.text("note", "", long=True),
        lines=lines,
        together=table.duration("together", zero=True),
        levels=levels,
    )


def _lines(table: Table, rules: Sequence[str]) -> Iterator[tuple[str, ...]]:
    path = table.at("lines")
    for place, value in members(table.report, path, table.data.get("lines", []), "lists"):
        yield texts_at(table.report, place, value, rules)


def _check_ladder(report: Report, path: Path, urgencies: Sequence[Urgency]) -> None:
    if not urgencies and report.sound(*path):
        report.add(path, "", "is missing", "at least one level")
    for place, (milder, urgency) in enumerate(pairwise(urgencies), start=1):
        if urgency.rank < milder.rank:
            problem = f"is milder than the level before it, {milder}"
            report.add((*path, place, "urgency"), str(urgency), problem, f"at least {milder}")
