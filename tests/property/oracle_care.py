"""The oracle's reading of other drugs, life events, tasks, targets and missed tests.

From the specification (section 7) and the meaning of the keys in docs/protocol-files.md: day by
day, with plain loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from monitor.core.case import Case, Event, Result
from monitor.core.catalogue import Catalogue
from monitor.core.protocol import Panel, Protocol
from monitor.core.protocol_interactions import ExtraTest, Interaction
from monitor.core.vocabulary import Urgency
from tests.property.oracle_course import Course, as_told, end
from tests.property.oracle_rules import own_upper_limit
from tests.property.oracle_values import add, take, valid

ONE = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """A drug taken from a day, and until the day before `stop`."""

    drug: str
    start: date
    stop: date | None
    of: int | None = None
    """Of another monitored drug its enrolment."""

    def on(self, day: date) -> bool:
        return self.start <= day and (self.stop is None or day < self.stop)


_MEANT: dict[tuple[int, str], str] = {}
"""By catalogue and text: the search is half of the oracle's time."""


def meant(text: str, catalogue: Catalogue) -> str:
    """The drug of a brand name, written as the catalogue has it, with or without a strength."""
    key = id(catalogue), text
    if key not in _MEANT:
        _MEANT[key] = searched(text, catalogue)
    return _MEANT[key]


def searched(text: str, catalogue: Catalogue) -> str:
    words = text.casefold().replace("-", " ").split()
    while words and (words[-1] == "mg" or words[-1].isdigit()):
        words.pop()
    for drug in catalogue.drugs.drugs.values():
        for name in (drug.name, *drug.names):
            if name.casefold().replace("-", " ").split() == words:
                return drug.name
    return " ".join(text.casefold().split())


def ordered(case: Case, today: date) -> list[Event]:
    return [it for it in as_told(case.events) if it.on <= today]


def periods(case: Case, catalogue: Catalogue, today: date) -> list[Period]:
    """Every stretch in which another drug was taken, other monitored drugs among them."""
    found: list[Period] = []
    for drug in {meant(it.value, catalogue) for it in case.events if "comedication" in it.event}:
        begun: date | None = None
        mine: list[Period] = []
        for event in ordered(case, today):
            if meant(event.value, catalogue) != drug:
                continue
            if event.event == "comedication_start" and begun is None:
                begun = event.on
                if mine and mine[-1].stop == event.on:
                    begun = mine.pop().start
            elif event.event == "comedication_stop" and begun is not None:
                if event.on > begun:
                    mine.append(Period(drug, begun, event.on))
                begun = None
        if begun is not None:
            mine.append(Period(drug, begun, None))
        found += mine
    return found + others(case, today)


def others(case: Case, today: date) -> list[Period]:
    """The patient's other monitored drugs, from the first dose to the end."""
    found = []
    for sibling in case.siblings:
        other = sibling.enrolment
        past = ordered(sibling, today)
        starts = [it.on for it in past if it.event == "start"]
        start = min(starts) if starts else other.started_on
        stop, _ = end(past, other.started_on)
        if other.drug != case.enrolment.drug and start <= today and (stop is None or stop > start):
            found.append(Period(other.drug, start, stop, other.id))
    return found


def is_about(entry: Interaction, drug: str, catalogue: Catalogue) -> bool:
    known = catalogue.drugs.drugs.get(drug)
    groups = {drug, *(known.classes if known else ())}
    if groups & set(entry.not_classes):
        return False
    wanted = {*entry.drugs, *entry.classes}
    return not wanted or bool(groups & wanted)


def for_whom(entry: Any, indication: str) -> bool:
    if entry.indications and indication not in entry.indications:
        return False
    return indication not in entry.except_indications


def concerning(
    case: Case, protocol: Protocol, catalogue: Catalogue, life: Course, today: date
) -> list[tuple[Interaction, Period]]:
    return [
        (entry, period)
        for entry in protocol.interactions
        if entry.event == "comedication" and for_whom(entry, case.enrolment.indication)
        for period in periods(case, catalogue, today)
        if is_about(entry, period.drug, catalogue)
        and (life.ended_on is None or period.start < life.ended_on)
    ]


def restarts(case: Case, protocol: Protocol, catalogue: Catalogue, today: date) -> set[date]:
    """Days on which a drug was added that begins the phases anew."""
    if "interaction" not in protocol.restart_on:
        return set()
    return {
        period.start
        for entry in protocol.interactions
        if entry.restart
        and entry.event == "comedication"
        and for_whom(entry, case.enrolment.indication)
        for period in periods(case, catalogue, today)
        if is_about(entry, period.drug, catalogue) and period.start >= case.enrolment.started_on
    }


def doses(case: Case, today: date) -> list[tuple[date, Fraction]]:
    known = []
    if case.enrolment.dose_mg_per_day is not None:
        known.append((case.enrolment.started_on, Fraction(case.enrolment.dose_mg_per_day)))
    events = [it for it in ordered(case, today) if it.event == "dose"]
    return known + [(it.on, Fraction(it.value)) for it in events]


def weights(case: Case, today: date) -> list[tuple[date, Fraction]]:
    """Those told up to a day, the latest last: of one day the enrolment's own, then events, then
    what the laboratory sent (of one instant the lowest). The enrolment's own counts before its day
    where there is no other."""
    own = case.enrolment.weight_kg
    first = [] if own is None else [(case.enrolment.enrolled_on, Fraction(own))]
    known = list(first)
    known += [(it.on, Fraction(it.value)) for it in ordered(case, today) if it.event == "weight"]
    sent = [it for it in case.results if it.analyte == "weight" and valid(it)]
    sent.sort(key=lambda it: (it.collected_at, -(it.value or 0)))
    known += [(it.collected_on, Fraction(it.value)) for it in sent if it.value is not None]
    told = [it for it in known if it[0] <= today]
    return sorted(told, key=lambda it: it[0]) or first


def weight(case: Case, today: date) -> Fraction | None:
    known = weights(case, today)
    return known[-1][1] if known else None


def alarms(
    entry: Interaction, period: Period, case: Case, catalogue: Catalogue, day: date, today: date
) -> bool:
    """Whether the combination alarms on a day: always, but for an intended one with a dose
    that is small enough."""
    if entry.intended is None:
        return True
    earlier = [
        other.stop
        for other in periods(case, catalogue, today)
        if other.drug == period.drug and other.stop is not None and other.stop <= period.start
    ]
    documented = [
        event
        for event in ordered(case, today)
        if event.event == "intended_combination"
        and meant(event.value, catalogue) == period.drug
        and event.on <= day
        and (not earlier or event.on >= max(earlier))
    ]
    known = doses(case, today)
    now = [dose for on, dose in known if on <= day]
    if not documented or not now:
        return True
    begins = take(period.start, entry.intended.of_highest_within)
    before = [(on, dose) for on, dose in known if on < period.start]
    counted = [dose for on, dose in before if on >= begins]
    counted += [dose for on, dose in before if on < begins][-1:]
    if counted:
        of = max(counted)
    else:
        kg = weight(case, today)
        if kg is None or entry.intended.usual_mg_per_kg is None:
            return True
        of = kg * Fraction(entry.intended.usual_mg_per_kg)
    return now[-1] > of * entry.intended.at_most


def happenings(case: Case, life: Course, begun: date, today: date) -> list[tuple[str, date]]:
    found = []
    enrolled_on, started_on = case.enrolment.enrolled_on, case.enrolment.started_on
    confirmed = any(it.event == "start" for it in ordered(case, today))
    planned = started_on > enrolled_on and not confirmed and today < started_on
    if not planned or life.ended_on is not None or life.elsewhere:
        found.append(("start", begun))
    known = doses(case, today)
    found += [
        ("dose", known[place][0])
        for place in range(1, len(known))
        if known[place][1] != known[place - 1][1]
    ]
    held = False
    for event in ordered(case, today):
        if event.event == "hold":
            held = True
            found.append(("hold", event.on))
        if event.event == "resume" and held:
            held = False
            found.append(("resume", event.on))
    if life.ended_on is not None and not life.for_good:
        found.append(("stop", life.ended_on))
    return found


def demands(
    case: Case,
    protocol: Protocol,
    catalogue: Catalogue,
    life: Course,
    last: dict[str, date | None],
    today: date,
) -> list[tuple[Interaction, Period, str, date, Urgency, bool]]:
    """(entry, drug, panel, due day, urgency, whether it follows what happened)."""
    found: list[tuple[Interaction, Period, str, date, Urgency, bool]] = []
    if life.for_good:
        return found
    for entry, period in concerning(case, protocol, catalogue, life, today):
        begun = max(period.start, life.first_dose)
        for test in entry.tests:
            done = last[test.panel]
            days = [(day, False) for day in by_interval(test, begun, period, life, done, today)]
            days += [
                (day, True) for day in by_happening(test, case, life, begun, period, done, today)
            ]
            days += [(day, False) for day in after_stop(test, case, period, life, done)]
            found += [(entry, period, test.panel, day, test.urgency, it) for day, it in days]
    return found


def by_interval(
    test: ExtraTest,
    begun: date,
    period: Period,
    life: Course,
    done: date | None,
    today: date,
) -> list[date]:
    if test.every is None or begun > today:
        return []
    due = add(begun if done is None or done < begun else done, test.every)
    ends = [day for day in (period.stop, life.ended_on) if day is not None]
    if test.lasting is not None:
        ends.append(add(begun, test.lasting))
    return [due] if all(due <= end for end in ends) else []


def by_happening(
    test: ExtraTest,
    case: Case,
    life: Course,
    begun: date,
    period: Period,
    done: date | None,
    today: date,
) -> list[date]:
    if period.stop is not None and period.stop <= today:
        return []
    found = []
    for what, day in happenings(case, life, begun, today):
        if what in test.after and period.on(day) and begun <= day <= today:
            assert test.within is not None
            due = add(day, test.within)
            if due >= case.enrolment.enrolled_on and (done is None or done <= day):
                found.append(due)
    return found


def after_stop(
    test: ExtraTest, case: Case, period: Period, life: Course, done: date | None
) -> list[date]:
    if test.after_stop is None or period.stop is None or life.ended_on is not None:
        return []
    due = add(period.stop, test.after_stop)
    late = due < case.enrolment.enrolled_on
    return [] if late or (done is not None and done >= period.stop) else [due]


def concerned_panels(
    case: Case, protocol: Protocol, catalogue: Catalogue, life: Course, today: date
) -> set[str]:
    return {
        test.panel
        for entry, period in concerning(case, protocol, catalogue, life, today)
        if period.stop is None or period.stop > today
        for test in entry.tests
    }


def interactions(
    case: Case,
    protocol: Protocol,
    catalogue: Catalogue,
    life: Course,
    owed: list[tuple[Interaction, Period, str, date, Urgency, bool]],
    today: date,
) -> dict[str, Any]:
    told: dict[str, Any] = {}
    enrolled_on = case.enrolment.enrolled_on
    for entry, period in concerning(case, protocol, catalogue, life, today):
        if period.of is not None:
            sibling = next(it for it in case.siblings if it.enrolment.id == period.of)
            mine = loudness(case, sibling, protocol, catalogue)
            theirs = loudness(sibling, case, protocol, catalogue)
            if theirs is not None and mine is not None and theirs > mine:
                continue
        ends = [day for day in (period.stop, life.ended_on) if day is not None]
        last_day = min([today, *(end - ONE for end in ends)])
        days = [
            period.start + timedelta(days=number)
            for number in range((last_day - period.start).days + 1)
        ]
        bad = [day for day in days if alarms(entry, period, case, catalogue, day, today)]
        if not bad:
            continue
        goes_on = bad[-1] == today
        if not goes_on and bad[-1] < enrolled_on:
            continue
        waits = any((it[0].id, it[1], it[5]) == (entry.id, period, True) for it in owed)
        name = entry.id if entry.id == period.drug else f"{entry.id}:{period.drug}"
        told[f"interaction:{name} from {period.start}"] = {
            "kind": entry.action.value,
            "urgency": entry.urgency,
            "recovered": not goes_on and not waits,
        }
    return told


def loudness(
    case: Case, other: Case, protocol: Protocol, catalogue: Catalogue
) -> tuple[int, int] | None:
    """One patient is told once: the more urgent of two enrolments speaks of both drugs, between
    equals the older."""
    ranks = [
        entry.urgency.rank
        for entry in protocol.interactions
        if entry.event == "comedication"
        and for_whom(entry, case.enrolment.indication)
        and is_about(entry, other.enrolment.drug, catalogue)
    ]
    return (max(ranks), -case.enrolment.id) if ranks else None


def life_events(
    case: Case, protocol: Protocol, catalogue: Catalogue, life: Course, today: date
) -> dict[str, Any]:
    told: dict[str, Any] = {}
    until = None if life.ended_on is None else add(life.ended_on, protocol.wash_out)
    for entry in protocol.interactions:
        if entry.event == "comedication" or not for_whom(entry, case.enrolment.indication):
            continue
        since = take(case.enrolment.enrolled_on, entry.counts_before)
        for event in ordered(case, today):
            if event.event != entry.event or event.on < since:
                continue
            if until is not None and event.on > until:
                continue
            if is_about(entry, meant(event.value, catalogue), catalogue):
                told[f"{entry.event}:{entry.id} from {event.on}"] = {
                    "kind": entry.action.value,
                    "urgency": entry.urgency,
                    "recovered": False,
                }
    return told


def tasks(
    case: Case,
    protocol: Protocol,
    state: str,
    life: Course,
    today: date,
    elsewhere: set[str],
) -> dict[str, Any]:
    """Due so long after the last time, or after the later of first dose and enrolment; those
    that an older enrolment of the patient asks for are left to it."""
    confirmed = any(it.event == "start" for it in ordered(case, today))
    planned = case.enrolment.started_on > case.enrolment.enrolled_on and not confirmed
    if state not in ("active", "held") or planned:
        return {}
    for task in protocol.tasks:
        if not for_whom(task, case.enrolment.indication) or task.id in elsewhere:
            continue
        base = max(life.first_dose, case.enrolment.enrolled_on)
        for event in ordered(case, today):
            if event.event == "task_done" and event.value == task.id:
                base = event.on
        if add(base, task.every) <= today:
            return {"tasks": {"kind": "task_due", "urgency": Urgency.ROUTINE, "recovered": False}}
    return {}


def targets(
    case: Case, protocol: Protocol, results: list[Result], state: str, life: Course, today: date
) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for target in protocol.targets:
        if not for_whom(target, case.enrolment.indication) or state in ("stopped", "planned"):
            continue
        if today < add(life.first_dose, target.after):
            continue
        missed = False
        for name in target.analytes:
            known = [it for it in results if it.analyte == name and valid(it)]
            last = max((it.collected_at for it in known), default=None)
            for result in known:
                if result.collected_at != last:
                    continue
                assert result.value is not None
                limit = own_upper_limit(result)
                if limit is None and name in dict(target.default_uln):
                    limit = Fraction(dict(target.default_uln)[name])
                if limit is not None:
                    least = ("", "<", "<=")
                    surely_not = Fraction(result.value) <= limit and result.comparator in least
                    missed = missed or not surely_not
        if missed:
            told[f"target:{target.id}"] = {
                "kind": "target",
                "urgency": Urgency.ROUTINE,
                "recovered": False,
            }
    return told


def was_elsewhere(case: Case, day: date, today: date) -> bool:
    """Whether another clinic monitored on a day, as far as is known today."""
    until = None
    for event in ordered(case, min(day, today)):
        if event.event == "monitored_elsewhere":
            until = date.fromisoformat(event.value)
        elif event.event == "back":
            until = None
    return until is not None and day < until


def missed(
    panel: Panel,
    case: Case,
    protocol: Protocol,
    life: Course,
    done: set[date],
    due_day: Any,
    today: date,
) -> dict[str, Any]:
    """More tests missed in a row than the protocol allows, since the enrolment."""
    rule = protocol.missed
    told: dict[str, Any] = {}
    if rule is None:
        return told
    ends: list[date | None] = [*sorted(done), None]
    after: date | None = None
    for closing in ends:
        begins, after = after, closing
        if closing is not None and closing <= case.enrolment.enrolled_on:
            continue
        until = min(day for day in (closing, life.ended_on, today) if day is not None)
        anchors = [day for day in life.anchors if day <= until] or life.anchors[:1]
        last, count, first = begins, 0, None
        while last is None or last <= until:
            due, entries, _ = due_day(protocol, panel.id, last, anchors)
            if due is None or (last is not None and due <= last):
                break
            if min(add(due, entry.grace) for entry in entries) >= until:
                break
            if due >= case.enrolment.enrolled_on and not was_elsewhere(case, due, today):
                count += 1
                first = first or due
            last = due
        if count > rule.more_than:
            over = closing is not None or life.ended_on is not None or life.elsewhere
            told[f"missed:{panel.id} from {first}"] = {
                "kind": "review",
                "urgency": rule.urgency,
                "recovered": over,
            }
    return told
