"""Were the tests done that the schedule asked for? By clinic, drug, phase and month."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from monitor.config import Settings
from monitor.core.adherence import Adherence, Became, DueTest, adherence
from monitor.core.calendar import clinic_day, start_of_day
from monitor.core.case import Case
from monitor.core.enrolment_status import status_of
from monitor.core.judges import View
from monitor.core.ordered import Ordered
from monitor.core.review import lateness_changes_on
from monitor.core.vocabulary import PanelState
from monitor.operations.patient_days import Days, PatientDays
from monitor.operations.period import Counted, days_asked, enrolments_asked
from monitor.operations.report_overdue import Which
from monitor.operations.status import NOT_JUDGED
from monitor.review.judging import look
from monitor.store.database import Store
from monitor.store.frames import as_known_at, chunks, load_cases, not_collecting
from monitor.store.rulebook import RuleBook, load_rulebook

_ONE_DAY = timedelta(days=1)
_LATE = (PanelState.OVERDUE.value, PanelState.SERIOUSLY_OVERDUE.value)
BECAME = tuple(it.value for it in Became)
FIELDS = (
    "clinic", "drug", "phase", "test", "patients", "due", *BECAME, "median_delay_days",
)  # fmt: skip


@dataclass(slots=True)
class Count:
    """Due tests by what became of them; the five add up to `due`."""

    of: Counter[str] = field(default_factory=Counter)
    delays: list[int] = field(default_factory=list)
    patients: set[int] = field(default_factory=set)
    days: int = 0
    """Patient-days: one of a patient on two drugs is one, and covered where both are."""
    covered: int = 0

    def add(self, test: DueTest, patient: int) -> None:
        self.of[test.became.value] += 1
        self.patients.add(patient)
        if test.became in (Became.IN_GRACE, Became.LATE) and test.delay_days is not None:
            self.delays.append(test.delay_days)

    def count(self, days: Days) -> None:
        self.days += len(days.watched)
        self.covered += days.covered

    @property
    def due(self) -> int:
        return sum(self.of.values())

    @property
    def median_delay(self) -> float | None:
        return float(median(self.delays)) if self.delays else None

    def document(self) -> dict[str, Any]:
        return {
            "due": self.due,
            **{name: self.of[name] for name in BECAME},
            "median_delay_days": self.median_delay,
        }


@dataclass(slots=True)
class Compliance:
    """From a day to a day, both included, as known at `at`."""

    at: datetime
    since: date
    until: date
    enrolments: int = 0
    asked: int = 0
    """Enrolments of the clinic and drug asked for, whether on treatment in these days or not."""
    total: Count = field(default_factory=Count)
    groups: dict[tuple[str, str, str, str], Count] = field(
        default_factory=lambda: defaultdict(Count)
    )
    """By clinic, drug, phase and test."""
    months: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    clinics: dict[tuple[str, str], Count] = field(default_factory=lambda: defaultdict(Count))
    """Patient-days by clinic and drug."""
    overdue: list[tuple[date, int, int]] = field(default_factory=list)
    """Of each month its last day (or that of the report), patients monitored here and overdue."""
    not_judged: int = 0
    """Enrolments of which the monitor itself failed to see anything: they are left out."""

    def document(self) -> dict[str, Any]:
        """As `monitor report compliance --json` prints it."""
        return {
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            "at": self.at.isoformat(),
            "enrolments": self.enrolments,
            **({NOT_JUDGED: self.not_judged} if self.not_judged else {}),
            "tests": self.total.document(),
            "patient_days": _coverage(self.total),
            "groups": self.rows(),
            "clinics": [
                {"clinic": clinic, "drug": drug, **_coverage(it)}
                for (clinic, drug), it in sorted(self.clinics.items())
            ],
            "months": [
                {"month": it, **count.document()} for it, count in sorted(self.months.items())
            ],
            "overdue_at_month_end": [
                {"on": day.isoformat(), "monitored_here": here, "overdue": late}
                for day, here, late in self.overdue
            ],
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row a clinic, drug, phase and test."""
        names = ("clinic", "drug", "phase", "test")
        return [
            {
                **dict(zip(names, key, strict=True)),
                "patients": len(count.patients),
                **count.document(),
            }
            for key, count in sorted(self.groups.items())
        ]


def _coverage(count: Count) -> dict[str, Any]:
    part = round(count.covered / count.days, 4) if count.days else None
    return {"days": count.days, "covered": count.covered, "proportion": part}


def compliance(
    store: Store,
    settings: Settings,
    which: Which,
    asked_for: tuple[date | None, date | None],
    now: datetime,
) -> Compliance:
    """Every test that came due in these days (default: twelve months up to today, as far as
    anybody was enrolled), and what became of it as far as is known at `now`. Raises NoPeriod."""
    zone = settings.clinic.zone
    with store.read() as connection:
        first, last = days_asked(connection, asked_for, clinic_day(now, zone))
        found = Compliance(now.astimezone(zone), first, last)
        wanted = enrolments_asked(connection, which)
        found.asked = len(wanted)
        rulebook = load_rulebook(connection)
        treated = PatientDays(found.total, found.clinics)
        ends = [_MonthEnd(day, zone, now) for day in _month_ends(first, last)]

        @not_collecting()  # a search for cycles would go through all that is seen of a piece
        def tell(piece: Sequence[int]) -> None:
            cases = load_cases(connection, piece, until=now, zone=zone)
            views, failed = look(cases, rulebook, now, zone)
            found.not_judged += len(failed)
            told = [(view, adherence(view, first, last)) for view in views]
            for view, outcome in told:
                titles = {it.id: it.title for it in view.protocol.panels}
                _add(found, outcome, wanted[view.case.enrolment.id], titles)
            cases = _in_order(cases, views)
            if ends[-1].at < now:  # whether a day was covered is told by nothing later
                then = as_known_at(connection, cases, ends[-1].at, zone)
                views, _ = look(then, rulebook, ends[-1].at, zone)
                told = [(view, adherence(view, first, last)) for view in views]
            for view, outcome in sorted(told, key=lambda it: it[0].case.enrolment.patient_id):
                whose = wanted[view.case.enrolment.id]
                days = treated.of(whose.patient, whose.place)
                days.add(outcome.watched, dict.fromkeys(outcome.uncovered, 0))
            before: Mapping[int, _Seen] = {}
            for end in ends:
                known = as_known_at(connection, cases, end.at, zone)
                before = end.add(known, rulebook, before)

        for piece in chunks(sorted(wanted, key=lambda it: (wanted[it].patient, it))):
            tell(piece)
        treated.flush()
    found.overdue = [(it.day, len(it.here), len(it.late)) for it in ends]
    return found


def _add(found: Compliance, outcome: Adherence, whose: Counted, titles: dict[str, str]) -> None:
    if outcome.days or outcome.tests:
        found.enrolments += 1
    for test in outcome.tests:
        key = (*whose.place, test.phase, titles[test.panel])
        for count in (found.total, found.groups[key], found.months[f"{test.due_on:%Y-%m}"]):
            count.add(test, whose.patient)


class _Seen(NamedTuple):
    """What was seen at an end, and the day on which it may change who is late though nothing new
    comes."""

    view: View
    changes_on: date | None


class _MonthEnd:
    """Which patients were monitored here, and which of these overdue, at the end of a
    day: those of whom `monitor status` says so of a treatment."""

    def __init__(self, day: date, zone: ZoneInfo, now: datetime) -> None:
        end = start_of_day(day + _ONE_DAY, zone) - timedelta.resolution
        self.day = day
        self.at = min(end, now)
        self.here: set[int] = set()
        self.late: set[int] = set()
        self._zone = zone

    def add(
        self, cases: Sequence[Case], rulebook: RuleBook, before: Mapping[int, _Seen]
    ) -> Mapping[int, _Seen]:
        """Cases as they were known then; what was seen of each, as of the end before it."""
        known = [case for case in cases if case.enrolment.enrolled_on <= self.day]
        seen = {it.enrolment.id: before[it.enrolment.id] for it in known if self._lasts(it, before)}
        awake = [case for case in known if case.enrolment.id not in seen]
        for view in look(awake, rulebook, self.at, self._zone)[0]:
            seen[view.case.enrolment.id] = _Seen(view, lateness_changes_on(view))
        for view, _ in seen.values():
            patient, status = view.case.enrolment.patient_id, status_of(view)
            if status.is_monitored_here:
                self.here.add(patient)
                self.late |= {patient} if status.ledger_state in _LATE else set()
        return seen

    def _lasts(self, case: Case, before: Mapping[int, _Seen]) -> bool:
        """Whether nothing has come of a case since, and nothing has changed by itself. Of one with
        other treatments or something of its own that is not asked."""
        seen = before.get(case.enrolment.id)
        if seen is None or case.siblings or case.personal:
            return False
        then, now = seen.view.results, case.results
        if not (isinstance(then, Ordered) and isinstance(now, Ordered)):
            return False
        same = len(then) == len(now) and len(seen.view.case.events) == len(case.events)
        return same and (seen.changes_on is None or self.day < seen.changes_on)


def _in_order(cases: Sequence[Case], views: Sequence[View]) -> list[Case]:
    """The cases with their results in order and with all that was reckoned of them, for whoever
    looks at an earlier day."""
    seen = {it.case.enrolment.id: it.results for it in views if isinstance(it.results, Ordered)}
    return [replace(it, results=seen.get(it.enrolment.id, it.results)) for it in cases]


def _month_ends(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        begin = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield min(begin - _ONE_DAY, last)
        day = begin
