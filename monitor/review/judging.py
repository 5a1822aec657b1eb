"""Judging a batch: whom an earlier review remembers is judged by what is recalled of the results.
Whoever then wants to see more of them gets it, and is judged again; of all others everything is
read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from monitor import logs
from monitor.core.answer import Review
from monitor.core.case import Case
from monitor.core.judges import View
from monitor.core.kept_text import Counted, as_text
from monitor.core.recalled import NotRead
from monitor.core.review import panels_of, review_one
from monitor.review.recall import Recall, is_recalled
from monitor.store import remembered
from monitor.store.frames import load_cases
from monitor.store.histories import Histories
from monitor.store.rulebook import RuleBook

T = TypeVar("T")
_ROUNDS = 2
"""So often somebody gets more results to see before all are read."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An enrolment that could not be judged; `where` holds no patient data."""

    enrolment_id: int
    where: str


@dataclass(slots=True)
class Judged:
    """The answers for a batch."""

    cases: list[Case]
    """Those that stand, by id."""
    reviews: list[Review]
    failures: list[Failed]
    counted: Mapping[int, Counted]
    """The rows of results of each patient."""
    recall: Recall

    def text(self, found: Review) -> str:
        """What is to be kept of the results, for the database."""
        patient = found.case.enrolment.patient_id
        counted = self.counted[patient]
        known = self.recall.known(patient)
        if known is not None and known[:2] == (found.memory, counted):
            return known[2]
        return as_text(found.reaches or {}, found.memory, counted)


def judge(
    cases: Sequence[Case], rulebook: RuleBook, now: datetime, zone: ZoneInfo
) -> tuple[list[Review], list[Failed]]:
    """The core's answers, and which cases it could not answer. Everything of theirs was read."""
    return _of_each(
        cases, lambda it: review_one(it, rulebook.protocols, rulebook.catalogue, now, zone)
    )


def look(
    cases: Sequence[Case], rulebook: RuleBook, now: datetime, zone: ZoneInfo
) -> tuple[list[View], list[Failed]]:
    """What the core sees of these cases, without what it would say of it: their lives and panels.
    And which it could not see. Everything of theirs was read."""
    return _of_each(
        cases, lambda it: panels_of(it, rulebook.protocols, rulebook.catalogue, now, zone)
    )


def _of_each(cases: Sequence[Case], ask: Callable[[Case], T]) -> tuple[list[T], list[Failed]]:
    answers, failures = [], []
    for case in cases:
        try:
            answers.append(ask(case))
        except Exception as error:  # noqa: BLE001  # one bad case never stops the batch
            failures.append(Failed(case.enrolment.id, logs.places(error)))
    return answers, failures


def judge_batch(
    connection: Connection,
    enrolment_ids: Collection[int],
    rulebook: RuleBook,
    now: datetime,
    zone: ZoneInfo,
    *,
    recalling: bool = True,
    until: datetime | None = None,
) -> Judged:
    """The answers for those of these enrolments that stand; without `recalling` all results are
    read of everybody. `until` as in `load_cases`."""
    histories = Histories(connection)
    asked = enrolment_ids if recalling else ()
    recall = Recall(connection, histories, asked, rulebook, zone, until)
    known = recall.results()
    found = load_cases(
        connection, enrolment_ids, until=until, zone=zone, histories=histories, recalled=known
    )
    patients = {it.enrolment.patient_id for it in found}
    counted = recall.counted | remembered.counted(connection, patients - recall.counted.keys())
    reviews, lacking = _recalled(
        [case for case in found if recall.serves(case)], recall, rulebook, now, zone
    )
    to_read = [case for case in found if is_recalled(case) and not recall.serves(case)]
    again = _with_all_read([*to_read, *lacking], histories, until)
    read, failures = judge(
        [*again, *(case for case in found if not is_recalled(case))], rulebook, now, zone
    )
    reviews += read
    reviews.sort(key=lambda it: it.case.enrolment.id)
    return Judged(found, reviews, failures, counted, recall)


def _recalled(
    cases: Sequence[Case], recall: Recall, rulebook: RuleBook, now: datetime, zone: ZoneInfo
) -> tuple[list[Review], list[Case]]:
    """The answers by what is recalled, and those cases for which that is not enough."""
    answers: list[Review] = []
    not_enough: list[Case] = []
    for _ in range(_ROUNDS):
        found, lacking = _answers(cases, rulebook, now, zone)
        answers += found
        recall.read({case.enrolment.patient_id: names for case, names in lacking if names})
        not_enough += [case for case, names in lacking if not names]
        cases = [
            replace(case, results=recall.of(case.enrolment.patient_id))
            for case, names in lacking
            if names
        ]
    return answers, [*not_enough, *cases]


def _with_all_read(
    cases: Sequence[Case], histories: Histories, until: datetime | None
) -> list[Case]:
    """The cases with all results of their patients instead of what is recalled of them."""
    results = histories.of_patients(sorted({it.enrolment.patient_id for it in cases}), until)

    def read(case: Case) -> Case:
        return replace(case, results=tuple(results.get(case.enrolment.patient_id, ())))

    return [replace(read(it), siblings=tuple(map(read, it.siblings))) for it in cases]


def _answers(
    cases: Sequence[Case], rulebook: RuleBook, now: datetime, zone: ZoneInfo
) -> tuple[list[Review], list[tuple[Case, frozenset[str]]]]:
    """The answers, and of whom results of which analytes are lacking (none named: all)."""
    answers: list[Review] = []
    lacking: list[tuple[Case, frozenset[str]]] = []
    for case in cases:
        try:
            answers.append(review_one(case, rulebook.protocols, rulebook.catalogue, now, zone))
        except NotRead as error:
            lacking.append((case, error.analytes or frozenset()))
        except Exception:  # noqa: BLE001  # whether it is a fault is said where all is read
            lacking.append((case, frozenset()))
    return answers, lacking
