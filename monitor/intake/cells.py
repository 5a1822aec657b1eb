"""What the cells beside a value mean: instants, birth dates, status. Each text is read once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.config import Source
from monitor.core.status_words import read_status
from monitor.core.vocabulary import Status
from monitor.intake.dates import NO_DAYS, Moment, read_day, read_moment
from monitor.intake.flags import says_where
from monitor.intake.raw import RawRow

_AHEAD = timedelta(hours=24)
_CACHE_LIMIT = 20_000


class Cells:
    """Reads the instants, birth dates and status words of one source."""

    def __init__(self, source: Source, zone: ZoneInfo, now: datetime) -> None:
        self._source = source
        self._zone = zone
        self.latest = now + _AHEAD
        """A collection or a report after it lies in the future."""
        self._moments: dict[tuple[str, str], Moment | None] = {}
        self._statuses: dict[str, Status | str | None] = {}

    def moment(self, text: str, order: str) -> Moment | None:
        """The instant that a text means; None where it cannot be read."""
        key = (text, order)
        if key not in self._moments:
            if len(self._moments) > _CACHE_LIMIT:
                self._moments.clear()
            self._moments[key] = read_moment(text, self._source.date_format or order, self._zone)
        return self._moments[key]

    def collected(self, text: str, order: str) -> Moment | None:
        """The instant of a collection; None also for a day that only says that none is known: a
        result of long ago would never be judged."""
        found = self.moment(text, order)
        if found is None or found.on in NO_DAYS or found.at.date() in NO_DAYS:
            return None
        return found

    def reported(self, text: str, order: str) -> Moment | None:
        """The instant of a report; None also for one that is yet to come: whatever is reported of
        the same result afterwards would be the earlier, for as long."""
        found = self.moment(text, order)
        return None if found is None or found.at > self.latest else found

    def status(self, word: str) -> Status | str | None:
        """The meaning of a status word; None for an unknown one."""
        if word not in self._statuses:
            if len(self._statuses) > _CACHE_LIMIT:
                self._statuses.clear()
            self._statuses[word] = _status_in(word)
        return self._statuses[word]

    def birth_date(self, row: RawRow) -> date | None:
        """The birth date of a row; one with a year of two digits lies in the past."""
        moment = self.moment(row.birth_date, row.dates) if row.birth_date.strip() else None
        if moment is None:
            return None
        day = read_day(row.birth_date, self._source.date_format or row.dates) or moment.on
        return day if day <= self.latest.date() else _a_century_earlier(day)


def _status_in(word: str) -> Status | str | None:
    """Where a column of this name holds flags, it says nothing of how final a value is."""
    found = read_status(word)
    return Status.FINAL if found is None and says_where(word) else found


def _a_century_earlier(day: date) -> date:
    return day.replace(year=day.year - 100, day=min(day.day, 28) if day.month == 2 else day.day)
