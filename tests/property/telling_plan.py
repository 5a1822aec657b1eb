"""The routes of a small clinic, drawn at random and edited: tiers, waits, hours, a rota."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/London")
LAST_RESORT = "office@hill.example"
FIRST_DAY = date(2026, 3, 2)
ROLES = {
    "nurses": ("nurse@hill.example", "nurse2@hill.example"),
    "doctor": ("doctor@hill.example",),
    "on_call": ("call@hill.example",),
    "lead": ("lead@hill.example",),
}
ON_CALL = ("ann@hill.example", "bob@hill.example")
"""Of the rota, week by week; in a week without anybody the role has its own address."""
EVERYBODY = [*(it for found in ROLES.values() for it in found), *ON_CALL]


@dataclass(frozen=True)
class Plan:
    """The routes of a config, as the oracle reads them too."""

    tiers: tuple[tuple[str, ...], ...]
    """Roles, tier by tier, of the one route that hears of everything."""
    out_of_hours: tuple[tuple[str, ...], ...]
    """Those of a second route, that hears of what comes outside the working hours ..."""
    instead: bool
    """... instead of the first one, which then hears only of what comes in them."""
    always: frozenset[str]
    """Roles that are on duty at any hour; the others in the clinic's."""
    critical: tuple[int, ...]
    """Minutes until the second tier, the third ..."""
    urgent_hours: int
    """Working hours until the next tier of an urgent alert."""
    digest_at: str
    storm_from: int
    away: frozenset[date] | None = None
    """Mondays of the weeks in which nobody is on call; None: there is no rota."""

    def text(self) -> str:
        """The config file."""
        first = f'digest_at = "{self.digest_at}"' + ('\nhours = "open"' if self.instead else "")
        routes = [_route(self.tiers, first)]
        if self.out_of_hours:
            routes.append(_route(self.out_of_hours, 'hours = "closed"\ndigest = false'))
        roles = [
            f"[recipients.{name}]\naddresses = {list(addresses)}\n"
            + ('hours = "always"\n' if name in self.always else "")
            + ('rota = "rota.csv"\n' if name == "on_call" and self.away is not None else "")
            for name, addresses in ROLES.items()
        ]
        waits = ", ".join(f'"{minutes} minutes"' for minutes in self.critical)
        return "\n".join(
            [
                f'[clinic]\ntimezone = "{ZONE.key}"\nemail = "{LAST_RESORT}"',
                'hours = "08:00-18:00"\nholidays = ["2026-03-17"]',
                *roles,
                *routes,
                f"[escalation]\ncritical_next_tier = [{waits}]",
                f'urgent_next_tier = ["{self.urgent_hours} working hours"]',
                f"[quiet]\nstorm_from = {self.storm_from}",
            ]
        )

    def rota(self) -> str:
        """The file of who is on call."""
        weeks = [it for it in WEEKS if it not in (self.away or ())]
        lines = (f"{it},on call,{on_call(it)}," for it in weeks)
        return "\n".join(["week,name,addresses,telephone", *lines]) + "\n"


WEEKS = [FIRST_DAY + timedelta(weeks=it) for it in range(-2, 9)]


def on_call(monday: date) -> str:
    """Whose week it is, where it is anybody's."""
    return ON_CALL[WEEKS.index(monday) % len(ON_CALL)]


def _route(tiers: tuple[tuple[str, ...], ...], more: str) -> str:
    then = [list(tier) for tier in tiers[1:]]
    return f"[[routes]]\nto = {list(tiers[0])}\nthen = {then}\n{more}\n"


def draw_plan(luck: Random) -> Plan:
    """Routes of a small clinic."""
    names = list(ROLES)
    luck.shuffle(names)
    cuts = luck.randint(1, 3)
    tiers = [tuple(names[:2]) if luck.random() < 0.3 else (names[0],)]
    tiers += [(name,) for name in names[len(tiers[0]) : len(tiers[0]) + cuts]]
    other = tuple((name,) for name in luck.sample(names, 2)) if luck.random() < 0.4 else ()
    return Plan(
        tiers=tuple(tiers),
        out_of_hours=other,
        instead=bool(other) and luck.random() < 0.6,
        always=frozenset(name for name in names if luck.random() < 0.4),
        critical=luck.choice([(30, 60), (30,), (20, 45, 90)]),
        urgent_hours=luck.choice([4, 2, 9]),
        digest_at=luck.choice(["07:30", "09:00"]),
        storm_from=luck.choice([2, 3, 25]),
        away=_away(luck) if luck.random() < 0.4 else None,
    )


def _away(luck: Random) -> frozenset[date]:
    return frozenset(it for it in WEEKS if luck.random() < 0.25)


def edit_plan(plan: Plan, luck: Random) -> Plan:
    """One thing of them is another."""
    names = list(ROLES)
    used = {role for tier in plan.tiers for role in tier}
    left = [name for name in names if name not in used]
    edits = [
        lambda: draw_plan(luck),
        lambda: replace(plan, critical=luck.choice([(30, 60), (30,), (20, 45, 90), (10,)])),
        lambda: replace(plan, urgent_hours=luck.choice([1, 4, 2, 9])),
        lambda: replace(plan, always=frozenset(it for it in names if luck.random() < 0.4)),
        lambda: replace(plan, away=_away(luck)),
        lambda: replace(plan, tiers=plan.tiers[1:] or plan.tiers),
        lambda: replace(plan, tiers=tuple(luck.sample(plan.tiers, len(plan.tiers)))),
        lambda: replace(plan, instead=bool(plan.out_of_hours) and not plan.instead),
    ]
    if left:
        edits += [lambda: replace(plan, tiers=((luck.choice(left),), *plan.tiers))] * 3
    return luck.choice(edits)()
