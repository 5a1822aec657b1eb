"""What an edited protocol would have said over the days of history, beside the one in force.

The very same core judges every enrolment on each day on which its answer can have changed: a
result, an event, or the next change that the answer itself announces. So the number of days
looked at is bounded by what happened and not by the calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.answer import Finding, Review
from monitor.core.calendar import Duration, clinic_day, start_of_day
from monitor.core.case import Case
from monitor.core.catalogue import Catalogue
from monitor.core.protocol import Protocol
from monitor.core.review import review
from monitor.operations.schedule_force import in_force, propose
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.frames import chunks, load_cases
from monitor.store.tables import table_of

YEARS_AT_MOST = 10
_YEAR = Duration(months=12)
_ONE_DAY = timedelta(days=1)
_ENDED = timedelta(microseconds=1)
_LISTED = 20
_ENROLMENTS = table_of(tables.EnrolmentRow)
_Key = tuple[int, str, tuple[datetime, ...]]
Progress = Callable[[int, int], None]


class NoHistory(StoreError):
    """There is nothing to look back on; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Row:
    """How often one cause was first said, by each text."""

    cause: str
    kind: str
    urgency: str
    before: int
    after: int
    per_100: str


@dataclass(frozen=True, slots=True)
class Backtest:
    """Both texts over the same days."""

    id: str
    first: date
    last: date
    enrolled: int
    patient_years: str
    looked: int
    failed: int
    rows: tuple[Row, ...]
    only: tuple[str, ...]
    """What only one of the two would have said: a few examples, without names."""

    def document(self) -> dict[str, Any]:
        """As `monitor schedule backtest --json` prints it."""
        return {
            "id": self.id,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "enrolled": self.enrolled,
            "patient_years": float(self.patient_years),
            "days_looked_at": self.looked,
            "failed": self.failed,
            "alerts": [
                {
                    "cause": row.cause,
                    "kind": row.kind,
                    "urgency": row.urgency,
                    "in_force": row.before,
                    "file": row.after,
                    "file_per_100_patient_years": float(row.per_100),
                }
                for row in self.rows
            ],
            "only": list(self.only),
        }


def span(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The days to look at: by default the year up to today. Raises NoHistory."""
    end = min(last or today, today)
    begin = first or _YEAR.before(end)
    if begin > end:
        raise NoHistory(f"--from {begin} lies after --to {end}")
    if begin < Duration(months=12 * YEARS_AT_MOST).before(end):
        raise NoHistory(f"at most {YEARS_AT_MOST} years at a time: {begin} to {end} is more")
    return begin, end


def backtest(
    store: Store,
    settings: Settings,
    path: Path,
    days: tuple[date, date],
    progress: Progress | None = None,
) -> Backtest:
    """Judge everyone enrolled on the file's protocol by both texts over these days.

    Raises Faults where the file is not sound, NoHistory where nobody is enrolled on it.
    """
    zone = settings.clinic.zone
    with store.read() as connection:
        force = in_force(connection)
        proposal = propose(path, force)
        if proposal.is_catalogue:
            raise NoHistory("a backtest is of a protocol; `preview` shows what analytes change")
        texts = [force.protocols.get(proposal.id), proposal.protocols[proposal.id]]
        ids = _enrolled(connection, proposal.id)
        if not ids:
            raise NoHistory(f"nobody is enrolled on {proposal.id}: there is no history to test on")
        tally = _Tally(days, zone)
        done = 0
        for piece in chunks(ids):
            for case in load_cases(connection, piece, zone=zone):
                tally.add(case, texts, proposal.protocols, proposal.catalogue)
                done += 1
                if progress is not None:
                    progress(done, len(ids))
    return tally.result(proposal.id, len(ids))


def _enrolled(connection: Connection, protocol_id: str) -> list[int]:
    query = select(_ENROLMENTS.c.id).where(
        _ENROLMENTS.c.protocol_id == protocol_id, _ENROLMENTS.c.stands
    )
    return list(connection.scalars(query.order_by(_ENROLMENTS.c.id)))


class _Tally:
    def __init__(self, days: tuple[date, date], zone: ZoneInfo) -> None:
        self._days = days
        self._zone = zone
        self._counts: tuple[Counter[tuple[str, str, str]], ...] = (Counter(), Counter())
        self._only: list[str] = []
        self._person_days = 0
        self._looked = 0
        self._failed = 0

    def add(
        self,
        case: Case,
        texts: list[Protocol | None],
        others: Any,
        catalogue: Catalogue,
    ) -> None:
        """One enrolment under both texts; one that cannot be judged is counted as such."""
        first = max(self._days[0], case.enrolment.enrolled_on)
        if first > self._days[1]:
            return
        try:
            said = [
                {} if text is None else self._said(case, {**others, text.id: text}, catalogue)
                for text in texts
            ]
        except Exception:  # noqa: BLE001  # one bad case never stops the others
            self._failed += 1
            return
        self._person_days += (self._days[1] - first).days + 1
        for counts, found in zip(self._counts, said, strict=True):
            counts.update((cause, it.kind, it.urgency) for (_, cause, _), (_, it) in found.items())
        self._note_differences(case, said)

    def _said(
        self, case: Case, protocols: Any, catalogue: Catalogue
    ) -> dict[_Key, tuple[date, Finding]]:
        """Everything that was said for the first time in these days, with the day and the worst
        that became of it."""
        found: dict[_Key, tuple[date, Finding]] = {}
        standing: dict[str, _Key] = {}
        for day, answer in self._answers(case, protocols, catalogue):
            now: dict[str, _Key] = {}
            for finding in answer.findings:
                key = self._key(finding, day, standing)
                now[key[1] + str(key[2])] = key
                known = found.get(key)
                if known is None or known[1].urgency.rank < finding.urgency.rank:
                    found[key] = (known[0] if known else day, finding)
            standing = now
        return {key: it for key, it in found.items() if it[0] >= self._days[0]}

    def _key(self, finding: Finding, day: date, standing: dict[str, _Key]) -> _Key:
        """An episode is told by its first breach; what has none, by the day it was first said
        without a pause."""
        if finding.breaches:
            return finding.enrolment_id, finding.cause, (min(finding.breaches),)
        for key in standing.values():
            if key[1] == finding.cause:
                return key
        return finding.enrolment_id, finding.cause, (start_of_day(day, self._zone),)

    def _answers(
        self, case: Case, protocols: Any, catalogue: Catalogue
    ) -> Iterator[tuple[date, Review]]:
        """The answer on each day on which it can have changed, ascending."""
        first, last = self._days
        first = max(first, case.enrolment.enrolled_on) - _ONE_DAY
        inputs = sorted(
            {it.collected_on for it in case.results}
            | {it.on for member in (case, *case.siblings) for it in member.events}
        )
        day: date | None = first
        while day is not None and day <= last:
            now = start_of_day(day + _ONE_DAY, self._zone) - _ENDED
            [answer] = review([_known(case, day)], protocols, catalogue, now, self._zone)
            self._looked += 1
            yield day, answer
            later = [it for it in inputs if it > day][:1]
            if answer.next_change_at is not None:
                later.append(clinic_day(answer.next_change_at, self._zone))
            day = min((it for it in later if it > day), default=None)

    def _note_differences(self, case: Case, said: list[dict[_Key, tuple[date, Finding]]]) -> None:
        for which, word in ((0, "only in force"), (1, "only by the file")):
            for key in sorted(set(said[which]) - set(said[1 - which])):
                day, finding = said[which][key]
                if len(self._only) < _LISTED:
                    about = f"enrolment {case.enrolment.id}, {day}"
                    self._only.append(f"{word}: {about}: {finding.cause} ({finding.urgency})")

    def result(self, protocol_id: str, enrolled: int) -> Backtest:
        years = self._person_days / 365.25
        keys = sorted(set(self._counts[0]) | set(self._counts[1]))
        rows = tuple(
            Row(
                cause=cause,
                kind=str(kind),
                urgency=str(urgency),
                before=self._counts[0][cause, kind, urgency],
                after=self._counts[1][cause, kind, urgency],
                per_100=f"{100 * self._counts[1][cause, kind, urgency] / max(years, 1 / 365):.1f}",
            )
            for cause, kind, urgency in keys
        )
        return Backtest(
            id=protocol_id,
            first=self._days[0],
            last=self._days[1],
            enrolled=enrolled,
            patient_years=f"{years:.1f}",
            looked=self._looked,
            failed=self._failed,
            rows=rows,
            only=tuple(self._only),
        )


def _known(case: Case, day: date) -> Case:
    """What had been collected and had happened by the end of a day; held rows are of today and
    no history."""
    return replace(
        case,
        results=tuple(it for it in case.results if it.collected_on <= day),
        events=tuple(it for it in case.events if it.on <= day),
        held=(),
        siblings=tuple(_known(it, day) for it in case.siblings),
    )
