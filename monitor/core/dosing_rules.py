"""What a protocol says of doses, as values. Amounts are mg a day, or mg a day for each kg."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from monitor.core.calendar import Duration
from monitor.core.vocabulary import Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """`"50 mg"` or `"2 mg/kg"`, a day."""

    number: Decimal
    per_kg: bool

    def __str__(self) -> str:
        return f"{self.number:f} {'mg/kg/day' if self.per_kg else 'mg/day'}"

    def mg(self, weight: Decimal | None) -> Decimal | None:
        """In mg/day; None where that needs a weight nobody has recorded."""
        if not self.per_kg:
            return self.number
        return None if weight is None else self.number * weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """The most that is given until so long after the first dose."""

    until: Duration
    at_most: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeDose:
    """A value that has to lie below its limit before the first dose, and how old it may be."""

    analyte: str
    below: Decimal
    shown: str
    within: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """How an indication is dosed. What an indication leaves out it takes from the general one."""

    usual_start: Amount
    source: str
    start_at_most: Amount | None = None
    increase_after: Duration | None = None
    step: Amount | None = None
    step_interval: Duration | None = None
    maintenance: tuple[Amount, ...] = ()
    """Lowest and highest; shown, and the lowest never alerts."""
    maximum: Amount | None = None
    later_after: Duration | None = None
    later_maximum: Amount | None = None
    """The most that is given from so long after the start."""
    ladder: tuple[Rung, ...] = ()
    maximum_say: str = ""
    toxicity_say: str = ""
    before_dose: BeforeDose | None = None
    withdraw_after: Duration | None = None
    withdraw_say: str = ""
    withdraw_urgency: Urgency = Urgency.ROUTINE
    note: str = ""
    """Shown with the patient and with the protocol; no alert comes of it."""

    @property
    def asks_for_weight(self) -> bool:
        """Whether any amount is one for each kg."""
        rungs = (it.at_most for it in self.ladder)
        own = (self.usual_start, self.start_at_most, self.step, self.maximum, self.later_maximum)
        return any(it is not None and it.per_kg for it in (*own, *self.maintenance, *rungs))


@dataclass(frozen=True, slots=True, kw_only=True)
class RenalLevel:
    """Below so much of the analyte, so many hundredths of the usual dose."""

    below: Decimal
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Renal:
    """What a failing kidney means for the dose."""

    analyte: str
    levels: tuple[RenalLevel, ...]
    """The mildest first."""
    symptom: str
    panel: str
    answered_by: tuple[str, ...]
    """Analytes of which a value on or after the symptom answers it."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dosing:
    """`[dosing]` of a protocol."""

    nearest_mg: Decimal
    weight_valid: Duration | None
    """None: no amount asks for a weight."""
    general: Regime
    indications: tuple[tuple[str, Regime], ...] = ()
    renal: Renal | None = None

    def regime(self, indication: str) -> Regime:
        return dict(self.indications).get(indication, self.general)

    @property
    def asks_for_weight(self) -> bool:
        """Whether any indication is dosed by weight."""
        return any(it.asks_for_weight for it in (self.general, *dict(self.indications).values()))

    def nearest(self, mg: Decimal) -> Decimal:
        """As doses are compared: to the nearest tablet or half of one, upwards from the middle."""
        steps = (mg / self.nearest_mg).quantize(Decimal(1), ROUND_HALF_UP)
        return steps * self.nearest_mg
