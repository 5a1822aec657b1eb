"""Schedules of every odd length, without rules: for the due day alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from monitor.core.calendar import Duration, parse_duration
from monitor.core.protocol import Panel, PanelSchedule, Phase, Protocol
from monitor.core.vocabulary import Urgency
from tests.property.made_protocols import PLAIN

SPANS = ["1 day", "3 days", "6 days", "1 week", "2 weeks", "30 days", "1 month", "8 weeks"]
SPANS += ["2 months", "3 months", "100 days", "1 year"]
STARTS = [date(2024, 1, 31), date(2024, 2, 29), date(2023, 11, 30), date(2026, 1, 5)]


@st.composite
def schedules(draw: st.DrawFn) -> Protocol:
    """A protocol of one or two panels and up to four phases, in days or calendar months."""
    names = ["cbc", "liver"][: draw(st.integers(1, 2))]
    ends = sorted(draw(st.lists(st.integers(1, 150), max_size=3, unique=True)))
    phases = []
    for number, end in enumerate([*ends, None]):
        asked = names if end is None else draw(st.lists(st.sampled_from(names), unique=True))
        rows = tuple(draw(_row(name)) for name in asked)
        phases.append(Phase(name=f"phase {number}", until=draw(_offset(end)), panels=rows))
    panels = tuple(Panel(id=name, title=name, all_of=("neutrophils",)) for name in names)
    return replace(PLAIN, id="drawn", panels=panels, phases=tuple(phases), rules=())


@st.composite
def _offset(draw: st.DrawFn, days: int | None) -> Duration | None:
    if days is None:
        return None
    if days % 31 == 0 and draw(st.booleans()):
        return Duration(months=days // 31, text=f"{days // 31} months")
    return Duration(days=days, text=f"{days} days")


@st.composite
def _row(draw: st.DrawFn, panel: str) -> PanelSchedule:
    spans = [parse_duration(draw(st.sampled_from(SPANS))) for _ in range(5)]
    every, grace, repeat, escalate_after, lead = spans
    return PanelSchedule(
        panel=panel,
        every=every,
        grace=grace,
        repeat=repeat,
        escalate_after=escalate_after,
        lead=lead,
        urgency=draw(st.sampled_from(list(Urgency))),
        serious_urgency=draw(st.sampled_from(list(Urgency))),
    )


@st.composite
def courses(draw: st.DrawFn, protocol: Protocol) -> tuple[date | None, list[date]]:
    """A latest completion, mostly one interval or half of it before the end of a phase, and
    the anchors up to a day."""
    start = draw(st.sampled_from(STARTS))
    restarts = draw(st.lists(st.integers(1, 300), max_size=3))
    anchors = sorted({start, *(start + timedelta(days=days) for days in restarts)})
    anchor = draw(st.sampled_from(anchors))
    edges = [
        (phase.until.after(anchor), entry.every)
        for phase in protocol.phases
        for entry in phase.panels
        if phase.until is not None
    ]
    edge, every = draw(st.sampled_from(edges or [(anchor, Duration(days=7))]))
    whole = every.before(edge)
    about = draw(st.sampled_from([edge, whole, edge - (edge - whole) / 2]))
    last = about + timedelta(days=draw(st.sampled_from([0, 0, 0, -1, 1, -4, 30])))
    return draw(st.sampled_from([last] * 7 + [None])), anchors
