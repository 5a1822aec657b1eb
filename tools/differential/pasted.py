"""A value as Python that makes it again, without the fields that have their default."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo


def pasted(value: Any) -> str:
    """Names are those of `monitor.core` (vocabulary, case, answer), `datetime`, `decimal` and
    `zoneinfo`."""
    if is_dataclass(value):
        told = [
            f"{field.name}={pasted(getattr(value, field.name))}"
            for field in fields(value)
            if getattr(value, field.name) != _default(field)
        ]
        return f"{type(value).__name__}({', '.join(told)})"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple):
        return f"({''.join(pasted(it) + ', ' for it in value)})"
    if isinstance(value, datetime):
        return f'datetime.fromisoformat("{value.isoformat()}")'
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    if isinstance(value, ZoneInfo):
        return f'ZoneInfo("{value.key}")'
    return repr(value)


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
