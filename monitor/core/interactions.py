"""What another drug, a vaccine or a life event means for who takes the monitored drug.

Source: specification, section 7; the numbers and sentences are those of the protocol file. An
interaction never closes by itself: it is recovered when the other drug, or the monitored one,
is stopped. An intended combination answers an alarm only with a dose that the file allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from monitor.core.answer import Considered, Demand, Finding, Taking
from monitor.core.calendar import start_of_day
from monitor.core.findings import day_text, protocol_says, sentence
from monitor.core.indications import meant_for
from monitor.core.intended import (
    Stretch,
    about,
    entries,
    over_on,
    stretches,
    together_from,
    written,
)
from monitor.core.interaction_tests import ON_LIST, due_days, extra_tests, triggers
from monitor.core.life_events import of_events
from monitor.core.protocol_interactions import COMEDICATION, Interaction

if TYPE_CHECKING:
    from monitor.core.judges import View

_BEFORE_FIRST_DOSE = "Not begun yet: resolve before the first dose."


def findings(view: View) -> Iterator[Finding]:
    """Each interaction that stands or stood since the enrolment, and each event of its own."""
    for it in entries(view):
        if it.event == COMEDICATION:
            for taking in about(it, view):
                if taking.enrolment_id in view.shared.pairs:
                    continue
                finding = _of_drug(it, taking, view)
                if finding is not None:
                    yield finding
        else:
            yield from of_events(it, view)


def demands(view: View) -> Iterator[Demand]:
    """The tests that interactions ask for and that no completion has met yet."""
    if view.life.ended_for_good:
        return
    for it, taking, test in extra_tests(view):
        for due_on, why in due_days(it, taking, test, view):
            yield Demand(panel=test.panel, due_on=due_on, why=why, urgency=test.urgency)


def panels(view: View) -> Iterator[str]:
    """The panels that a drug on the list asks for now and then, due or not."""
    for _, taking, test in extra_tests(view):
        if taking.stop is None or taking.stop > view.today:
            yield test.panel


def considered(view: View) -> Iterator[Considered]:
    """Why each interaction kept quiet, and drugs that the protocol knows nothing of."""
    spoken = {finding.cause for finding in findings(view)}
    for it in view.protocol.interactions:
        quiet = _quiet(it, view, spoken)
        if quiet:
            yield Considered(room="interaction", subject=it.id, why=quiet, source=it.source)
    names = view.catalogue.drugs
    for drug in view.life.comedication:
        if drug not in names.drugs:
            why = f"{drug} is on the list and in no catalogue of drugs: nothing is known of it"
            guess = names.suggest(drug)
            more = (guess,) if guess.startswith("did you mean") else ()
            yield Considered(room="interaction", subject=drug, why=(why, *more), judged=False)


# --- A drug on the list -----------------------------------------------------------------


def _of_drug(it: Interaction, taking: Taking, view: View) -> Finding | None:
    life, case = view.life, view.case
    over = over_on(taking, life)
    known = stretches(it, taking, view)
    alarms = [stretch for stretch in known if stretch.answer is None]
    if not alarms:
        return None
    last = alarms[-1]
    recovered = last.until is not None and not _is_test_owed(it, taking, view)
    if last.until is not None and last.until <= case.enrolment.enrolled_on:
        return None
    others = written(taking)
    ends = f" until {day_text(over)}" if over is not None else ""
    with_whom = f" with {case.enrolment.drug}"
    place = "enrolled on" if taking.enrolled else ON_LIST
    return Finding(
        enrolment_id=case.enrolment.id,
        cause=_cause(it, taking),
        kind=it.action,
        urgency=it.urgency,
        summary=f"{it.title}: {others} {place} since {day_text(taking.start)}{ends}{with_whom}",
        source=it.source,
        recovered=recovered,
        rule=None,
        breaches=(start_of_day(taking.start, view.zone),),
        since=start_of_day(together_from(taking, life), view.zone),
        action=protocol_says(it.say),
        say=tuple(_sentences(it, taking, known, view)),
        arithmetic=tuple(line for stretch in known for line in stretch.lines()),
        news=_news(it, taking, known, view),
    )


def _cause(it: Interaction, taking: Taking) -> str:
    return f"interaction:{it.id}" if taking.drug == it.id else f"interaction:{it.id}:{taking.drug}"


def _is_test_owed(it: Interaction, taking: Taking, view: View) -> bool:
    """The INR after a stop of the monitored drug: the danger is not over with it."""
    if view.life.ended_for_good:
        return False
    tests = [test for test in it.tests if test.after]
    return any(True for test in tests for _ in due_days(it, taking, test, view))


def _sentences(
    it: Interaction, taking: Taking, known: Sequence[Stretch], view: View
) -> Iterator[str]:
    if view.today < view.life.first_dose_on:
        yield _BEFORE_FIRST_DOSE
    if it.intended is not None and known[-1].documented is not None:
        yield sentence(known[-1].text)
        if it.intended.say:
            yield sentence(it.intended.say)
    for test in it.tests:
        title = view.protocol.panel(test.panel).title
        for due_on, why in due_days(it, taking, test, view):
            yield f"{title} by {day_text(due_on)} ({why})."


def _news(it: Interaction, taking: Taking, known: Sequence[Stretch], view: View) -> str:
    """What makes a standing interaction worth telling again."""
    latest = known[-1]
    if latest.documented is not None and latest.answer is None:
        return latest.text
    told = [
        (day, what)
        for test in it.tests
        for day, what in triggers(test, taking, view)
        if test.after and day > together_from(taking, view.life)
    ]
    if not told:
        return ""
    day, what = max(told)
    return f"{what} on {day_text(day)}: {it.say[0].lower()}{it.say[1:].rstrip('.')}"


# --- Why it kept quiet ------------------------------------------------------------------


def _quiet(it: Interaction, view: View, spoken: set[str]) -> tuple[str, ...]:
    """Why an entry kept quiet; nothing where it spoke."""
    indication = view.case.enrolment.indication
    if not meant_for(it, indication):
        return (f"not meant for the indication {indication or 'none'}",)
    if it.event != COMEDICATION:
        if f"{it.event}:{it.id}" in spoken:
            return ()
        return (f"no event {it.event} of this kind since the enrolment",)
    concerned = about(it, view)
    quiet = [taking for taking in concerned if _cause(it, taking) not in spoken]
    told = dict.fromkeys(it.drug for it in quiet if it.enrolment_id in view.shared.pairs)
    if told:
        return (f"told with the enrolment on {', '.join(told)}",)
    if not concerned:
        listed = ", ".join(view.life.comedication)
        on = f"the list: {listed}" if listed else "the list of other drugs, which is empty"
        return (f"no such drug is on {on}",)
    return tuple(
        line
        for taking in quiet
        for stretch in stretches(it, taking, view)
        for line in stretch.lines()
    )
