"""Who is told of what, when and how much: routes, recipients, escalation, quiet, budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from monitor.config.field_types import (
    Address,
    ClockTime,
    Handover,
    Holidays,
    HoursText,
    KindName,
    OptionalClockTime,
    OptionalDay,
    OptionalDuration,
    OptionalLocale,
    OptionalWait,
    OptionalZone,
    RequiredWait,
    RoleOrAddress,
    UrgencyName,
    Waits,
    Weekday,
)
from monitor.config.section import OptionalPath, Section
from monitor.core.calendar import Duration, parse_duration
from monitor.core.vocabulary import Urgency
from monitor.core.waits import Wait, parse_wait


def _check_order(waits: Sequence[Wait], name: str) -> None:
    """Raises ValueError where a later tier would be told before the one before it."""
    spans = [wait.span for wait in waits]
    if spans != sorted(set(spans)):
        raise ValueError(f"{name}: waits from now on, each longer than the last")


class Route(Section):
    """Who hears of what. An empty list means all."""

    name: str = ""
    to: Annotated[list[RoleOrAddress], Field(min_length=1)]
    then: list[Annotated[list[RoleOrAddress], Field(min_length=1)]] = []
    """Who is told next, tier by tier, while nobody acknowledges."""
    next_tier_after: Waits = []
    """In place of those of `[escalation]`."""
    hours: Literal["any", "open", "closed"] = "any"
    clinics: list[str] = []
    drugs: list[str] = []
    kinds: list[KindName] = []
    urgencies: list[UrgencyName] = []
    digest_at: ClockTime = "07:30"
    digest: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_order(self.next_tier_after, "next_tier_after")
        return self


class Recipient(Section):
    """A role: how to reach it, when it works, how it likes its mail."""

    addresses: list[Address] = []
    telephone: str = ""
    hours: HoursText = ""
    """"" for the clinic's, "always" for any hour of any day."""
    open_days: list[Weekday] = []
    """None: the clinic's."""
    holidays: Holidays = []
    """Besides the clinic's."""
    rota: OptionalPath = None
    handover: Handover = "mon 08:00"
    rota_timezone: OptionalZone = ""
    digest_at: OptionalClockTime = ""
    locale: OptionalLocale = ""
    privacy: Literal["", "minimal", "full"] = ""
    confirmed_on: OptionalDay = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.addresses and self.rota is None:
            raise ValueError("a role needs addresses, or a rota that has them")
        return self


class Escalation(Section):
    """How long each urgency waits before the next is told. To be signed by the site."""

    critical_next_tier: Waits = [parse_wait("30 minutes"), parse_wait("60 minutes")]
    critical_outcome: OptionalWait = parse_wait("4 hours")
    critical_repeat: OptionalWait = parse_wait("4 hours")
    urgent_next_tier: Waits = [parse_wait("4 working hours")]
    urgent_closed_longer_than: OptionalWait = parse_wait("24 hours")
    routine_next_tier: Waits = [parse_wait("14 days")]
    confirm_every: OptionalDuration = parse_duration("3 months")
    snooze_urgent_at_most: OptionalDuration = parse_duration("28 days")
    snooze_routine_at_most: OptionalDuration = parse_duration("90 days")

    def snooze_at_most(self, urgency: Urgency) -> Duration | None:
        """How long the site lets an alert of this urgency rest; None: it does not say."""
        most = {
            Urgency.URGENT: self.snooze_urgent_at_most,
            Urgency.ROUTINE: self.snooze_routine_at_most,
        }
        return most.get(urgency)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for name in ("critical", "urgent", "routine"):
            waits: list[Wait] = getattr(self, f"{name}_next_tier")
            if not waits:
                raise ValueError(f"{name}_next_tier: at least one wait")
            _check_order(waits, f"{name}_next_tier")
        if any(wait.working for wait in self.critical_next_tier):
            raise ValueError("critical_next_tier: a critical alert waits for no working hours")
        return self


class Quiet(Section):
    """When many alerts become one message."""

    storm_from: Annotated[int, Field(ge=2)] = 25
    storm_window: RequiredWait = parse_wait("1 hour")
    storm_wait: RequiredWait = parse_wait("10 minutes")

    @model_validator(mode="after")
    def _of_the_clock(self) -> Self:
        if self.storm_window.working or self.storm_wait.working:
            raise ValueError("a storm is of any hour: no working hours here")
        return self


class Budget(Section):
    """How much anybody is to be told, before they stop reading; 0 for no limit."""

    messages_a_day: Annotated[float, Field(ge=0)] = 10
    """For one recipient, digests apart, on average."""
    alerts_per_100_patient_years: Annotated[float, Field(ge=0)] = 0
