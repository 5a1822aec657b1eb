"""What can become of a raw row: a result, a row held in quarantine, or one that needs nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from monitor.core.standing import Key, Report, key_of
from monitor.core.vocabulary import Status
from monitor.intake.dates import Moment
from monitor.intake.raw import RawRow

UNKNOWN_PATIENT = "unknown_patient"
"""The reason of a row of somebody who is not enrolled."""
OF_THE_PATIENT = (
    "identity", "mrn_alike", "another_number", "another_issuer", UNKNOWN_PATIENT, "no_mrn",
)  # fmt: skip
"""Reasons that are about whose a row is, whatever it measures."""


@dataclass(slots=True)
class Taken:
    """A row that became a result, before it is known whether it stands."""

    line: int
    patient_id: int
    analyte: str
    collected: Moment
    specimen_id: str
    value: Decimal | None
    comparator: str
    no_result: str
    status: Status
    received_value: str
    received_unit: str
    ref_low: Decimal | None
    ref_high: Decimal | None
    reported_at: datetime | None
    comment: str
    below_plausible: bool
    doubtful_comment: str
    method: str
    raw: RawRow
    home_id: int | None = None
    """The patient under whose number it came, where that was merged into another."""
    issuer: str = ""
    is_by_merge: bool = False
    """Whether nobody is enrolled under its number, and it went in for one that is the same
    patient's."""
    received_at: datetime | None = None
    """When the row first came, where it was held before; None: now."""

    @property
    def key(self) -> Key:
        collected = self.collected
        return key_of(
            self.patient_id,
            self.analyte,
            self.specimen_id,
            collected.on,
            collected.at,
            collected.timed,
        )

    def report(self, received: tuple[datetime, *tuple[int, ...]]) -> Report:
        return Report(self.status, self.value, self.comparator, self.reported_at, received)


@dataclass(slots=True)
class Held:
    """A row that goes into quarantine."""

    line: int
    stored: dict[str, Any]
    code: str
    reason: str
    hint: str = ""
    mrn_key: str = ""
    patient_id: int | None = None
    analyte: str = ""
    collected_on: date | None = None
    raw: RawRow | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row that needs nobody: `why` is mapping, placeholder, announced, remark, empty,
    derived or not enrolled."""

    line: int
    why: str


Outcome = Taken | Held | Ignored
