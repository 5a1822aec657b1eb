"""Whether a gap report that was kept still is what it was, and what differs where it is not."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self

from monitor.config import Settings
from monitor.core.calendar import FIRST_YEAR, LAST_YEAR
from monitor.core.gaps import State
from monitor.operations.report_gaps import FORMAT, Digest, Gaps
from monitor.operations.report_gaps_page import because
from monitor.operations.report_overdue import Which
from monitor.operations.report_page import day_words
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.seal import Seal, holds

MOST = 50
"""Differences that are named; the rest are counted."""
_STATES = {
    State.COVERED: "covered",
    State.NOT_COVERED: "not covered",
    State.ELSEWHERE: "monitored elsewhere",
}
_HEAD = {
    "from": "the first day", "to": "the last day", "timezone": "the clinic's time zone",
    "late_after": "[intake] late_after",
}  # fmt: skip


class NotKept(StoreError):
    """A file that is no gap report."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A gap report as `--json` printed it."""

    head: Mapping[str, Any]
    enrolments: list[dict[str, Any]]
    totals: Mapping[str, Any]
    digest: str
    audit_seal: Seal
    made_at: str
    program: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises NotKept where the file holds something else, OSError where it cannot be read."""
        try:
            whole = json.loads(path.read_bytes())
            sealed = whole["sealed"]
            found = cls(
                dict(whole["head"]),
                [dict(it) for it in whole["enrolments"]],
                dict(whole["totals"]),
                str(sealed["digest"]),
                Seal.read(str(sealed["audit_seal"])),
                str(sealed["at"]),
                str(sealed["program"]),
            )
            years = {date.fromisoformat(found.head[it]).year for it in ("from", "to")}
            if not all(FIRST_YEAR <= year <= LAST_YEAR for year in years):
                raise ValueError("no year of ours")
            for line in found.enrolments:
                _check_shape(line)
            dict(found.totals.get("protocols", {}))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotKept(
                f"{path.name}: no monitoring gap report; it has to be what "
                "monitor report gaps --json printed"
            ) from None
        if found.head.get("format") != FORMAT:
            raise NotKept(
                f"{path.name}: a gap report of another format than {FORMAT}: the program that made "
                "it checks it"
            )
        return found

    @property
    def is_whole(self) -> bool:
        """Whether its digest is that of what it holds."""
        digest = Digest()
        for line in (self.head, *self.enrolments, self.totals):
            digest.add(line)
        return str(digest) == self.digest


@dataclass(slots=True)
class Checked:
    """What became of a kept report."""

    is_whole: bool
    audit_holds: bool
    kept: str = ""
    now: str = ""
    program_is_the_same: bool = True
    differences: list[str] = field(default_factory=list)
    more: int = 0

    @property
    def is_the_same(self) -> bool:
        return self.is_whole and self.kept == self.now

    @property
    def is_well(self) -> bool:
        return self.is_the_same and self.audit_holds

    def add(self, difference: str) -> None:
        if len(self.differences) < MOST:
            self.differences.append(difference)
        else:
            self.more += 1

    def document(self) -> dict[str, Any]:
        return {
            "same": self.is_the_same,
            "file_is_whole": self.is_whole,
            "audit_seal_holds": self.audit_holds,
            "same_program": self.program_is_the_same,
            "digest": self.kept,
            "digest_now": self.now,
            "differences": self.differences,
            "more_differences": self.more,
        }


def check(store: Store, settings: Settings, kept: Kept, now: datetime) -> Checked:
    """Make the same report anew of what is stored now, and compare."""
    with store.read() as connection:
        audit_holds = holds(connection, kept.audit_seal)
    found = Checked(kept.is_whole, audit_holds, kept.digest)
    which = Which(str(kept.head.get("clinic", "")), str(kept.head.get("drug", "")))
    days = date.fromisoformat(kept.head["from"]), date.fromisoformat(kept.head["to"])
    anew = Gaps(store, settings, which, days, now)
    for name, what in _HEAD.items():
        was, now_is = kept.head.get(name), anew.head[name]
        if was != now_is:
            found.add(f"{what}: was {was}, is {now_is}")
    left: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for line in kept.enrolments:
        left[_key(line)].append(line)
    for line in anew:
        own = left.get(_key(line))
        for difference in _differences(own.pop(0), line) if own else _only(line, "is new"):
            found.add(difference)
    for line in (it for lines in left.values() for it in lines):
        for difference in _only(line, "is there no more"):
            found.add(difference)
    for difference in _of_totals(kept.totals, anew.totals, by_lines=bool(found.differences)):
        found.add(difference)
    found.now = anew.sealed.digest
    found.program_is_the_same = kept.program == anew.sealed.program
    return found


def _check_shape(line: Mapping[str, Any]) -> None:
    """Raises ValueError where an enrolment is none of ours."""
    panels = line.get("panels", [])
    if not isinstance(panels, list) or not all(isinstance(it, dict) for it in panels):
        raise ValueError("panels are objects")
    for panel in panels:
        intervals = panel.get("intervals")
        if not isinstance(panel.get("panel"), str) or not isinstance(intervals, list):
            raise ValueError("a panel has a name and intervals")
        if not all(isinstance(it, dict) for it in intervals):
            raise ValueError("intervals are objects")


def _key(line: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(line.get(name)) for name in ("mrn", "drug", "started_on"))


def _named(line: Mapping[str, Any]) -> str:
    return f"{line.get('mrn')} {line.get('drug')}"


def _only(line: Mapping[str, Any], what: str) -> Iterator[str]:
    yield f"{_named(line)} (started {line.get('started_on')}) {what}"


def _differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs of an enrolment, panel by panel."""
    for name in sorted({*was, *now} - {"panels"}):
        if was.get(name) != now.get(name):
            yield f"{_named(now)}: {name} was {was.get(name)}, is {now.get(name)}"
    before = {it.get("panel"): it for it in was.get("panels", ())}
    after = {it.get("panel"): it for it in now.get("panels", ())}
    for panel in dict.fromkeys((*before, *after)):
        one, other = before.get(panel, {}), after.get(panel, {})
        if one == other:
            continue
        title = other.get("test") or one.get("test")
        gone, come = (
            [
                _words(it)
                for it in mine.get("intervals", ())
                if it not in theirs.get("intervals", ())
            ]
            for mine, theirs in ((one, other), (other, one))
        )
        yield (
            f"{_named(now)}, {title}: was {'; '.join(gone) or 'otherwise'}, "
            f"is {'; '.join(come) or 'without that'}"
        )


def _words(it: Mapping[str, Any]) -> str:
    """An interval in words; what somebody put into a file in its place, as it stands."""
    try:
        first, last = (day_words(date.fromisoformat(it[name])) for name in ("from", "to"))
        words = f"{_STATES[State(it['state'])]} {first} to {last}"
        if since := it.get("known_only_since"):
            words += f" (known only since {day_words(date.fromisoformat(since))})"
        reasons = because(it)
    except (KeyError, ValueError, TypeError):
        return str(it)
    return f"{words} ({reasons})" if reasons else words


def _of_totals(was: Mapping[str, Any], now: Mapping[str, Any], *, by_lines: bool) -> Iterator[str]:
    """The texts in force; of what adds up only what does not follow from what was named."""
    before, after = (dict(it.get("protocols", {})) for it in (was, now))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"protocol {name}: another text is in force"
    if not by_lines:
        for name in sorted({*was, *now} - {"protocols"}):
            if was.get(name) != now.get(name):
                yield f"the totals, {name}: was {was.get(name)}, is {now.get(name)}"
