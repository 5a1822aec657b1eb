"""The values of an example's events: what the events file takes, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from monitor.core.catalogue import Catalogue
from monitor.core.event_values import VALUES, WrongValue, beyond_weights, iso_day
from monitor.core.toml_reader import Table


def event_value(row: Table, event: str, on: date, catalogue: Catalogue) -> str:
    """The value of an example's event, as intake would keep it; a fault where it would refuse."""
    value = _as_text(row)
    known = VALUES.get(event)
    if known is None or not row.report.sound(*row.at("value")):
        return value
    try:
        kept = known.keep(value, on, iso_day)
    except WrongValue:
        problem = f"is no value of {event}" if value else f"is missing: {event}"
        row.fault("value", problem, known.valid)
        return value
    if event == "weight":
        _check_weight(row, Decimal(kept), catalogue)
    return kept


def _as_text(row: Table) -> str:
    """Text, a plain number, or a day."""
    value = row.data.get("value")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = row.number("value", zero=True)
        return f"{number or 0:f}"
    if isinstance(value, date):
        return row.day("value").isoformat()
    return row.text("value", "")


def _check_weight(row: Table, kg: Decimal, catalogue: Catalogue) -> None:
    beyond = beyond_weights(kg, catalogue)
    if beyond is not None:
        low, high = beyond
        row.fault("value", "is no weight that anybody has", f"kg, from {low:f} to {high:f}")
