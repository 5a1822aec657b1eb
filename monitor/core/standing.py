"""Which of several reports of one result stands, and what it means (specification, section 3).

Reports of one key form a group. The answer for a group depends on the set of its reports
alone, never on the order in which they came, with one exception: of two reports that equal
each other in status and report time, the later received counts.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from monitor.core.vocabulary import Status

_RANKS = {
    Status.PRELIMINARY: 0, Status.FINAL: 1,
    Status.CORRECTED: 2, Status.WITHDRAWN: 2, Status.CANCELLED: 2,
}  # fmt: skip
_CORRECTION = _RANKS[Status.CORRECTED]
_BEFORE_ANY = datetime.min.replace(tzinfo=UTC)


def rank(status: Status) -> int:
    """preliminary < final < corrected; a withdrawal ranks as a correction."""
    return _RANKS[status]


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two reports reports of the same result.

    With a specimen id the day of collection belongs to it; without one the instant does,
    or the day where only the day is known (`untimed`).
    """

    patient_id: int
    analyte: str
    specimen_id: str
    day: date
    instant: datetime | None

    @property
    def untimed(self) -> bool:
        return not self.specimen_id and self.instant is None


def key_of(
    patient_id: int,
    analyte: str,
    specimen_id: str,
    collected_on: date,
    collected_at: datetime,
    timed: bool,
) -> Key:
    """The key of a report. Specimen ids are compared without case and surrounding space."""
    specimen = specimen_id.strip().casefold()
    instant = collected_at if timed and not specimen else None
    return Key(patient_id, analyte, specimen, collected_on, instant)


@dataclass(frozen=True, slots=True)
class Report:
    """One report of one result, as far as standing depends on it.

    `value` is None where the laboratory gave none. `received` orders reports by receipt.
    """

    status: Status
    value: Decimal | None
    comparator: str
    reported_at: datetime | None
    received: tuple[datetime, *tuple[int, ...]]

    @property
    def identity(self) -> Hashable:
        """What has to be equal for two reports to say the same thing."""
        return (self.status in _TAKES_AWAY and self.status, self.value, self.comparator)

    @property
    def order(self) -> tuple[int, datetime, tuple[datetime, *tuple[int, ...]]]:
        return (rank(self.status), self.reported_at or _BEFORE_ANY, self.received)


_TAKES_AWAY = (Status.WITHDRAWN, Status.CANCELLED)


class Meaning(StrEnum):
    """What stands of a group."""

    VALUE = "value"
    NO_RESULT = "no result"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Standing:
    """Which reports of a group stand, by their position in it."""

    stands: frozenset[int]
    meaning: Meaning


_ALONE = {
    Meaning.VALUE: Standing(frozenset((0,)), Meaning.VALUE),
    Meaning.NO_RESULT: Standing(frozenset((0,)), Meaning.NO_RESULT),
    Meaning.WITHDRAWN: Standing(frozenset(), Meaning.WITHDRAWN),
}


def standing(reports: Sequence[Report], *, untimed: bool = False) -> Standing:
    """Which of the reports of one key stand.

    At most one does, except for bare dates (`untimed`): there, different values are
    different results unless the later is flagged corrected, so several may. A report that said
    nothing new when it came changes nothing.
    """
    if len(reports) == 1:
        return _ALONE[_meaning(reports[0])]
    news = _news(reports, untimed=untimed)
    told = [reports[index] for index in news]
    found = _standing_of_day(told) if untimed else _standing_of_key(told)
    return Standing(frozenset(news[index] for index in found.stands), found.meaning)


def _news(reports: Sequence[Report], *, untimed: bool) -> list[int]:
    """Those that were no repetition when they came, in order of receipt."""
    said: dict[Hashable, list[Report]] = {}
    found = []
    for index in sorted(range(len(reports)), key=lambda it: reports[it].received):
        report = reports[index]
        before = said.get(report.identity, [])
        if not repeats(report, before, untimed=untimed):
            left = [it for it in before if not repeats(it, (report,), untimed=untimed)]
            said[report.identity] = [*left, report]
            found.append(index)
    return found


def _standing_of_key(reports: Sequence[Report]) -> Standing:
    top = max(range(len(reports)), key=lambda index: reports[index].order)
    meaning = _meaning(reports[top])
    cancels = reports[top].status is Status.CANCELLED and _any_value(reports)
    if meaning is Meaning.WITHDRAWN or cancels:
        return Standing(frozenset(), Meaning.WITHDRAWN)
    return Standing(frozenset((top,)), meaning)


def _standing_of_day(reports: Sequence[Report]) -> Standing:
    """Each value of the day stands by itself, unless a withdrawal that names it (or names
    no value) or a correction to another value takes it away."""
    tops: dict[Hashable, int] = {}
    for index, report in enumerate(reports):
        if report.status in _TAKES_AWAY:
            continue
        known = tops.get(report.identity)
        if known is None or reports[known].order < report.order:
            tops[report.identity] = index
    against = [report for report in reports if rank(report.status) == _CORRECTION]
    left = frozenset(
        index
        for index in tops.values()
        if not any(_takes_away(other, reports[index]) for other in against)
    )
    if left:
        some_value = any(reports[index].value is not None for index in left)
        return Standing(left, Meaning.VALUE if some_value else Meaning.NO_RESULT)
    cancelled = [index for index, it in enumerate(reports) if it.status is Status.CANCELLED]
    if cancelled and not _any_value(reports):
        top = max(cancelled, key=lambda index: reports[index].order)
        return Standing(frozenset((top,)), Meaning.NO_RESULT)
    return Standing(frozenset(), Meaning.WITHDRAWN)


def _takes_away(correction: Report, report: Report) -> bool:
    """Whether a correction or withdrawal of the same bare date ends what `report` says."""
    names_it = (correction.value, correction.comparator) == (report.value, report.comparator)
    if correction.status in _TAKES_AWAY:
        if correction.value is not None and not names_it:
            return False
    elif names_it:
        return False
    if rank(report.status) == _CORRECTION:
        return correction.order > report.order
    # The flag itself says that it came later; only two known report times can say otherwise.
    known = correction.reported_at is not None and report.reported_at is not None
    return not (known and (report.reported_at or _BEFORE_ANY) > correction.order[1])


def _any_value(reports: Iterable[Report]) -> bool:
    return any(it.value is not None and it.status not in _TAKES_AWAY for it in reports)


def _meaning(report: Report) -> Meaning:
    """What a report means by itself."""
    if report.status is Status.WITHDRAWN:
        return Meaning.WITHDRAWN
    return Meaning.NO_RESULT if report.value is None else Meaning.VALUE


def repeats(new: Report, known: Iterable[Report], *, untimed: bool = False) -> bool:
    """Whether an earlier report already says all that the new one does: the same, with a
    status no lower and reported no earlier. Such a repetition can change nothing.

    Of a bare date (`untimed`) a correction without a report time says more than one with it: it
    takes away whatever came before, and that one only what was not reported later.
    """
    return any(
        it.identity == new.identity
        and _covers(it.order, new.order)
        and not (untimed and _is_undated_correction(new) and not _is_undated_correction(it))
        for it in known
    )


def _covers(known: tuple[int, datetime, object], new: tuple[int, datetime, object]) -> bool:
    return known[0] >= new[0] and known[1] >= new[1]


def _is_undated_correction(report: Report) -> bool:
    return rank(report.status) == _CORRECTION and report.reported_at is None
