"""Numbers worth trying: healthy ones, and those at, beside and 10 % around each limit."""

from __future__ import annotations

from decimal import Decimal

from monitor.core.protocol import Protocol, Rule

HEALTHY = {
    "hemoglobin": "140",
    "white_cells": "6.0",
    "neutrophils": "4.0",
    "lymphocytes": "1.5",
    "platelets": "250",
    "bilirubin": "10",
    "alt": "20",
    "ast": "20",
    "mcv": "90",
    "eosinophils": "0.2",
    "albumin": "42",
    "creatinine": "70",
    "neutrophils_percent": "60",
    "lymphocytes_percent": "25",
    "bands_percent": "5",
    "weight": "70",
    "egfr": "49",
}
FALLING = ["3.0", "2.7", "2.43", "2.4", "2.187", "2.16", "1.95", "1.944", "1.7", "0.9", "0.81"]
FALLS = [
    ["1.4", "1.24", "1.1", "0.98", "0.97"],
    ["1.44", "1.26", "1.12", "1"],
    ["1.36", "1.2", "1.08", "0.95", "0.85"],
    ["1.6", "1.3", "1.1", "0.96", "0.8"],
    ["1.3", "1.1", "0.98", "0.882", "0.79"],
]
"""Rows as multiples of a ceiling: just under it, at it, a fall of exactly a tenth within."""
EGFR = ["50", "49", "10", "9"]
PERCENTAGES = ["20", "10", "40", "64", "8", "9.99", "100", "0"]
WHITE_CELLS = ["2", "2.5", "5"]


def interesting_values(protocol: Protocol, analyte: str) -> list[Decimal]:
    """Healthy, and at, just beside and 10 % around every limit of the analyte."""
    values = [Decimal(HEALTHY.get(analyte, "10"))] * 4
    beside = Decimal("0.001")
    for rule in protocol.rules:
        if rule.analyte != analyte:
            continue
        for limit in _limits(rule):
            values += [limit, limit - beside, limit + beside]
            values += [limit * Decimal(times) for times in ("0.9", "1.1", "0.81", "1.21", "0.5")]
        if rule.is_trend:
            values += [Decimal(text) for text in FALLING]
    if analyte == "white_cells":
        values += [Decimal(text) for text in WHITE_CELLS]
    if analyte == "egfr":
        values += [Decimal(text) for text in EGFR]
    if analyte.endswith("_percent"):
        values += [Decimal(text) for text in PERCENTAGES]
    return values


def _limits(rule: Rule) -> list[Decimal]:
    healthy = Decimal(HEALTHY.get(rule.analyte, "10"))
    found = []
    for level in rule.levels:
        found += [limit for limit in (level.below, level.above) if limit is not None]
        if level.above_times_uln is not None:
            ulns = (Decimal(40), Decimal(21), level.default_uln or Decimal(40))
            found += [level.above_times_uln * uln for uln in ulns]
        if level.rise_from_baseline is not None:
            found.append(healthy * (1 + level.rise_from_baseline / 100))
    return found


def falling_below(protocol: Protocol, analyte: str) -> list[Decimal]:
    """The ceilings under which a row of falls of this analyte speaks."""
    rules = [rule for rule in protocol.rules if rule.analyte == analyte and rule.is_trend]
    return [level.only_below or Decimal(10) for rule in rules for level in rule.levels]
