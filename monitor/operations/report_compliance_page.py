"""The report on tests done and missed, laid out to look at and to print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from monitor.delivery.words import counted
from monitor.operations.report_compliance import BECAME, Compliance, Count
from monitor.operations.report_overdue import Which
from monitor.operations.report_page import Columns, Page, Part, Table, day_words, share

_NOTES = (
    """A test is due on the days of the schedule, each reckoned as if the one before had been done
    on its day. A completion answers the last due day that had come; those before it are missed.""",
    """In time: on or before its day. In grace: within the days the protocol allows. Late: after
    them, before the next one came due. Missed, too, is one whose grace is over and that is not
    done yet.""",
    """Not over yet: its grace still runs, or ran when the drug was stopped. The five columns add
    up to the due tests.""",
    "The delay is counted from the due day, of tests done after it.",
    """Rechecks and tests that an event asks for are not counted here, nor what came due before the
    enrolment or while another clinic monitored.""",
    """Overdue at the end of a month are the patients of whom monitor status says so at that
    instant, rechecks included.""",
    """Of a patient on two drugs the tests that each of them asks for are counted; the patient, and
    each of the days, are one.""",
)


def page(found: Compliance, which: Which) -> Page:
    """The report to look at and to print."""
    total = found.total
    done = total.of["in_time"] + total.of["in_grace"]
    settled = total.due - total.of["waiting"]
    last = found.overdue[-1] if found.overdue else (found.until, 0, 0)
    days = f"{day_words(found.since)} to {day_words(found.until)}"
    covered = f"{total.covered:,} of {total.days:,} patient-days with no test past its grace"
    return Page(
        title="Were the tests done?",
        span=", ".join(it for it in (days, which.words) if it),
        about="Every test that the protocols asked for in these days, and what became of it.",
        facts=[
            (share(done, settled) or "none", "in time or in grace", f"{done} of {settled} tests"),
            (share(total.of["missed"], settled) or "none", "missed", f"{total.of['missed']} tests"),
            (share(total.covered, total.days) or "none", "of days covered", covered),
            (str(last[2]), "overdue on the last day", f"of {last[1]} monitored here"),
        ],
        figure=_figure(found),
        tables=[_groups(found, which), _months(found), _clinics(found)],
        notes=[*_left_out(found), *(" ".join(note.split()) for note in _NOTES)],
    )


def _left_out(found: Compliance) -> list[str]:
    """What is missing here must not read as all there is."""
    count = found.not_judged
    return [f"LEFT OUT: {counted(count, 'enrolment')} that could not be judged"] if count else []


_HEADINGS = ["Due", "In time", "In grace", "Late", "Missed", "Not over yet"]


def _numbers(count: Count) -> list[Any]:
    return [count.due, *(count.of[name] for name in BECAME)]


def _groups(found: Compliance, which: Which) -> Table:
    return Table(
        title="By clinic, drug, phase and test",
        columns=["Clinic", "Drug", "Phase", "Test", "Patients", *_HEADINGS, "In time or grace",
                 "Delay (median days)"],
        rows=[
            (*key, len(count.patients), *_numbers(count), _kept(count), count.median_delay)
            for key, count in sorted(found.groups.items())
        ],
        total=("All", "", "", "", len(found.total.patients), *_numbers(found.total),
               _kept(found.total), found.total.median_delay),
        empty="No test came due in these days." if found.asked else which.nobody(),
    )  # fmt: skip


def _kept(count: Count) -> str:
    kept = count.of["in_time"] + count.of["in_grace"]
    return share(kept, count.due - count.of["waiting"])


def _months(found: Compliance) -> Table:
    late = {f"{day:%Y-%m}": (here, number) for day, here, number in found.overdue}
    return Table(
        title="By month",
        columns=["Month", *_HEADINGS, "In time or grace", "Overdue at its end",
                 "Of monitored here"],
        rows=[
            (_month(month), *_numbers(found.months.get(month, Count())),
             _kept(found.months.get(month, Count())), number, here)
            for month, (here, number) in sorted(late.items())
        ],
        empty="No month.",
    )  # fmt: skip


def _clinics(found: Compliance) -> Table:
    return Table(
        title="Patient-days covered",
        columns=["Clinic", "Drug", "Days on treatment", "Covered", "Proportion"],
        rows=[
            (*key, count.days, count.covered, share(count.covered, count.days))
            for key, count in sorted(found.clinics.items())
        ],
        total=("All", "", found.total.days, found.total.covered,
               share(found.total.covered, found.total.days)),
        empty="Nobody was on treatment in these days.",
    )  # fmt: skip


def _figure(found: Compliance) -> Columns:
    months: Sequence[str] = sorted({f"{day:%Y-%m}" for day, _, _ in found.overdue})
    bars = []
    for month in months:
        count = found.months.get(month, Count())
        bars.append((_month(month), [count.of[name] for name in BECAME], _kept(count)))
    return Columns(
        title="What became of each month's due tests",
        parts=[
            Part(name="in time", tone="good"),
            Part(name="in grace", tone="near"),
            Part(name="late", tone="late"),
            Part(name="missed", tone="bad"),
            Part(name="not over yet", tone="wait"),
        ],
        bars=bars if found.total.due else [],
        unit="due tests; above: the share in time or in grace",
    )


def _month(text: str) -> str:
    return f"{date.fromisoformat(f'{text}-01'):%b %Y}"
