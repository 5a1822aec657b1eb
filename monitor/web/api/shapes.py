"""The shapes of answers, as the OpenAPI document gives them: the JSON of the commands.

They describe and do not convert: an answer leaves as the command would print it, and the tests
hold every answer against its shape. What does not apply is null; a key that is there only
sometimes has a default.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """No other keys than these."""

    model_config = ConfigDict(extra="forbid")


class StatusRow(Answer):
    """Where an enrolment and panel stands; without panel and state where it was not judged."""

    mrn: str
    drug: str
    protocol: str
    enrolment_state: str | None
    panel: str | None
    phase: str | None
    last_completed_on: date | None
    due_on: date | None
    because: str | None
    state: str | None
    days_overdue: int | None
    patient_due_on: date | None = None
    set_by: str | None = None
    feed_suspected: bool = False


class Ledger(Answer):
    """Enrolments by state; they add up to `enrolled`, but for `of_whom_held`."""

    enrolled: int
    seriously_overdue: int
    overdue: int
    due: int
    up_to_date: int
    planned: int
    elsewhere: int
    stopped: int
    not_judged: int = 0
    of_whom_held: int


class Alert(Answer):
    id: int
    mrn: str
    drug: str
    kind: str
    rule: str | None
    urgency: str
    state: str
    recovered: bool
    opened_at: datetime
    panel: str | None
    due_on: date | None
    days_overdue: int | None
    panels: list[str] | None
    analyte: str | None
    value: float | None
    comparator: str | None
    unit: str | None
    collected_at: datetime | None
    latest_value: float | None
    latest_collected_at: datetime | None
    limit: float | None
    summary: str
    source: str | None
    feed_suspected: bool = False


class Alerts(Answer):
    total: int
    alerts: list[Alert]


class Entry(Answer):
    """A line of an alert's history."""

    at: datetime
    what: str
    by: str
    text: str
    code: str | None
    to: str | None
    delivery: str | None


class Rung(Answer):
    """Who will be told next: tier 2 and so on, or the last resort; no tier of what is only owed."""

    at: datetime
    tier: int | Literal["last resort"] | None
    to: list[str]
    why: str


class AlertStory(Answer):
    alert: Alert
    version: int
    assigned_to: str | None
    acknowledged_by: str | None
    acknowledged_until: date | None
    snoozed_until: date | None
    snoozed_by: str | None
    snooze_reason: str | None
    review_by: date | None
    outcome: str | None
    outcome_missed: bool
    history: list[Entry]
    next: list[Rung]


class Who(Answer):
    id: int
    mrn: str
    family_name: str
    given_name: str
    birth_date: date | None
    sex: str


class Found(Answer):
    patients: list[Who]
    more: bool


class ToCome(Answer):
    drug: str
    panel: str
    due_on: date


class Patient(Who):
    status: list[StatusRow]
    alerts: list[Alert]
    closed: list[Alert]
    to_come: list[ToCome]


class Result(Answer):
    analyte: str
    collected_at: datetime
    value: float | None
    comparator: str | None
    unit: str
    status: str
    specimen_id: str | None
    received_value: str | None
    received_unit: str | None
    derived: str | None
    no_result: str | None


class Moved(Answer):
    """A due day before and after."""

    drug: str
    panel: str
    before: date | None
    after: date | None


class Foreseen(Answer):
    known: bool
    notes: list[str]
    opened: list[Alert]
    closed: list[Alert]
    due: list[Moved]


class Recorded(Answer):
    recorded: str


class AlertCounts(Answer):
    opened: int
    updated: int
    closed: int


class Outcomes(Answer):
    stored: int
    duplicate: int
    superseded: int
    withdrawn: int
    quarantined: int
    ignored: int


class Loaded(Outcomes):
    """A file's account; how it was read and why rows are held, in a preview."""

    file: str
    sha256: str
    rows: int
    other_messages: int
    notes: list[str]
    alerts: AlertCounts
    recognised: dict[str, Any] = {}
    reasons: dict[str, int] = {}


class Batch(Answer):
    id: int
    kind: str
    file: str
    source: str
    received_at: datetime
    rows: int
    outcomes: Outcomes
    reverted_at: datetime | None
    reverted_by: str | None
    reverted_because: str | None


class Today(Answer):
    """What there is of a batch today, and which one brought the whole of the row within which it
    broke off."""

    patients: int
    results: int
    standing: int
    held: int
    events: int
    enrolments: int
    merges: int
    last_row_whole_in: int | None


class BatchToday(Batch):
    today: Today


class Reverted(Answer):
    """What was taken back, in rows; `touched` counts patients' enrolments."""

    file: str
    results: int
    held: int
    events: int
    enrolments: int
    merges: int
    passed_on: int
    notes: list[str]
    touched: int
    alerts: AlertCounts


class Tried(Answer):
    tried: int
    taken: int
    held: int


class Discarded(Answer):
    discarded: int


class Schedule(Answer):
    id: str
    title: str
    drugs: list[str]
    default: bool
    version: str
    digest: str
    status: str
    in_force_since: datetime
    applied_by: str
    reason: str
    enrolled: int


class Part(Answer):
    well: bool
    says: str


class Health(Answer):
    well: bool
    parts: dict[str, Part]


class Problem(BaseModel):
    """A problem of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, str]] = []


def shown(shape: Any, status: int = 200) -> dict[str, Any]:
    """How a route says its shape: for the document, without a conversion on the way out."""
    return {"response_model": None, "responses": {status: {"model": shape}}}
