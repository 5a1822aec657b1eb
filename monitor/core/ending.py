"""How an alert ends that has lost its cause, and why (specification, section 7)."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.answer import Review
from monitor.core.case import Result
from monitor.core.catalogue import Catalogue
from monitor.core.changes import Alert, Change, ChangeWhat
from monitor.core.derive import with_derived
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import (
    DIED,
    ENDED_BY_CLOSING,
    SELF_CLOSING,
    EnrolmentState,
    Kind,
    Urgency,
)

PROTOCOL_EDITED = "protocol edited"
_CORRECTED = "a correction took its cause away"
_HISTORY = "it was over before the enrolment, as what came in later shows"
_OVERTAKEN = "what came in later took its cause away"
_NOT_ASKED_FOR = "what is on record now no longer asks for it"
_OF_ONE_ENTRY = ("vaccine:", "pregnancy:", "breastfeeding:")
"""Causes that are one event each, which no other alert tells of."""


def is_edited(alert: Alert, protocol: Protocol) -> bool:
    """Whether another text of the protocol is in force than when this alert was last written."""
    return alert.protocol_digest != protocol.digest


def without_cause(alert: Alert, review: Review, protocol: Protocol, catalogue: Catalogue) -> Change:
    """How a live alert ends that no finding is about any more."""
    if review.life.died:
        return Change(
            what=ChangeWhat.CLOSED, reason=DIED, tell=False, alert=alert, urgency=alert.urgency
        )
    if is_edited(alert, protocol):
        return Change(
            what=ChangeWhat.CLOSED,
            reason=PROTOCOL_EDITED,
            tell=True,
            alert=alert,
            urgency=alert.urgency,
        )
    if alert.kind not in SELF_CLOSING:
        return _withdrawn(alert, review, protocol, catalogue)
    return Change(
        what=ChangeWhat.CLOSED,
        reason=_closing_reason(alert, review),
        tell=False,
        alert=alert,
        urgency=alert.urgency,
    )


def without_what_was_closed(
    alert: Alert, review: Review, protocol: Protocol, catalogue: Catalogue
) -> Iterator[Change]:
    """A correction took the cause of an alert that a person had closed while it went on: who was
    told of it may have held the drug for a value that never was. After an edit nobody knows
    whether it was the edit."""
    if not review.life.died and not is_edited(alert, protocol):
        yield _withdrawn(alert, review, protocol, catalogue)


def _withdrawn(alert: Alert, review: Review, protocol: Protocol, catalogue: Catalogue) -> Change:
    return Change(
        what=ChangeWhat.WITHDRAWN,
        reason=_withdrawal(alert, review, protocol, catalogue),
        tell=True,
        alert=alert,
        urgency=alert.urgency,
    )


def _withdrawal(alert: Alert, review: Review, protocol: Protocol, catalogue: Catalogue) -> str:
    if alert.cause.startswith(_OF_ONE_ENTRY):
        return "the entry no longer stands"
    if alert.cause.startswith(ENDED_BY_CLOSING):
        return "corrected, or told by another alert"
    own = _own_result(alert, review, protocol, catalogue)
    if own is None:
        return _CORRECTED
    if own.value == alert.worst_value:
        before = own.collected_on < review.case.enrolment.enrolled_on
        return _HISTORY if before else _OVERTAKEN
    # Only values of a critical one are told at every level of privacy (interfaces, "Mail").
    if alert.urgency is not Urgency.CRITICAL or own.value is None:
        return _CORRECTED
    unit = catalogue.analytes[own.analyte].unit
    return f"{_CORRECTED}: it is {own.comparator}{own.value:f} {unit} now"


def _own_result(
    alert: Alert, review: Review, protocol: Protocol, catalogue: Catalogue
) -> Result | None:
    """What stands now for the one result that an alert was about; None: nothing, or that cannot
    be said of one."""
    rule = next((it for it in protocol.rules if alert.cause == f"rule:{it.id}"), None)
    if rule is None or len(alert.breaches) != 1:
        return None
    found = [
        it
        for it in with_derived(review.case.results, catalogue).of(rule.analyte)
        if it.collected_at == alert.breaches[0]
    ]
    as_it_was = [it for it in found if it.value == alert.worst_value]
    return (as_it_was or found)[0] if as_it_was or len(found) == 1 else None


def _closing_reason(alert: Alert, review: Review) -> str:
    late = dict(alert.panels)
    tellers = sorted({it.told_by for it in review.shared.panels if it.told_by and it.panel in late})
    if alert.kind is Kind.OVERDUE_TEST and tellers:
        return f"told with the alert of {', '.join(tellers)}, which set the date"
    if not _is_answered(alert, review):
        if review.life.ended_by:
            return review.life.ended_by
        if review.life.state is EnrolmentState.ELSEWHERE:
            return "monitored elsewhere"
        if alert.kind is Kind.DOSE_CHECK and review.life.state is EnrolmentState.HELD:
            return "held: the dose is not taken"
        if alert.kind is Kind.QUARANTINED_RESULT:
            return "the count of the held percentage is known"
        if alert.kind in (Kind.OVERDUE_TEST, Kind.SAMPLE_UNUSABLE):
            return _NOT_ASKED_FOR
    return CLOSING_REASONS[alert.kind]


def _is_answered(alert: Alert, review: Review) -> bool:
    """Whether what it asked for was done, which after a stop can be asked for as well."""
    if alert.kind is Kind.QUARANTINED_RESULT:
        return {row.id for row in review.case.held}.isdisjoint(alert.subjects)
    done = {status.panel: status.last_completed_on for status in review.panels}
    return bool(alert.done) and all(
        (latest := done.get(panel)) is not None and (known is None or latest > known)
        for panel, known in alert.done
    )


CLOSING_REASONS = {
    Kind.OVERDUE_TEST: "test done",
    Kind.QUARANTINED_RESULT: "no row is held",
    Kind.SAMPLE_UNUSABLE: "sample repeated",
    Kind.BASELINE_MISSING: "the baseline is complete",
    Kind.DOSE_CHECK: _NOT_ASKED_FOR,
    Kind.TARGET: "the target is met",
    Kind.TASK_DUE: "the task is done",
}
"""Why an alert that closes itself has lost its cause."""
