"""Reading a protocol file: its text becomes a `Protocol`, or a list of every fault in it.

The keys are listed in `KEYS`; what each means is in docs/protocol-files.md. What only shows when
values are compared (phases that overlap) is in `protocol_checks.py`; examples run in `examples.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from monitor.core.catalogue import Catalogue
from monitor.core.indications import read_indications
from monitor.core.phenotypes import GENES
from monitor.core.protocol import (
    Ages,
    Baseline,
    Lateness,
    Level,
    Panel,
    PanelSchedule,
    Phase,
    Protocol,
    Rule,
)
from monitor.core.protocol_care import CARE_KEYS, read_missed, read_targets, read_tasks
from monitor.core.protocol_checks import check
from monitor.core.protocol_dosing import GENOTYPE_KEYS, read_dosing, read_genotypes
from monitor.core.protocol_examples import EXAMPLE_KEYS, read_examples
from monitor.core.protocol_interactions import INTERACTION_KEYS, read_interactions
from monitor.core.protocol_toxicity import TOXICITY_KEYS, read_combinations, read_symptoms
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import (
    Report,
    Table,
    is_no_name,
    members,
    suggest,
    texts_at,
)
from monitor.core.toml_text import read_toml
from monitor.core.units import plain
from monitor.core.vocabulary import Kind, Urgency

KEYS: Mapping[str, tuple[str, ...]] = {
    "": (
        "id", "title", "drugs", "default", "version", "source", "status", "note",
        "ages", "ctcae_version", "restart_on", "wash_out", "watch_from", "episode_gap",
        "allow_ending", "panels", "baseline", "genotypes", "dosing", "phases", "rules",
        "symptoms", "combinations", "interactions", "tasks", "targets", "missed", "examples",
    ),
    "ages": ("from", "below", "risk_from"),
    "panels.ID": ("title", "all_of", "any_of", "no_rule", "on_demand"),
    "panels.ID.on_demand": (
        "repeat", "escalate_after", "lead", "urgency", "serious_urgency",
    ),
    "baseline": ("panels", "within", "genotypes", "lead", "urgency", "source"),
    "phases[]": ("name", "until", "panels"),
    "phases[].panels.ID": (
        "every", "every_at_most", "grace", "repeat", "escalate_after", "lead", "urgency",
        "serious_urgency", "ask",
    ),
    "rules[]": (
        "id", "analyte", "source", "note", "opportunistic", "confirm", "again_after", "muted_by",
        "indications", "except", "floor", "levels",
    ),
    "rules[].levels[]": (
        "below", "above", "above_times_uln", "rise_from_baseline", "fall_from_baseline",
        "falls_in_a_row", "action", "urgency", "recheck", "say",
        "unit", "default_uln", "within", "each", "only_below",
        "rise_from_lowest", "not_fallen_by", "after", "until",
    ),
    **TOXICITY_KEYS,
    **INTERACTION_KEYS,
    **GENOTYPE_KEYS,
    **CARE_KEYS,
    **EXAMPLE_KEYS,
}  # fmt: skip
"""Every key a protocol file may have, by table."""

TESTS = (
    "below", "above", "above_times_uln", "rise_from_baseline", "fall_from_baseline",
    "falls_in_a_row",
)  # fmt: skip
_BESIDE = {
    "default_uln": ("above_times_uln",),
    "within": ("rise_from_baseline", "fall_from_baseline"),
    "each": ("falls_in_a_row",),
    "only_below": ("falls_in_a_row",),
    "rise_from_lowest": ("above",),
    "not_fallen_by": ("above_times_uln",),
    "after": ("above_times_uln",),
    "until": ("above_times_uln",),
    "unit": ("below", "above", "above_times_uln", "falls_in_a_row"),
}
"""Keys of a level that mean something only beside one of these tests."""
ACTIONS = (Kind.REVIEW, Kind.WITHHOLD, Kind.DOSE_REDUCTION, Kind.DISCONTINUE)
RESTARTS = ("dose_increase", "resume", "interaction")
CATALOGUE_ID = "analytes"
_MOST_FALLS = 20
_MOST_CONFIRM = 20
_OLDEST = 130


def parse_protocol(text: str, file: str, catalogue: Catalogue) -> Protocol:
    """Read a text that was sound when it went in force: what this version of the program minds
    between its values keeps nobody from being judged. Raises Faults where it cannot be read."""
    report = Report(file, text)
    protocol = _Reader(report, catalogue).protocol(read_toml(text, file), digest_of(text))
    report.raise_if_faulty()
    return protocol


def read_protocol(text: str, file: str, catalogue: Catalogue) -> tuple[Protocol, Report]:
    """Read a file strictly, with the report for more to be told. Raises Faults, all at once."""
    report = Report(file, text)
    protocol = _Reader(report, catalogue).protocol(read_toml(text, file), digest_of(text))
    check(protocol, report, catalogue)
    report.raise_if_faulty()
    return protocol, report


def digest_of(text: str) -> str:
    """What tells one text of a protocol from another: SHA-256, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Reader:
    def __init__(self, report: Report, catalogue: Catalogue) -> None:
        self._report = report
        self._catalogue = catalogue

    def protocol(self, data: dict[str, Any], digest: str) -> Protocol:
        top = Table(self._report, (), data, KEYS[""])
        protocol_id = top.name("id")
        if protocol_id == CATALOGUE_ID:
            top.fault("id", "is the name of the analyte catalogue", "another name")
        panels = tuple(
            self._panel(name, table)
            for name, table in top.named_tables("panels", KEYS["panels.ID"])
        )
        if not panels:
            self._report.add(("panels",), "", "is missing", "at least one [panels.NAME]")
        panel_ids = [panel.id for panel in panels]
        drugs = top.texts("drugs")
        if not drugs and self._report.sound("drugs"):
            top.fault("drugs", "names no drug", 'a list such as ["azathioprine"]')
        for name in drugs:
            if meant := self._catalogue.drugs.almost(name):
                problem = "is no drug of analytes.toml, and nearly one"
                self._report.add(("drugs",), name, problem, f'did you mean "{meant}"?')
        phases = tuple(self._phase(table, panel_ids) for table in self._list(top, "phases"))
        rules = tuple(self._rule(table) for table in self._list(top, "rules"))
        phase_names = [phase.name for phase in phases]
        return Protocol(
            id=protocol_id,
            title=top.text("title"),
            drugs=tuple(dict.fromkeys(map(self._catalogue.drugs.named, drugs))),
            default=top.flag("default"),
            version=top.text("version"),
            source=top.text("source"),
            status=top.text("status"),
            note=top.text("note", "", long=True),
            ages=_ages(top),
            ctcae_version=self._ctcae_version(top),
            restart_on=top.texts("restart_on", RESTARTS),
            wash_out=top.duration("wash_out", zero=True),
            watch_from=top.duration("watch_from", zero=True),
            episode_gap=top.duration("episode_gap"),
            panels=panels,
            baseline=self._baseline(top, panel_ids),
            phases=phases,
            rules=rules,
            symptoms=read_symptoms(top, self._catalogue, panel_ids, phase_names),
            combinations=read_combinations(top, [rule.id for rule in rules]),
            interactions=read_interactions(top, self._catalogue.drugs, panel_ids),
            tasks=read_tasks(top),
            targets=read_targets(top, self._catalogue),
            missed=read_missed(top),
            examples=read_examples(top, self._catalogue, panel_ids),
            allow_ending=top.text("allow_ending", ""),
            genotypes=read_genotypes(top),
            dosing=read_dosing(top, self._catalogue, panel_ids),
            digest=digest,
        )

    def _ctcae_version(self, top: Table) -> str:
        version = top.text("ctcae_version", "")
        known = self._catalogue.extras.versions
        if version and version not in known:
            top.fault("ctcae_version", "is not in analytes.toml", suggest(version, known))
        return version

    def _list(self, top: Table, key: str) -> tuple[Table, ...]:
        tables = tuple(top.tables(key, KEYS[f"{key}[]"]))
        if not tables and self._report.sound(key):
            self._report.add((key,), "", "is missing", f"at least one [[{key}]]")
        return tables

    def _panel(self, name: str, table: Table) -> Panel:
        if is_no_name(name) or name in ("alerts", "findings"):
            valid = 'small letters, digits, _ and -, a letter first; not "alerts" or "findings"'
            self._report.add(table.path, name, "is no name for a panel", valid)
        groups = members(self._report, table.at("any_of"), table.data.get("any_of", []), "lists")
        panel = Panel(
            id=name,
            title=table.text("title"),
            all_of=self._analytes(table.at("all_of"), table.data.get("all_of", [])),
            any_of=tuple(self._group(path, value) for path, value in groups),
            no_rule=self._no_rule(table),
            on_demand=_on_demand(table),
        )
        if not panel.analytes and table.sound:
            table.fault("all_of", "asks for nothing", "at least one analyte")
        return panel

    def _group(self, path: Path, value: object) -> tuple[str, ...]:
        group = self._analytes(path, value)
        if len(group) < 2 and self._report.sound(*path):
            valid = "two or more analytes of which one is enough, or `all_of`"
            self._report.add(path, value, "leaves no choice", valid)
        return group

    def _analytes(self, path: Path, value: object) -> tuple[str, ...]:
        names = texts_at(self._report, path, value)
        for place, name in enumerate(names):
            self._known((*path, place), name)
        return names

    def _known(self, path: Path, name: str) -> None:
        """An analyte is called by its own name here, so that a file reads the same to all."""
        if name and name not in self._catalogue.analytes:
            valid = self._catalogue.suggest(name)
            self._report.add(path, name, "is no analyte of analytes.toml", valid)

    def _no_rule(self, table: Table) -> tuple[tuple[str, str], ...]:
        inner = Table(self._report, table.at("no_rule"), table.mapping("no_rule"), None)
        for name in inner.data:
            self._known(inner.at(name), name)
        return tuple((name, inner.text(name)) for name in inner.data)

    def _baseline(self, top: Table, panel_ids: list[str]) -> Baseline:
        table = top.table("baseline", KEYS["baseline"])
        return Baseline(
            panels=table.texts("panels", panel_ids),
            within=table.duration("within"),
            genotypes=table.texts("genotypes", GENES),
            lead=table.optional_duration("lead", zero=True),
            urgency=table.optional_choice("urgency", tuple(Urgency)) or Urgency.URGENT,
            source=table.text("source", ""),
        )

    def _phase(self, table: Table, panel_ids: list[str]) -> Phase:
        self._report.label(table.path, f"phase {table.peek('name')}")
        schedules = []
        for name, inner in table.named_tables("panels", KEYS["phases[].panels.ID"]):
            if name not in panel_ids:
                valid = suggest(name, panel_ids)
                self._report.add(inner.path, name, "is no panel of this file", valid)
            schedules.append(_schedule(name, inner))
        if not schedules:
            self._report.add(table.at("panels"), "", "is missing", "at least one panel")
        return Phase(
            name=table.text("name"),
            until=table.optional_duration("until"),
            panels=tuple(schedules),
        )

    def _rule(self, table: Table) -> Rule:
        self._report.label(table.path, f"rule {table.peek('id')}")
        analyte = table.text("analyte")
        self._known(table.at("analyte"), analyte)
        levels = tuple(
            self._level(level, analyte)
            for level in table.tables("levels", KEYS["rules[].levels[]"])
        )
        if not levels and self._report.sound(*table.at("levels")):
            self._report.add(table.at("levels"), "", "is missing", "at least one level")
        return Rule(
            id=table.name("id"),
            analyte=analyte,
            source=table.text("source"),
            levels=levels,
            opportunistic=table.flag("opportunistic"),
            confirm=table.whole("confirm", 1, _MOST_CONFIRM, 1),
            again_after=table.optional_duration("again_after"),
            indications=read_indications(table, "indications"),
            except_indications=read_indications(table, "except"),
            floor=table.number("floor"),
            note=table.text("note", "", long=True),
            muted_by=table.texts("muted_by"),
        )

    def _level(self, table: Table, analyte: str) -> Level:
        factor = self._factor(table, analyte)
        falls = "falls_in_a_row" in table
        _check_tests(table)
        return Level(
            action=table.choice("action", ACTIONS),
            urgency=table.choice("urgency", tuple(Urgency)),
            below=_times(table.number("below"), factor),
            above=_times(table.number("above", zero=True), factor),
            above_times_uln=table.number("above_times_uln"),
            default_uln=_times(table.number("default_uln"), factor),
            rise_from_baseline=table.percent("rise_from_baseline"),
            fall_from_baseline=table.percent("fall_from_baseline"),
            within=table.optional_duration("within"),
            falls_in_a_row=table.whole("falls_in_a_row", 1, _MOST_FALLS) if falls else None,
            each=table.percent("each"),
            only_below=_times(table.number("only_below"), factor),
            rise_from_lowest=table.percent("rise_from_lowest"),
            not_fallen_by=table.percent("not_fallen_by"),
            after=table.optional_duration("after"),
            until=table.optional_duration("until"),
            recheck=table.optional_duration("recheck"),
            say=table.text("say", ""),
        )

    def _factor(self, table: Table, analyte: str) -> Decimal:
        """What the numbers of a level are multiplied by, exactly, to be canonical."""
        if "unit" not in table:
            return Decimal(1)
        unit = table.text("unit")
        known = self._catalogue.analytes.get(analyte)
        if known is None or not unit:
            return Decimal(1)
        factor = known.factor(unit)
        if factor is None:
            problem = f"is no unit of {analyte}"
            table.fault("unit", problem, f"{known.unit}, or a unit that analytes.toml converts")
        return factor or Decimal(1)


def _schedule(panel: str, table: Table) -> PanelSchedule:
    return PanelSchedule(
        panel=panel,
        every=table.duration("every"),
        grace=table.duration("grace", zero=True),
        every_at_most=table.optional_duration("every_at_most"),
        ask=table.text("ask", ""),
        **_lateness(table),
    )


def _on_demand(table: Table) -> Lateness | None:
    if "on_demand" not in table:
        return None
    return Lateness(**_lateness(table.table("on_demand", KEYS["panels.ID.on_demand"])))


def _lateness(table: Table) -> dict[str, Any]:
    return {
        "repeat": table.duration("repeat"),
        "escalate_after": table.duration("escalate_after"),
        "lead": table.duration("lead", zero=True),
        "urgency": table.choice("urgency", tuple(Urgency)),
        "serious_urgency": table.choice("serious_urgency", tuple(Urgency)),
    }


def _ages(top: Table) -> Ages | None:
    if "ages" not in top:
        return None
    table = top.table("ages", KEYS["ages"])
    first = table.whole("from", 0, _OLDEST) if "from" in table else None
    below = table.whole("below", 1, _OLDEST) if "below" in table else None
    risk = table.whole("risk_from", 1, _OLDEST) if "risk_from" in table else None
    if first is None and below is None:
        top.fault("ages", "says nothing", "{ from = YEARS }, { below = YEARS } or both")
    elif first is not None and below is not None and below <= first:
        table.fault("below", "is not more than from", f"more than {first}")
    return Ages(first=first, below=below, risk_from=risk)


def _check_tests(table: Table) -> None:
    """Exactly one test a level, and beside it only what belongs to it."""
    tests = [test for test in TESTS if test in table]
    if not tests and not table.sound:
        return
    if len(tests) != 1:
        problem = f"has {len(tests)} tests: {', '.join(tests)}" if tests else "has no test"
        table.report.add(table.path, table.data, problem, f"exactly one of {', '.join(TESTS)}")
        return
    for key, companions in _BESIDE.items():
        if key in table and tests[0] not in companions:
            valid = f"only beside {' or '.join(companions)}"
            table.fault(key, f"means nothing beside {tests[0]}", valid)
    for key in ("after", "until"):
        if key in table and "not_fallen_by" not in table:
            table.fault(key, "means nothing without not_fallen_by", "`not_fallen_by` beside it")
    if tests[0] == "falls_in_a_row" and "each" not in table:
        table.report.add(table.at("each"), "", "is missing", 'a percentage such as "10 %"')


def _times(number: Decimal | None, factor: Decimal) -> Decimal | None:
    """A number of a level in the analyte's own unit, without the noughts that converting it
    leaves behind: 60000 /uL is 60, which 60.000 is not to every reader."""
    return number if number is None or factor == 1 else Decimal(plain(number * factor))
