"""The rows of a set in canonical units, worked out apart from the monitor's own code.

Every row is read again, by pandas, from the very file that was loaded; what becomes of it
follows from `expected_units.toml`: its analyte, its exact value, and its fate (stored,
quarantined or ignored, duplicate or superseded).
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from tools.real_data.prepared import Load, read_text

HERE = Path(__file__).parent
STORED, IGNORED, QUARANTINED = "stored", "ignored", "quarantined"
DUPLICATE, SUPERSEDED = "duplicate", "superseded"
_NUMBER = re.compile(r"(<=|>=|<|>)?\s*(\d+\.?\d*|\.\d+)")
_IN_WORDS = {"LESS THAN": "<", "GREATER THAN": ">"}
_LIMIT = re.compile(r"\d+(\.\d+)?")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")
_BARE_DATE = len("2000-01-01")
_TEXTS = ["mrn", "collected_at", "analyte", "value", "unit", "ref_low", "ref_high", "reported_at"]


@dataclass(slots=True, kw_only=True)
class Row:
    """One line of a file. `number` is canonical, None where there is no result."""

    line: int
    words: tuple[str, ...]
    mrn: str
    at: pd.Timestamp | None
    timed: bool
    reported_at: str
    fate: str
    analyte: str = ""
    number: Decimal | None = None
    comparator: str = ""
    uln: Decimal | None = None
    lln: Decimal | None = None
    stands: bool = False


@cache
def truths() -> Mapping[str, Any]:
    return tomllib.loads((HERE / "expected_units.toml").read_text(encoding="utf-8"))


@cache
def sources() -> Mapping[str, Mapping[str, Any]]:
    """The `[sources]` tables, as the monitor gets them."""
    tables = tomllib.loads((HERE / "sources.toml").read_text(encoding="utf-8"))
    return dict(tables["sources"])


def rows_of(load: Load, enrolled: Collection[str]) -> list[Row]:
    """Every line of a file with what becomes of it; who is not `enrolled` is held."""
    source = sources().get(load.source, {})
    rows = [
        _row(line, texts, source) for line, texts in enumerate(_received(load, source), start=2)
    ]
    for row in rows:
        if row.mrn not in enrolled and row.fate == STORED:
            row.fate = QUARANTINED
    _hold_once(rows)
    _let_one_stand(rows)
    return rows


def separator_of(load: Load) -> str:
    with load.path.open(encoding="utf-8") as stream:
        return "\t" if "\t" in stream.readline() else ","


def _received(load: Load, source: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    """The lines as texts in our columns."""
    rows = read_text(load.path, sep=separator_of(load))
    rows = rows.rename(columns={theirs: ours for ours, theirs in source.get("columns", {}).items()})
    rows = rows.reindex(columns=_TEXTS, fill_value="")
    return zip(*(rows[name] for name in _TEXTS), strict=True)


def _row(line: int, texts: tuple[str, ...], source: Mapping[str, Any]) -> Row:
    mrn, collected_at, code, value, unit, low, high, reported_at = texts
    row = Row(
        line=line,
        words=texts,
        mrn=mrn.strip().upper(),
        at=_instant(collected_at),
        timed=len(collected_at) > _BARE_DATE,
        reported_at=reported_at,
        fate=QUARANTINED,
    )
    analyte = source.get("codes", {}).get(code) or _by_code().get(code, "")
    unit = unit or source.get("units", {}).get(analyte, "")
    if code in source.get("ignore", []):
        row.fate = IGNORED
    elif code in truths()["known"]["codes"] and _NUMBER.fullmatch(value):
        row.fate, row.analyte = STORED, f"code {code}"
        row.number = Decimal(value.lstrip("<>= "))
    elif analyte and row.at is not None:
        _measure(row, analyte, value, unit)
        row.lln, row.uln = _limit(row.analyte, low, unit), _limit(row.analyte, high, unit)
    return row


def _instant(text: str) -> pd.Timestamp | None:
    if not _DATED.match(text):
        return None
    try:
        moment = pd.Timestamp(text)
    except ValueError:
        return None
    return moment.tz_localize("UTC") if moment.tz is None else moment.tz_convert("UTC")


def _measure(row: Row, analyte: str, value: str, unit: str) -> None:
    """Analyte, canonical number, comparator and fate; the unit decides against the code."""
    percent = f"{analyte}_percent"
    if percent in truths()["analytes"] and _plain(unit) in _factors("percent"):
        analyte = percent
    row.analyte = analyte
    if value.strip() == "" or value in truths()["no_result"]["texts"]:
        row.fate = STORED
        return
    for words, sign in _IN_WORDS.items():
        value = value.replace(words, sign)
    truth = truths()["analytes"][analyte]
    match, factor = _NUMBER.fullmatch(value.strip()), _factors(truth["units"]).get(_plain(unit))
    if match is None or factor is None or Decimal(match[2]) * factor > truth["high"]:
        return
    row.fate, row.number, row.comparator = STORED, Decimal(match[2]) * factor, match[1] or ""


@cache
def _by_code() -> Mapping[str, str]:
    return {code: name for name, it in truths()["analytes"].items() for code in it["codes"]}


@cache
def _factors(units: str) -> Mapping[str, Decimal]:
    table = truths()["units"][units]
    return {_plain(unit): Decimal(factor) for factor, names in table.items() for unit in names}


def _plain(unit: str) -> str:
    return unit.replace(" ", "").casefold()


def _limit(analyte: str, text: str, unit: str) -> Decimal | None:
    factor = _factors(truths()["analytes"][analyte]["units"]).get(_plain(unit))
    if factor is None or not _LIMIT.fullmatch(text.strip()):
        return None
    return Decimal(text.strip()) * factor


def _hold_once(rows: Sequence[Row]) -> None:
    """A row that is held, and comes again word for word, is a duplicate."""
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        if row.fate == QUARANTINED:
            row.fate = DUPLICATE if row.words in seen else QUARANTINED
            seen.add(row.words)


def _let_one_stand(rows: Iterable[Row]) -> None:
    """Of several rows of one patient, analyte and instant the last reported stands; of a bare
    day each different value does. The fate of the others is duplicate or superseded."""
    keys: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.fate == STORED:
            said = (row.comparator, row.number)
            keys[row.mrn, row.analyte, row.at, None if row.timed else said].append(row)
    for same in keys.values():
        top = same[0]
        for row in same[1:]:
            equal = (row.comparator, row.number) == (top.comparator, top.number)
            row.fate = DUPLICATE if equal else SUPERSEDED
            if row.reported_at >= top.reported_at:
                top = row
        top.stands = True
