"""Whom an edit of the rules certainly leaves alone: put back to sleep without being judged.

An edit wakes everybody with one statement. Of most the rules that it changes say nothing, before
it or after it, and what their last review kept (`core/kept.py`) tells so without their results.
What other rules say of them stands, by the newer text. Everybody else is judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.answer import PanelStatus, Review
from monitor.core.calendar import clinic_day, earliest, start_of_day
from monitor.core.kept import Edit, edit_between, kept_schedule, kept_status
from monitor.core.kept_text import from_text, schedule_from, with_schedule
from monitor.review.judging import Judged
from monitor.review.program import BETWEEN
from monitor.review.recall import judged_by
from monitor.store import keeping
from monitor.store.alerts import restate
from monitor.store.facts import is_past
from monitor.store.keeping import Keeping, Kept, Sleep
from monitor.store.rulebook import RuleBook, load_earlier, load_rulebook

_LATER = timedelta(seconds=1)
AT_ONCE = 2_000
"""Looked at in one transaction."""


def kept(
    found: Review,
    judged: Judged,
    alerts_change_at: datetime | None,
    rulebook: RuleBook,
    zone: ZoneInfo,
) -> Kept | None:
    """What to keep of an answer; None: nothing."""
    if found.reaches is None:
        return None
    by = judged_by(found.case.enrolment.protocol_id, rulebook, zone)
    text, schedule = judged.text(found), kept_schedule(found, alerts_change_at)
    return Kept(by, text if schedule is None else with_schedule(text, schedule))


def after(at: datetime | None, now: datetime) -> datetime | None:
    """Never now again: a queue that is drained must end."""
    return None if at is None else max(at, now + _LATER)


def _leaves_alone(edit: Edit, woken: Keeping) -> bool:
    if not edit.rules:
        return True
    return edit.leaves_alone(from_text(woken.reach, edit.analytes), woken.indication)


class Foreseen(NamedTuple):
    """What an edit of the rules changes for an enrolment, of whom alerts tell the same: where its
    panels stand by the first text and by the second; none where nothing changes."""

    before: tuple[PanelStatus, ...] = ()
    after: tuple[PanelStatus, ...] = ()


def foreseen(
    connection: Connection,
    ids: Sequence[int],
    books: tuple[RuleBook, RuleBook],
    now: datetime,
    zone: ZoneInfo,
) -> Mapping[int, Foreseen]:
    """Those of these enrolments of whom an edit, from the first book to the second, is known to
    change at `now` no more than due days, by what is kept of them; nobody where that has passed."""
    if is_past(connection, now):
        return {}
    old, new = books
    today = clinic_day(now, zone)
    found: dict[int, Foreseen] = {}
    edits: dict[str, Edit | None] = {}
    for it in keeping.asleep(connection, ids, now):
        if not it.holds or it.by != judged_by(it.protocol_id, old, zone):
            continue
        if it.protocol_id not in edits:
            edits[it.protocol_id] = _edit_between(it.protocol_id, old, new)
        edit = edits[it.protocol_id]
        if edit is not None and _leaves_alone(edit, it):
            moved = Foreseen() if edit.schedules is None else _moved(edit, it, today)
            if moved is not None:
                found[it.id] = moved
    return found


def _moved(edit: Edit, woken: Keeping, today: date) -> Foreseen | None:
    """What an edit of the schedule makes of due days; None: that takes a review."""
    assert edit.schedules is not None
    schedule = schedule_from(woken.reach)
    if schedule is None or edit.rescheduled(schedule, today) is None:
        return None
    if edit.moves_nothing(schedule, today):
        return Foreseen()
    before, after = (kept_status(schedule, text, today) for text in edit.schedules)
    return None if before is None or after is None else Foreseen(before.panels, after.panels)


def _edit_between(protocol_id: str, old: RuleBook, new: RuleBook) -> Edit | None:
    if old.catalogue.digest != new.catalogue.digest:
        return None
    return edit_between(old.protocols[protocol_id], new.protocols[protocol_id])


class Screen:
    """One drain of the queue; remembers what the edits changed."""

    def __init__(self, settings: Settings) -> None:
        self._zone = settings.clinic.zone
        self._edits: dict[tuple[str, str], Edit | None] = {}
        self.is_done = False
        """Nobody is left of whom something is kept."""

    def put_back(self, connection: Connection, now: datetime, limit: int = AT_ONCE) -> int:
        """Put back up to `limit` of those whom an edit woke; how many. The others among them
        are still due."""
        woken = keeping.claim_woken(connection, now, limit)
        self.is_done = len(woken) < limit
        if not woken:
            return 0
        rulebook, today = load_rulebook(connection), clinic_day(now, self._zone)
        alone: dict[str, list[int]] = defaultdict(list)
        untils: dict[int, datetime | None] = {}
        judged: list[int] = []
        followed = {it.protocol_id for it in woken}
        present = {name: judged_by(name, rulebook, self._zone) for name in followed}
        for it in woken:
            edit = self._edit(connection, it, present[it.protocol_id], rulebook)
            if not it.holds or edit is None or not _leaves_alone(edit, it):
                judged.append(it.id)
            elif edit.schedules is None:
                alone[it.protocol_id].append(it.id)
            elif (found := self._rescheduled(edit, it, today)) is not None:
                if (until := after(found.until, now)) != it.until:
                    untils[it.id] = until
                alone[it.protocol_id].append(it.id)
            else:
                judged.append(it.id)
        keeping.sleep_until(connection, untils)
        for name, ids in alone.items():
            keeping.put_back(connection, ids, present[name])
            restate(connection, ids, rulebook.protocols[name])
        keeping.forget(connection, judged)
        return len(woken) - len(judged)

    def _rescheduled(self, edit: Edit, woken: Keeping, today: date) -> Sleep | None:
        """Until when an enrolment sleeps by the new schedule; None: alerts tell something else."""
        schedule = schedule_from(woken.reach)
        found = schedule and edit.rescheduled(schedule, today)
        if schedule is None or found is None:
            return None
        day = found.next_change_on
        by_schedule = None if day is None else start_of_day(day, self._zone)
        return Sleep(earliest(by_schedule, schedule.rest_until))

    def _edit(
        self, connection: Connection, woken: Keeping, now_by: str, rulebook: RuleBook
    ) -> Edit | None:
        key = (woken.by, now_by)
        if key not in self._edits:
            self._edits[key] = self._compared(connection, woken, now_by, rulebook)
        return self._edits[key]

    @staticmethod
    def _compared(
        connection: Connection, woken: Keeping, now_by: str, rulebook: RuleBook
    ) -> Edit | None:
        (digest, *others), (_, *others_now) = woken.by.split(BETWEEN), now_by.split(BETWEEN)
        if others != others_now:
            return None
        old = load_earlier(connection, woken.protocol_id, digest, rulebook.catalogue)
        return None if old is None else edit_between(old, rulebook.protocols[woken.protocol_id])
