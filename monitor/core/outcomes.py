"""Coded outcomes: what came of trying to reach a patient, and of an alert that is closed.

Codes are for counting; the note beside them says what, who and when. Which contact outcomes
are enough for a critical alert follows the hazard log (C6): somebody was reached, or somebody
named has taken it on.
"""

from __future__ import annotations

from monitor.core.actions import ActionRefused
from monitor.core.changes import Alert
from monitor.core.vocabulary import Urgency

CONTACT = {
    "reached": "the patient was reached",
    "no_answer": "called, no answer",
    "message_left": "a message was left",
    "appointment_made": "an appointment was made",
    "test_done_elsewhere": "the test was done elsewhere",
    "moved_away": "moved away",
    "stopped_by_itself": "stopped the drug of their own accord",
    "declined": "declines the test",
    "welfare_check_asked": "a welfare check was asked for",
    "handed_to_clinician": "handed to a named clinician",
}
"""What a contact attempt ended in."""
UNANSWERED = "no_answer"
DECLINED = "declined"
NO_OUTCOME = frozenset({UNANSWERED, "message_left", DECLINED})
"""Attempts that settle nothing: the alert goes on asking."""
ENOUGH_FOR_CRITICAL = frozenset({"reached", "welfare_check_asked", "handed_to_clinician"})
UNANSWERED_AT_MOST = 3
"""So many calls without an answer, and the next tier is told."""
NEXT_STEP = {
    "test_done_elsewhere": "load its result, or record monitored_elsewhere (monitor events)",
    "moved_away": "record transfer_out or monitored_elsewhere (monitor events)",
    "stopped_by_itself": "record the stop (monitor events)",
    "declined": "it stays listed and keeps reminding; the prescriber is told each time",
}
"""What a person should do next, since the outcome alone changes nothing of the schedule."""

CLOSING = {
    "laboratory_phoned_and_acted": "the laboratory phoned and somebody acted",
    "drug_stopped": "the drug was stopped",
    "drug_held": "the drug was held",
    "dose_reduced": "the dose was reduced",
    "reviewed_no_change": "reviewed by a clinician, nothing changed",
    "test_repeated": "the test was repeated",
    "admitted": "the patient was admitted",
    "sample_artefact": "an artefact of the sample",
    "known_condition": "a known condition of the patient",
    "entered_in_error": "entered in error",
}
"""Why an alert was closed; any other text is taken as it is."""
_PHONED = "laboratory_phoned_and_acted"
_ONLY_KNOWN = frozenset({_PHONED, "laboratory_phoned", "lab_phoned", "lab_phoned_and_acted"})


def contact_code(text: str) -> str:
    """The code of a contact outcome. Raises ActionRefused with the codes there are."""
    code = _code(text)
    if code not in CONTACT:
        known = ", ".join(CONTACT)
        raise ActionRefused(
            f"--outcome {text}: not a contact outcome; one of {known}",
            plain=f"choose what came of the contact: {known}",
        )
    return code


def settles(alert: Alert, code: str) -> bool:
    """Whether a contact outcome is an outcome of this alert, after which its ladder rests."""
    if alert.urgency is Urgency.CRITICAL:
        return code in ENOUGH_FOR_CRITICAL
    return code not in NO_OUTCOME


def closing_code(outcome: str) -> str:
    """The code a closing's text begins with (`drug_held: until 9 March`), "" for free text.

    Raises ActionRefused where it only says that the laboratory phoned: knowing of a result is
    not acting on it.
    """
    head, _, note = outcome.partition(":")
    code = _code(head)
    if code in _ONLY_KNOWN and not note.strip():
        why = "knowing of it is not acting on it: say what was done, by whom and when"
        such = "held, Dr Gray, 2 March 16:00"
        raise ActionRefused(
            f"{why}, such as --outcome '{_PHONED}: {such}'", plain=f"{why}, such as: {such}"
        )
    if code in _ONLY_KNOWN:
        return _PHONED
    return code if code in CLOSING else ""


def _code(text: str) -> str:
    return "_".join(text.strip().lower().replace("-", " ").split())
