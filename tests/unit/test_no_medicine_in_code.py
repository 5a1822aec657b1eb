"""No number of medicine in Python: limits, doses, intervals live in `schedules/` with their
sources.

What such a number looks like in code: a value that is compared, a decimal fraction, a duration.
The few that belong to the specification itself are named below, each with its place in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "monitor"
NOT_MEDICINE = ("demo", "shipped")
"""A throw-away clinic with made-up people; data."""
COUNTING = {0, 1, 2, -1}
ALLOWED = {
    ("core/episodes.py", "0.9"): "told again at 10 % worse (specification, section 6)",
    ("core/episodes.py", "1.1"): "told again at 10 % worse (specification, section 6)",
    ("core/faults.py", "0.6"): "how alike two words are",
    ("core/faults.py", "0.85"): "how alike a slip of the pen and its word are",
    ("core/personal_checks.py", "12"): "a personal limit ends within 12 months (protocol notes)",
    ("core/toml_reader.py", "200"): "bits of a number that is shown as huge",
    ("core/catalogue.py", "0.75"): "how alike two names are",
    ("config/sources.py", "7 days"): "a default of the feeds, not of medicine",
    ("config/sources.py", "3 days"): "a feed that is silent so long is asked after",
    ("core/feed.py", "1.4826"): "statistics of a feed's own habits",
    ("core/feed.py", "1.2533"): "statistics of a feed's own habits",
    ("core/feed.py", "5.0"): "statistics of a feed's own habits",
    ("core/feed.py", "0.0"): "statistics of a feed's own habits",
    ("core/feed.py", "1.0"): "statistics of a feed's own habits",
    ("core/feed.py", "0.5"): "statistics of a feed's own habits",
    ("core/feed.py", "0.9"): "statistics of a feed's own habits",
    ("config/telling.py", "14 days"): "a default of escalation, which the site signs",
    ("config/telling.py", "3 months"): "a default of escalation, which the site signs",
    ("config/telling.py", "28 days"): "a default of escalation, which the site signs",
    ("config/telling.py", "90 days"): "a default of escalation, which the site signs",
    ("core/waits.py", "36525"): "a wait that the calendar still has",
    ("core/coverage.py", "366"): "how far ahead a rota is looked at",
    ("delivery/words.py", "0.1"): "distances are shown with one decimal",
    ("operations/schedule_show.py", "6 months"): "how much of a calendar is printed",
    ("operations/patient_file.py", "12 months"): "how much of a calendar is printed",
    ("config/web.py", "30 days"): "how long ended sessions are kept",
    ("web/patient.py", "6 months"): "how much of a course is drawn",
    ("web/patient.py", "2 years"): "how much of a course is drawn",
}
_FRACTION = re.compile(r"\d*\.\d+")
_DURATION = re.compile(r"[1-9]\d* (day|week|month|year)s?", re.IGNORECASE)
_SPANS = {"timedelta", "Duration"}
_PARTS = {"days", "weeks", "months", "years"}
_DAY = {"1"}


@dataclass(frozen=True)
class Found:
    file: str
    line: int
    number: str
    why: str

    def __str__(self) -> str:
        return f"monitor/{self.file}:{self.line}: {self.number} {self.why}"


def numbers_of_medicine(file: str, text: str) -> Iterator[Found]:
    """What looks like one; `file` is the path below the package."""
    judges = file.startswith("core/")
    for node in ast.walk(ast.parse(text)):
        for number, why in _suspects(node, judges=judges):
            if (file, number) not in ALLOWED:
                yield Found(file, getattr(node, "lineno", 0), number, why)


def _suspects(node: ast.AST, *, judges: bool) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Compare) and judges:
        for side in (node.left, *node.comparators):
            if (number := _number(side)) is not None and number not in COUNTING:
                yield str(number), "is compared with"
    if isinstance(node, ast.Call):
        yield from _of_call(node, judges=judges)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, float) and judges:
            yield str(node.value), "is a fraction"
        if isinstance(node.value, str) and _DURATION.fullmatch(node.value):
            yield node.value, "is a duration"


def _of_call(node: ast.Call, *, judges: bool) -> Iterator[tuple[str, str]]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name == "Decimal" and node.args:
        text = node.args[0]
        if isinstance(text, ast.Constant) and _FRACTION.fullmatch(str(text.value)):
            yield str(text.value), "is a fraction"
    if name in _SPANS and judges:
        for keyword in node.keywords:
            number = _number(keyword.value)
            if keyword.arg in _PARTS and number is not None and str(number) not in _DAY:
                yield str(number), "is a span of days"


def _number(node: ast.AST) -> float | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        text = node.args[0]
        if node.func.id == "Decimal" and isinstance(text, ast.Constant):
            digits = str(text.value)
            return float(digits) if re.fullmatch(r"[\d.]+", digits) else None
    if isinstance(node, ast.Constant) and not isinstance(node.value, bool):
        return node.value if isinstance(node.value, int | float) else None
    return None


def files() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(NOT_MEDICINE):
            yield name, path.read_text(encoding="utf-8")


def test_no_number_of_medicine_stands_in_the_code() -> None:
    found = [str(it) for name, text in files() for it in numbers_of_medicine(name, text)]
    assert found == []


def test_every_exception_is_still_needed() -> None:
    seen: set[tuple[str, str]] = set()
    for name, text in files():
        for node in ast.walk(ast.parse(text)):
            suspects = _suspects(node, judges=name.startswith("core/"))
            seen |= {(name, number) for number, _ in suspects}
    assert set(ALLOWED) <= seen


@pytest.mark.parametrize(
    "code",
    [
        "if result.value < 140: pass",
        'low = Decimal("0.5")',
        "def low(value): return value <= 3.5",
        'if value < Decimal("100"): pass',
        'GRACE = parse_duration("2 days")',
        "window = timedelta(days=56)",
        "EIGHT_WEEKS = Duration(days=56)",
        "urgent = 16 > years",
    ],
)
def test_a_number_of_medicine_is_found(code: str) -> None:
    assert list(numbers_of_medicine("core/threshold.py", code))


@pytest.mark.parametrize(
    "code",
    [
        "if len(found) < 2: pass",
        "half = total / 2",
        "_SHOWN = 8",
        "tomorrow = today + timedelta(days=1)",
        "percent = share * Decimal(100)",
        'message = "after 8 weeks of treatment"',
    ],
)
def test_what_only_counts_is_left_alone(code: str) -> None:
    assert not list(numbers_of_medicine("core/threshold.py", code))
