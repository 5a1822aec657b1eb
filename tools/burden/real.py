"""Real people as patients: the placebo arm of a trial as it happened, and one draw each of a
survey as the usual values of people who are well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from tools.burden.papers import Asked, Due, Papers, Row
from tools.real_data.prepared import read_text
from tools.real_data.rows import HERE

_DOSE_MG, _WEIGHT_KG = 100, 70
_KINDS = ("LYM", "MONO", "EOS", "BASO")
_THREE_DRAWS = 3
_ADULT = 18
_SURVEY = {
    "neutrophils": "LBDNENO",
    "lymphocytes": "LBDLYMNO",
    "monocytes": "LBDMONO",
    "eosinophils": "LBDEONO",
    "platelets": "LBXPLTSI",
    "mcv": "LBXMCVSI",
}
_LEAST = 0.05
"""A count written as 0.0 is one below the survey's last digit."""


def cdisc_sources() -> str:
    """The `[sources.cdisc]` table, as a clinic would write it."""
    text = (HERE / "sources.toml").read_text(encoding="utf-8")
    return "\n[sources.cdisc]" + text.partition("[sources.cdisc]")[2].partition("\n[")[0]


class Trial:
    """The placebo arm: real days, real values. They come when the trial said, whatever is due."""

    source = "cdisc"

    def __init__(self, folder: Path) -> None:
        people = read_text(folder / "dm.csv")
        people = people[(people["ARM"] == "Placebo") & (people["RFXSTDTC"] != "")]
        rows = read_text(folder / "lb.csv")
        rows = rows[rows["USUBJID"].isin(people["USUBJID"])]
        rows = pd.concat([rows, _neutrophils(rows)], ignore_index=True).fillna("")
        self._papers: dict[date, Papers] = defaultdict(Papers)
        kept = ["USUBJID", "LBDTC", "LBTESTCD", "LBORRES", "LBORRESU", "LBORNRLO", "LBORNRHI"]
        for row in rows[kept].to_dict("records"):
            self._papers[_day(row["LBDTC"])].results.append({str(k): v for k, v in row.items()})
        first = rows.groupby("USUBJID")["LBDTC"].min()
        for person in people.to_dict("records"):
            mrn, start = person["USUBJID"], _day(person["RFXSTDTC"])
            self._enrol(mrn, _day(first[mrn]), _enrolment(person, start))
            self._papers[start].event(mrn, start, "start")
            if person["RFXENDTC"]:
                stop = _day(person["RFXENDTC"])
                self._papers[stop].event(mrn, stop, "stop", note="end of the trial")
        self.first, self.last = min(self._papers), max(self._papers)

    def _enrol(self, mrn: str, seen: date, enrolment: Row) -> None:
        """Enrolled the day after the first tube, whose results are there by then."""
        theirs = [it for it in self._papers[seen].results if it["USUBJID"] == mrn]
        rest = [it for it in self._papers[seen].results if it["USUBJID"] != mrn]
        self._papers[seen].results = rest
        desk = self._papers[seen + timedelta(days=1)]
        desk.older += theirs
        desk.enrolments.append(enrolment)

    def papers(self, day: date) -> Papers:
        """What the trial has of this day."""
        return self._papers.get(day, Papers())

    def hear(self, day: date, due: Mapping[str, Collection[Due]]) -> None:
        """The trial asks nobody to come."""

    def asked(self, day: date, alerts: Sequence[Asked]) -> None:
        """Nobody's drug was held."""


def survey(folder: Path, patients: int, seed: int) -> list[dict[str, float]]:
    """Usual values of adults drawn from the survey, as many as asked for."""
    (file,) = folder.glob("CBC*.csv")
    people = pd.read_csv(file)
    people = people[people["RIDAGEYR"] >= _ADULT].dropna(subset=[*_SURVEY.values(), "LBXHGB"])
    chosen = Random(seed).sample(range(len(people)), min(patients, len(people)))  # noqa: S311
    found = []
    for place in chosen:
        row = people.iloc[place]
        usual = {ours: max(float(row[theirs]), _LEAST) for ours, theirs in _SURVEY.items()}
        found.append(usual | {"hemoglobin": 10 * float(row["LBXHGB"])})
    return found


def variation(folder: Path) -> list[str]:
    """Within-person CV of each test of the placebo arm, pooled on the log scale."""
    people = read_text(folder / "dm.csv")
    rows = read_text(folder / "lb.csv")
    rows = rows[rows["USUBJID"].isin(people[people["ARM"] == "Placebo"]["USUBJID"])]
    rows = pd.concat([rows, _neutrophils(rows)], ignore_index=True)
    values = pd.to_numeric(rows["LBORRES"], errors="coerce")
    logs = np.log(values.where(values > 0)).rename("log")
    grouped = pd.concat([rows[["LBTESTCD", "USUBJID"]], logs], axis=1).dropna()
    found = grouped.groupby(["LBTESTCD", "USUBJID"])["log"].agg(["count", "var"]).reset_index()
    found = found[found["count"] >= _THREE_DRAWS]
    told = []
    for test, people_ in found.groupby("LBTESTCD"):
        weight = people_["count"] - 1
        pooled = float((weight * people_["var"]).sum() / weight.sum())
        told.append(f"{test:6} {len(people_):3} people, within-person CV {100 * pooled**0.5:.1f} %")
    return told


def _enrolment(person: Mapping[Hashable, Any], start: date) -> Row:
    return {
        "mrn": person["USUBJID"],
        "birth_date": person["BRTHDTC"][:10],
        "sex": person["SEX"],
        "drug": "azathioprine",
        "started_on": start.isoformat(),
        "dose_mg_per_day": _DOSE_MG,
        "weight_kg": _WEIGHT_KG,
        "tpmt": "normal",
        "nudt15": "normal",
    }


def _neutrophils(rows: pd.DataFrame) -> pd.DataFrame:
    """The trial reports every kind of white cell but one: it is what is left."""
    counts = rows[rows["LBTESTCD"].isin(["WBC", *_KINDS])].drop_duplicates(
        ["USUBJID", "LBDTC", "LBTESTCD"]
    )
    number = pd.to_numeric(counts["LBORRES"], errors="coerce")
    wide = counts.assign(number=number).pivot_table(
        index=["USUBJID", "LBDTC"], columns="LBTESTCD", values="number"
    )
    wide = wide.dropna(subset=["WBC", *_KINDS]).reset_index()
    left = wide["WBC"] - wide[list(_KINDS)].sum(axis=1)
    return pd.DataFrame(
        {
            "USUBJID": wide["USUBJID"],
            "LBDTC": wide["LBDTC"],
            "LBTESTCD": "NEUT",
            "LBORRES": left.round(2).astype(str),
            "LBORRESU": "THOU/uL",
        }
    )


def _day(text: str) -> date:
    return date.fromisoformat(str(text)[:10])
