"""What is kept of an answer, as text for the database: a line with how far each analyte reaches,
one with what is remembered of the results besides, and one with what due days are counted from.

Each can be read by itself. The last two are one object, for an older version reads them as one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

from monitor.core.basis import Basis
from monitor.core.kept import KeptSchedule
from monitor.core.ordered import Reach, Reaches, Remembered
from monitor.core.recalled import Memory
from monitor.core.vocabulary import EnrolmentState

_DUE = '\n,"due":'
_READER = json.JSONDecoder()
_STATES = {it.value: it for it in EnrolmentState}
_day, _number = date.fromordinal, date.toordinal


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows of a patient that were there, whether they stand or not."""

    rows: int
    last: int
    """The highest id; 0: there were none."""


def as_text(kept: Reaches, memory: Memory | None = None, counted: Counted | None = None) -> str:
    """For the database."""
    reach = {
        name: None if known is None else [*_bounds(known[0]), *map(_text, known[1])]
        for name, known in kept.items()
    }
    lines: list[Any] = [reach]
    if memory is not None and counted is not None:
        lines.append(_written(memory, counted))
    return "\n".join(map(_json, lines))


def of_results(text: str) -> str:
    """The lines that say something of the results."""
    results, marked, _ = text.partition(_DUE)
    return results + "}" if marked else results


def with_schedule(text: str, kept: KeptSchedule) -> str:
    """The lines of the results, and one for an edit of the schedule."""
    of, until = kept.basis, kept.rest_until
    written = [
        _number(of.enrolled_on),
        [_number(day) for day in of.anchors],
        None if of.stopped_on is None else _number(of.stopped_on),
        of.elsewhere,
        [[_number(day) for day in spell] for spell in of.away],
        of.done,
        kept.speaks,
        None if until is None else until.isoformat(),
        kept.state,
        None if kept.last_result_on is None else _number(kept.last_result_on),
    ]
    return f"{text[:-1]}{_DUE}{_json(written)}}}"


def schedule_from(text: str) -> KeptSchedule | None:
    """What `with_schedule` wrote; None: nothing is kept for an edit of the schedule."""
    begins = text.rfind(_DUE)
    if begins < 0:
        return None
    written, _ = _READER.raw_decode(text, begins + len(_DUE))
    enrolled, anchors, stopped, elsewhere, away, done, speaks, until, state, last = written
    return KeptSchedule(
        Basis(
            _day(enrolled),
            tuple(map(_day, anchors)),
            None if stopped is None else _day(stopped),
            elsewhere,
            tuple([(_day(first), _day(end)) for first, end in away]) if away else (),
            done,
        ),
        speaks,
        None if until is None else datetime.fromisoformat(until),
        None if state is None else _STATES[state],
        None if last is None else _day(last),
    )


def from_text(text: str, analytes: Collection[str]) -> Reaches:
    """How far the values of these analytes reach, as `as_text` wrote it."""
    written, _ = _READER.raw_decode(text)
    return {name: _reach(written[name]) for name in analytes if name in written}


def memory_from(text: str) -> tuple[Memory, Counted] | None:
    """What `as_text` wrote of the results; None: nothing is remembered of them."""
    reach, _, memory_line = of_results(text).partition("\n")
    if not memory_line:
        return None
    written, known = json.loads(reach), json.loads(memory_line)
    names = list(written)
    days: dict[str, frozenset[date]] = dict.fromkeys(names, frozenset())
    for places, steps in known["days"]:
        those = frozenset(map(date.fromordinal, accumulate(steps)))
        for name in (names[place] for place in places):
            days[name] = days[name] | those if days[name] else those
    last = {names[place]: date.fromordinal(day) for place, day in known["last"]}
    memory = Memory(
        start=date.fromordinal(known["start"]),
        indication=known["for"],
        of={name: _remembered(written[name], days[name], last.get(name)) for name in names},
        open=frozenset(known["open"]),
        baselines={
            rule: (Decimal(value), method) for rule, (value, method) in known["base"].items()
        },
        asked=frozenset(known["asked"]),
    )
    return memory, Counted(known["rows"], known["to"])


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _written(memory: Memory, counted: Counted) -> dict[str, Any]:
    names = list(memory.of)
    return {
        "rows": counted.rows,
        "to": counted.last,
        "start": memory.start.toordinal(),
        "for": memory.indication,
        "open": sorted(memory.open),
        "asked": sorted(memory.asked),
        "base": {rule: [str(value), how] for rule, (value, how) in memory.baselines.items()},
        "days": list(_days(memory.of)),
        "last": [
            [place, known.last.toordinal()]
            for place, name in enumerate(names)
            if (known := memory.of[name]).last != max(known.days, default=None)
        ],
    }


def _days(remembered: Mapping[str, Remembered]) -> Iterator[tuple[list[int], list[int]]]:
    """Analytes by their place, and their days; those that have most of them in common together."""
    of_day: dict[date, list[int]] = defaultdict(list)
    for place, known in enumerate(remembered.values()):
        for day in known.days:
            of_day[day].append(place)
    of_analytes: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for day in sorted(of_day):
        of_analytes[tuple(of_day[day])].append(day.toordinal())
    for places, days in of_analytes.items():
        yield list(places), [days[0], *(day - before for before, day in pairwise(days))]


def _remembered(written: list[Any] | None, days: frozenset[date], last: date | None) -> Remembered:
    known = _reach(written)
    reach, ulns = (None, frozenset[Decimal | None]()) if known is None else known
    return Remembered(reach, ulns, days, max(days) if last is None else last)


def _bounds(reach: Reach) -> tuple[str, str]:
    return str(reach.lowest), str(reach.highest)


def _text(uln: Decimal | None) -> str | None:
    return None if uln is None else str(uln)


def _reach(written: Iterable[Any] | None) -> tuple[Reach, frozenset[Decimal | None]] | None:
    if written is None:
        return None
    lowest, highest, *ulns = written
    own = frozenset(None if uln is None else Decimal(uln) for uln in ulns)
    return Reach(Decimal(lowest), Decimal(highest)), own
