"""The instants at which a test looks at a patient."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import settings

from tests.property.strategies import History

DEEP = settings.get_current_profile_name() == "deep"
TAIL = 45
"""Days that are still looked at after the last thing came."""
LOOKS = 50


def midnights(history: History) -> list[datetime]:
    """Starts of clinic days from the first arrival to some weeks after the last: each day in
    a deep run, else not more than some, unevenly spread."""
    first = min([history.case.enrolment.enrolled_on, *(at.date() for at in history.arrivals())])
    span = (history.last_day - first).days + TAIL
    stride = 1 if DEEP else max(1, span // LOOKS)
    starts = (
        datetime.combine(first + timedelta(days=day), time(0), history.zone)
        for day in range(0, span, stride)
    )
    return [start.astimezone(UTC) for start in starts]


def ticks(history: History) -> list[datetime]:
    return sorted({*midnights(history), *history.arrivals()})
