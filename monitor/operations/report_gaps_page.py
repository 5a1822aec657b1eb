"""The monitoring gap report, laid out to look at and to print: what it adds up to, and the longest
gaps. All of them are in its other forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from heapq import nsmallest
from typing import Any

from monitor.core.gap_reasons import Reason
from monitor.core.gaps import State
from monitor.delivery.words import counted
from monitor.operations.report_gaps import Gaps
from monitor.operations.report_page import Page, Table, day_words, share

MOST = 40
"""Rows of a list: whoever wants all of them takes another form."""
FIELDS = (
    "clinic", "mrn", "drug", "test", "state", "from", "to", "days", "tests", "known_only_since",
    "due_on", "overdue_since", "done_on", "reasons", "nothing_on_record_days",
)  # fmt: skip
WORDS = {
    Reason.ELSEWHERE: "monitored elsewhere",
    Reason.FEED_SILENT: "laboratory's feed silent",
    Reason.HELD_ROW: "value held in quarantine",
    Reason.INCOMPLETE: "sample incomplete or unusable",
    Reason.INPATIENT: "in hospital",
    Reason.AWAY: "away",
    Reason.HOLD: "drug held",
    Reason.NOT_STARTED: "start not confirmed",
    Reason.TRANSFER: "transfer not accepted",
    Reason.SUPPLY: "supply ran out",
    Reason.LOST: "lost to follow-up",
    Reason.DECLINED: "declined",
    Reason.NOT_REACHED: "could not be reached",
    Reason.CONTACTED: "contacted, no result yet",
    Reason.PUT_ASIDE: "alert put aside",
    Reason.NOTHING: "nothing on record",
}
_SAME = ("state", "from", "to", "known_only_since", "done_on")
"""By these, and by why, intervals of two tests are one line."""
_NOTES = (
    """Covered: on treatment, monitored here, and no test past its grace, as in the report
    compliance; before the first test is due that needs none, and a test that the enrolment declares
    counts. Not covered: from the day after the
    grace to the day before the test was done. A hold keeps monitoring going. Rechecks and tests
    that an event asks for are not counted.""",
    """A reason stands beside a gap and excuses no day of it. It counts from the day it is about;
    where it was recorded later than results come, that is said. A day with several reasons counts
    under the first of them, in the order of the list above; one on which two tests were missing,
    under the test of which less is on record.""",
    """Known only since: the day is covered, and looked overdue until the result came. Days
    monitored elsewhere are neither covered nor not covered here.""",
)


class _Longest:
    """The rows with the most days, of any number."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, int, tuple[Any, ...]]] = []
        self.count = 0

    def add(self, days: int, row: tuple[Any, ...]) -> None:
        self.count += 1
        self._kept.append((-days, self.count, row))
        if len(self._kept) > 2 * MOST:
            self._kept = nsmallest(MOST, self._kept)

    def table(self, title: str, columns: Sequence[str], empty: str) -> Table:
        more = self.count - MOST
        note = f"The longest {MOST}; {more} more with --csv or --json." if more > 0 else ""
        kept = [row for *_, row in nsmallest(MOST, self._kept)]
        return Table(title=title, columns=columns, rows=kept, empty=empty, note=note)


def page(found: Gaps) -> Page:
    """The report to look at and to print."""
    gaps, elsewhere, late = _Longest(), _Longest(), _Longest()
    for line in found:
        for it, tests in _together(line):
            whose = (line["mrn"], line["drug"])
            days = (_day(it["from"]), _day(it["to"]))
            if it["state"] == State.NOT_COVERED:
                going_on = it["to"] == found.head["to"] and it["done_on"] is None
                until = f"{days[1]}, goes on" if going_on else days[1]
                row = (*whose, tests, days[0], until, it["days"], because(it))
                gaps.add(it["days"], row)
            elif it["state"] == State.ELSEWHERE:
                elsewhere.add(it["days"], (*whose, *days, it["days"], because(it)))
            elif "known_only_since" in it:
                since = _day(it["known_only_since"])
                late.add(it["days"], (*whose, tests, *days, it["days"], since))
    columns = ["MRN", "Drug", "Test", "From", "To", "Days"]
    without_test = ["MRN", "Drug", "From", "To", "Days"]
    return Page(
        title="Monitoring gaps",
        span=", ".join(
            it for it in (f"{day_words(found.first)} to {day_words(found.last)}",
                          found.head["clinic"], found.head["drug"]) if it
        ),
        about="On which days a test covered each patient, on which none did, and why.",
        facts=_facts(found.totals, gaps.count),
        figure=None,
        tables=[
            _clinics(found),
            _reasons(found),
            gaps.table("Not covered, the longest first", [*columns, "On record"],
                       _nobody(found) or "No day without a test."),
            late.table("Covered, known only later", [*columns, "Known since"],
                       "No result came so late that a test looked overdue."),
            elsewhere.table("Monitored elsewhere", [*without_test, "Attested"],
                            "Nobody was monitored elsewhere."),
        ],
        notes=[*_left_out(found), *(" ".join(note.split()) for note in _NOTES), *_seal(found)],
    )  # fmt: skip


def rows(found: Gaps) -> Iterator[dict[str, Any]]:
    """Every interval as one row; the last one is the seal."""
    for line in found:
        own = {name: line[name] for name in ("clinic", "mrn", "drug")}
        if "panels" not in line:
            yield {**own, "state": "not_judged"}
        for panel in line.get("panels", ()):
            for it in panel["intervals"]:
                words = {"tests": _tests(it), "reasons": because(it)}
                yield {**own, "test": panel["test"], **it, **words}
    yield {"state": "sealed", "reasons": seal_words(found)}


def _together(line: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The intervals of an enrolment, each with the tests of which the same is said."""
    tests: dict[str, list[str]] = {}
    first: dict[str, Mapping[str, Any]] = {}
    for panel in line.get("panels", ()):
        for it in panel["intervals"]:
            same = "/".join(str(it.get(name)) for name in _SAME) + because(it)
            tests.setdefault(same, []).append(panel["test"])
            first.setdefault(same, it)
    return ((first[same], " + ".join(titles)) for same, titles in tests.items())


def because(interval: Mapping[str, Any]) -> str:
    """What is on record of an interval, in words; each with its days where it is not all of
    them."""
    if "reasons" not in interval:
        return ""
    said = [_reason(it, interval) for it in interval["reasons"]]
    nothing = interval.get("nothing_on_record_days", 0)
    if nothing == interval["days"] or not said:
        return WORDS[Reason.NOTHING]
    return "; ".join([*said, *([f"{nothing} days: {WORDS[Reason.NOTHING]}"] if nothing else [])])


def _tests(interval: Mapping[str, Any]) -> str:
    declared = interval.get("declared_on")
    marked = [f"{it} (declared)" if it == declared else it for it in interval.get("tests", ())]
    return "; ".join(marked)


def seal_words(found: Gaps) -> str:
    """Digest and audit seal in one line."""
    sealed = found.sealed
    return f"SHA-256 {sealed.digest}; audit seal {sealed.audit_seal}; made {sealed.at}"


def _reason(it: Mapping[str, Any], interval: Mapping[str, Any]) -> str:
    """`drug held since 3 Jan 2026: fever`, `25 Jan to 8 Feb 2026: drug held: fever`."""
    words = WORDS[Reason(it["reason"])]
    if (it["from"], it["to"]) != (interval["from"], interval["to"]):
        words = f"{_range(it['from'], it['to'])}: {words}"
    if it["since"] < it["from"]:
        words += f" since {_day(it['since'])}"
    if it["said"]:
        words += f": {it['said']}"
    is_told = it["afterwards"] or it["reason"] == Reason.ELSEWHERE
    return f"{words} [recorded {_day(it['recorded_on'])}]" if is_told else words


def _range(first: str, last: str) -> str:
    """`25 Jan to 8 Feb 2026`."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    if begin == end:
        return day_words(end)
    short = f"{begin.day} {begin:%b}" if begin.year == end.year else day_words(begin)
    return f"{short} to {day_words(end)}"


def _facts(totals: Mapping[str, Any], gaps: int) -> list[tuple[str, str, str]]:
    days, covered, missing = totals["days"], totals["covered"], totals["not_covered"]
    longest, nothing = totals["longest_gap"], totals["nothing_on_record"]
    patients = f"{totals['patients_with_gaps']} of {totals['patients']} patients"
    return [
        (share(covered, days) or "none", "of days covered",
         f"{covered:,} of {days:,} patient-days"),
        (str(gaps), "gaps", f"of {patients}, {missing:,} patient-days"),
        (f"{longest['days']} days" if longest else "none", "the longest",
         f"{longest['mrn']}, {longest['test']}, {_day(longest['from'])} to {_day(longest['to'])}"
         if longest else ""),
        (f"{nothing:,} days", "nothing on record", f"of {missing:,} not covered"),
    ]  # fmt: skip


def _clinics(found: Gaps) -> Table:
    names = ("patients", "days", "covered", "not_covered", "nothing_on_record", "elsewhere")

    def cells(it: Mapping[str, Any]) -> list[Any]:
        longest = it["longest_gap"]
        return [
            *(it[name] for name in names),
            share(it["covered"], it["days"]),
            f"{longest['days']} ({longest['mrn']})" if longest else "",
        ]

    return Table(
        title="Patient-days",
        columns=["Clinic", "Drug", "Patients", "On treatment", "Covered", "Not covered",
                 "Of these nothing on record", "Elsewhere", "Share covered", "Longest gap (days)"],
        rows=[(it["clinic"], it["drug"], *cells(it)) for it in found.totals["clinics"]],
        total=("All", "", *cells(found.totals)),
        empty=_nobody(found),
    )  # fmt: skip


def _nobody(found: Gaps) -> str:
    """What is said where no day was looked at: it must not read as all being well."""
    if not found.asked:
        return found.nobody()
    return "" if found.totals["days"] else "Nobody was on treatment in these days."


def _reasons(found: Gaps) -> Table:
    totals = found.totals
    return Table(
        title="Why days were not covered",
        columns=["On record", "Patient-days", "Patients"],
        rows=[
            (WORDS[Reason(it["reason"])], it["days"], it["patients"]) for it in totals["reasons"]
        ],
        total=("All", totals["not_covered"], totals["patients_with_gaps"]),
        empty=_nobody(found) or "No day was not covered.",
    )


def _left_out(found: Gaps) -> Iterator[str]:
    """What is missing here must not read as all there is."""
    if count := found.totals["not_judged"]:
        yield f"LEFT OUT: {counted(count, 'enrolment')} that could not be judged"
    if not found.is_over:
        yield f"{day_words(found.last)} is not over: a test of that day may still come."


def _seal(found: Gaps) -> Iterator[str]:
    sealed = found.sealed
    yield (
        f"Made {sealed.at}; the seal of the audit trail was then {sealed.audit_seal}. Keep the "
        "digest below where nobody who can write into the database can write, or all of it as "
        "printed with --json; monitor report gaps --check FILE says later whether it still holds."
    )
    yield f"SHA-256 {sealed.digest}"


def _day(text: str) -> str:
    return day_words(date.fromisoformat(text))
