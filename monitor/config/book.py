"""The routes of the config as the core's route book, with the rota files read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.config.field_types import read_address
from monitor.config.models import Settings
from monitor.config.telling import Recipient, Route
from monitor.core.contacts import Contact, Rota, Shift, Tier
from monitor.core.escalation import Pace
from monitor.core.rota_file import read_rota
from monitor.core.routebook import RouteBook, Way
from monitor.core.vocabulary import Urgency
from monitor.core.worktime import WEEKDAYS, WorkTime, parse_hours


def clinic_hours(settings: Settings) -> WorkTime:
    """The clinic's working time."""
    return _work_time(settings, settings.clinic.hours, (), ())


def route_book(settings: Settings) -> RouteBook:
    """The routes as they stand, their rotas read anew where the files changed.

    A rota that cannot be read leaves its role with the addresses of its own; what is wrong is
    in `faults`, each a sentence that names the file.
    """
    faults: list[str] = []
    roles = {
        name: _contact(settings, name, role, faults) for name, role in settings.recipients.items()
    }
    pace = settings.escalation
    closed = pace.urgent_closed_longer_than
    return RouteBook(
        ways=tuple(_way(route, roles) for route in settings.routes),
        paces={
            Urgency.CRITICAL: Pace(
                next_tier=tuple(pace.critical_next_tier),
                outcome=pace.critical_outcome,
                repeat=pace.critical_repeat,
                last_resort=True,
            ),
            Urgency.URGENT: Pace(
                next_tier=tuple(pace.urgent_next_tier),
                at_once_when_closed=closed.span if closed else None,
            ),
            Urgency.ROUTINE: Pace(next_tier=tuple(pace.routine_next_tier), by_message=False),
        },
        hours=clinic_hours(settings),
        last_resort=settings.clinic.email,
        contacts=tuple(roles.values()),
        faults=tuple(faults),
    )


def recipient_of(settings: Settings, address: str) -> Recipient | None:
    """The first role that has this address, by itself or in a week of its rota (case apart)."""
    lower = address.lower()
    return next(
        (
            role
            for name, role in settings.recipients.items()
            if any(own.lower() == lower for own in _addresses(settings, name, role))
        ),
        None,
    )


def locale_of(settings: Settings, address: str) -> str:
    """The language of a reader's mails."""
    role = recipient_of(settings, address)
    return (role.locale if role else "") or settings.clinic.locale


def _addresses(settings: Settings, name: str, role: Recipient) -> Iterator[str]:
    yield from role.addresses
    shifts = _rota(settings, name, role, []).shifts if role.rota else ()
    yield from (address for shift in shifts for address in shift.addresses)


def _way(route: Route, roles: dict[str, Contact]) -> Way:
    def tier(names: Iterable[str]) -> Tier:
        return tuple(roles.get(it) or Contact(it, (it,), stated=False) for it in names)

    return Way(
        tiers=(tier(route.to), *(tier(names) for names in route.then)),
        name=route.name,
        clinics=tuple(route.clinics),
        drugs=tuple(route.drugs),
        kinds=tuple(route.kinds),
        urgencies=tuple(route.urgencies),
        hours=route.hours,
        next_tier=tuple(route.next_tier_after),
        digest=route.digest,
        digest_at=time.fromisoformat(route.digest_at),
    )


def _contact(settings: Settings, name: str, role: Recipient, faults: list[str]) -> Contact:
    hours = None
    if role.hours != "always":
        hours = _work_time(
            settings, role.hours or settings.clinic.hours, role.open_days, role.holidays
        )
    rota = _rota(settings, name, role, faults) if role.rota else None
    return Contact(name, tuple(role.addresses), role.telephone, hours, rota)


def _work_time(
    settings: Settings, hours: str, open_days: Iterable[str], holidays: Iterable[date]
) -> WorkTime:
    clinic = settings.clinic
    opens, closes = parse_hours(hours)
    return WorkTime(
        zone=clinic.zone,
        weekdays=frozenset(WEEKDAYS.index(day) for day in list(open_days) or clinic.open_days),
        opens=opens,
        closes=closes,
        holidays=frozenset([*clinic.holidays, *holidays]),
    )


def _rota(settings: Settings, name: str, role: Recipient, faults: list[str]) -> Rota:
    assert role.rota is not None
    day, _, clock = role.handover.partition(" ")
    shifts: tuple[Shift, ...] = ()
    try:
        stamp = role.rota.stat()
        shifts, wrong = _read(role.rota, stamp.st_mtime_ns, stamp.st_size)
        known = [*wrong, *_unreachable(settings, shifts)]
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        known = [f"line {line} is not UTF-8 text: save the file as CSV UTF-8"]
    except FileNotFoundError:
        known = ["there is no such file"]
    except OSError as error:
        known = [f"it cannot be read: {error.strerror}"]
    faults += [f"[recipients.{name}] rota {role.rota.name}: {fault}" for fault in known]
    return Rota(
        shifts,
        ZoneInfo(role.rota_timezone) if role.rota_timezone else settings.clinic.zone,
        WEEKDAYS.index(day),
        time.fromisoformat(clock),
    )


def _unreachable(settings: Settings, shifts: Iterable[Shift]) -> Iterator[str]:
    """Addresses of a rota that nothing can be sent to."""
    for address in dict.fromkeys(it for shift in shifts for it in shift.addresses):
        try:
            problem = settings.lacks(read_address(address))
        except ValueError as error:
            problem = f"{address}: {error}"
        if problem:
            yield problem


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> tuple[tuple[Shift, ...], tuple[str, ...]]:
    return read_rota(path.read_text(encoding="utf-8-sig"))
