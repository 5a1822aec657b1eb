"""The facts that come with a set (`FACTS.md`, `patient_facts.csv`) against what the monitor has.

Counts, extremes and gaps are worked out from the results in the monitor's database; whom a
rule must have alerted is looked up among its alerts. A set without facts is compared with none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tools.real_data.clinic import Clinic
from tools.real_data.compare import values_of
from tools.real_data.judge import with_counts
from tools.real_data.prepared import read_text

_FACT = re.compile(r"(?P<label>[^;]+?):\s*\*\*(?P<says>.+?)\*\*")
_ROUNDED = 1e-4
"""The facts are rounded to four decimals."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Known:
    """What the monitor knows after a set was taken in."""

    values: pd.DataFrame
    """Standing numeric results and the counts derived from them: mrn, analyte, at, number."""
    alerts: pd.DataFrame

    def of(self, *analytes: str) -> pd.DataFrame:
        return self.values[self.values["analyte"].isin(analytes)]

    def results(self, analyte: str) -> int:
        return len(self.of(analyte))

    def people(self, analyte: str) -> int:
        return self.of(analyte)["mrn"].nunique()

    def people_below(self, analyte: str, *limits: float) -> list[float]:
        lowest = self.of(analyte).groupby("mrn")["number"].min()
        return [int((lowest < limit).sum()) for limit in limits]

    def people_above(self, analyte: str, limit: float) -> int:
        highest = self.of(analyte).groupby("mrn")["number"].max()
        return int((highest > limit).sum())

    def results_below(self, analyte: str, *limits: float) -> list[float]:
        numbers = self.of(analyte)["number"]
        return [int((numbers < limit).sum()) for limit in limits]

    def results_above(self, analyte: str, limit: float) -> list[float]:
        return [int((self.of(analyte)["number"] > limit).sum())]

    def highest(self, analyte: str) -> float:
        return float(self.of(analyte)["number"].max())

    def longest_gap(self, analyte: str) -> float:
        """Days between consecutive days with a result, the longest of all."""
        days = self.of(analyte).assign(day=lambda it: it["at"].dt.normalize())
        days = days.drop_duplicates(["mrn", "day"]).sort_values(["mrn", "day"])
        return float(days.groupby("mrn")["day"].diff().dt.days.max())

    def alerted(self, rule: str, below: float) -> int:
        """Patients with an alert of a rule whose worst value is below a limit."""
        own = self.alerts[(self.alerts["rule"] == rule) & (self.alerts["value"] < below)]
        return int(own["mrn"].nunique())


Fact = Callable[[Known], Sequence[float] | float]


def _of_counts(word: str) -> dict[str, Fact]:
    return {
        f"{word} with platelets <100 / <50": lambda it: it.people_below("platelets", 100, 50),
        f"{word} with platelets <150 / <100": lambda it: it.people_below("platelets", 150, 100),
        f"{word} with platelets <100": lambda it: it.people_below("platelets", 100),
        f"{word} with platelets <50": lambda it: it.people_below("platelets", 50),
        f"{word} with WBC <3.5": lambda it: it.people_below("white_cells", 3.5),
        f"{word} with WBC<3.5": lambda it: it.people_below("white_cells", 3.5),
    }


FACTS: Mapping[str, Fact] = {
    **_of_counts("patients"),
    **_of_counts("stays"),
    **_of_counts("subjects"),
    "WBC results": lambda it: it.results("white_cells"),
    "platelet results": lambda it: it.results("platelets"),
    "ANC measurements": lambda it: it.results("neutrophils"),
    "WBC rows / ": lambda it: [it.results("white_cells"), it.people("white_cells")],
    "platelet rows": lambda it: it.results("platelets"),
    "bilirubin rows": lambda it: it.results("bilirubin"),
    "ALT rows": lambda it: [it.results("alt"), it.highest("alt")],
    "longest gap between two WBC d": lambda it: it.longest_gap("white_cells"),
    "longest gap between WBC dates": lambda it: it.longest_gap("white_cells"),
    "longest gap between CBC dates": lambda it: it.longest_gap("white_cells"),
    "longest gap between two CBCs": lambda it: it.longest_gap("white_cells"),
    "subjects with lymphocytes <0.5": lambda it: it.alerted("lymphopenia", 0.5),
    "subjects with lymphocytes <1.0": lambda it: it.people_below("lymphocytes", 1.0),
    "patients with derived absolute lymphocytes <0.5": lambda it: it.alerted("lymphopenia", 0.5),
    "draws with derived absolute lymphocytes <0.5": lambda it: it.results_below("lymphocytes", 0.5),
    "patients with derived absolute lymphocytes <1.0": lambda it: it.people_below("lymphocytes", 1),
    "patients with derived neutrophils (segs+bands) <1.0": lambda it: it.alerted("neutropenia", 1),
    "stays with derived lymphocytes <0.5": lambda it: it.alerted("lymphopenia", 0.5),
    "stays with derived lymphocytes <1.0": lambda it: it.people_below("lymphocytes", 1.0),
    "stays with derived neutrophils (polys only) <1.0": lambda it: it.alerted("neutropenia", 1.0),
    "patients ever with ANC <0.5": lambda it: it.alerted("neutropenia", 0.5),
    "patients ever with ANC <1.0": lambda it: it.alerted("neutropenia", 1.0),
    "patients ever with ANC <1.5": lambda it: it.alerted("neutropenia", 1.5),
    "measurements <0.5 / <1.0 / <1.5": lambda it: it.results_below("neutrophils", 0.5, 1.0, 1.5),
    "patients with AST >=120": lambda it: it.people_above("ast", 119.999),
    "patients with ALT >=120": lambda it: it.people_above("alt", 119.999),
    "stays with ALT >=120": lambda it: it.people_above("alt", 119.999),
    "patients with bilirubin >2 mg/dL": lambda it: it.people_above("bilirubin", 34.208),
    "neutrophils <1.0 / <1.5 / <2.0": lambda it: it.results_below("neutrophils", 1.0, 1.5, 2.0),
    "lymphocytes <0.5 / <1.0": lambda it: it.results_below("lymphocytes", 0.5, 1.0),
    "platelets <100 / <150": lambda it: it.results_below("platelets", 100, 150),
    "platelets <150": lambda it: it.results_below("platelets", 150),
    "white cells <3.5": lambda it: it.results_below("white_cells", 3.5),
    "MCV >105": lambda it: it.people_above("mcv", 105),
    "rows with a count": lambda it: it.results("white_cells"),
    "highest white cell count": lambda it: it.highest("white_cells"),
    "platelets <100 (unit": lambda it: it.results_below("platelets", 100),
    "WBC <3.5": lambda it: it.results_below("white_cells", 3.5),
    "ALT above 56": lambda it: it.results_above("alt", 56),
}
_PER_PATIENT = {
    "min_wbc": ("white_cells", min),
    "min_lymph": ("lymphocytes", min),
    "min_neut": ("neutrophils", min),
    "min_anc": ("neutrophils", min),
    "min_plt": ("platelets", min),
    "max_alt": ("alt", max),
}
_COUNTED = {"n_wbc": "white_cells", "n_anc": "neutrophils"}
_RULES = {
    "min_wbc": "leucopenia",
    "min_lymph": "lymphopenia",
    "min_neut": "neutropenia",
    "min_anc": "neutropenia",
    "min_plt": "thrombocytopenia",
    "max_alt": "raised_alt",
}


def known_of(clinic: Clinic) -> Known:
    values = with_counts(values_of(clinic.stored()))
    columns = ["mrn", "analyte", "at", "number"]
    table = pd.DataFrame(
        [(it.mrn, it.analyte, it.at, float(it.number)) for it in values], columns=columns
    )
    told = clinic.reports["alerts"]
    alerts = pd.DataFrame(
        [(str(it["mrn"]).upper(), it["rule"], it["value"]) for it in told if it["rule"]],
        columns=["mrn", "rule", "value"],
    )
    return Known(table, alerts)


def compare_facts(folder: Path, clinic: Clinic) -> tuple[list[str], list[str]]:
    """Which facts agree, and which do not, in words."""
    known = known_of(clinic)
    agree, differ = _totals(folder / "FACTS.md", known)
    per_patient = folder / "patient_facts.csv"
    if per_patient.exists():
        more_agree, more_differ = _patients(per_patient, known, clinic)
        agree += more_agree
        differ += more_differ
    return agree, differ


def _totals(path: Path, known: Known) -> tuple[list[str], list[str]]:
    agree: list[str] = []
    differ: list[str] = []
    if not path.exists():
        return agree, differ
    for match in _FACT.finditer(path.read_text(encoding="utf-8")):
        label = match["label"].strip().removeprefix("- ")
        name = max((it for it in FACTS if label.startswith(it)), key=len, default=None)
        if name is None:
            continue
        found = FACTS[name](known)
        ours = [float(it) for it in (found if isinstance(found, Sequence) else [found])]
        theirs = [float(it) for it in _NUMBER.findall(match["says"])][: len(ours)]
        words = f"{label}: {match['says']}"
        if ours == theirs:
            agree.append(words)
        else:
            differ.append(f"{words}; the monitor: {' / '.join(f'{it:g}' for it in ours)}")
    return agree, differ


def _patients(path: Path, known: Known, clinic: Clinic) -> tuple[list[str], list[str]]:
    """Each patient's counts and extremes, and whether a rule's alert is there or not."""
    facts = read_text(path)
    facts = facts.set_index(facts.columns[0])
    facts.index = facts.index.str.upper()
    limits = _first_limits(clinic)
    agree: list[str] = []
    differ: list[str] = []
    for column in facts.columns:
        if column in _COUNTED:
            counts = known.of(_COUNTED[column]).groupby("mrn").size()
            _tally(column, facts[column], counts.reindex(facts.index).fillna(0), agree, differ)
        if column in _PER_PATIENT:
            analyte, extreme = _PER_PATIENT[column]
            numbers = known.of(analyte).groupby("mrn")["number"].agg(extreme)
            _tally(column, facts[column], numbers.reindex(facts.index), agree, differ)
            rule = _RULES[column]
            _tally_alerts(rule, facts[column], limits[rule], known, agree, differ)
    return agree, differ


def _tally(
    column: str, theirs: pd.Series, ours: pd.Series, agree: list[str], differ: list[str]
) -> None:
    told = pd.to_numeric(theirs)
    same = ((told - ours).abs() < _ROUNDED) | (told.isna() & ours.isna())
    agree.append(f"patient_facts {column}: {int(same.sum())} of {len(same)} patients")
    differ.extend(
        f"patient_facts {column} of {mrn}: {told[mrn]:g}; the monitor: {ours[mrn]:g}"
        for mrn in same.index[~same]
    )


def _tally_alerts(
    rule: str,
    extremes: pd.Series,
    limit: float,
    known: Known,
    agree: list[str],
    differ: list[str],
) -> None:
    told = pd.to_numeric(extremes)
    owed = told > limit if rule == "raised_alt" else told < limit
    alerted = (
        set() if known.alerts.empty else set(known.alerts.loc[known.alerts["rule"] == rule, "mrn"])
    )
    has = pd.Series([mrn in alerted for mrn in told.index], index=told.index)
    agree.append(
        f"{rule}: alerts for {int((owed & has).sum())} of {int(owed.sum())} patients beyond"
        f" {limit:g}, none for {int((~owed & ~has).sum())} of {int((~owed).sum())} others"
    )
    differ.extend(
        f"{rule} of {mrn}: extreme {told[mrn]:g}, alert {bool(has[mrn])}"
        for mrn in told.index[owed != has]
    )


def _first_limits(clinic: Clinic) -> dict[str, float]:
    return {
        rule["id"]: float(rule["levels"][0].get("below", rule["levels"][0].get("above", 0)))
        for rule in clinic.protocol()["rules"]
    }
