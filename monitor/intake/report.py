"""What became of a file: every row accounted for, the first problems with their lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from monitor.intake.recognised import Recognised
    from monitor.intake.seen import CodeSeen

Progress = Callable[[int, int], None]
"""Called with the lines done and the lines there are, now and then."""

LISTED_PER_REASON = 20
LISTED = 200
OUTCOMES = ("stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")


class RowProblem(NamedTuple):
    """One row that was not taken: where it stands, and why, without its values."""

    line: int
    code: str
    reason: str
    place: str = ""

    @property
    def where(self) -> str:
        return f"line {self.line}" + (f", {self.place}" if self.place else "")


class Problems:
    """Counts every problem, and lists the first ones of each kind."""

    def __init__(self) -> None:
        self.listed: list[RowProblem] = []
        self.by_reason: Counter[str] = Counter()
        self.by_code: Counter[str] = Counter()

    def add(self, line: int, code: str, reason: str, place: str = "") -> None:
        self.by_reason[reason] += 1
        self.by_code[code] += 1
        if self.by_code[code] <= LISTED_PER_REASON and len(self.listed) < LISTED:
            self.listed.append(RowProblem(line, code, reason, place))


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """The account of one results file: rows is the sum of the six outcomes."""

    file: str
    sha256: str
    rows: int
    stored: int
    duplicate: int
    superseded: int
    withdrawn: int
    quarantined: int
    ignored: int
    other_messages: int = 0
    notes: tuple[str, ...] = ()
    """What a person should know: encoding, columns not used, unflagged changes ..."""
    problems: tuple[RowProblem, ...] = ()
    """The first problems, by line; `reasons` counts them all."""
    reasons: dict[str, int] = field(default_factory=dict)
    touched: tuple[int, ...] = ()
    """Ids of the enrolments to be reviewed."""
    tables: tuple[Recognised, ...] = ()
    """The tables of the file, as they were understood."""
    seen: tuple[CodeSeen, ...] = ()
    """Of a preview: the codes of the file and what they were taken for."""

    def recognised(self) -> dict[str, Any]:
        """What a preview adds to the file's part of `load --json`."""
        return {
            "recognised": {
                "tables": [table.document() for table in self.tables],
                "codes": [seen.document() for seen in self.seen],
            },
            "reasons": self.reasons,
        }

    def account(self) -> dict[str, Any]:
        """The file's part of `load --json`, without the alerts."""
        names = ("file", "sha256", "rows", *OUTCOMES, "other_messages")
        return {name: getattr(self, name) for name in names} | {"notes": list(self.notes)}


class Refusal(NamedTuple):
    """A line of an enrolment or events file that could not be taken."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PeopleReport:
    """The account of an enrolment or events file: rows = taken + duplicate + refused."""

    file: str
    rows: int
    taken: int
    duplicate: int
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    touched: tuple[int, ...] = ()
    sha256: str = ""

    def account(self) -> dict[str, Any]:
        """What `enrol --json` and `events --json` print."""
        return {
            "rows": self.rows,
            "taken": self.taken,
            "duplicate": self.duplicate,
            "refused": [{"line": it.line, "reason": it.reason} for it in self.refused],
        }
