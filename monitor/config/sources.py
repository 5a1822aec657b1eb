"""How files come in, and how laboratories differ: `[intake]`, `[sources.NAME]`, `[feeds]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from monitor.config.field_types import (
    DateFormat,
    OptionalBool,
    OptionalDay,
    OptionalDuration,
    Weekly,
)
from monitor.config.section import Folder, Section
from monitor.core.calendar import parse_duration
from monitor.core.faults import nearest
from monitor.core.result_columns import ALL_COLUMNS


def _plain_code(code: str) -> str:
    """A laboratory's code as it is compared: without case, space, hyphen, underscore, dot."""
    return "".join(sign for sign in code.casefold() if sign not in " -_.\t")


def _ours(names: dict[str, str]) -> dict[str, str]:
    unknown = [name for name in names if name not in ALL_COLUMNS]
    if unknown:
        guess = nearest(unknown[0], ALL_COLUMNS)
        raise ValueError(f"{unknown[0]} is no column of ours; {guess}")
    return names


OurColumns = Annotated[dict[str, str], AfterValidator(_ours)]
"""By our columns; one that is none would be passed over without a word."""


class Intake(Section):
    inbox: Folder = Path("inbox")
    settle_seconds: Annotated[float, Field(ge=0, le=86_400)] = 2
    feed_silence_alarm: OptionalDuration = parse_duration("3 days")
    held_alarm: OptionalDuration = parse_duration("7 days")
    unknown_patients: Literal["hold", "ignore"] = "hold"
    late_after: OptionalDuration = parse_duration("3 days")
    """Results that come later than this are late: the report says what they hid."""
    issuers: dict[str, str] = {}
    """How laboratories write an issuer of numbers -> the clinic's name for it; "" is its own."""


class Source(Section):
    """How one laboratory's files differ from the long form."""

    columns: OurColumns = {}
    """Our column -> theirs."""
    codes: dict[str, str] = {}
    """Their code -> our analyte."""
    ignore: list[str] = []
    units: dict[str, str] = {}
    """Analyte -> the unit meant where the file names none."""
    unit_spellings: dict[str, str] = {}
    """Their spelling -> ours."""
    date_format: DateFormat = ""
    """Order of their dates; "" lets the whole file decide, and holds what it leaves open."""
    day_zero: OptionalDay = None
    """What days, hours or minutes are counted from."""
    decimal_comma: OptionalBool = None
    """None, in the file "": the whole file decides."""
    encoding: str = ""
    delimiter: str = ""
    constants: OurColumns = {}
    """Our column -> the value every row of this source has."""
    issuer: str = ""
    """Who gave out its plain numbers; "" is the clinic itself."""
    patient_id_is_mrn: bool = False
    """FHIR: the ID of a reference Patient/ID that leads nowhere is the patient's number."""
    whole_numbers: bool = False
    """Their patient numbers end in .0, which is taken away."""
    header: list[str] = []
    """Names of their columns in order, once learned: a file with others is refused."""
    watched: bool = True
    """Whether its silence, and what it no longer brings, is told."""
    expected: list[Weekly] = []
    """When a file is expected: weekday and time, `mon 12:00`; empty: learned."""

    @model_validator(mode="after")
    def _counted_from_somewhere(self) -> Source:
        if (self.date_format in ("days", "hours", "minutes")) != (self.day_zero is not None):
            raise ValueError(
                'date_format "days", "hours" or "minutes" and day_zero go together: the day that '
                "the numbers are counted from"
            )
        return self

    @model_validator(mode="after")
    def _mapped_or_ignored(self) -> Source:
        """A code that is mapped and ignored would be lost without a word."""
        mapped = {_plain_code(code) for code in self.codes}
        both = [code for code in self.ignore if _plain_code(code) in mapped]
        if both:
            raise ValueError(f"{', '.join(both)}: name a code in codes or in ignore, not in both")
        return self


Share = Annotated[float, Field(gt=0, lt=1)]


class Feeds(Section):
    """When the habits of a source count as broken; see `config.example.toml` for the reasons."""

    weeks: Annotated[int, Field(ge=4, le=52)] = 12
    usual_share: Share = 0.75
    late_hours: Annotated[int, Field(ge=0, le=24)] = 3
    silence_chance: Share = 0.05
    vanished_days: Annotated[int, Field(ge=3, le=366)] = 10
    vanished_chance: Share = 0.0001
    overdue_at_once: Annotated[int, Field(ge=2)] = 3
    shift_history: Annotated[int, Field(ge=10)] = 40
    shift_values: Annotated[int, Field(ge=4)] = 8
    shift_tolerance: Share = 0.15
