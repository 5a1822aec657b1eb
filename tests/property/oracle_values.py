"""Days, values and comparators for the oracle (specification, sections 2, 3 and 5)."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from monitor.core.calendar import Duration
from monitor.core.case import Result
from monitor.core.catalogue import Catalogue
from monitor.core.vocabulary import Status


def add(day: date, span: Duration) -> date:
    return _moved(day, span.months, span.days)


def take(day: date, span: Duration) -> date:
    return _moved(day, -span.months, -span.days)


def _moved(day: date, months: int, days: int) -> date:
    year, month = day.year, day.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        if month == 13:
            year, month = year + 1, 1
        if month == 0:
            year, month = year - 1, 12
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(day.day, last)) + timedelta(days=days)


def valid(result: Result) -> bool:
    """Final or corrected, with a value: what completes a panel."""
    return result.value is not None and result.status in (Status.FINAL, Status.CORRECTED)


def below(value: Fraction, comparator: str, limit: Fraction) -> str:
    """Is it below the limit: `certain`, `may` or `no` (the sentence on comparators)."""
    if comparator == "":
        return "certain" if value < limit else "no"
    if comparator == "<":
        return "certain" if value <= limit else "may"
    if comparator == "<=":
        return "certain" if value < limit else "may"
    if comparator == ">":
        return "no" if value >= limit else "may"
    if comparator == ">=":
        return "no" if value >= limit else "may"
    raise AssertionError(comparator)


def above(value: Fraction, comparator: str, limit: Fraction) -> str:
    mirrored = {"": "", "<": ">", "<=": ">=", ">": "<", ">=": "<="}[comparator]
    return below(-value, mirrored, -limit)


def with_derived(results: Iterable[Result], catalogue: Catalogue) -> list[Result]:
    """The results and the absolute counts that percent differentials stand for."""
    reported = list(results)
    derived = []
    for result in reported:
        known = catalogue.analytes.get(result.analyte)
        if known is None or not known.percent_of or known.adds_to or result.value is None:
            continue
        specimen = [it for it in reported if it.value is not None and same_specimen(it, result)]
        if any(it.analyte == known.percent_of for it in specimen):
            continue
        parts = [result] + [
            it
            for it in specimen
            if it.analyte in catalogue.analytes
            and catalogue.analytes[it.analyte].adds_to == result.analyte
        ]
        for white in [it for it in specimen if it.analyte == "white_cells"]:
            comparator = joint_comparator([white, *parts])
            if comparator is None or white.value is None:
                continue
            preliminary = any(it.status is Status.PRELIMINARY for it in [white, *parts])
            share = sum((it.value for it in parts if it.value is not None), Decimal(0))
            doubts = [it.doubtful_comment for it in [white, *parts] if it.doubtful_comment]
            derived.append(
                result._replace(
                    analyte=known.percent_of,
                    value=white.value * share / Decimal(100),
                    comparator=comparator,
                    status=Status.PRELIMINARY if preliminary else Status.FINAL,
                    derived="white cells x percent",
                    ref_low=None,
                    ref_high=None,
                    below_plausible=any(it.below_plausible for it in [white, *parts]),
                    doubtful_comment=doubts[0] if doubts else "",
                )
            )
    return reported + derived


def same_specimen(one: Result, other: Result) -> bool:
    if one.specimen_id or other.specimen_id:
        return one.specimen_id == other.specimen_id and one.collected_on == other.collected_on
    return one.collected_at == other.collected_at


def joint_comparator(parts: list[Result]) -> str | None:
    """Comparator of sums and products of positive numbers; None where nothing can be said."""
    signs = {part.comparator for part in parts} - {""}
    if not signs:
        return ""
    if len({sign[0] for sign in signs}) == 2:
        return None
    strict = "<" in signs or ">" in signs
    return min(signs)[0] + ("" if strict else "=")
