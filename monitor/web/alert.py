"""`/alerts/ID`: one alert, where links in mails lead. Opening it changes nothing; what people do
with it are POSTs below it, each with the version of the alert that they saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from monitor.core.actions import ActionRefused, Overtaken
from monitor.core.changes import ChangeWhat
from monitor.core.outcomes import CLOSING, CONTACT, NEXT_STEP
from monitor.core.permissions import May
from monitor.delivery.shown import view_of
from monitor.delivery.view import AlertView, Person, Standing
from monitor.delivery.words import headline
from monitor.operations import people
from monitor.operations.alert_story import quiet_because, story
from monitor.store.database import Store
from monitor.store.silent_feeds import say_suspected
from monitor.web.alert_forms import (
    Forms,
    Found,
    choices,
    chosen_colleague,
    forms_of,
    found,
    may_close,
    others_of,
)
from monitor.web.render import day
from monitor.web.visit import Forbidden, RowId, Visit, local_path, needs, whole_number

routes = APIRouter()
Seer = Annotated[Visit, needs(May.SEE_PATIENTS)]
Worker = Annotated[Visit, needs(May.WORK_ALERTS)]
Closer = Annotated[Visit, needs(May.CLOSE_RECOVERED)]
_WORDS = ("code", "outcome", "reason", "note")
"""Fields that say something of the patient, apart from the comment's own."""


@routes.get("/alerts/{alert_id}")
def alert(alert_id: RowId, visit: Seer, back: str = "/") -> Response:
    return _page(visit, alert_id, back=local_path(back))


@routes.get("/alerts/{alert_id}/forms")
def forms(alert_id: RowId, visit: Seer, back: str = "/", version: str = "") -> Response:
    """The forms alone, for a list that shows them in its row, of `version`: what became of the
    alert since then nobody has seen there."""
    case = found(visit.site.store, alert_id)
    if case is None:
        raise HTTPException(404)
    visit.audit("alert seen", alert_id=alert_id)
    shown, seen = forms_of(visit, case.row), whole_number(version)
    return visit.page(
        "alert_forms_part.html", row=case.row,
        forms=shown if seen is None else replace(shown, version=seen),
        back=local_path(back), given={}, **choices(visit),
    )  # fmt: skip


@routes.post("/alerts/{alert_id}/acknowledge")
def acknowledge(alert_id: RowId, visit: Worker) -> Response:
    settings = visit.site.settings

    def act(store: Store) -> str:
        until = people.acknowledge(
            store, settings, alert_id, by=visit.who, until=_day(visit, "until"),
            note=visit.text("note"), version=_version(visit), now=visit.now,
        )  # fmt: skip
        told = f"Yours until {day(until)}. It comes back earlier if things get worse."
        return f"{told} {people.outcome_owed(store, settings, alert_id)}".rstrip()

    return _done(visit, alert_id, "alert acknowledged", act)


@routes.post("/alerts/{alert_id}/assign")
def assign(alert_id: RowId, visit: Worker) -> Response:
    settings = visit.site.settings

    def act(store: Store) -> str:
        to = chosen_colleague(visit)
        handed = people.assign(
            store, settings, alert_id, to=to, by=visit.who, note=visit.text("note"),
            version=_version(visit), now=visit.now,
        )  # fmt: skip
        if not handed:
            return f"Assigned to {to}. It stays open until they acknowledge it."
        return f"Now with {to}. {people.outcome_owed(store, settings, alert_id)}".rstrip()

    return _done(visit, alert_id, "alert assigned", act)


@routes.post("/alerts/{alert_id}/contact")
def contact(alert_id: RowId, visit: Worker) -> Response:
    settings = visit.site.settings

    def act(store: Store) -> str:
        done = people.contact(
            store, settings, alert_id, outcome=visit.text("outcome"), by=visit.who,
            to=visit.text("to"), note=visit.text("note"), version=_version(visit), now=visit.now,
        )  # fmt: skip
        told = f"Noted: {CONTACT[done.code]}."
        told += "" if done.settled else " It goes on asking."
        told += f" Told now: {', '.join(done.told)}." if done.told else ""
        more = NEXT_STEP.get(done.code, "").partition(" (monitor")[0]
        return f"{told} Next: {more}." if more else told

    return _done(visit, alert_id, "contact recorded", act)


@routes.post("/alerts/{alert_id}/snooze")
def snooze(alert_id: RowId, visit: Worker) -> Response:
    settings = visit.site.settings

    def act(store: Store) -> str:
        until = _day(visit, "until")
        if until is None:
            raise ActionRefused("say until which day it rests")
        agreed = people.snooze(
            store, settings, alert_id, by=visit.who, until=until, reason=visit.text("reason"),
            version=_version(visit), now=visit.now,
        )  # fmt: skip
        return f"It rests until {day(agreed)}."

    return _done(visit, alert_id, "alert snoozed", act)


@routes.post("/alerts/{alert_id}/comment")
def comment(alert_id: RowId, visit: Worker) -> Response:
    settings = visit.site.settings

    def act(store: Store) -> str:
        people.comment(
            store, settings, alert_id, text=visit.text("text"), by=visit.who, now=visit.now
        )
        return "Your comment stands in its history."

    return _done(visit, alert_id, "alert commented", act)


@routes.post("/alerts/{alert_id}/close")
def close(alert_id: RowId, visit: Closer) -> Response:
    settings = visit.site.settings
    case = found(visit.site.store, alert_id)
    if case is not None and not may_close(visit, case.row):
        raise Forbidden

    def act(store: Store) -> str:
        code, words = visit.text("code"), visit.text("outcome")
        outcome = ": ".join(it for it in (code if code in CLOSING else "", words) if it)
        agreed = people.close(
            store, settings, alert_id, by=visit.who, outcome=outcome,
            review_by=_day(visit, "review_by"), version=_version(visit), now=visit.now,
        )  # fmt: skip
        return f"Closed. It comes back on {day(agreed)}." if agreed else "Closed."

    return _done(visit, alert_id, "alert closed", act)


def _done(visit: Visit, alert_id: int, what: str, act: Callable[[Store], str]) -> Response:
    """Do it and go back where the person came from; or show the alert as it stands now, with
    what they wrote and why it was not done."""
    if found(visit.site.store, alert_id) is None:
        raise HTTPException(404)
    back = local_path(visit.text("back") or "/")
    try:
        told = act(visit.deed(what, alert_id=alert_id))
    except Overtaken as overtaken:
        return _page(visit, alert_id, back=back, overtaken=overtaken, status=409)
    except ActionRefused as refused:
        return _page(visit, alert_id, back=back, problem=refused.plain, status=422)
    visit.notice(told)
    return visit.redirect(back)


def _page(
    visit: Visit,
    alert_id: int,
    *,
    back: str,
    problem: str = "",
    overtaken: Overtaken | None = None,
    status: int = 200,
) -> Response:
    case = found(visit.site.store, alert_id)
    if case is None:
        raise HTTPException(404)
    try:
        told = story(visit.site.store, visit.site.settings, alert_id, visit.now)
    except ActionRefused:  # it opened while this was asked
        raise HTTPException(404) from None
    visit.audit("alert seen", alert_id=alert_id)
    forms = forms_of(visit, case.row)
    sent = visit.request.url.path.rpartition("/")[2] if problem or overtaken else ""
    doing, given = _kept_words(visit, forms, sent)
    return visit.page(
        "alert.html",
        status,
        story=told,
        view=_as_in_a_mail(visit, case),
        row=case.row,
        shown=case.row.shown,
        person=case.person,
        patient_id=case.patient_id,
        headline=headline(case.row.kind),
        quiet=quiet_because(case.row),
        others=others_of(visit.site.store, case),
        forms=forms,
        back=back,
        problem=problem,
        overtaken=overtaken,
        sent=sent,
        doing=doing,
        given=given,
        **choices(visit),
    )


def _kept_words(visit: Visit, forms: Forms, sent: str) -> tuple[str, dict[str, str]]:
    """The form that opens, with what was written in the one that was sent. The alert as it stands
    may have that one no more: then the words wait as a comment; "" where there are none."""
    given = {name: it for name, it in visit.form.items() if isinstance(it, str)}
    if sent in ("", "comment") or getattr(forms, sent):
        return sent, given
    words = "; ".join(CONTACT.get(it, it) for it in map(visit.text, _WORDS) if it)
    return ("comment" if words else ""), given | {"text": words}


def _as_in_a_mail(visit: Visit, case: Found) -> AlertView:
    """What a mail says of the alert, for the page to say no less."""
    row, zone = case.row, visit.site.settings.clinic.zone
    with visit.store.read() as connection:
        say_suspected(connection, [row], zone)
    return view_of(
        row.id,
        row.shown,
        Person(mrn=case.person.mrn),
        Standing(state=row.state, opened_at=row.opened_at, closed_at=row.closed_at),
        what=ChangeWhat.OPENED.value,
        reason="",
        now=visit.now,
        zone=zone,
    )


def _version(visit: Visit) -> int:
    """What the person saw; a form without it has seen nothing."""
    number = whole_number(visit.text("version"))
    return -1 if number is None else number


def _day(visit: Visit, name: str) -> date | None:
    text = visit.text(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ActionRefused("a day is written like 2026-03-02") from None
