"""What an alert of a trend says of its limit."""

from __future__ import annotations

from decimal import Decimal

from tests.golden.test_languages import answers


def test_the_ceiling_of_a_trend_stands_in_its_limit() -> None:
    """`20 % below the limit` is said of the ceiling, which was nowhere to be read: the limit was
    `3 falls in a row, each of more than 10 %`."""
    found = [
        it
        for name, answer in answers()
        for it in answer.findings
        if name == "azathioprine" and it.rule == "falling_neutrophils"
    ]
    assert found
    for finding in found:
        assert finding.limit == Decimal("2.5")
        said = "3 falls in a row, each of more than 10 %, to below 2.5 10*9/L"
        assert finding.limit_text == said
        assert finding.summary.endswith(said)
