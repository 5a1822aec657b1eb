"""Who is told what: changes -> one message a recipient a batch, worst first.

Urgent and critical go out at once; routine waits for the recipient's digest. A critical
alert stands alone in its message. A withdrawal goes to everyone who was told, whatever the
routes say today. Whom a change is told to is the ladder's (`escalation.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.core.changes import Change, ChangeWhat
from monitor.core.vocabulary import Kind, Urgency

CORRECTING = frozenset({ChangeWhat.UPDATED, ChangeWhat.APART})
"""Changes that, where they are told at all, correct what was told: everyone who had a message
about the alert hears of them, and also where it is routine now."""
ENDINGS = frozenset({ChangeWhat.CLOSED, ChangeWhat.WITHDRAWN, ChangeWhat.MERGED})
"""Changes that end an alert; only those who were told of it hear of them."""
CLIMBING = frozenset({ChangeWhat.ESCALATED, ChangeWhat.OUTCOME_MISSING})
"""Changes by which more people are told of an alert that says nothing new."""
AS_IT_STANDS = CLIMBING | {ChangeWhat.UNMUTED, ChangeWhat.RESTATED}
"""Changes of who is told, or by which text, not of what the alert says."""
_WEIGHTS = (Kind.DISCONTINUE, Kind.WITHHOLD, Kind.DOSE_REDUCTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A change of one alert, with whom it is told to; `told_before` are the recipients who
    already heard of the alert (needed for corrections and endings only)."""

    change: Change
    alert_id: int
    kind: str
    urgency: Urgency
    mrn: str
    told_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One alert in a message, and what is said of it."""

    alert_id: int
    what: str
    reason: str
    urgency: Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One message to one recipient; `kind` is `alert` or `withdrawal`; lines worst first."""

    kind: str
    recipient: str
    urgency: Urgency
    lines: tuple[Line, ...]


def plan(told: Sequence[Told]) -> list[Planned]:
    """The messages that a batch of changes makes: recipients in order of first mention, each
    recipient's critical alerts first and alone, then the rest in one message, then what was
    withdrawn."""
    heard: dict[str, list[Told]] = {}
    corrected: dict[str, list[Told]] = {}
    for item in _once_each(told):
        if item.change.what in ENDINGS:
            _file(corrected, unique(item.told_before), item)
        elif item.change.what in CORRECTING:
            _file(heard, unique([*_first(item), *item.told_before]), item)
        elif item.urgency is not Urgency.ROUTINE or item.change.what in CLIMBING:
            _file(heard, unique(item.change.to), item)
    planned = [message for key, items in heard.items() for message in _alerts(key, items)]
    return planned + [_message("withdrawal", key, items) for key, items in corrected.items()]


def _first(item: Told) -> Sequence[str]:
    """Whoever hears of it in any case; of what is routine, by the digest."""
    return () if item.urgency is Urgency.ROUTINE else item.change.to


def _once_each(told: Sequence[Told]) -> list[Told]:
    """What is told of each alert: its first change that people hear of, unless it ends. Then what
    some hear besides who do not hear the first: that it was corrected, or that it climbs."""
    chosen: dict[int, Told] = {}
    besides: list[Told] = []
    for item in told:
        if not item.change.tell:
            continue
        if item.change.what in CLIMBING:
            besides.append(item)
        elif item.alert_id not in chosen or item.change.what in ENDINGS:
            chosen[item.alert_id] = item
        elif item.change.what in CORRECTING:
            besides.append(item)
    return [*chosen.values(), *besides]


def _alerts(recipient: str, items: list[Told]) -> list[Planned]:
    critical = [item for item in items if item.urgency is Urgency.CRITICAL]
    others = [item for item in items if item.urgency is not Urgency.CRITICAL]
    messages = [_message("alert", recipient, [item]) for item in critical]
    return messages + ([_message("alert", recipient, others)] if others else [])


def _message(kind: str, recipient: str, items: list[Told]) -> Planned:
    ordered = _worst_first(items)
    lines = tuple(
        Line(
            alert_id=item.alert_id,
            what=item.change.what.value,
            reason=item.change.reason,
            urgency=item.urgency,
        )
        for item in ordered
    )
    return Planned(kind=kind, recipient=recipient, urgency=ordered[0].urgency, lines=lines)


def _worst_first(items: Sequence[Told]) -> list[Told]:
    """Patients by their worst alert, each patient's alerts together."""
    worst: dict[str, tuple[int, int, int]] = {}
    for item in items:
        worst[item.mrn] = min(_place(item), worst.get(item.mrn, _place(item)))
    return sorted(items, key=lambda it: (worst[it.mrn], _place(it)))


def _place(item: Told) -> tuple[int, int, int]:
    return (*severity(item.urgency.value, item.kind), item.alert_id)


def severity(urgency: str, kind: str) -> tuple[int, int]:
    """Sorts the worst first: by urgency, then by what is asked for."""
    weight = _WEIGHTS.index(kind) if kind in _WEIGHTS else len(_WEIGHTS)
    return (-Urgency(urgency).rank, weight)


def _file(by_recipient: dict[str, list[Told]], addresses: Iterable[str], item: Told) -> None:
    for address in addresses:
        known = next((key for key in by_recipient if key.lower() == address.lower()), address)
        heard = by_recipient.setdefault(known, [])
        if all(other.alert_id != item.alert_id for other in heard):
            heard.append(item)


def unique(addresses: Iterable[str]) -> list[str]:
    """Addresses without repeats (case apart) and without empty ones, in order."""
    seen: dict[str, str] = {}
    for address in addresses:
        if address.strip():
            seen.setdefault(address.strip().lower(), address.strip())
    return list(seen.values())
