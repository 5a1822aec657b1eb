"""What the rules say of enrolments at an instant, derived anew and not from what is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from monitor.config import Settings
from monitor.core.answer import Finding, Review
from monitor.core.case import Case
from monitor.core.changes import Alert
from monitor.intake.people import People, read_number
from monitor.review import BATCH, WITH_ALL_READ, judge_batch
from monitor.store import tables
from monitor.store.facts import is_past
from monitor.store.frames import all_enrolment_ids, chunks
from monitor.store.rulebook import RuleBook, load_rulebook
from monitor.store.tables import table_of


@dataclass(frozen=True, slots=True)
class Answers:
    """One batch: the cases, what the core says of them, and whom it could not judge."""

    rulebook: RuleBook
    cases: tuple[Case, ...]
    reviews: tuple[Review, ...]
    failed: tuple[int, ...]


def answers(
    connection: Connection,
    settings: Settings,
    now: datetime,
    *,
    ids: Collection[int] | None = None,
    until: datetime | None = None,
    recalling: bool = False,
) -> Iterator[Answers]:
    """Judge these enrolments (None: all) at `now`, in batches and in the order of their ids;
    `until` hides what was collected or happened later. `recalling`: not all results are read of
    those whom an earlier review remembers, unless that was later than `now`."""
    wanted = all_enrolment_ids(connection) if ids is None else sorted(set(ids))
    if not wanted:
        return
    rulebook = load_rulebook(connection)
    zone = settings.clinic.zone
    recalling = recalling and not is_past(connection, now)
    for piece in chunks(wanted, BATCH if recalling else WITH_ALL_READ):
        judged = judge_batch(
            connection, piece, rulebook, now, zone, recalling=recalling, until=until
        )
        failed = tuple(failure.enrolment_id for failure in judged.failures)
        yield Answers(rulebook, tuple(judged.cases), tuple(judged.reviews), failed)


def finding_about(alert: Alert, findings: Iterable[Finding]) -> Finding | None:
    """The finding an alert is about: of its cause and, for an episode, sharing a breach."""
    for finding in findings:
        if finding.cause != alert.cause:
            continue
        if not finding.breaches or not set(finding.breaches).isdisjoint(alert.breaches):
            return finding
    return None


def enrolments_of(connection: Connection, mrn: str) -> Sequence[int]:
    """The ids of a patient's enrolments that stand, ascending; none where nobody has this number.

    A number that was merged is its survivor's; one without its issuer is whoever's has it.
    """
    number = read_number(mrn)
    people = People(connection)
    person = people.find(number)
    known = people.with_number(number.number) if not number.issuer else ()
    persons = [person.id] if person is not None else [it.person.id for it in known]
    enrolments = table_of(tables.EnrolmentRow).c
    query = select(enrolments.id).where(enrolments.patient_id.in_(persons), enrolments.stands)
    return list(connection.scalars(query.order_by(enrolments.id)))
