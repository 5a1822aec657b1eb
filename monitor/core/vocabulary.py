"""The closed vocabularies of `docs/glossary.md`: what a result, an enrolment, a panel or an alert
can be."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """What the laboratory says of a result; HL7 and FHIR words are mapped onto these."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


class Urgency(StrEnum):
    ROUTINE = "routine"
    URGENT = "urgent"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _URGENCIES.index(self)


_URGENCIES = (Urgency.ROUTINE, Urgency.URGENT, Urgency.CRITICAL)


def worst_urgency(*urgencies: Urgency) -> Urgency:
    return max(urgencies, key=lambda urgency: urgency.rank)


class Kind(StrEnum):
    """What an alert asks for."""

    OVERDUE_TEST = "overdue_test"
    REVIEW = "review"
    WITHHOLD = "withhold"
    DOSE_REDUCTION = "dose_reduction"
    DISCONTINUE = "discontinue"
    QUARANTINED_RESULT = "quarantined_result"
    SAMPLE_UNUSABLE = "sample_unusable"
    BASELINE_MISSING = "baseline_missing"
    CONTRAINDICATED = "contraindicated"
    INTERACTION = "interaction"
    DOSE_CHECK = "dose_check"
    TARGET = "target"
    TASK_DUE = "task_due"


SYMPTOMS = (
    "fever", "chills", "myalgia", "arthralgia", "nausea", "vomiting", "diarrhoea", "rash",
    "hypotension", "abdominal_pain", "jaundice", "itching", "infection", "sore_throat", "bruising",
    "bleeding", "lymph_nodes", "weight_loss", "night_sweats", "skin_lesion", "oliguria",
    "chickenpox_contact", "shingles_contact",
)  # fmt: skip
"""The words of the events file. A site may have more; one that is nearly one of these is a slip."""


class Metaboliser(StrEnum):
    """The phenotype of TPMT or NUDT15, as the enrolment file and events name it."""

    NORMAL = "normal"
    INTERMEDIATE = "intermediate"
    POOR = "poor"
    INDETERMINATE = "indeterminate"


SELF_CLOSING = frozenset({
    Kind.OVERDUE_TEST, Kind.QUARANTINED_RESULT, Kind.SAMPLE_UNUSABLE, Kind.BASELINE_MISSING,
    Kind.DOSE_CHECK, Kind.TARGET, Kind.TASK_DUE,
})  # fmt: skip
"""Alerts that close themselves when their cause ends, and that no person closes before. All
others never close by themselves: a person does, with the outcome (specification, section 7)."""


ENDED_BY_CLOSING = (
    "symptom:", "vaccine:", "pregnancy:", "breastfeeding:", "personal_ended:",
    "personal_left:",
)  # fmt: skip
"""How the causes of alerts about an event begin: an event does not go on and does not recover,
so a person who closes its alert has ended it (specification, section 7)."""

OF_NO_SPECIMEN = ("missed:", "ages", "personal_ended:", "personal_left:")
"""How the causes of alerts begin that no specimen and nothing of the patient's body is behind:
nothing about them grows old."""


DIED = "died"
"""The event, and how an enrolment and its alerts ended by it."""


class EnrolmentState(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    HELD = "held"
    ELSEWHERE = "elsewhere"
    STOPPED = "stopped"


class PanelState(StrEnum):
    UP_TO_DATE = "up_to_date"
    DUE = "due"
    OVERDUE = "overdue"
    SERIOUSLY_OVERDUE = "seriously_overdue"
    ENDED = "ended"


LATE = (PanelState.OVERDUE, PanelState.SERIOUSLY_OVERDUE)


class Because(StrEnum):
    """Why a panel is due on its due day."""

    SCHEDULE = "schedule"
    RECHECK = "recheck"
    EVENT = "event"


class AlertState(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
