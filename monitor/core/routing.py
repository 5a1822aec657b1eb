"""Who is told what: changes x routes -> one message a recipient a batch, worst first.

Urgent and critical go out at once; routine waits for the recipient's digest. A critical
alert stands alone in its message. A withdrawal goes to everyone who was told, whatever the
routes say today. An alert that no route takes goes to the last resort: none falls through.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.core.model import Change, ChangeWhat, Kind, Urgency

ENDINGS = frozenset({ChangeWhat.CLOSED, ChangeWhat.WITHDRAWN, ChangeWhat.MERGED})
"""Changes that end an alert; only those who were told of it hear of them."""
_WEIGHTS = (Kind.DISCONTINUE, Kind.WITHHOLD, Kind.DOSE_REDUCTION)


class RouteLike(Protocol):
    """What the core needs to know of a route of the config; an empty list means all."""

    @property
    def to(self) -> Sequence[str]: ...
    @property
    def clinics(self) -> Sequence[str]: ...
    @property
    def drugs(self) -> Sequence[str]: ...
    @property
    def kinds(self) -> Sequence[str]: ...
    @property
    def urgencies(self) -> Sequence[str]: ...
    @property
    def digest(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A change of one alert, with what routes go by; `told_before` are the recipients who
    already heard of the alert (needed for withdrawals only)."""

    change: Change
    alert_id: int
    clinic: str
    drug: str
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


def takes(route: RouteLike, *, clinic: str, drug: str, kind: str, urgency: str) -> bool:
    """Whether a route hears of such an alert; names are compared without case."""
    wanted = (
        (route.clinics, clinic),
        (route.drugs, drug),
        (route.kinds, kind),
        (route.urgencies, urgency),
    )
    return all(not names or _among(value, names) for names, value in wanted)


def recipients(
    routes: Iterable[RouteLike],
    last_resort: str,
    *,
    clinic: str,
    drug: str,
    kind: str,
    urgency: str,
) -> list[str]:
    """The addresses of every route that takes such an alert; the last resort where none does."""
    matching = (
        route
        for route in routes
        if takes(route, clinic=clinic, drug=drug, kind=kind, urgency=urgency)
    )
    return unique(address for route in matching for address in route.to) or [last_resort]


def plan(told: Sequence[Told], routes: Sequence[RouteLike], last_resort: str) -> list[Planned]:
    """The messages that a batch of changes makes: recipients in order of first mention, each
    recipient's critical alerts first and alone, then the rest in one message, then what was
    withdrawn."""
    heard: dict[str, list[Told]] = {}
    corrected: dict[str, list[Told]] = {}
    for item in _once_each(told):
        if item.change.what in ENDINGS:
            _file(corrected, unique(item.told_before), item)
        elif item.urgency is not Urgency.ROUTINE:
            _file(heard, _recipients_of(item, routes, last_resort), item)
    planned = [message for key, items in heard.items() for message in _alerts(key, items)]
    return planned + [_message("withdrawal", key, items) for key, items in corrected.items()]


def _once_each(told: Sequence[Told]) -> list[Told]:
    """What is told of each alert: its first change that people hear of, unless it ends."""
    chosen: dict[int, Told] = {}
    for item in told:
        if item.change.tell and (item.alert_id not in chosen or item.change.what in ENDINGS):
            chosen[item.alert_id] = item
    return list(chosen.values())


def _recipients_of(item: Told, routes: Sequence[RouteLike], last_resort: str) -> list[str]:
    return recipients(
        routes,
        last_resort,
        clinic=item.clinic,
        drug=item.drug,
        kind=item.kind,
        urgency=item.urgency.value,
    )


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
        by_recipient.setdefault(known, []).append(item)


def unique(addresses: Iterable[str]) -> list[str]:
    """Addresses without repeats (case apart) and without empty ones, in order."""
    seen: dict[str, str] = {}
    for address in addresses:
        if address.strip():
            seen.setdefault(address.strip().lower(), address.strip())
    return list(seen.values())


def _among(value: str, names: Sequence[str]) -> bool:
    return value.strip().casefold() in {name.strip().casefold() for name in names}
