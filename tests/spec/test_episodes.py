"""The manual's page on episodes, row by row (docs/manual/episodes.md)."""

from __future__ import annotations

import re
from datetime import date

import pytest

from monitor.core.answer import Finding
from monitor.core.case import Result
from monitor.core.vocabulary import Status
from tests.spec import cases
from tests.spec.manual import ids, table

HEADINGS = ("Episodes", "Speaking at the second breach", "Trends", "A rise from the baseline")
ROWS = [row for heading in HEADINGS for row in table("episodes.md", heading)]
ITEM = re.compile(r"(\S+) ([<>]?)([\d.]+)([p?]?)")


def series(text: str, analyte: str) -> list[Result]:
    results = []
    for item in text.split(";"):
        match = ITEM.fullmatch(item.strip())
        assert match, item
        day, comparator, value, mark = match.groups()
        status = Status.PRELIMINARY if mark == "p" else Status.FINAL
        result = cases.result(
            analyte, value, date.fromisoformat(day), comparator=comparator, status=status
        )
        doubt = "clumps" if mark == "?" else ""
        results.append(result._replace(doubtful_comment=doubt))
    return results


def told(finding: Finding) -> str:
    assert finding.worst is not None
    ends = "recovered" if finding.recovered else "going on"
    return f"{finding.kind} {finding.urgency} {finding.worst.value} {ends}"


@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_alerts_of_a_series(row: dict[str, str]) -> None:
    rule = next(rule for rule in cases.protocol().rules if rule.id == row["rule"])
    answer = cases.reviewed(series(row["series"], rule.analyte), date.fromisoformat(row["today"]))
    found = [it for it in answer.findings if it.rule == rule.id]
    assert "; ".join(told(finding) for finding in found) == row["alerts"]
