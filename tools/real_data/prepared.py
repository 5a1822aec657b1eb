"""What a data set becomes before the monitor sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

DRUG = "azathioprine"
EVENT_COLUMNS = ["mrn", "on", "event", "value", "note"]
RESULT_COLUMNS = ["mrn", "collected_at", "analyte", "value", "unit"]
_WAVE = pd.DateOffset(months=23)
_RELATIVE_DAY_0 = pd.Timestamp("2020-01-06")


@dataclass(frozen=True, kw_only=True)
class Load:
    """One file for `monitor load`, with the `[sources]` table that explains it."""

    path: Path
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Enrolments, events and files of one set, and when they come in.

    `enrol` holds the columns of the enrolment CSV, and `enrol_on`: the day on which the clinic
    takes the patient in, before any result of theirs, so that nothing is older than the
    enrolment. `events` holds the columns of the events CSV; they and the files come at `now`,
    a day after the last of them.
    """

    enrol: pd.DataFrame
    loads: tuple[Load, ...]
    now: str
    events: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=EVENT_COLUMNS))

    def alive(self) -> tuple[Prepared, pd.DataFrame]:
        """The set without its deaths, and those."""
        died = self.events["event"] == "died"
        return replace(self, events=self.events[~died]), self.events[died]

    def waves(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Patients who are enrolled together, oldest first: a year's at once, planned ahead,
        but nobody before they are born."""
        ordered = self.enrol.sort_values("enrol_on", kind="stable")
        born = ordered.get("birth_date", pd.Series("", index=ordered.index))
        while not ordered.empty:
            day = ordered["enrol_on"].iloc[0]
            last = str((pd.Timestamp(day) + _WAVE).date())
            together = (ordered["enrol_on"] <= last) & (born.loc[ordered.index] <= day)
            together.iloc[0] = True
            yield day, ordered[together].drop(columns="enrol_on")
            ordered = ordered[~together]


def read_text(path: Path, **options: object) -> pd.DataFrame:
    """Every cell of a delimited file as the text that stands there; empty cells are ""."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, **options)  # type: ignore[call-overload,no-any-return]  # options vary


def assemble(
    people: pd.DataFrame,
    loads: tuple[Load, ...],
    seen: pd.DataFrame,
    events: pd.DataFrame | None = None,
) -> Prepared:
    """Put a set together. `people` has at least mrn and started_on; `seen` are MRN and day
    of all its results. A start that lies after the enrolment day is confirmed by an event."""
    seen = seen[seen["on"] != ""]
    first = people["mrn"].map(seen.groupby("mrn")["on"].min()).fillna(people["started_on"])
    enrol_on = first.where(first < people["started_on"], people["started_on"])
    people = people.assign(drug=DRUG, enrol_on=enrol_on)
    confirmed = pd.DataFrame({"mrn": people["mrn"], "on": people["started_on"], "event": "start"})
    told = pd.concat([confirmed] if events is None else [confirmed, events], ignore_index=True)
    told = told.reindex(columns=EVENT_COLUMNS).astype(object).fillna("")
    last = max(seen["on"].max(), told["on"].max())
    return Prepared(
        enrol=people,
        loads=loads,
        now=str((pd.Timestamp(last) + pd.Timedelta(days=1)).date()),
        events=told.sort_values("on", kind="stable", ignore_index=True),
    )


def seen_on(mrns: pd.Series, days: pd.Series) -> pd.DataFrame:
    """MRN and day of each result, as `assemble` takes them."""
    return pd.DataFrame({"mrn": mrns, "on": days})


def first_days(mrns: pd.Series, days: pd.Series) -> pd.DataFrame:
    """mrn and started_on: the day of each patient's first result."""
    first = days.groupby(mrns).min()
    return pd.DataFrame({"mrn": first.index, "started_on": first.to_numpy()})


def day_of(texts: pd.Series) -> pd.Series:
    """The day of ISO texts: their first ten characters."""
    return texts.str.slice(0, 10)


def after_day_0(days: pd.Series, start: pd.Timestamp = _RELATIVE_DAY_0) -> pd.Series:
    """Days since some start (fractions are clock time) as instants after a fixed Monday."""
    moments = start + pd.to_timedelta((days * 24 * 60).round(), unit="min")
    return moments.dt.strftime("%Y-%m-%dT%H:%M")


def day_0() -> str:
    return str(_RELATIVE_DAY_0.date())


def write_rows(rows: pd.DataFrame, out: Path, name: str = "results.csv") -> Path:
    """Write rows of the long form and say where."""
    path = out / name
    rows.to_csv(path, index=False)
    return path
