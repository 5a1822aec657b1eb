"""What a bench measured: every value, the peers of the same run, and what was to be reached."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).parent / "records"
"""One file a bench, database and size: the newest measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Something else that does the same work, in the same run."""

    name: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        return median(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the table. `values` holds one value a repeat, in `unit`."""

    what: str
    unit: str
    """`rows/s`, `s`, `ms`, `MiB` ..."""
    values: Sequence[float]
    more_is_better: bool = True
    peers: tuple[Peer, ...] = ()
    """The first is the one that the ratio is against."""
    reach_ratio: float | None = None
    """At least (or, where less is better, at most) so many times the first peer."""
    reach: float | None = None
    """At least (or at most) so much, in `unit`."""
    peak_mib: Sequence[float] = ()
    """The most memory of the process that did the work, a repeat each."""
    reach_mib: float | None = None
    note: str = ""
    goal: str = ""
    """Of what was set as a goal: its name, the same for each database and size."""

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def ratio(self) -> float | None:
        """How many times the first peer: above 1 is more of `unit`, whichever is better."""
        return self.median / self.peers[0].median if self.peers else None

    @property
    def reached(self) -> bool | None:
        """Whether everything that was to be reached was; None where nothing was said."""
        said = []
        if self.reach is not None:
            said.append(self._is_enough(self.median, self.reach))
        if self.reach_ratio is not None and self.ratio is not None:
            said.append(self._is_enough(self.ratio, self.reach_ratio))
        if self.reach_mib is not None and self.peak_mib:
            said.append(median(self.peak_mib) <= self.reach_mib)
        return all(said) if said else None

    def _is_enough(self, got: float, wanted: float) -> bool:
        return got >= wanted if self.more_is_better else got <= wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The records of one run of one bench."""

    bench: str
    title: str
    database: str
    """sqlite, postgresql, or empty where none takes part."""
    size: int
    repeats: int
    at: str
    machine: dict[str, Any]
    records: tuple[Record, ...] = field(default=())

    def save(self, folder: Path = FOLDER) -> Path:
        """Keep it in place of the last one of the same bench, database and size."""
        folder.mkdir(parents=True, exist_ok=True)
        name = "-".join(part for part in (self.bench, self.database, str(self.size)) if part)
        path = folder / f"{name}.json"
        path.write_text(self.as_json() + "\n", encoding="utf-8")
        return path

    def as_json(self) -> str:
        """The sheet as a document; numbers with as many digits as carry meaning."""
        return json.dumps(_rounded(asdict(self)), indent=1, ensure_ascii=False)


def load_sheets(folder: Path = FOLDER) -> list[Sheet]:
    """Every kept sheet, by bench, size and database."""
    sheets = [_sheet(json.loads(path.read_text("utf-8"))) for path in folder.glob("*.json")]
    return sorted(sheets, key=lambda sheet: (sheet.bench, sheet.size, sheet.database))


def _sheet(document: dict[str, Any]) -> Sheet:
    records = tuple(
        Record(**{**given, "peers": tuple(Peer(**peer) for peer in given["peers"])})
        for given in document.pop("records")
    )
    return Sheet(**document, records=records)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_rounded(part) for part in value]
    return value
