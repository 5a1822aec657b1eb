"""Single values of `analytes.toml`, each with its check; every fault is collected, with the key,
what stands there and what would be valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from monitor.core.catalogue import name_key
from monitor.core.faults import Fault, nearest
from monitor.core.toml_reader import is_unwieldy

_MOST_DECIMALS = 6
_MOST_DIGITS = 28
"""Of a factor: what decimals are reckoned with."""


class ValueReader:
    """Collects faults while it reads; what is faulty is left out of what it returns."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def fault(self, key: str, value: object, problem: str, valid: str = "") -> None:
        self.faults.append(Fault(self.file, key, _shown(value), problem, valid))

    def unknown(self, key: str, entry: Mapping[str, Any], valid: Iterable[str]) -> None:
        known = tuple(valid)
        for part in entry:
            if part not in known:
                place = f"{key}.{part}" if key else part
                self.fault(place, "", "unknown key", nearest(part, known))

    def table(
        self, part: str, parent: Mapping[str, Any], key: str = "", *, required: bool = False
    ) -> dict[str, Any]:
        place = f"{key}.{part}" if key else part
        value = parent.get(part, {})
        if not isinstance(value, dict):
            self.fault(place, value, "is no table", f"[{place}]")
            return {}
        if required and not value:
            self.fault(place, "", "is missing", f"[{place}]")
        return value

    def text(self, key: str, entry: Mapping[str, Any], part: str, *, required: bool = True) -> str:
        value: object = entry.get(part, "")
        if not isinstance(value, str):
            self.fault(key, value, "is no text", 'text in quotes, such as "g/L"')
            return ""
        if required and not value:
            self.fault(key, value, "is missing", f'text in quotes: {part} = "..."')
        return value

    def texts(self, key: str, entry: Mapping[str, Any], part: str) -> list[str]:
        value = entry.get(part, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(key, value, "is no list of texts", '["one", "two"]')
            return []
        return value

    def marks(self, part: str, marks: Mapping[str, Any]) -> tuple[str, ...]:
        texts = self.texts(f"name_marks.{part}", marks, part)
        return tuple(sorted({name_key(text) for text in texts} - {""}, key=len, reverse=True))

    def number(self, key: str, value: object) -> Decimal | None:
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            self.fault(key, value, "is no number", "an exact decimal such as 88.42")
            return None
        try:
            number = Decimal(value)
        except ArithmeticError:
            number = Decimal("NaN")
        if not number.is_finite():
            self.fault(key, value, "is no number", "an exact decimal such as 88.42")
            return None
        if is_unwieldy(number, _MOST_DIGITS):
            self.fault(key, value, "has too many digits", f"at most {_MOST_DIGITS} digits")
            return None
        return number

    def factors(self, key: str, entry: Mapping[str, Any]) -> dict[str, Decimal]:
        factors: dict[str, Decimal] = {}
        for unit, value in entry.items():
            number = self.number(f"{key}.{unit}", value)
            if number is not None and number <= 0:
                self.fault(f"{key}.{unit}", value, "a factor is above 0", "what one of it is worth")
            elif number is not None:
                factors[unit] = number
        return factors

    def decimals(self, key: str, entry: Mapping[str, Any]) -> int:
        value = entry.get("decimals")
        if isinstance(value, bool) or not isinstance(value, int):
            self.fault(key, value, "is no whole number", f"0 to {_MOST_DECIMALS}")
            return 0
        if not 0 <= value <= _MOST_DECIMALS:
            self.fault(key, value, "out of range", f"0 to {_MOST_DECIMALS}")
        return value

    def plausible(self, key: str, entry: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
        value = entry.get("plausible")
        if not isinstance(value, list) or len(value) != 2:
            self.fault(key, value, "is no range", "[low, high] in the canonical unit")
            return Decimal(0), Decimal(0)
        low, high = (self.number(key, bound) for bound in value)
        if low is None or high is None:
            return Decimal(0), Decimal(0)
        if not 0 <= low < high:
            self.fault(key, value, "is no range", "[low, high] with 0 <= low < high")
        return low, high


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    return "" if value is None else str(value)
