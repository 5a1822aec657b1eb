"""A protocol as people read it: the calendar of a patient, and the ladder of its rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from monitor.core import due
from monitor.core.calendar import Duration, shorter
from monitor.core.catalogue import Catalogue
from monitor.core.faults import nearest
from monitor.core.protocol import Level, Panel, Phase, Protocol, Rule
from monitor.core.reasons import course_text
from monitor.operations.schedule_beside import beside, for_whom
from monitor.operations.schedule_force import Force, in_force
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.store.rulebook import NoRuleBook, TextInForce

SHOWN = Duration(months=6, text="6 months")
"""How far a calendar is written out; afterwards the last interval goes on."""


class NoSuchProtocol(StoreError):
    """No protocol of this id is in force; the text names the nearest."""


@dataclass(frozen=True, slots=True)
class Test:
    """One day of the calendar of a patient who is tested on each due day."""

    panel: str
    due_on: date
    phase: str
    overdue_after: date
    seriously_overdue_after: date


@dataclass(frozen=True, slots=True)
class Shown:
    """A protocol in force, with its calendar from a start day."""

    protocol: Protocol
    catalogue: Catalogue
    text: TextInForce
    enrolled: int
    start: date
    tests: tuple[Test, ...]

    def document(self) -> dict[str, Any]:
        """As `monitor schedule show --json` prints it."""
        protocol = self.protocol
        return {
            "id": protocol.id,
            "title": protocol.title,
            "version": protocol.version,
            "status": protocol.status,
            "source": protocol.source,
            "drugs": list(protocol.drugs),
            "default": protocol.default,
            "digest": protocol.digest,
            "in_force_since": self.text.applied_at.isoformat(),
            "applied_by": self.text.applied_by,
            "reason": self.text.reason,
            "enrolled": self.enrolled,
            "start": self.start.isoformat(),
            "calendar": [
                {
                    "panel": test.panel,
                    "due_on": test.due_on.isoformat(),
                    "phase": test.phase,
                    "overdue_after": test.overdue_after.isoformat(),
                    "seriously_overdue_after": test.seriously_overdue_after.isoformat(),
                }
                for test in self.tests
            ],
            "then": then_of(protocol),
            "about": list(about(protocol)),
            "rules": [
                {**row, "recheck": row["recheck"] or None, "say": row["say"] or None}
                for row in ladder(protocol, self.catalogue)
            ],
            "beside": [it.document() for it in beside(protocol, self.catalogue)],
            "text": self.text.text,
        }


def show(store: Store, protocol_id: str, start: date) -> Shown:
    """A protocol in force and the calendar of a patient who starts on `start`.

    Raises NoSuchProtocol.
    """
    with store.read() as connection:
        force = in_force(connection)
    if force.catalogue is None:
        raise NoRuleBook("no protocol is in force yet: `monitor init` begins with those shipped")
    protocol = named(force, protocol_id)
    return Shown(
        protocol=protocol,
        catalogue=force.catalogue,
        text=force.texts[protocol_id],
        enrolled=force.enrolled_on(protocol_id),
        start=start,
        tests=calendar_of(protocol, start),
    )


def about(protocol: Protocol) -> Iterator[str]:
    """What its tests consist of, and which values it looks at."""
    for panel in protocol.panels:
        yield f"{panel.title}: {_asked(panel)}"
    yield (
        f"values count from {protocol.watch_from} before the start until {protocol.wash_out} after "
        f"a stop; breaches no more than {protocol.episode_gap} apart are one alert"
    )


def _asked(panel: Panel) -> str:
    return ", ".join([*panel.all_of, *(" or ".join(group) for group in panel.any_of)])


def named(force: Force, protocol_id: str) -> Protocol:
    """A protocol in force by its id. Raises NoSuchProtocol."""
    protocol = force.protocols.get(protocol_id)
    if protocol is None:
        hint = nearest(protocol_id, force.protocols)
        raise NoSuchProtocol(f"no protocol {protocol_id!r} is in force; {hint}")
    return protocol


def calendar_of(protocol: Protocol, start: date) -> tuple[Test, ...]:
    """Every test of the first 6 months of a patient who is tested on each due day."""
    tests = [test for panel in protocol.panels for test in _tests(protocol, panel.id, start)]
    order = [panel.id for panel in protocol.panels]
    return tuple(sorted(tests, key=lambda test: (test.due_on, order.index(test.panel))))


def _tests(protocol: Protocol, panel: str, start: date) -> Iterator[Test]:
    last: date | None = None
    end = SHOWN.after(start)
    while True:
        duty = due.scheduled(protocol, panel, last, (start,), last or start)
        if duty is None or duty.due_on > end or (last is not None and duty.due_on <= last):
            return
        yield Test(
            panel=panel,
            due_on=duty.due_on,
            phase=duty.phase.name,
            overdue_after=duty.last_day_in_grace,
            seriously_overdue_after=duty.schedule.escalate_after.after(duty.due_on),
        )
        last = duty.due_on


def then_of(protocol: Protocol, shown: Duration = SHOWN) -> str:
    """How the schedule goes on after what is written out: the phases that are not over by then."""
    *before, final = protocol.phases
    parts = [
        f"{_tests_of(protocol, phase)} until {phase.until} after the start"
        for phase in before
        if phase.until is not None and shorter(shown, phase.until)
    ]
    tests = _tests_of(protocol, final)
    if final.until is None:
        parts.append(f"{tests}, for as long as the drug is taken")
    else:
        ends = f"then it ends ({protocol.allow_ending})"
        parts.append(f"{tests}, until {final.until} after the start; {ends}")
    return "; then ".join(parts)


def _tests_of(protocol: Protocol, phase: Phase) -> str:
    return ", ".join(f"{_title(protocol, it.panel)} every {it.every}" for it in phase.panels)


def _title(protocol: Protocol, panel: str) -> str:
    return protocol.panel(panel).title


def ladder(protocol: Protocol, catalogue: Catalogue) -> list[dict[str, str]]:
    """One row a level, as it is to be read."""
    return [
        {
            "rule": rule.id,
            "analyte": rule.analyte,
            "test": _test(level, catalogue.analytes[rule.analyte].unit),
            "action": level.action.value,
            "urgency": level.urgency.value,
            "recheck": str(level.recheck or ""),
            "say": level.say,
            "only": _only(rule),
            "source": rule.source,
        }
        for rule in protocol.rules
        for level in rule.levels
    ]


def _only(rule: Rule) -> str:
    """What narrows a rule: whom it is for, how often, and which others speak for it."""
    words = list(for_whom(rule))
    if rule.confirm > 1:
        words.append(f"{rule.confirm} in a row")
    if rule.again_after is not None:
        words.append(f"again after {rule.again_after}")
    if rule.muted_by:
        words.append(f"where not told by {', '.join(rule.muted_by)}")
    return ", ".join(words)


def _test(level: Level, unit: str) -> str:
    if level.below is not None:
        return f"below {_plain(level.below)} {unit}"
    if level.above is not None:
        return f"above {_plain(level.above)} {unit}{course_text(level)}"
    if level.above_times_uln is not None:
        default = level.default_uln
        known = "" if default is None else f" (ULN {_plain(default)} {unit} where not reported)"
        return f"above {_plain(level.above_times_uln)} x ULN{known}{course_text(level)}"
    if level.fall_from_baseline is not None:
        span = f" within {level.within}" if level.within else ""
        return f"more than {_plain(level.fall_from_baseline)} % below baseline{span}"
    if level.rise_from_baseline is not None:
        span = "" if level.within is None else f" within {level.within}"
        return f"more than {_plain(level.rise_from_baseline)} % above baseline{span}"
    ceiling = level.only_below
    where = "" if ceiling is None else f", now below {_plain(ceiling)} {unit}"
    return f"{level.falls_in_a_row} falls in a row of more than {_plain(level.each)} %{where}"


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


def list_in_force(store: Store) -> list[dict[str, Any]]:
    """What is in force, one row a protocol, as `monitor schedule list --json` prints it."""
    with store.read() as connection:
        force = in_force(connection)
    return [_listed(force, protocol) for _, protocol in sorted(force.protocols.items())]


def _listed(force: Force, protocol: Protocol) -> dict[str, Any]:
    text = force.texts[protocol.id]
    return {
        "id": protocol.id,
        "title": protocol.title,
        "drugs": list(protocol.drugs),
        "default": protocol.default,
        "version": protocol.version,
        "digest": protocol.digest,
        "status": protocol.status,
        "in_force_since": text.applied_at.isoformat(),
        "applied_by": text.applied_by,
        "reason": text.reason,
        "enrolled": force.enrolled_on(protocol.id),
    }
