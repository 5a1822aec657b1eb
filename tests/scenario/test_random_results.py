"""Random true results, written out as laboratories and hospitals do: each is stored exactly as it
is, and nothing besides."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from monitor.intake.load import load_file
from monitor.store import tables
from tests.clinic import at
from tests.desk import sqlite_desk

NOW = at("2026-07-10")
PEOPLE = ("100234", "00451", "7781-2", "P55")
SEEDS = range(4)


@dataclass(frozen=True)
class Kind:
    """One analyte: its names in English, German, French and SDTM; for each of SI, American and
    German spelling the unit, what it is worth, and the digits that are written."""

    analyte: str
    names: tuple[str, str, str, str]
    span: tuple[float, float]
    units: tuple[tuple[str, str, int], tuple[str, str, int], tuple[str, str, int]]


KINDS = (
    Kind(
        "white_cells", ("WBC", "Leukozyten", "Leucocytes", "WBC"), (0.5, 25),
        (("10*9/L", "1", 2), ("K/uL", "1", 1), ("Gpt/l", "1", 2)),
    ),
    Kind(
        "platelets", ("Platelets", "Thrombozyten", "Plaquettes", "PLAT"), (5, 900),
        (("10*9/L", "1", 0), ("/uL", "0.001", -3), ("/nl", "1", 0)),
    ),
    Kind(
        "hemoglobin", ("Hemoglobin", "Hämoglobin", "Hémoglobine", "HGB"), (50, 190),
        (("g/L", "1", 0), ("g/dL", "10", 1), ("g/dl", "10", 1)),
    ),
    Kind(
        "alt", ("ALT", "GPT", "ALAT", "ALT"), (6, 2500),
        (("U/L", "1", 0), ("U/L", "1", 0), ("µkat/l", "60", 2)),
    ),
    Kind(
        "bilirubin", ("Total Bilirubin", "Bilirubin gesamt", "Bilirubine totale", "BILI"), (2, 400),
        (("umol/L", "1", 0), ("mg/dL", "17.104", 1), ("mg/dl", "17.104", 2)),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """One result. `number` is as it is written, `unit` in its spelling."""

    mrn: str
    kind: Kind
    number: str
    sign: str
    spelling: tuple[str, str, int]
    taken: datetime

    @property
    def shown(self) -> str:
        value = Decimal(self.number) * Decimal(self.spelling[1])
        return f"{self.mrn} {self.kind.analyte} {self.sign}{value.normalize():f} {self.when}"

    @property
    def when(self) -> str:
        return f"{self.taken:%d.%m. %H:%M}"

    def value(self, mark: str = ".") -> str:
        return self.sign + self.number.replace(".", mark)

    @property
    def typed(self) -> str | float:
        return self.value() if self.sign else float(self.number)

    @property
    def unit(self) -> str:
        return self.spelling[0]


def truths(luck: random.Random, spelling: int) -> list[Truth]:
    """Some draws of each patient, of a few analytes each."""
    found = []
    for mrn in PEOPLE:
        first = datetime(2026, 1, 1) + timedelta(days=luck.randrange(20))
        for day in range(3):
            taken = first + timedelta(days=day * 29, minutes=luck.randrange(300, 1300))
            for kind in luck.sample(KINDS, 3):
                unit = kind.units[spelling]
                low, high = kind.span
                value = Decimal(low * (high / low) ** luck.random()) / Decimal(unit[1])
                number = f"{round(value, unit[2]):f}" if unit[2] else str(int(value) + 1)
                number = number if Decimal(number) else "1"
                sign = luck.choice(("", "", "", "", "<", ">"))
                found.append(Truth(mrn, kind, number, sign, unit, taken))
    return found


Rows = Sequence[Sequence[object]]
Written = tuple[str, bytes]


def _csv(rows: Rows, separator: str, encoding: str = "utf-8") -> Written:
    text = "\r\n".join(separator.join(map(str, row)) for row in rows)
    return "labs.csv", text.encode(encoding)


def _book(*sheets: Rows) -> Written:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    return "labs.xlsx", content.getvalue()


def american(told: list[Truth]) -> Written:
    head = ("MRN", "Collection Date/Time", "Test Name", "Result", "Units")
    rows = [
        (it.mrn, f"{it.taken:%m/%d/%Y %I:%M %p}", it.kind.names[0], it.value(), it.unit)
        for it in told
    ]
    return _csv([head, *rows], ",")


def german(told: list[Truth]) -> Written:
    head = (
        "Patientenkennung",
        "Entnahmedatum",
        "Uhrzeit",
        "Testbezeichnung",
        "Ergebniswert",
        "Einheit",
    )
    rows = [
        (
            it.mrn, f"{it.taken:%d.%m.%Y}", f"{it.taken:%H:%M}", it.kind.names[1], it.value(","),
            it.unit,
        )
        for it in told
    ]  # fmt: skip
    return _csv([head, *rows], ";", "cp1252")


def french(told: list[Truth]) -> Written:
    head = (
        "N° de patient",
        "Date de prélèvement",
        "Libellé de l'analyse",
        "Valeur du résultat",
        "Unité",
    )
    rows = [
        (it.mrn, f"{it.taken:%d/%m/%Y %Hh%M}", it.kind.names[2], it.value(","), it.unit)
        for it in told
    ]  # fmt: skip
    return _csv([head, *rows], "\t", "utf-16")


def clinical_trial(told: list[Truth]) -> Written:
    """Every third result stands in the standard unit alone, and all of them there too."""
    head = ("USUBJID", "LBTESTCD", "LBORRES", "LBORRESU", "LBSTRESC", "LBSTRESU", "LBDTC")
    rows = []
    for number, it in enumerate(told):
        standard = f"{it.sign}{Decimal(it.number) * Decimal(it.spelling[1]):f}"
        reported = (it.value(), it.unit) if number % 3 else ("", "")
        unit = it.kind.units[0][0]
        rows.append((it.mrn, it.kind.names[3], *reported, standard, unit, it.taken.isoformat()))
    return _csv([head, *rows], ",")


def _wide(told: list[Truth]) -> list[list[object]]:
    draws: dict[tuple[str, datetime], dict[str, Truth]] = {}
    for it in told:
        draws.setdefault((it.mrn, it.taken), {})[it.kind.analyte] = it
    return [
        [mrn, taken, *(of.get(kind.analyte) and of[kind.analyte].typed for kind in KINDS)]
        for (mrn, taken), of in draws.items()
    ]


def wide_workbook(told: list[Truth]) -> Written:
    units = {it.kind.analyte: it.unit for it in told}
    head = ["MRN", "Collected", *(kind.names[0] for kind in KINDS)]
    return _book([head, [None, None, *(units.get(it.analyte) for it in KINDS)], *_wide(told)])


def workbook_of_patients(told: list[Truth]) -> Written:
    """A sheet a patient, who stands above it; the number typed where it can be."""
    sheets: list[Rows] = []
    for mrn in PEOPLE:
        above = ["Patient ID", int(mrn) if mrn.isdigit() and mrn[0] != "0" else mrn]
        rows = [
            [it.taken.date(), it.taken.time(), it.kind.names[0], it.typed, it.unit]
            for it in told
            if it.mrn == mrn
        ]
        sheets.append([above, ["Date", "Time", "Test", "Result", "Unit"], *rows])
    return _book(*sheets)


def two_values(told: list[Truth]) -> Written:
    """The text says more than the number, or stands alone."""
    head = ("Patient ID", "Collected", "Test", "Numeric Value", "Result", "Units")
    rows = [
        (
            it.mrn, f"{it.taken:%Y-%m-%d %H:%M}", it.kind.names[0],
            "" if it.sign or number % 4 == 0 else it.number,
            it.value() if it.sign or number % 3 == 0 or number % 4 == 0 else "", it.unit,
        )
        for number, it in enumerate(told)
    ]  # fmt: skip
    return _csv([head, *rows], "|")


DIALECTS: dict[str, tuple[int, Callable[[list[Truth]], Written]]] = {
    "american": (1, american),
    "german": (2, german),
    "french": (0, french),
    "a clinical trial": (1, clinical_trial),
    "a wide workbook": (1, wide_workbook),
    "a workbook of patients": (0, workbook_of_patients),
    "two values": (1, two_values),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", DIALECTS)
def test_each_true_result_is_stored_as_it_is(
    migrated_sqlite: Path, tmp_path: Path, name: str, seed: int
) -> None:
    spelling, write = DIALECTS[name]
    told = truths(random.Random(f"{name} {seed}"), spelling)
    file, content = write(told)
    with sqlite_desk(migrated_sqlite, tmp_path) as desk:
        desk.enrol(*(f"{mrn},azathioprine,2026-01-01,,," for mrn in PEOPLE))
        (tmp_path / file).write_bytes(content)
        load_file(desk.store, desk.settings, tmp_path / file, "", NOW)
        mrns = {row.id: row.mrn for row in desk.clinic.rows(tables.Patient)}
        zone = desk.settings.clinic.zone
        stored = [
            f"{mrns[row.patient_id]} {row.analyte} {row.comparator}{row.value.normalize():f} "
            f"{row.collected_at.astimezone(zone):%d.%m. %H:%M}"
            for row in desk.clinic.rows(tables.ResultRow)
        ]
        assert sorted(stored) == sorted(it.shown for it in told)
        assert desk.held() == []
