"""The made-up clinic's paper: what its people and laboratories hand over, day by day."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

HOSPITAL, CITY = "hospital", "city_lab"
LIVE_FOR = timedelta(weeks=8)
"""For how long the clinic has had the monitor; what is older came with the first files."""
SILENT_FOR = timedelta(days=4)
"""For how long the laboratory's feed has been dead."""

_ENROLMENT_COLUMNS = (
    "mrn", "family_name", "given_name", "birth_date", "sex", "drug", "indication", "started_on",
    "dose_mg_per_day", "weight_kg", "tpmt", "nudt15", "clinic", "last_tested_on",
)  # fmt: skip
_EVENT_COLUMNS = ("mrn", "on", "event", "value", "drug", "note", "status")
_RESULT_COLUMNS = (
    "mrn", "collected_at", "analyte", "value", "unit", "ref_low", "ref_high", "specimen_id",
    "status", "comment",
)  # fmt: skip
CITY_COLUMNS = {
    "mrn": "Patient",
    "collected_at": "Entnahme",
    "analyte": "Analyse",
    "value": "Resultat",
    "unit": "Einheit",
    "specimen_id": "Probe",
}
"""Our column -> the other laboratory's, for its `[sources]` table."""

Row = Mapping[str, str]


@dataclass
class Book:
    """Rows by the day on which they reach the clinic."""

    today: date
    enrolments: dict[date, list[Row]] = field(default_factory=lambda: defaultdict(list))
    events: dict[date, list[Row]] = field(default_factory=lambda: defaultdict(list))
    results: dict[date, list[Row]] = field(default_factory=lambda: defaultdict(list))
    city_results: dict[date, list[Row]] = field(default_factory=lambda: defaultdict(list))
    backlog: list[Row] = field(default_factory=list)
    """Results of the days since the feed died: nobody has sent them yet."""
    _specimens: int = 0

    @property
    def live_since(self) -> date:
        """The day on which the clinic began to use the monitor."""
        return self.today - LIVE_FOR

    def enrol(self, row: Row) -> None:
        """Hand over an enrolment on its start day, or with the first file."""
        on = date.fromisoformat(row["started_on"])
        last = self.today - timedelta(days=2)
        self.enrolments[min(max(on, self.live_since), last)].append(row)

    def event(self, mrn: str, on: date, what: str, value: str = "", note: str = "") -> None:
        """Hand over an event on its day."""
        row = {"mrn": mrn, "on": on.isoformat(), "event": what, "value": value, "note": note}
        self.events[max(on, self.live_since)].append(row)

    def specimen(
        self,
        mrn: str,
        on: date,
        values: Mapping[str, tuple[str, str]],
        *,
        specimen_id: str = "",
        status: str = "",
        arrives: date | None = None,
        comment: str = "",
    ) -> str:
        """Hand over the values (analyte -> value, unit) of one tube; its number."""
        self._specimens += 1
        number = specimen_id or f"H{self._specimens:06d}"
        rows = [
            {
                "mrn": mrn,
                "collected_at": f"{on.isoformat()}T08:30",
                "analyte": analyte,
                "value": value,
                "unit": unit,
                "specimen_id": number,
                "status": status,
                "comment": comment,
            }
            for analyte, (value, unit) in values.items()
        ]
        day = max(arrives or on, self.live_since)
        if day > self.today - SILENT_FOR - timedelta(days=1):
            self.backlog += rows
        else:
            self.results[day] += rows
        return number

    def from_the_city(self, mrn: str, on: date, values: Mapping[str, tuple[str, str]]) -> None:
        """Hand over a tube that another laboratory measured, in its own layout."""
        self._specimens += 1
        for analyte, (value, unit) in values.items():
            cells = {
                "mrn": mrn,
                "collected_at": f"{on.strftime('%d.%m.%Y')} 09:10",
                "analyte": analyte,
                "value": value,
                "unit": unit,
                "specimen_id": f"C{self._specimens:06d}",
            }
            self.city_results[on].append({CITY_COLUMNS[name]: cells[name] for name in cells})

    def write(self, folder: Path) -> None:
        """All of it as CSV files, named by what they are and the day they came."""
        for kind, columns, days, separator in (
            ("enrolments", _ENROLMENT_COLUMNS, self.enrolments, ","),
            ("events", _EVENT_COLUMNS, self.events, ","),
            (HOSPITAL, _RESULT_COLUMNS, self.results, ","),
            (CITY, tuple(CITY_COLUMNS.values()), self.city_results, ";"),
        ):
            for on, rows in days.items():
                write_csv(path_of(folder, kind, on), columns, rows, separator)

    def write_backlog(self, path: Path) -> None:
        """The results that the dead feed owes."""
        write_csv(path, _RESULT_COLUMNS, self.backlog)

    def days(self) -> list[date]:
        """Every day from the first with the monitor until yesterday."""
        length = (self.today - self.live_since).days
        return [self.live_since + timedelta(days=count) for count in range(length)]


def path_of(folder: Path, kind: str, on: date) -> Path:
    """Where the file of a kind that came on a day is."""
    return folder / f"{on.isoformat()}-{kind}.csv"


def write_csv(
    path: Path, columns: Sequence[str], rows: Iterable[Row], separator: str = ","
) -> None:
    """A CSV file with a header; cells a row lacks are empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
