"""Limits and intervals of one patient: set, listed, ended; the reviews that follow are owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core import personal_checks
from monitor.core.actions import ActionRefused
from monitor.core.answer import Review
from monitor.core.calendar import clinic_day
from monitor.core.personal import name
from monitor.core.personal_left import kept, left_behind
from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import EnrolmentState, Urgency
from monitor.operations.answers import answers, enrolments_of
from monitor.store.database import Store
from monitor.store.facts import bring_to, check_not_earlier
from monitor.store.frames import all_enrolment_ids, wake_together
from monitor.store.personal import add_personal, end_personal, owner_of
from monitor.store.rulebook import RuleBook


def set_term(
    store: Store, settings: Settings, mrn: str, drug: str, term: Personal, now: datetime
) -> int:
    """Set it for the patient's one enrolment (or that on `drug`); its number. Raises
    ActionRefused, saying what would be taken."""
    with store.write() as connection:
        check_not_earlier(connection, now)
        review, book = _enrolment(connection, settings, mrn, drug, now)
        protocol = book.protocols[review.case.enrolment.protocol_id]
        personal_checks.check(term, protocol, review.case.personal, book.catalogue)
        if term.what is Terms.BASELINE:
            _check_baseline(term, review)
        enrolment = review.case.enrolment.id
        number = add_personal(connection, enrolment, replace(term, set_at=now))
        wake_together(connection, enrolment, now)
        bring_to(connection, now)
    return number


def keep_terms(
    store: Store,
    settings: Settings,
    mrn: str,
    drug: str,
    *,
    by: str,
    second: str,
    reason: str,
    now: datetime,
) -> list[Personal]:
    """Set for the treatment that lasts what was set for the one before it and was left with that,
    until the same day: all of it or none. What was set. Raises ActionRefused."""
    today = clinic_day(now, settings.clinic.zone)
    with store.write() as connection:
        check_not_earlier(connection, now)
        review, book = _enrolment(connection, settings, mrn, drug, now)
        enrolment = review.case.enrolment
        protocol, known = book.protocols[enrolment.protocol_id], list(review.case.personal)
        for it in left_behind(review.case, today):
            if it.last > today and kept(it, review.case) is None:
                term = replace(it, since=today, by=by, second=second, reason=reason, set_at=now)
                personal_checks.check(term, protocol, known, book.catalogue)
                known.append(replace(term, id=add_personal(connection, enrolment.id, term)))
        set_now = known[len(review.case.personal) :]
        if not set_now:
            raise ActionRefused(
                f"nothing was left with the treatment before that of {enrolment.started_on}; see: "
                "monitor limit list"
            )
        wake_together(connection, enrolment.id, now)
        bring_to(connection, now)
    return set_now


def end_term(
    store: Store, settings: Settings, number: int, *, by: str, reason: str, now: datetime
) -> str:
    """End one before its time; what it was, in words. Raises ActionRefused."""
    today = clinic_day(now, settings.clinic.zone)
    if not by.strip() or not reason.strip():
        raise ActionRefused("ending it needs a name and a reason: --by WHO --reason TEXT")
    with store.write() as connection:
        check_not_earlier(connection, now)
        found = owner_of(connection, number)
        if found is None:
            raise ActionRefused(f"there is no personal limit {number}; see: monitor limit list")
        enrolment, term = found
        if term.last <= today:
            raise ActionRefused(f"it has ended already, on {term.last.isoformat()}")
        end_personal(connection, number, today, by, reason, now)
        wake_together(connection, enrolment, now)
        bring_to(connection, now)
    return name(term)


def terms(store: Store, settings: Settings, mrn: str, now: datetime) -> list[Mapping[str, Any]]:
    """What was set for a patient, or for everybody, the newest first; as it stood at `now`."""
    today = clinic_day(now, settings.clinic.zone)
    with store.read() as connection:
        ids = enrolments_of(connection, mrn) if mrn else all_enrolment_ids(connection)
        found = [
            _row(it, review, batch.rulebook.protocols[review.case.enrolment.protocol_id], today)
            for batch in answers(connection, settings, now, ids=ids, until=now)
            for review in batch.reviews
            for it in review.case.personal
        ]
    return sorted(found, key=lambda row: -int(row["id"]))


def _row(it: Personal, review: Review, protocol: Protocol, today: date) -> Mapping[str, Any]:
    state = "in force" if it.is_on(today) else "ended" if it.last <= today else "to come"
    return {
        "id": it.id,
        "mrn": review.case.enrolment.mrn,
        "drug": review.case.enrolment.drug,
        "what": it.what.value,
        "subject": it.subject,
        "level": it.level or None,
        "value": None if it.value is None else float(it.value),
        "phase": it.phase or None,
        "every": it.every or None,
        "protocol": _protocols_own(it, protocol),
        "since": it.since.isoformat(),
        "until": it.last.isoformat(),
        "by": it.by,
        "second": it.second or None,
        "reason": it.reason,
        "state": state,
    }


def _protocols_own(it: Personal, protocol: Protocol) -> str | None:
    if it.what is Terms.LIMIT:
        rule = next((rule for rule in protocol.rules if rule.id == it.subject), None)
        if rule is None or it.level > len(rule.levels):
            return None
        number = personal_checks.number_of(rule.levels[it.level - 1])
        return None if number is None else f"{number:f}"
    phase = next((phase for phase in protocol.phases if phase.name == it.phase), None)
    schedule = phase.schedule(it.subject) if phase else None
    return None if schedule is None else str(schedule.every)


def _enrolment(
    connection: Connection, settings: Settings, mrn: str, drug: str, now: datetime
) -> tuple[Review, RuleBook]:
    ids = enrolments_of(connection, mrn)
    if not ids:
        raise ActionRefused(f"nobody is enrolled under {mrn.strip()}; see: monitor status")
    found = [
        (review, batch.rulebook)
        for batch in answers(connection, settings, now, ids=ids, until=now)
        for review in batch.reviews
        if review.life.state is not EnrolmentState.STOPPED
        and drug.strip().casefold() in ("", review.case.enrolment.drug)
    ]
    if not found:
        raise ActionRefused(
            f"{mrn.strip()} has no enrolment that lasts{' on ' + drug if drug else ''}"
        )
    if len(found) > 1:
        drugs = ", ".join(sorted(review.case.enrolment.drug for review, _ in found))
        raise ActionRefused(f"{mrn.strip()} has several enrolments: name one, --drug ({drugs})")
    return found[0]


def _check_baseline(term: Personal, review: Review) -> None:
    """What is accepted must be there, and a critical value only by two."""
    cause = f"rule:{term.subject}"
    going_on = [it for it in review.findings if it.cause == cause and not it.recovered]
    if not going_on:
        raise ActionRefused(f"{term.subject} does not speak: there is nothing to be accepted")
    if going_on[-1].urgency is Urgency.CRITICAL and not term.second:
        raise ActionRefused("a critical value is accepted by two: --second WHO")
