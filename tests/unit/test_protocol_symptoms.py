"""Mistakes in symptom rules and combinations of a protocol file."""

from __future__ import annotations

import pytest

from tests.protocol_texts import edited, faults_of

LEVELS = (
    'levels = [{ action = "review", urgency = "urgent", say = "liver tests and bilirubin today" }]'
)
MISTAKES = {
    "an unknown key": ('id = "jaundice"\n', 'id = "jaundice"\nwindow = "7 days"\n',
        "symptoms[4].window", "unknown key"),
    "no group": ('groups = [["jaundice"]]', "groups = []", "symptoms[4].groups", "no symptom"),
    "an empty group": ('groups = [["jaundice"]]', 'groups = [["jaundice"], []]',
        "symptoms[4].groups", "no symptom"),
    "no symptom": ('groups = [["jaundice"]]', 'groups = [["Yellow skin"]]',
        "symptoms[4].groups[0]", "as in the events file"),
    "several groups and no time": ('groups = [["jaundice"]]',
        'groups = [["jaundice"], ["rash"]]', "symptoms[4].together", 'such as "7 days"'),
    "a time for one group": ('groups = [["jaundice"]]',
        'groups = [["jaundice"]]\ntogether = "1 day"',
        "symptoms[4].together", "means nothing"),
    "no level": (LEVELS, "", "symptoms[4].levels", "at least one level"),
    "no level of people": (LEVELS, 'levels = [{ action = "stop", urgency = "urgent" }]',
        "symptoms[4].levels[0].action", "not known"),
    "levels that grow milder": (LEVELS,
        LEVELS[:-1] + ', { action = "review", urgency = "routine" }]',
        "symptoms[4].levels[1].urgency", "milder"),
    "an unknown panel": ('test_today = ["cbc"]', 'test_today = ["cbd"]',
        "symptoms[1].test_today[0]", 'did you mean "cbc"'),
    "an unknown phase": ('phase = "weekly"', 'phase = "weakly"',
        "symptoms[1].levels[1].none_since.phase", 'did you mean "weekly"'),
    "an unknown analyte": ('last = { analyte = "neutrophils"', 'last = { analyte = "neutros"',
        "symptoms[1].levels[2].last.analyte", "neutrophils"),
    "no limit": ('last = { analyte = "neutrophils", below = 1.0 }',
        'last = { analyte = "neutrophils" }', "symptoms[1].levels[2].last.below", "missing"),
    "an event that does not last": ('event = "pregnancy", within', 'event = "hold", within',
        "symptoms[5].levels[0].after.event", "pregnancy"),
    "unless nobody": ('unless = ["hypersensitivity", "pancreatitis"]', 'unless = ["hyper"]',
        "symptoms[7].unless", "no other symptom rule"),
    "unless itself": ('unless = ["hypersensitivity", "pancreatitis"]', 'unless = ["nausea_alone"]',
        "symptoms[7].unless", "no other symptom rule"),
    "an id twice": ('id = "jaundice"', 'id = "infection"', "symptoms[4].id", "a name of its own"),
    "the id of a rule": ('id = "pancytopenia"', 'id = "anaemia"', "combinations[0].id",
        "a name of its own"),
    "a line of no rule": ('lines = [["anaemia"]', 'lines = [["anemia"]',
        "combinations[0].lines[0][0]", 'did you mean "anaemia"'),
    "one line alone": ('lines = [["anaemia"], ["neutropenia", "leucopenia"], ["thrombocytopenia"]]',
        'lines = [["anaemia"]]', "combinations[0].lines", "fewer than two"),
    "more lines than there are": ("lines_low = 3", "lines_low = 4",
        "combinations[0].levels[1].lines_low", "from 1 to 3"),
    "levels out of order": ("lines_low = 2", "lines_low = 3",
        "combinations[0].levels[1].lines_low", "from mild to severe"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_its_place_and_what_would_be_valid(
    mistake: tuple[str, str, str, str],
) -> None:
    old, new, where, words = mistake
    found = faults_of(edited(old, new))
    said = [str(fault) for fault in found if fault.key.startswith(where)]
    assert said, [str(fault) for fault in found]
    assert any(words in text for text in said), said
