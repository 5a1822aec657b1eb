"""What arrives is taken in and then reviewed: the one path of the commands, the daemon and
the demo. Each file is a transaction, and the review of whom it touched are others; should
the second not come about, `next_review_at` still owes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.intake import quarantine
from monitor.intake.enrol import enrol_file
from monitor.intake.events import events_file
from monitor.intake.inbox import InboxOutcome, take_inbox
from monitor.intake.load import load_file
from monitor.intake.mending import Mend, fix
from monitor.intake.report import FileReport, PeopleReport
from monitor.operations.late import LateReport, late_in, late_report
from monitor.review import BATCH, Tally, review_batch, review_due
from monitor.store.database import Store
from monitor.store.errors import StoreError

Progress = Callable[[int, int], None]


class NotReviewed(StoreError):
    """A file is taken in, and the database gave way before those whom it touches were reviewed:
    the next review still owes it to them. `account` is the file's, `plain` the same for pages."""

    plain = (
        "The rows are taken in, and whom they touch is reviewed with the next sweep: the database "
        "gave way between the two. To send it again changes nothing."
    )

    def __init__(self, report: FileReport | PeopleReport, why: StoreError) -> None:
        super().__init__(
            f"{why}; its rows are taken in, and the next sweep reviews whom they touch"
        )
        self.account = report.account()


@dataclass(frozen=True)
class Loaded:
    """A lab file's account, and what came of reviewing whom it touched."""

    report: FileReport
    tally: Tally
    late: LateReport
    """What results of the file that came late would have said earlier."""


@dataclass(frozen=True)
class PeopleTaken:
    """An enrolment or events file's account, and what came of reviewing whom it touched."""

    report: PeopleReport
    tally: Tally


def load(
    store: Store,
    settings: Settings,
    path: Path,
    source: str,
    now: datetime,
    *,
    preview: bool = False,
    progress: Progress | None = None,
) -> Loaded:
    """Take in one lab file, then review its patients; a preview does both and takes it back.
    Raises NotReviewed."""
    if not preview:
        report = load_file(store, settings, path, source, now, progress=progress)
        with _owing(report):
            tally = review_due(store, settings, now, only=report.touched)
            late_ones = late_report(store, settings, now, since=now, only=report.touched)
        return Loaded(report, tally, late_ones)
    tally = Tally()
    late: list[LateReport] = []

    def review(connection: Connection, touched: Sequence[int]) -> None:
        for start in range(0, len(touched), BATCH):
            tally.add(review_batch(connection, settings, touched[start : start + BATCH], now))
        late.append(late_in(connection, settings, now, since=now, only=touched))

    report = load_file(store, settings, path, source, now, preview=review, progress=progress)
    return Loaded(report, tally, late[0])


def enrol(store: Store, settings: Settings, path: Path, now: datetime) -> PeopleTaken:
    """Enrol the patients of a file, then review them. Raises NotReviewed."""
    report = enrol_file(store, settings, path, now)
    with _owing(report):
        return PeopleTaken(report, review_due(store, settings, now, only=report.touched))


def events(store: Store, settings: Settings, path: Path, now: datetime) -> PeopleTaken:
    """Take in what happened to patients, then review them. Raises NotReviewed."""
    report = events_file(store, settings, path, now)
    with _owing(report):
        return PeopleTaken(report, review_due(store, settings, now, only=report.touched))


@contextmanager
def _owing(report: FileReport | PeopleReport) -> Iterator[None]:
    """What is reviewed here is owed for a file that is taken in already."""
    try:
        yield
    except StoreError as error:
        raise NotReviewed(report, error) from error


def inbox(store: Store, settings: Settings, now: datetime) -> list[InboxOutcome]:
    """Take in the settled files of the inbox folder, then review whom they touched."""
    outcomes = take_inbox(store, settings, now)
    touched = {enrolment for outcome in outcomes for enrolment in outcome.touched}
    if touched:
        review_due(store, settings, now, only=touched)
    return outcomes


def retry(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    ids: Collection[int] | None = None,
    reason: str = "",
    source: str | None = None,
    by: str,
) -> tuple[quarantine.Retry, Tally]:
    """Try held rows again, then review whom it touched. Raises QuarantineRefused."""
    tried = quarantine.retry(store, settings, now, ids=ids, reason=reason, source=source, by=by)
    return tried, review_due(store, settings, now, only=tried.touched)


def mend(
    store: Store,
    settings: Settings,
    row_id: int,
    said: Mend,
    *,
    by: str,
    now: datetime,
    once: bool = False,
) -> tuple[quarantine.Retry, Tally]:
    """Mend a held row and all alike, then review whom it touched. Raises QuarantineRefused."""
    done = fix(store, settings, row_id, said, by=by, now=now, once=once)
    return done, review_due(store, settings, now, only=done.touched)


def discard(
    store: Store,
    settings: Settings,
    ids: Collection[int],
    *,
    by: str,
    reason: str,
    now: datetime,
) -> Tally:
    """Let held rows go, then review whom it touched. Raises QuarantineRefused."""
    touched = quarantine.discard(store, ids, by=by, reason=reason, now=now)
    return review_due(store, settings, now, only=touched)


def hold_again(
    store: Store,
    settings: Settings,
    ids: Collection[int],
    *,
    by: str,
    reason: str,
    now: datetime,
) -> tuple[quarantine.Retry, Tally]:
    """Hold rows that were let go by mistake, try them again, then review whom it touched. Raises
    QuarantineRefused."""
    tried = quarantine.hold_again(store, settings, ids, by=by, reason=reason, now=now)
    return tried, review_due(store, settings, now, only=tried.touched)
