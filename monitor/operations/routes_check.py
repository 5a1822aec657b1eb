"""`monitor routes check`: does every alert reach a person, at every hour of the coming year?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from monitor.config import UNCHANGED_EMAIL, Settings, route_book
from monitor.core.calendar import clinic_day
from monitor.core.coverage import Gap, gaps, mail_only, no_address
from monitor.core.routebook import RouteBook
from monitor.store import tables
from monitor.store.database import Store
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with the routes (`faults`, `gaps`) and what should be seen to."""

    faults: tuple[str, ...]
    gaps: tuple[Gap, ...]
    warnings: tuple[str, ...]

    @property
    def well(self) -> bool:
        return not self.faults and not self.gaps

    def document(self, settings: Settings) -> dict[str, Any]:
        zone = settings.clinic.zone
        return {
            "well": self.well,
            "faults": list(self.faults),
            "uncovered": [
                {
                    "what": gap.what,
                    "first": gap.first.astimezone(zone).isoformat(),
                    "until": gap.until.astimezone(zone).isoformat(),
                    "hours": gap.hours,
                    "stretches": gap.stretches,
                }
                for gap in self.gaps
            ],
            "warnings": list(self.warnings),
        }


def check_routes(store: Store, settings: Settings, now: datetime) -> Checked:
    """Check the routes as they stand, from the hour of `now` on for a year."""
    book = route_book(settings)
    with store.read() as connection:
        unmatched = _unmatched(connection, settings)
    faults = [*book.faults, *no_address(book, now), *mail_only(book, now), *unmatched]
    if not settings.routes:
        faults.append(
            f"there is no [[routes]]: everything goes to {settings.clinic.email} alone, by mail"
        )
    if settings.clinic.email == UNCHANGED_EMAIL:
        faults.append(f"[clinic] email, the last resort, is still {UNCHANGED_EMAIL}")
    hour = now.replace(minute=0, second=0, microsecond=0)
    return Checked(tuple(faults), tuple(gaps(book, hour)), tuple(warnings(settings, book, now)))


def warnings(settings: Settings, book: RouteBook, now: datetime) -> list[str]:
    """What the operator should see to: roles not confirmed, rotas that run out."""
    today = clinic_day(now, settings.clinic.zone)
    found = []
    every = settings.escalation.confirm_every
    for name, role in settings.recipients.items():
        if every is None:
            break
        if role.confirmed_on is None:
            found.append(f"[recipients.{name}]: nobody has confirmed that it is read")
        elif every.after(role.confirmed_on) <= today:
            found.append(
                f"[recipients.{name}]: last confirmed on {role.confirmed_on.isoformat()}; its "
                f"owner confirms it every {every}"
            )
    for contact in book.contacts:
        if contact.rota is not None and contact.rota.shifts:
            last = max(shift.week for shift in contact.rota.shifts)
            if (last - today).days < _RUNS_OUT:
                found.append(
                    f"[recipients.{contact.role}]: the rota ends with the week of "
                    f"{last.isoformat()}"
                )
    return found


_RUNS_OUT = 28
"""Days before its end that a rota is said to run out."""


def _unmatched(connection: Connection, settings: Settings) -> list[str]:
    """Routes that no enrolment can meet: a clinic or a drug nobody is enrolled under."""
    rows = connection.execute(select(_ENROLMENTS.c.clinic, _ENROLMENTS.c.drug).distinct()).all()
    known: dict[str, dict[str, str]] = {
        "clinics": {row.clinic.strip().casefold(): row.clinic for row in rows},
        "drugs": {row.drug.strip().casefold(): row.drug for row in rows},
    }
    found = []
    for number, route in enumerate(settings.routes, start=1):
        for key, theirs in known.items():
            names: list[str] = getattr(route, key)
            if rows and names and not any(name.strip().casefold() in theirs for name in names):
                there = ", ".join(sorted(name for name in theirs.values() if name)) or "none"
                found.append(
                    f"route {route.name or number}: nobody is enrolled under {key} "
                    f"{', '.join(names)}; the enrolments have: {there}"
                )
    return found
