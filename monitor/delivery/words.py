"""Words and numbers as a mail says them: days, ages, distances, urgencies, actions."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from monitor.core.calendar import clinic_day
from monitor.core.changes import ChangeWhat
from monitor.core.threshold import Breach, above, below
from monitor.core.vocabulary import Kind

PURPOSE = (
    "A safety net beside the laboratory's own telephone call and the prescriber's duty; it "
    "advises a clinician, never a patient; no message from it means nothing."
)
"""The intended purpose, at the end of every mail."""

OLD = timedelta(days=3)
"""A result told later than this after its collection begins with its age (specification, 3)."""

HEADLINES = {
    Kind.DISCONTINUE: "Discontinuation: prescriber to decide",
    Kind.WITHHOLD: "Withholding: prescriber to decide",
    Kind.DOSE_REDUCTION: "Dose reduction: prescriber to decide",
    Kind.REVIEW: "Review: prescriber to decide",
    Kind.OVERDUE_TEST: "Test overdue",
    Kind.QUARANTINED_RESULT: "Result held back: a person must look",
    Kind.SAMPLE_UNUSABLE: "Sample unusable: test again",
    Kind.BASELINE_MISSING: "Baseline missing: before the first dose",
    Kind.CONTRAINDICATED: "Contraindicated: prescriber to decide",
    Kind.INTERACTION: "Interaction: prescriber to decide",
    Kind.DOSE_CHECK: "Dose to be checked: prescriber to decide",
    Kind.TARGET: "Target not reached: prescriber to review",
    Kind.TASK_DUE: "Task due",
}
"""What an alert asks for. It never tells anybody to stop anything."""

SUBJECT_ACTIONS = {
    Kind.DISCONTINUE: "prescriber to decide on discontinuation",
    Kind.WITHHOLD: "prescriber to decide on withholding",
    Kind.DOSE_REDUCTION: "prescriber to decide on a dose reduction",
    Kind.REVIEW: "prescriber to review",
    Kind.OVERDUE_TEST: "test overdue",
    Kind.QUARANTINED_RESULT: "a held result needs a person",
    Kind.SAMPLE_UNUSABLE: "sample unusable, test again",
    Kind.BASELINE_MISSING: "baseline missing",
    Kind.CONTRAINDICATED: "contraindicated, prescriber to decide",
    Kind.INTERACTION: "interaction, prescriber to decide",
    Kind.DOSE_CHECK: "dose to be checked",
    Kind.TARGET: "target not reached",
    Kind.TASK_DUE: "task due",
}

WHAT = {
    ChangeWhat.OPENED: "New",
    ChangeWhat.UPDATED: "Changed",
    ChangeWhat.WORSE: "Worse",
    ChangeWhat.REMINDED: "Reminder",
    ChangeWhat.RECOVERED: "Recovered",
    ChangeWhat.RELAPSED: "Beyond the limit again",
    ChangeWhat.REOPENED: "Open again",
    ChangeWhat.ACK_EXPIRED: "Open again",
    ChangeWhat.SNOOZE_EXPIRED: "Open again",
    ChangeWhat.ESCALATED: "Not acknowledged",
    ChangeWhat.OUTCOME_MISSING: "No outcome yet",
    ChangeWhat.UNMUTED: "Told now",
    ChangeWhat.CLOSED: "Closed",
    ChangeWhat.WITHDRAWN: "Withdrawn",
    ChangeWhat.MERGED: "Merged",
    ChangeWhat.APART: "Stands again",
}

_UNMENTIONABLE = re.compile(
    r"pregnan|gravid|\bhiv\b|hepatit|\bdeath|\bdied\b|\bdead\b|deceased", re.IGNORECASE
)
_POWER = re.compile(r"10\*(\d+)/")
_AREA = re.compile(r"\{(\d+\.\d+)_m2\}")
_MICRO = re.compile(r"\bu(?=mol/)")
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def headline(kind: str) -> str:
    return HEADLINES.get(Kind(kind), "") if kind in set(Kind) else _plain(kind)


def subject_action(kind: str) -> str:
    return SUBJECT_ACTIONS.get(Kind(kind), "") if kind in set(Kind) else _plain(kind).lower()


def what_words(what: str) -> str:
    return WHAT[ChangeWhat(what)] if what in set(ChangeWhat) else _plain(what)


@lru_cache(maxsize=1024)
def day_words(day: date) -> str:
    """A day that no reader takes for another: Tue 12 May 2026."""
    return f"{day:%a} {day.day} {day:%b %Y}"


@lru_cache(maxsize=1024)
def short_day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def instant_words(at: datetime, zone: ZoneInfo) -> str:
    """Clinic-local; midnight is taken for a day without a time."""
    local = at.astimezone(zone)
    time = f", {local:%H:%M}" if (local.hour, local.minute) != (0, 0) else ""
    return day_words(local.date()) + time


def age_words(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """How long ago in clinic days: today, yesterday, 5 days ago."""
    days = (clinic_day(now, zone) - clinic_day(at, zone)).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago" if days > 0 else "to come")


def old_sentence(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """What a result more than 3 days old begins with; empty for a newer one."""
    if now - at <= OLD:
        return ""
    days = (clinic_day(now, zone) - clinic_day(at, zone)).days
    return f"{days} days old: state today unknown: test now."


def distance(value: Decimal, comparator: str, limit: Decimal, *, downward: bool) -> str:
    """How far a value lies beyond its limit, never overstated; empty where that has no sense."""
    breach = (below if downward else above)(value, comparator, limit)
    if breach is Breach.MAY:
        return "only a bound: may be beyond the limit"
    if breach is Breach.NO or limit <= 0:
        return ""
    beyond = abs(value - limit)
    least = "at least " if comparator else ""
    if not downward and value >= 2 * limit:
        times = (value / limit).quantize(Decimal("0.1"), ROUND_FLOOR)
        return f"{least}{times:f} times the limit"
    percent = (100 * beyond / limit).to_integral_value(ROUND_FLOOR)
    side = "below" if downward else "above"
    if not percent:
        return f"{'' if comparator else 'less than 1 % '}{side} the limit"
    return f"{least}{percent} % {side} the limit"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 patient`, `3 patients`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def initials(family_name: str, given_name: str) -> str:
    """`A.M.` of Anna Miller; empty without a name."""
    return "".join(f"{name.strip()[0].upper()}." for name in (given_name, family_name) if name)


def discreet(text: str, instead: str) -> str:
    """The text, unless it holds what must never stand in a subject."""
    return instead if _UNMENTIONABLE.search(text) else text


def one_line(text: str) -> str:
    """Without line breaks and control characters, as a header needs it."""
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(text.split())


@lru_cache(maxsize=1024)
def pretty(text: str) -> str:
    """Units as a reader knows them: ×10⁹/L for `10*9/L`, mL/min/1.73 m² for `mL/min/{1.73_m2}`,
    µmol/L for `umol/L`. A mass stays `ug`, for a written µ is taken for an m (ISMP)."""
    text = _POWER.sub(lambda match: f"×10{match[1].translate(_SUPERSCRIPT)}/", text)
    return _MICRO.sub("µ", _AREA.sub(r"\1 m²", text))


def _plain(word: str) -> str:
    words = word.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
