"""Who is told what: one message a recipient a batch, and no alert falls through."""

from __future__ import annotations

from monitor.core.changes import Change, ChangeWhat
from monitor.core.routing import Planned, Told, plan
from monitor.core.vocabulary import Urgency

NURSE, DOCTOR = "nurse@hill.example", "doctor@hill.example"


def told(
    alert_id: int,
    urgency: str = "urgent",
    what: ChangeWhat = ChangeWhat.OPENED,
    *,
    mrn: str = "",
    tell: bool = True,
    kind: str = "review",
    before: tuple[str, ...] = (),
    to: tuple[str, ...] = (NURSE,),
) -> Told:
    return Told(
        change=Change(what=what, reason="because", tell=tell, urgency=Urgency(urgency), to=to),
        alert_id=alert_id,
        kind=kind,
        urgency=Urgency(urgency),
        mrn=mrn or f"A{alert_id}",
        told_before=before,
    )


def as_text(messages: list[Planned]) -> list[str]:
    return [
        f"{it.kind} to {it.recipient.split('@')[0]}, {it.urgency.value}: "
        + " ".join(str(line.alert_id) for line in it.lines)
        for it in messages
    ]


def test_one_recipient_gets_one_message_a_batch_worst_first() -> None:
    items = [told(number) for number in range(1, 51)]
    assert as_text(plan(items)) == [
        "alert to nurse, urgent: " + " ".join(str(number) for number in range(1, 51))
    ]


def test_a_critical_alert_stands_alone_and_first() -> None:
    items = [told(1), told(2, "critical"), told(3), told(4, "critical")]
    assert as_text(plan(items)) == [
        "alert to nurse, critical: 2",
        "alert to nurse, critical: 4",
        "alert to nurse, urgent: 1 3",
    ]


def test_one_patient_s_alerts_stand_together() -> None:
    items = [told(1, mrn="A"), told(2, mrn="B"), told(3, mrn="A")]
    assert as_text(plan(items)) == ["alert to nurse, urgent: 1 3 2"]


def test_routine_waits_for_the_digest_and_what_nobody_is_told_is_not_told() -> None:
    assert plan([told(1, "routine"), told(2, tell=False)]) == []


def test_an_address_is_told_once_however_it_is_written() -> None:
    items = [told(1, to=(NURSE, DOCTOR, "Nurse@hill.example"))]
    assert as_text(plan(items)) == [
        "alert to nurse, urgent: 1",
        "alert to doctor, urgent: 1",
    ]


def test_an_escalation_goes_to_its_own_people_beside_what_else_is_told() -> None:
    items = [
        told(1, what=ChangeWhat.REMINDED),
        told(1, what=ChangeWhat.ESCALATED, to=(DOCTOR, NURSE)),
        told(2, "routine", what=ChangeWhat.ESCALATED, to=(DOCTOR,)),
    ]
    assert as_text(plan(items)) == [
        "alert to nurse, urgent: 1",
        "alert to doctor, urgent: 1 2",
    ]


def test_a_withdrawal_goes_to_everyone_who_was_told_whatever_the_routes_say_now() -> None:
    item = told(7, "routine", ChangeWhat.WITHDRAWN, before=(NURSE, "gone@hill.example"))
    assert as_text(plan([item])) == [
        "withdrawal to nurse, routine: 7",
        "withdrawal to gone, routine: 7",
    ]


def test_an_end_that_nobody_was_told_the_beginning_of_is_not_told() -> None:
    assert plan([told(7, "critical", ChangeWhat.WITHDRAWN)]) == []


def test_two_changes_of_one_alert_make_one_line_and_its_end_wins() -> None:
    items = [
        told(1, what=ChangeWhat.RELAPSED),
        told(1, what=ChangeWhat.WORSE),
        told(2, what=ChangeWhat.WORSE, before=(NURSE,)),
        told(2, what=ChangeWhat.WITHDRAWN, before=(NURSE,)),
    ]
    messages = plan(items)
    assert as_text(messages) == ["alert to nurse, urgent: 1", "withdrawal to nurse, urgent: 2"]
