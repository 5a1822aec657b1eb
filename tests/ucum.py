"""A slow, obvious reading of UCUM for tests: the size and the dimension of a unit.

It knows the base units, prefixes and atoms that laboratories measure blood with, and no special
units. Enzyme units are what they are defined as: 1 U is 1 umol/min, and [IU] counts as U.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

Dimension = tuple[tuple[str, int], ...]
_PREFIXES = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6,
    "n": -9, "p": -12, "f": -15, "a": -18,
}  # fmt: skip
_MINUTE = Fraction(1, 60 * 10**6)
_ATOMS: dict[str, tuple[Fraction, dict[str, int]]] = {
    "m": (Fraction(1), {"m": 1}),
    "g": (Fraction(1), {"g": 1}),
    "s": (Fraction(1), {"s": 1}),
    "mol": (Fraction(1), {"mol": 1}),
    "L": (Fraction(1, 1000), {"m": 3}),
    "l": (Fraction(1, 1000), {"m": 3}),
    "U": (_MINUTE, {"mol": 1, "s": -1}),
    "[IU]": (_MINUTE, {"mol": 1, "s": -1}),
    "[iU]": (_MINUTE, {"mol": 1, "s": -1}),
    "kat": (Fraction(1), {"mol": 1, "s": -1}),
    "t": (Fraction(10**6), {"g": 1}),
    "%": (Fraction(1, 100), {}),
    "10*": (Fraction(10), {}),
    "10^": (Fraction(10), {}),
    "min": (Fraction(60), {"s": 1}),
    "h": (Fraction(3600), {"s": 1}),
    "d": (Fraction(86400), {"s": 1}),
    "[lb_av]": (Fraction(45359237, 100000), {"g": 1}),
    "[oz_av]": (Fraction(45359237, 1600000), {"g": 1}),
    "[stone_av]": (Fraction(45359237 * 14, 100000), {"g": 1}),
    "[in_i]": (Fraction(254, 10000), {"m": 1}),
}
_METRIC = ("m", "g", "s", "mol", "L", "l", "U", "[IU]", "[iU]", "kat", "t")
_TOKEN = re.compile(r"\{[^{}]*\}|[./()]|(?:10[*^]|[^./(){}0-9+-]+)(?:[+-]?\d+)?|\d+")
_PART = re.compile(r"(10[*^]|[^0-9+-]+)([+-]?\d+)?")


class Unknown(Exception):
    """Not a unit that is read here."""


@cache
def read(unit: str) -> tuple[Fraction, Dimension]:
    """The size of a unit in base units, and its dimension. Raises Unknown."""
    tokens = _TOKEN.findall(unit)
    if "".join(tokens) != unit or not tokens:
        raise Unknown(unit)
    size, powers, rest = _term(tokens)
    if rest:
        raise Unknown(unit)
    return size, tuple(sorted((name, n) for name, n in powers.items() if n))


def _term(tokens: list[str]) -> tuple[Fraction, dict[str, int], list[str]]:
    size, powers, sign = Fraction(1), dict[str, int](), 1
    while tokens and tokens[0] != ")":
        token, tokens = tokens[0], tokens[1:]
        if token in "./":
            sign = 1 if token == "." else -1
            continue
        if token == "(":
            inner, inner_powers, tokens = _term(tokens)
            tokens = tokens[1:]
        else:
            inner, inner_powers = _part(token)
        size *= inner**sign
        for name, n in inner_powers.items():
            powers[name] = powers.get(name, 0) + sign * n
        sign = 1
    return size, powers, tokens


def _part(token: str) -> tuple[Fraction, dict[str, int]]:
    if token.startswith("{"):
        return Fraction(1), {}
    if token.isdigit():
        return Fraction(int(token)), {}
    found = _PART.fullmatch(token)
    if found is None:
        raise Unknown(token)
    size, powers = _atom(found[1])
    exponent = int(found[2] or 1)
    return size**exponent, {name: n * exponent for name, n in powers.items()}


def _atom(name: str) -> tuple[Fraction, dict[str, int]]:
    if name in _ATOMS:
        return _ATOMS[name]
    for prefix, power in _PREFIXES.items():
        rest = name.removeprefix(prefix)
        if rest != name and rest in _METRIC:
            size, powers = _ATOMS[rest]
            return size * Fraction(10) ** power, powers
    raise Unknown(name)
