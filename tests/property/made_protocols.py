"""Protocols made for the tests straight from the dataclasses, one odd thing after another."""

from __future__ import annotations

from decimal import Decimal

from monitor.core.calendar import parse_duration as span
from monitor.core.protocol import Baseline, Level, Panel, PanelSchedule, Phase, Protocol, Rule
from monitor.core.toxicity_rules import (
    AfterEvent,
    Combination,
    CombinationLevel,
    LastValue,
    NoValue,
    SymptomLevel,
    SymptomRule,
)
from monitor.core.vocabulary import Kind, Urgency

ROUTINE, URGENT, CRITICAL = Urgency.ROUTINE, Urgency.URGENT, Urgency.CRITICAL


def asked(
    panel: str,
    every: str,
    grace: str,
    escalate_after: str,
    lead: str,
    urgency: Urgency = ROUTINE,
    serious: Urgency = URGENT,
    repeat: str = "3 days",
) -> PanelSchedule:
    return PanelSchedule(
        panel=panel,
        every=span(every),
        grace=span(grace),
        repeat=span(repeat),
        escalate_after=span(escalate_after),
        lead=span(lead),
        urgency=urgency,
        serious_urgency=serious,
    )


def protocol(
    name: str,
    panels: tuple[Panel, ...],
    phases: tuple[Phase, ...],
    rules: tuple[Rule, ...],
    restart_on: tuple[str, ...] = ("dose_increase", "resume"),
    symptoms: tuple[SymptomRule, ...] = (),
    combinations: tuple[Combination, ...] = (),
    **spans: str,
) -> Protocol:
    known = {"wash_out": "6 weeks", "watch_from": "12 weeks", "episode_gap": "12 weeks"} | spans
    return Protocol(
        id=name,
        title=name,
        drugs=("azathioprine",),
        default=True,
        version="made",
        source="made for a test",
        status="made",
        restart_on=restart_on,
        wash_out=span(known["wash_out"]),
        watch_from=span(known["watch_from"]),
        episode_gap=span(known["episode_gap"]),
        panels=panels,
        baseline=Baseline(panels=("cbc",), within=span("12 weeks")),
        phases=phases,
        rules=rules,
        symptoms=symptoms,
        combinations=combinations,
        digest=f"digest of {name}",
    )


CBC = Panel(
    id="cbc",
    title="Complete blood count",
    all_of=("hemoglobin", "white_cells", "neutrophils", "lymphocytes", "platelets"),
)
LFT = Panel(id="lft", title="Liver function tests", all_of=("bilirubin",), any_of=(("alt", "ast"),))

WORKED = protocol(
    "worked",
    (CBC, LFT),
    (
        Phase(
            name="weekly",
            until=span("8 weeks"),
            panels=(asked("cbc", "1 week", "2 days", "1 week", "2 days", URGENT, URGENT),),
        ),
        Phase(
            name="quarterly",
            until=None,
            panels=(
                asked("cbc", "3 months", "1 week", "4 weeks", "2 weeks"),
                asked("lft", "3 months", "1 week", "4 weeks", "2 weeks"),
            ),
        ),
    ),
    (
        Rule(
            id="neutropenia",
            analyte="neutrophils",
            source="made",
            levels=(
                Level(
                    below=Decimal("1.6"),
                    action=Kind.WITHHOLD,
                    urgency=URGENT,
                    recheck=span("1 week"),
                ),
                Level(
                    below=Decimal("1.0"),
                    action=Kind.DISCONTINUE,
                    urgency=CRITICAL,
                    recheck=span("2 days"),
                ),
            ),
        ),
    ),
)
"""The schedule of the worked examples of section 4."""

SMALL = Panel(id="cbc", title="Small count", all_of=("neutrophils",), any_of=(("alt", "ast"),))
LONE = Panel(id="liver", title="One liver value", all_of=("bilirubin",))

STEPS = protocol(
    "steps",
    (SMALL, LONE),
    (
        Phase(
            name="first",
            until=span("10 days"),
            panels=(asked("liver", "4 days", "0 days", "3 days", "1 day", URGENT),),
        ),
        Phase(
            name="second",
            until=span("5 weeks"),
            panels=(asked("cbc", "9 days", "1 day", "5 days", "3 days", URGENT),),
        ),
        Phase(
            name="third",
            until=span("4 months"),
            panels=(
                asked("cbc", "1 month", "3 days", "2 weeks", "1 week"),
                asked("liver", "2 months", "1 week", "3 weeks", "1 week"),
            ),
        ),
        Phase(
            name="last",
            until=None,
            panels=(
                asked("cbc", "3 months", "1 week", "1 month", "2 weeks"),
                asked("liver", "6 months", "1 month", "2 months", "1 month", serious=CRITICAL),
            ),
        ),
    ),
    (
        Rule(
            id="low_neutrophils",
            analyte="neutrophils",
            source="made",
            levels=(
                Level(below=Decimal("1.6"), action=Kind.REVIEW, urgency=ROUTINE),
                Level(
                    below=Decimal("1.0"),
                    action=Kind.WITHHOLD,
                    urgency=URGENT,
                    recheck=span("5 days"),
                ),
                Level(
                    below=Decimal("0.5"),
                    action=Kind.DISCONTINUE,
                    urgency=CRITICAL,
                    recheck=span("1 day"),
                ),
            ),
        ),
        Rule(
            id="twice_low_platelets",
            analyte="platelets",
            source="made",
            opportunistic=True,
            confirm=2,
            again_after=span("4 months"),
            levels=(Level(below=Decimal(140), action=Kind.REVIEW, urgency=ROUTINE),),
        ),
        Rule(
            id="alt_by_uln",
            analyte="alt",
            source="made",
            levels=(
                Level(above_times_uln=Decimal(2), action=Kind.REVIEW, urgency=URGENT),
                Level(
                    above_times_uln=Decimal(5),
                    action=Kind.WITHHOLD,
                    urgency=CRITICAL,
                    recheck=span("1 week"),
                ),
            ),
        ),
        Rule(
            id="ast_fixed_then_uln",
            analyte="ast",
            source="made",
            except_indications=("lupus_nephritis",),
            levels=(
                Level(above=Decimal(100), action=Kind.REVIEW, urgency=ROUTINE),
                Level(
                    above_times_uln=Decimal(5),
                    action=Kind.WITHHOLD,
                    urgency=URGENT,
                    recheck=span("3 days"),
                ),
            ),
        ),
        Rule(
            id="bilirubin_rise",
            analyte="bilirubin",
            source="made",
            levels=(
                Level(
                    rise_from_baseline=Decimal(30),
                    within=span("3 months"),
                    action=Kind.REVIEW,
                    urgency=URGENT,
                    recheck=span("10 days"),
                ),
                Level(rise_from_baseline=Decimal(100), action=Kind.WITHHOLD, urgency=CRITICAL),
            ),
        ),
        Rule(
            id="falling_neutrophils",
            analyte="neutrophils",
            source="made",
            levels=(
                Level(
                    falls_in_a_row=2,
                    each=Decimal(10),
                    only_below=Decimal("2.5"),
                    action=Kind.REVIEW,
                    urgency=URGENT,
                    recheck=span("8 days"),
                ),
            ),
        ),
        Rule(
            id="platelets_drift",
            analyte="platelets",
            source="made",
            opportunistic=True,
            levels=(
                Level(fall_from_baseline=Decimal(20), action=Kind.REVIEW, urgency=ROUTINE),
                Level(
                    fall_from_baseline=Decimal(40),
                    within=span("4 months"),
                    action=Kind.WITHHOLD,
                    urgency=URGENT,
                ),
            ),
        ),
        Rule(
            id="lupus_lymphocytes",
            analyte="lymphocytes",
            source="made",
            indications=("lupus_nephritis",),
            opportunistic=True,
            levels=(Level(below=Decimal("0.5"), action=Kind.DOSE_REDUCTION, urgency=URGENT),),
        ),
    ),
    symptoms=(
        SymptomRule(
            id="pair",
            title="Pair",
            source="made",
            groups=(("fever", "rash"), ("nausea", "vomiting")),
            together=span("7 days"),
            test_today=("liver",),
            levels=(
                SymptomLevel(action=Kind.REVIEW, urgency=ROUTINE),
                SymptomLevel(
                    action=Kind.DISCONTINUE, urgency=CRITICAL, soon_after_start=span("2 weeks")
                ),
            ),
        ),
        SymptomRule(
            id="fever",
            title="Fever",
            source="made",
            groups=(("fever", "infection"),),
            test_today=("cbc",),
            levels=(
                SymptomLevel(action=Kind.REVIEW, urgency=URGENT),
                SymptomLevel(
                    action=Kind.WITHHOLD,
                    urgency=CRITICAL,
                    none_since=NoValue(
                        analyte="neutrophils", within=span("14 days"), phase="second"
                    ),
                ),
                SymptomLevel(
                    action=Kind.REVIEW,
                    urgency=CRITICAL,
                    last=LastValue(analyte="neutrophils", below=Decimal("1.0")),
                ),
            ),
        ),
        SymptomRule(
            id="itching",
            title="Itching",
            source="made",
            groups=(("itching",),),
            levels=(
                SymptomLevel(
                    action=Kind.REVIEW,
                    urgency=URGENT,
                    after=AfterEvent(event="pregnancy", within=span("3 weeks")),
                ),
            ),
        ),
        SymptomRule(
            id="nausea",
            title="Nausea",
            source="made",
            groups=(("nausea",),),
            unless=("pair",),
            levels=(SymptomLevel(action=Kind.REVIEW, urgency=ROUTINE),),
        ),
    ),
    combinations=(
        Combination(
            id="two_low",
            title="Low together",
            source="made",
            lines=(
                ("low_neutrophils", "falling_neutrophils"),
                ("twice_low_platelets",),
                ("alt_by_uln", "ast_fixed_then_uln"),
            ),
            together=span("7 days"),
            levels=(
                CombinationLevel(lines_low=2, action=Kind.WITHHOLD, urgency=URGENT),
                CombinationLevel(lines_low=3, action=Kind.DISCONTINUE, urgency=CRITICAL),
            ),
        ),
    ),
    wash_out="3 weeks",
    watch_from="2 weeks",
    episode_gap="4 weeks",
)
"""Four short phases, a panel that comes and goes, every kind of level."""

PLAIN = protocol(
    "plain",
    (SMALL,),
    (
        Phase(
            name="only",
            until=None,
            panels=(asked("cbc", "1 month", "2 days", "10 days", "5 days"),),
        ),
    ),
    (
        Rule(
            id="low_neutrophils",
            analyte="neutrophils",
            source="made",
            levels=(Level(below=Decimal("1.0"), action=Kind.DISCONTINUE, urgency=CRITICAL),),
        ),
    ),
    restart_on=(),
    episode_gap="1 month",
)
"""One phase, no restarts, month ends."""
