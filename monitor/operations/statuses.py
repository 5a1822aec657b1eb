"""Where enrolments stand, for who asks of everybody: most of them sleep on an answer whose due days
are kept, and their panels are counted from it; the others are judged (docs/adr/0066)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.calendar import clinic_day
from monitor.core.case import Enrolment
from monitor.core.enrolment_status import EnrolmentStatus, status_of
from monitor.core.kept import kept_status
from monitor.core.kept_text import schedule_from
from monitor.operations.answers import answers
from monitor.review import judged_by
from monitor.store import keeping
from monitor.store.facts import is_past
from monitor.store.frames import all_enrolment_ids, chunks
from monitor.store.keeping import Sleeping
from monitor.store.rulebook import RuleBook, load_rulebook


class Whose(NamedTuple):
    """An enrolment by what names it."""

    enrolment_id: int
    patient_id: int
    mrn: str
    drug: str
    protocol_id: str


class Standing(NamedTuple):
    """An enrolment and where it stands."""

    whose: Whose
    status: EnrolmentStatus


@dataclass(frozen=True, slots=True)
class Statuses:
    """One batch; `failed` are those that the monitor could not judge."""

    rulebook: RuleBook
    standings: Sequence[Standing]
    failed: Sequence[Whose]

    @property
    def ids(self) -> list[int]:
        whose = (*(it.whose for it in self.standings), *self.failed)
        return [it.enrolment_id for it in whose]


def statuses(
    connection: Connection,
    settings: Settings,
    now: datetime,
    *,
    ids: Collection[int] | None = None,
) -> Iterator[Statuses]:
    """Where these enrolments (None: all) stand at `now`, in batches: those of whom enough is kept,
    and the others, of each the lowest ids first. Nothing collected or happened later than `now`
    is seen."""
    wanted = all_enrolment_ids(connection) if ids is None else sorted(set(ids))
    if not wanted:
        return
    rulebook = load_rulebook(connection)
    past = is_past(connection, now)
    others: list[int] = []
    for piece in chunks(wanted):
        kept = {} if past else _kept(connection, piece, rulebook, settings, now)
        yield Statuses(rulebook, tuple(kept.values()), ())
        others += [it for it in piece if it not in kept]
    for batch in answers(connection, settings, now, ids=others, until=now, recalling=True):
        of = {case.enrolment.id: _whose(case.enrolment) for case in batch.cases}
        yield Statuses(
            rulebook,
            [Standing(_whose(it.case.enrolment), status_of(it)) for it in batch.reviews],
            [of[enrolment] for enrolment in batch.failed],
        )


def _kept(
    connection: Connection,
    ids: Sequence[int],
    rulebook: RuleBook,
    settings: Settings,
    now: datetime,
) -> dict[int, Standing]:
    """Those of these enrolments of whom enough is kept, by id."""
    zone = settings.clinic.zone
    today = clinic_day(now, zone)
    present = {name: judged_by(name, rulebook, zone) for name in rulebook.protocols}
    found: dict[int, Standing] = {}
    for it in keeping.sleeping(connection, ids, now):
        schedule = schedule_from(it.reach) if it.by == present[it.protocol_id] else None
        status = schedule and kept_status(schedule, rulebook.protocols[it.protocol_id], today)
        if status:
            found[it.id] = Standing(_of_sleeping(it), status)
    return found


def _of_sleeping(it: Sleeping) -> Whose:
    return Whose(it.id, it.patient_id, it.mrn, it.drug, it.protocol_id)


def _whose(it: Enrolment) -> Whose:
    return Whose(it.id, it.patient_id, it.mrn, it.drug, it.protocol_id)
