"""The lines of a digest: alerts sorted into sections, those of one specimen as one line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from monitor.core.calendar import clinic_day
from monitor.core.findings import titled
from monitor.core.vocabulary import Kind
from monitor.delivery.content import person_of
from monitor.delivery.digest import DigestLine
from monitor.delivery.discretion import (
    NOT_SHOWN,
    discreet_summary,
    shows_notes,
    withholds,
    without_notes,
)
from monitor.delivery.shown import shown_value
from monitor.delivery.words import counted, headline, old_sentence, short_day

Note = Callable[[Row[Any]], str]


def live_lines(
    rows: Sequence[Row[Any]],
    known: Collection[int],
    privacy: str,
    now: datetime,
    zone: ZoneInfo,
    muted: Mapping[int, int],
) -> dict[str, tuple[DigestLine, ...]]:
    """The sections of live alerts; `known` are those that stood in an earlier digest. Each
    alert stands in one section: whoever has it in hand comes before how new it is."""
    today = clinic_day(now, zone)

    def opened(row: Row[Any]) -> str:
        day = clinic_day(row.opened_at, zone)
        age = (today - day).days
        since = f"open since {short_day(day)}" + (f", {counted(age, 'day')}" if age else "")
        by = muted.get(row.id)
        return f"{since}; muted by alert {by}" if by else since

    def section(row: Row[Any]) -> str:
        acknowledged = row.state == "acknowledged" and not row.outcome_missed
        if acknowledged or (row.snoozed_until and row.snoozed_until > today):
            return "in_hand"
        if row.id not in known:
            return "new"
        return "recovered" if row.recovered else "still_open"

    def latest(row: Row[Any]) -> str:
        return "" if withholds(row.urgency, privacy) else _latest(row, zone)

    def recovered(row: Row[Any]) -> str:
        return latest(row) or "recovered"

    def followed(note: Note) -> Note:
        return lambda row: "; ".join(it for it in (latest(row), note(row)) if it)

    def in_hand(row: Row[Any]) -> str:
        return _in_hand(row, privacy)

    def still(row: Row[Any]) -> str:
        return in_hand(row) if row.outcome_missed else opened(row)

    notes = {
        "new": followed(opened),
        "still_open": followed(still),
        "recovered": recovered,
        "in_hand": followed(in_hand),
    }
    return {
        name: _lines([row for row in rows if section(row) == name], note, privacy, now, zone)
        for name, note in notes.items()
    }


def ended_lines(
    rows: Sequence[Row[Any]], privacy: str, now: datetime, zone: ZoneInfo
) -> tuple[DigestLine, ...]:
    """Alerts that were closed, with by whom and why."""

    def note(row: Row[Any]) -> str:
        if row.closed_by and row.outcome and not shows_notes(privacy):
            return f"closed by {row.closed_by}: {NOT_SHOWN}"
        return f"closed by {row.closed_by or 'the monitor'}: {row.outcome or 'no outcome given'}"

    return _lines(rows, note, privacy, now, zone, aged=False)


def _lines(
    rows: Sequence[Row[Any]],
    note: Note,
    privacy: str,
    now: datetime,
    zone: ZoneInfo,
    *,
    aged: bool = True,
) -> tuple[DigestLine, ...]:
    """One line for alerts of one kind, urgency, note and specimen (ALT and AST), else each."""

    def together(row: Row[Any]) -> tuple[Any, ...]:
        specimen = row.shown.get("collected_at") or row.id
        return (row.enrolment_id, row.kind, row.urgency, specimen, note(row))

    first: dict[tuple[Any, ...], int] = {}
    for place, row in enumerate(rows):
        first.setdefault(together(row), place)
    ordered = sorted(rows, key=lambda row: first[together(row)])
    lines = []
    for _, group in groupby(ordered, key=together):
        same = list(group)
        lines.append(_line(same, note(same[0]), privacy, now, zone, aged=aged))
    return tuple(lines)


def _line(
    rows: Sequence[Row[Any]],
    note: str,
    privacy: str,
    now: datetime,
    zone: ZoneInfo,
    *,
    aged: bool,
) -> DigestLine:
    row = rows[0]
    said = [discreet_summary(it.kind, it.urgency, it.summary, it.shown, privacy) for it in rows]
    text = "; ".join(it for it in said if it)
    if row.kind == Kind.OVERDUE_TEST.value:
        say = without_notes(row.shown.get("say", ()), privacy)
        text = " ".join([f"{text}.", *say]).rstrip(".")
    else:
        text = ". ".join(it for it in (text, headline(row.kind)) if it)
    collected = row.shown.get("latest_collected_at")
    old = old_sentence(datetime.fromisoformat(collected), now, zone) if collected and aged else ""
    return DigestLine(
        alert_ids=tuple(each.id for each in rows),
        person=person_of(row, privacy),
        urgency=row.urgency,
        text=f"{old} {text}".strip(),
        note=note,
    )


def _latest(row: Row[Any], zone: ZoneInfo) -> str:
    """The latest result, where it is another than the worst one that the line names: the age that
    the line may begin with is that of the latest. Empty where there is no other."""
    shown = row.shown
    at = shown.get("latest_collected_at")
    if shown.get("latest_value") is None or at == shown.get("collected_at"):
        return ""
    unit = titled(shown["unit"], derived=bool(shown.get("latest_derived")))
    day = short_day(clinic_day(datetime.fromisoformat(at), zone))
    latest = f"latest {shown_value(shown, 'latest_')} {unit} on {day}"
    again = row.recovered and shown.get("latest_breaches")
    return f"{latest}, beyond a limit again" if again else latest


def _in_hand(row: Row[Any], privacy: str) -> str:
    if row.state == "acknowledged":
        until = f"acknowledged by {row.acknowledged_by} until {short_day(row.acknowledged_until)}"
        return f"{until}; no outcome yet" if row.outcome_missed else until
    until = f"snoozed by {row.snoozed_by} until {short_day(row.snoozed_until)}"
    return f"{until}: {row.snooze_reason if shows_notes(privacy) else NOT_SHOWN}"
