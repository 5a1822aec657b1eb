"""The days that a report is about."""

from __future__ import annotations

from datetime import date

from monitor.store.errors import StoreError


class NoPeriod(StoreError):
    """These days cannot be reported on."""


def check_period(first: date, last: date) -> None:
    """Raises NoPeriod where there is no day from the first to the last."""
    if first > last:
        raise NoPeriod(f"--from {first} lies after --to {last}")
