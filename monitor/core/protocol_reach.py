"""What a protocol file says and could never come about: whoever wrote it relies on it.

Each is a fault, for a file that is accepted is taken at its word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from monitor.core.catalogue import Catalogue
from monitor.core.dosing_rules import Dosing
from monitor.core.indications import ForSome
from monitor.core.protocol import Panel, Protocol
from monitor.core.protocol_interactions import COMEDICATION, Interaction
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report

_TPMT = "tpmt"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def check_reach(protocol: Protocol, report: Report, catalogue: Catalogue) -> None:
    """A fault for everything that would stand in the file and never speak."""
    _check_genes(protocol, report)
    for place, it in enumerate(protocol.interactions):
        _check_event(it, ("interactions", place), report)
        _check_left_over(it, ("interactions", place), report, catalogue)
    for path, entry in _for_some(protocol):
        _check_somebody(entry, path, report)
    for panel in protocol.panels:
        _check_demanded(panel, protocol, report)
    _check_unless(protocol, report)
    if protocol.dosing is not None:
        _check_shown(protocol.dosing, report)


def leads_back(name: str, leads: Mapping[str, Sequence[str]]) -> bool:
    """Whether what a name leads to, and that to, leads back to itself in the end."""
    seen, ahead = set[str](), list(leads[name])
    while ahead:
        other = ahead.pop()
        if other in leads and other not in seen:
            seen.add(other)
            ahead += leads[other]
    return name in seen


def _check_shown(dosing: Dosing, report: Report) -> None:
    """A limit that people read is the one that is compared with."""
    places: list[Path] = [("dosing",)]
    places += [("dosing", "indications", name) for name, _ in dosing.indications]
    regimes = (dosing.general, *(it for _, it in dosing.indications))
    for place, (path, it) in enumerate(zip(places, regimes, strict=True)):
        terms, where = it.before_dose, (*path, "before_dose")
        inherited = place > 0 and terms is dosing.general.before_dose
        if terms is None or inherited or not report.sound(*where):
            continue
        named = [Decimal(it.replace(",", ".")) for it in _NUMBER.findall(terms.shown)]
        if terms.below not in named:
            problem = f"does not name the limit, {terms.below}"
            valid = f"text with {terms.below} in it: it is all that people read of the limit"
            report.add((*where, "shown"), terms.shown, problem, valid)


def _check_genes(protocol: Protocol, report: Report) -> None:
    """Of genes that nobody asks for nothing is said, whatever stands in the file of them."""
    if not report.sound("baseline"):
        return
    terms, genes = protocol.genotypes, protocol.baseline.genotypes
    shares = (terms.intermediate.at_most, terms.both_intermediate.at_most)
    valid = "genotypes = [...] in [baseline], with the gene"
    if terms.poor.source and not genes:
        problem = "is said of no gene, for the file asks for none: nobody would hear of it"
        report.add(("genotypes", "poor"), "", problem, valid)
    for gene in ("tpmt", "nudt15"):
        words: str = getattr(terms.indeterminate, gene)
        if words and gene not in genes:
            problem = "is said of a gene that the file does not ask for"
            report.add(("genotypes", "indeterminate", gene), words, problem, valid)
    if terms.activity.source and _TPMT not in genes and shares == (None, None):
        problem = "stands for a gene that the file does not ask for"
        report.add(("genotypes", "activity"), "", problem, valid)
    for key, share in zip(("intermediate", "both_intermediate"), shares, strict=True):
        path: Path = ("genotypes", key, "at_most")
        if share is not None and protocol.dosing is None and report.sound("dosing"):
            problem = "is of a usual start that the file does not name"
            report.add(path, f"{share} %", problem, "`usual_start` in [dosing]")


def _check_event(it: Interaction, path: Path, report: Report) -> None:
    """A vaccine or a pregnancy is an event: nothing lasts that could ask for tests."""
    if it.event == COMEDICATION:
        if it.counts_before.least_days:
            problem = "means nothing beside another drug, which counts while it is taken"
            report.add((*path, "counts_before"), str(it.counts_before), problem, "leave it out")
        return
    stray = (("tests", bool(it.tests)), ("restart", it.restart), ("intended", bool(it.intended)))
    for key, is_there in stray:
        if is_there and report.sound(*path, "event"):
            problem = f"means nothing of the event {it.event}: only of another drug"
            report.add((*path, key), "", problem, 'leave it out, or event = "comedication"')


def _check_left_over(it: Interaction, path: Path, report: Report, catalogue: Catalogue) -> None:
    named = (*it.drugs, *it.classes)
    left = [name for name in it.drugs if it.is_about(name, catalogue.drugs)]
    left += [name for name in it.classes if name not in it.not_classes]
    if named and not left and report.sound(*path, "drugs") and report.sound(*path, "classes"):
        problem = "takes away everything that `drugs` and `classes` name"
        value = ", ".join(it.not_classes)
        report.add((*path, "not_classes"), value, problem, "what is left is meant")


def _for_some(protocol: Protocol) -> Iterator[tuple[Path, ForSome]]:
    for section in ("rules", "interactions", "targets"):
        for place, it in enumerate(getattr(protocol, section)):
            yield (section, place), it
    for task in protocol.tasks:
        yield ("tasks", task.id), task


def _check_somebody(entry: ForSome, path: Path, report: Report) -> None:
    for name in entry.except_indications:
        if name in entry.indications:
            problem = "stands in `indications`, too: it would be said of none of them"
            report.add((*path, "except"), name, problem, "each in one of the two")


def _check_demanded(panel: Panel, protocol: Protocol, report: Report) -> None:
    """A panel on demand is due when something demands it. What is demanded and in no phase has to
    be one: of a panel of the baseline alone nothing says when it is due and late."""
    parts = ("symptoms", "interactions", "dosing", "phases", "rules", "baseline")
    if not (report.sound("panels", panel.id) and all(map(report.sound, parts))):
        return
    asked = {name for it in protocol.symptoms for name in it.test_today}
    asked |= {test.panel for it in protocol.interactions for test in it.tests}
    if protocol.dosing is not None and protocol.dosing.renal is not None:
        asked.add(protocol.dosing.renal.panel)
    is_scheduled = _is_scheduled(panel, protocol)
    if panel.on_demand is not None:
        if not is_scheduled and panel.id not in asked and not _rechecked(panel, protocol):
            problem = "is demanded by nothing: it would never be due"
            valid = (
                "a symptom, an interaction or a recheck that asks for it, or a phase that has it"
            )
            report.add(("panels", panel.id, "on_demand"), "", problem, valid)
    elif not is_scheduled and panel.id in protocol.baseline.panels:
        others = {
            name
            for it in protocol.panels
            if it.on_demand is not None or _is_scheduled(it, protocol)
            for name in it.analytes
        }
        if panel.id in asked or _rechecked(panel, protocol) - others:
            problem = "is asked for after the start, and in no phase: it would never be due"
            valid = "a phase that has it, or [panels.ID.on_demand]"
            report.add(("panels", panel.id), panel.id, problem, valid)


def _is_scheduled(panel: Panel, protocol: Protocol) -> bool:
    return any(phase.schedule(panel.id) for phase in protocol.phases)


def _rechecked(panel: Panel, protocol: Protocol) -> set[str]:
    """The analytes of the panel of which a level asks for another test."""
    return {
        rule.analyte
        for rule in protocol.rules
        if rule.analyte in panel.analytes and any(it.recheck is not None for it in rule.levels)
    }


def _check_unless(protocol: Protocol, report: Report) -> None:
    """Of two rules that keep quiet beside each other neither speaks of a symptom of both."""
    names = {it.id: it.unless for it in protocol.symptoms}
    for place, symptom in enumerate(protocol.symptoms):
        path: Path = ("symptoms", place, "unless")
        if leads_back(symptom.id, names) and report.sound(*path):
            problem = "keeps quiet beside a rule that keeps quiet beside it: neither would speak"
            report.add(path, ", ".join(symptom.unless), problem, "one of the two speaks")
