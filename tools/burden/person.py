"""One simulated patient: usual values that stay, and draws that vary around them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from math import exp, log
from pathlib import Path
from random import Random
from typing import Any

from tools.burden.papers import Due, Row

AIH = "autoimmune_hepatitis"
_FRIDAY = 4
_COUNTED = ("neutrophils", "lymphocytes", "monocytes", "eosinophils")


@cache
def facts() -> Mapping[str, Any]:
    """`people.toml`: every number of the simulation."""
    text = Path(__file__).with_name("people.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@dataclass(slots=True, kw_only=True)
class Person:
    """Somebody on azathioprine who is well. `usual` are the values this person varies around."""

    mrn: str
    random: Random
    sex: str
    indication: str
    weight_kg: int
    started_on: date
    usual: dict[str, float]
    dose_mg: float = 0.0
    held: bool = False
    in_time: bool = False
    """Comes to every test before its grace is over."""
    gone: bool = False
    due: tuple[Due, ...] = ()
    visit_on: date | None = None
    tasks_due: date = date.max
    liver_on: date | None = None
    """The day on which what was missing before the start is drawn."""
    resume_on: date | None = None
    plans: list[tuple[date, str]] = field(default_factory=list)
    """What will happen to the dose, by day: increase, hold or stop."""

    def mg(self, mg_per_kg: float) -> float:
        """A dose in whole tablets, not above what was asked for."""
        tablet = float(facts()["doses"]["tablet_mg"])
        return max(tablet, mg_per_kg * self.weight_kg // tablet * tablet)

    def draw(self, on: date, *, liver: bool, hour: int = 9) -> list[Row]:
        """The rows of one tube."""
        kinds = ["cbc"]
        if liver:
            kinds += ["lft", "aih"] if self.indication == AIH else ["lft"]
        rows: list[Row] = []
        counts = 0.0
        for kind in kinds:
            for analyte, fact in facts()[kind].items():
                value = self.usual[analyte] * exp(self.random.gauss(0, fact["within"]))
                shown = f"{value:.{fact['decimals']}f}"
                counts += float(shown) if analyte in _COUNTED else 0
                rows.append(self._row(on, hour, analyte, shown, fact))
        white = counts + facts()["clinic"]["basophils"]
        rows.append(self._row(on, hour, "white_cells", f"{white:.1f}", {"unit": "10*9/L"}))
        return rows

    def come_by(self, today: date) -> None:
        """Agree on the day of the next visit, once for each due day."""
        first = min(self.due, key=lambda it: it.due_on, default=None)
        if first is None or self.gone:
            self.visit_on = None
            return
        prompt = first.phase == "weekly" or first.because != "schedule"
        bands = facts()["lateness"]["prompt" if prompt else "quarterly"]
        drawn = self.random.choices(bands, [band[0] for band in bands])[0]
        chosen = bands[0] if self.in_time else drawn
        on = first.due_on + timedelta(days=self.random.randint(chosen[1], chosen[2]))
        on = working_day(on)
        self.visit_on = on if on > today else next_working_day(today)

    def _row(self, on: date, hour: int, analyte: str, value: str, fact: Mapping[str, Any]) -> Row:
        return {
            "mrn": self.mrn,
            "collected_at": f"{on.isoformat()}T{hour:02}:00",
            "analyte": analyte,
            "value": value,
            "unit": fact["unit"],
            "ref_high": fact.get("ref_high", ""),
        }


def made_up(mrn: str, seed: int, started_on: date) -> Person:
    """A person by number: the same each time, whoever else there is."""
    random = Random(f"{seed} {mrn}")  # noqa: S311  # the same made-up people each time
    sex = random.choice("FM")
    shares = facts()["indications"]
    indication = random.choices(list(shares), [it["share"] for it in shares.values()])[0]
    usual = {
        analyte: exp(random.gauss(log(fact["usual"]), fact["between"]))
        * fact.get("men" if sex == "M" else "women", 1)
        for kind in ("cbc", "lft", "aih")
        for analyte, fact in facts()[kind].items()
    }
    weight = random.randint(*facts()["clinic"]["weight_kg"])
    return Person(
        mrn=mrn,
        random=random,
        sex=sex,
        indication=indication,
        weight_kg=weight,
        started_on=started_on,
        usual=usual,
    )


def working_day(day: date) -> date:
    """The day, or the Friday before it: blood is drawn on working days."""
    return day - timedelta(days=max(0, day.weekday() - _FRIDAY))


def next_working_day(day: date) -> date:
    """The first working day after a day."""
    day += timedelta(days=1)
    return day + timedelta(days=7 - day.weekday()) if day.weekday() > _FRIDAY else day
