"""Reading what a protocol file says of genotypes and doses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from monitor.core.catalogue import Catalogue
from monitor.core.dosing_rules import (
    Amount,
    BeforeDose,
    Dosing,
    Regime,
    Renal,
    RenalLevel,
    Rung,
)
from monitor.core.indications import check_indication
from monitor.core.protocol import ActivityTerms, Advice, GeneAdvice, Genotypes
from monitor.core.protocol_dose_checks import check_regime, check_renal
from monitor.core.protocol_toxicity import check_symptom_word
from monitor.core.toml_reader import Table, members, suggest
from monitor.core.vocabulary import Urgency

_ADVICE = ("say", "source")
_REGIME = (
    "source", "usual_start", "start_at_most", "increase_after", "step", "step_interval",
    "maintenance", "maximum", "later_after", "later_maximum", "ladder", "maximum_say",
    "toxicity_say",
    "before_dose", "withdraw_after", "withdraw_say", "withdraw_urgency", "note",
)  # fmt: skip
GENOTYPE_KEYS: Mapping[str, tuple[str, ...]] = {
    "genotypes": ("poor", "intermediate", "both_intermediate", "indeterminate", "activity"),
    "genotypes.poor": _ADVICE,
    "genotypes.intermediate": ("at_most", *_ADVICE),
    "genotypes.both_intermediate": ("at_most", *_ADVICE),
    "genotypes.indeterminate": ("tpmt", "nudt15", "urgency", "source"),
    "genotypes.activity": ("counts", "deficient_below", "low_below", "after_transfusion", *_ADVICE),
    "dosing": ("nearest_mg", "weight_valid", "indications", "renal", *_REGIME),
    "dosing.indications.ID": _REGIME,
    "dosing.ladder[]": ("until", "at_most"),
    "dosing.before_dose": ("analyte", "below", "shown", "within"),
    "dosing.renal": ("analyte", "levels", "symptom", "panel", "answered_by", "source"),
    "dosing.renal.levels[]": ("below", "percent"),
}  # fmt: skip
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) ?(mg/kg|mg)")


def read_genotypes(top: Table) -> Genotypes:
    """`[genotypes]`; a file without it has nothing to add."""
    if "genotypes" not in top:
        return Genotypes()
    table = top.table("genotypes", GENOTYPE_KEYS["genotypes"])
    return Genotypes(
        poor=_advice(table, "poor"),
        intermediate=_advice(table, "intermediate"),
        both_intermediate=_advice(table, "both_intermediate"),
        indeterminate=_indeterminate(table),
        activity=_activity(table),
    )


def _advice(table: Table, key: str) -> Advice:
    if key not in table:
        return Advice()
    inner = table.table(key, GENOTYPE_KEYS[f"genotypes.{key}"])
    return Advice(
        say=inner.text("say", ""), source=inner.text("source"), at_most=inner.percent("at_most")
    )


def _indeterminate(table: Table) -> GeneAdvice:
    if "indeterminate" not in table:
        return GeneAdvice()
    inner = table.table("indeterminate", GENOTYPE_KEYS["genotypes.indeterminate"])
    return GeneAdvice(
        tpmt=inner.text("tpmt", ""),
        nudt15=inner.text("nudt15", ""),
        urgency=inner.optional_choice("urgency", tuple(Urgency)) or Urgency.ROUTINE,
        source=inner.text("source"),
    )


def _activity(table: Table) -> ActivityTerms:
    if "activity" not in table:
        return ActivityTerms()
    inner = table.table("activity", GENOTYPE_KEYS["genotypes.activity"])
    return ActivityTerms(
        counts=inner.flag("counts"),
        deficient_below=inner.number("deficient_below"),
        low_below=inner.number("low_below"),
        after_transfusion=inner.optional_duration("after_transfusion"),
        say=inner.text("say", ""),
        source=inner.text("source"),
    )


def read_dosing(top: Table, catalogue: Catalogue, panel_ids: Sequence[str]) -> Dosing | None:
    """`[dosing]`; None where the file says nothing of doses."""
    if "dosing" not in top:
        return None
    table = top.table("dosing", GENOTYPE_KEYS["dosing"])
    dosing = Dosing(
        nearest_mg=table.needed_number("nearest_mg"),
        weight_valid=table.optional_duration("weight_valid"),
        general=_regime(table, catalogue, None),
        renal=_renal(table, catalogue, panel_ids),
    )
    check_regime(table, dosing.general, dosing.nearest)
    dosing = replace(dosing, indications=tuple(_indications(table, catalogue, dosing)))
    if dosing.asks_for_weight:
        return replace(dosing, weight_valid=table.duration("weight_valid"))
    return dosing


def _indications(
    table: Table, catalogue: Catalogue, dosing: Dosing
) -> Iterator[tuple[str, Regime]]:
    for name, inner in table.named_tables("indications", _REGIME):
        check_indication(table.report, inner.path, name)
        regime = _regime(inner, catalogue, dosing.general)
        check_regime(inner, regime, dosing.nearest)
        yield name, regime


def _regime(table: Table, catalogue: Catalogue, general: Regime | None) -> Regime:
    own: dict[str, Any] = {
        "usual_start": _amount(table, "usual_start"),
        "start_at_most": _amount(table, "start_at_most"),
        "increase_after": table.optional_duration("increase_after"),
        "step": _amount(table, "step"),
        "step_interval": table.optional_duration("step_interval"),
        "maintenance": _amounts(table, "maintenance"),
        "maximum": _amount(table, "maximum"),
        "later_after": table.optional_duration("later_after"),
        "later_maximum": _amount(table, "later_maximum"),
        "ladder": tuple(_rungs(table)),
        "maximum_say": table.text("maximum_say", ""),
        "toxicity_say": table.text("toxicity_say", ""),
        "before_dose": _before_dose(table, catalogue),
        "withdraw_after": table.optional_duration("withdraw_after"),
        "withdraw_say": table.text("withdraw_say", ""),
        "note": table.text("note", ""),
        "withdraw_urgency": table.optional_choice("withdraw_urgency", tuple(Urgency)),
    }
    known = {name: value for name, value in own.items() if value not in (None, "", ())}
    known["source"] = table.text("source")
    if general is not None:
        return replace(general, **known)
    if "usual_start" not in known:
        if "usual_start" not in table:
            table.fault("usual_start", "is missing", 'text such as "2 mg/kg"')
        known["usual_start"] = Amount(number=Decimal(1), per_kg=True)
    names = {field.name for field in fields(Regime)}
    assert known.keys() <= names
    return Regime(**known)


def _amount(table: Table, key: str) -> Amount | None:
    return _as_amount(table, key, table.text(key)) if key in table else None


def _amounts(table: Table, key: str) -> tuple[Amount, ...]:
    return tuple(
        found for text in table.texts(key) if (found := _as_amount(table, key, text)) is not None
    )


def _as_amount(table: Table, key: str, text: str) -> Amount | None:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or not Decimal(match[1]):
        if text:
            table.fault(key, "is no dose a day", 'text such as "50 mg" or "2 mg/kg"')
        return None
    return Amount(number=Decimal(match[1]), per_kg=match[2] == "mg/kg")


def _rungs(table: Table) -> list[Rung]:
    found = []
    for inner in table.tables("ladder", GENOTYPE_KEYS["dosing.ladder[]"]):
        until, at_most = inner.duration("until"), _amount(inner, "at_most")
        if at_most is None:
            inner.fault("at_most", "is missing", 'text such as "50 mg"')
        else:
            found.append(Rung(until=until, at_most=at_most))
    return found


def _before_dose(table: Table, catalogue: Catalogue) -> BeforeDose | None:
    if "before_dose" not in table:
        return None
    inner = table.table("before_dose", GENOTYPE_KEYS["dosing.before_dose"])
    return BeforeDose(
        analyte=_analyte(inner, "analyte", catalogue),
        below=inner.needed_number("below"),
        shown=inner.text("shown"),
        within=inner.duration("within"),
    )


def _renal(table: Table, catalogue: Catalogue, panel_ids: Sequence[str]) -> Renal | None:
    if "renal" not in table:
        return None
    inner = table.table("renal", GENOTYPE_KEYS["dosing.renal"])
    answered = inner.texts("answered_by")
    for place, name in members(inner.report, inner.at("answered_by"), list(answered), "analytes"):
        if name not in catalogue.analytes:
            valid = catalogue.suggest(name)
            inner.report.add(place, name, "is no analyte of analytes.toml", valid)
    symptom = inner.text("symptom")
    check_symptom_word(inner.report, inner.at("symptom"), symptom)
    levels = tuple(
        RenalLevel(below=level.needed_number("below"), percent=level.needed_percent("percent"))
        for level in inner.tables("levels", GENOTYPE_KEYS["dosing.renal.levels[]"])
    )
    check_renal(levels, inner)
    return Renal(
        analyte=_analyte(inner, "analyte", catalogue),
        levels=levels,
        symptom=symptom,
        panel=_panel(inner, panel_ids),
        answered_by=answered,
        source=inner.text("source"),
    )


def _panel(table: Table, panel_ids: Sequence[str]) -> str:
    name = table.text("panel")
    if name and name not in panel_ids:
        table.fault("panel", "is no panel of this file", suggest(name, panel_ids))
    return name


def _analyte(table: Table, key: str, catalogue: Catalogue) -> str:
    name = table.text(key)
    if name and name not in catalogue.analytes:
        table.fault(key, "is no analyte of analytes.toml", catalogue.suggest(name))
    return name
