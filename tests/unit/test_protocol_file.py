"""Reading a protocol file: what is sound, and every mistake with its place and its remedy."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.analytes import Catalogue, load_catalogue
from monitor.core.calendar import Duration
from monitor.core.examples import check_examples, load_protocol
from monitor.core.faults import Fault, Faults
from monitor.core.model import Kind, Urgency
from monitor.core.protocol import Protocol
from monitor.core.protocol_file import KEYS, parse_protocol
from monitor.core.toml_text import decode
from monitor.resources import schedules_folder

FILE = "azathioprine.toml"
GUIDE = Path(__file__).parents[2] / "docs" / "protocol-files.md"


@cache
def catalogue() -> Catalogue:
    path = schedules_folder() / "analytes.toml"
    return load_catalogue(path.read_text(encoding="utf-8"), path.name)


@cache
def shipped() -> str:
    return (schedules_folder() / FILE).read_text(encoding="utf-8")


def bare() -> str:
    """The shipped file without its examples."""
    return shipped().partition("# ==== Examples")[0]


def read(text: str) -> Protocol:
    return parse_protocol(text, FILE, catalogue())


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(Faults) as caught:
        load_protocol(text, FILE, catalogue())
    return caught.value.faults


def edited(old: str, new: str, text: str = "") -> str:
    text = text or bare()
    assert old in text
    return text.replace(old, new, 1)


# --- What is sound -----------------------------------------------------------------------


def test_the_shipped_protocol_is_sound_and_its_examples_hold() -> None:
    protocol = load_protocol(shipped(), FILE, catalogue())
    assert (protocol.id, protocol.default, len(protocol.rules)) == ("azathioprine", True, 15)
    assert check_examples(protocol, catalogue(), ZoneInfo("Asia/Tokyo")) == []


def test_every_rule_of_the_shipped_protocol_has_an_example_that_makes_it_speak() -> None:
    protocol = read(shipped())
    spoken = {it.rule for example in protocol.examples for it in example.expect_alerts or ()}
    assert spoken == {rule.id for rule in protocol.rules}


def test_values_are_read_exactly() -> None:
    protocol = read(bare())
    mild, severe = protocol.rules[0].levels
    assert (mild.below, mild.action, mild.urgency) == (
        Decimal("0.5"),
        Kind.DOSE_REDUCTION,
        Urgency.URGENT,
    )
    assert severe.recheck == Duration(days=2, text="2 days")
    quarterly = protocol.phases[1]
    assert quarterly.until is None
    assert [entry.panel for entry in quarterly.panels] == ["cbc", "lft"]
    assert quarterly.panels[1].every == Duration(months=3, text="3 months")
    assert protocol.panel("lft").any_of == (("alt", "ast"),)


def test_a_level_in_another_unit_is_converted_exactly() -> None:
    protocol = read(edited("{ below = 0.5, action", '{ below = 499, unit = "/uL", action'))
    assert protocol.rules[0].levels[0].below == Decimal("0.499")


def test_the_digest_tells_texts_apart_and_line_ends_do_not_matter() -> None:
    text = shipped()
    assert read(text).digest != read(text + "# a remark\n").digest
    windows = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    assert read(decode(windows, FILE)).digest == read(text).digest


def test_above_and_times_the_reference_limit_may_stand_in_one_ladder() -> None:
    levels = next(rule for rule in read(bare()).rules if rule.id == "raised_alt").levels
    assert levels[0].above == Decimal(100)
    assert (levels[1].above_times_uln, levels[1].default_uln) == (Decimal(5), Decimal(50))


def test_a_protocol_may_end_where_it_says_why() -> None:
    ending = edited('name = "quarterly"', 'name = "quarterly"\nuntil = "2 years"')
    assert read('allow_ending = "a course of two years"\n' + ending).allow_ending


def test_a_trend_may_grow_more_severe() -> None:
    text = edited(
        'only_below = 200, action = "review", urgency = "routine" }',
        'only_below = 200, action = "review", urgency = "routine" }, '
        '{ falls_in_a_row = 4, each = "10 %", action = "review", urgency = "urgent" }',
    )
    assert len(next(it for it in read(text).rules if it.id == "falling_platelets").levels) == 2


# --- Mistakes ----------------------------------------------------------------------------

CBC_WEEKLY = '[phases.panels.cbc]\nevery = "1 week"\n'
MISTAKES = {
    # name: (old, new, where it must be said, what must be said)
    "unknown key at the top": ("wash_out =", "washout =", "washout", 'did you mean "wash_out"'),
    "unknown key of a level": ("{ below = 100,", "{ bellow = 100,", "rules[4].levels[0].bellow",
        'did you mean "below"'),
    "key of a later issue": ("[baseline]", "[dosing]\nmax = 3\n\n[baseline]", "dosing",
        "unknown key"),
    "missing title": ('title = "Azathioprine:', 'note = "Azathioprine:', "title", "missing"),
    "missing recheck word": ('recheck = "1 day"', "recheck = 1", "rules[1].levels[2].recheck",
        "no duration"),
    "empty text": ('source = "GPnotebook"', 'source = " "', "rules[13].source", "empty"),
    "line break in a text": ('version = "2026-11"', 'version = "2026\\n11"', "version",
        "line break"),
    "text where a flag belongs": ("opportunistic = true", 'opportunistic = "yes"',
        "rules[7].opportunistic", "true or false"),
    "id with capitals": ('id = "anaemia"', 'id = "Anaemia"', "rules[4].id", "no id"),
    "id of the catalogue": ('id = "azathioprine"', 'id = "analytes"', "id", "another name"),
    "no drug": ('drugs = ["azathioprine"]', "drugs = []", "drugs", "names no drug"),
    "one drug as text": ('drugs = ["azathioprine"]', 'drugs = "azathioprine"', "drugs", "list"),
    "a drug twice": ('drugs = ["azathioprine"]', 'drugs = ["a", "a"]', "drugs[1]", "twice"),
    "unknown restart": ('"dose_increase", "resume"', '"dose_increased"', "restart_on[0]",
        'did you mean "dose_increase"'),
    "unknown genotype": ('"tpmt", "nudt15"', '"tmpt"', "baseline.genotypes[0]", "tpmt, nudt15"),
    "baseline of an unknown panel": ('panels = ["cbc", "lft"]', 'panels = ["cbc", "lfts"]',
        "baseline.panels[1]", 'did you mean "lft"'),
    "no baseline": ("[baseline]\n", "[baseline2]\n", "baseline", "missing"),
    "unknown analyte of a rule": ('analyte = "platelets"', 'analyte = "plaetlets"',
        "rules[3].analyte (rule thrombocytopenia)", 'did you mean "platelets"'),
    "synonym of an analyte": ('analyte = "alt"', 'analyte = "SGPT"', "rules[5].analyte", "alt"),
    "unknown analyte of a panel": ('all_of = ["bilirubin"]', 'all_of = ["bilirubine"]',
        "panels.lft.all_of[0]", 'did you mean "bilirubin"'),
    "a panel that asks for nothing": (
        'all_of = ["bilirubin"]\nany_of = [["alt", "ast"]]', "", "panels.lft.all_of", "nothing"),
    "a choice of one": ('[["alt", "ast"]]', '[["alt"]]', "panels.lft.any_of[0]", "no choice"),
    "a flat choice": ('[["alt", "ast"]]', '["alt", "ast"]', "panels.lft.any_of[0]", "list"),
    "panel named alerts": ("[panels.lft]", "[panels.alerts]", "panels.alerts", "no name"),
    "unit of another analyte": ("{ below = 140,", '{ below = 14, unit = "g/dL",',
        "rules[3].levels[0].unit", "no unit of platelets; valid: 10*9/L"),
    "a number in another unit, not said": ("{ below = 140,", "{ below = 140000,",
        "rules[3].levels[0].below", "above anything plausible"),
    "number in quotes": ("{ below = 140,", '{ below = "140",', "rules[3].levels[0].below",
        "must be a number"),
    "a flag for a number": ("{ below = 140,", "{ below = true,", "rules[3].levels[0].below",
        "must be a number"),
    "not a number": ("{ below = 140,", "{ below = nan,", "rules[3].levels[0].below", "no number"),
    "infinity": ("{ below = 140,", "{ below = -inf,", "rules[3].levels[0].below", "no number"),
    "negative": ("{ below = 140,", "{ below = -140,", "rules[3].levels[0].below", "too small"),
    "too many digits": ("{ below = 140,", "{ below = 140.00000000000000001,",
        "rules[3].levels[0].below", "digits"),
    "a huge exponent": ("{ below = 140,", "{ below = 1e300,", "rules[3].levels[0].below",
        "digits"),
    "a flag for a whole number": ("confirm = 2", "confirm = true", "rules[7].confirm",
        "whole number"),
    "half a confirmation": ("confirm = 2", "confirm = 1.5", "rules[7].confirm", "whole number"),
    "a bare percentage": ('rise_from_baseline = "30 %"', "rise_from_baseline = 30",
        "rules[10].levels[0].rise_from_baseline", '"30 %"'),
    "no test": ("{ below = 140, ", "{ ", "rules[3].levels[0]", "has no test"),
    "two tests": ("{ below = 140,", "{ below = 140, above = 900,", "rules[3].levels[0]",
        "has 2 tests"),
    "a stray companion": ("{ below = 140,", "{ below = 140, default_uln = 3,",
        "rules[3].levels[0].default_uln", "only beside above_times_uln"),
    "a trend without its step": ('falls_in_a_row = 3, each = "10 %", only_below = 200',
        "falls_in_a_row = 3, only_below = 200", "rules[13].levels[0].each", "missing"),
    "unknown action": ('"dose_reduction"', '"reduce_dose"', "rules[0].levels[0].action",
        "dose_reduction"),
    "action of the monitor": ('"dose_reduction"', '"overdue_test"', "rules[0].levels[0].action",
        "not known here"),
    "unknown urgency": ('urgency = "critical"', 'urgency = "crtical"',
        "rules[0].levels[1].urgency", 'did you mean "critical"'),
    "levels out of order": ("{ below = 50,", "{ below = 150,", "rules[3].levels[1].below",
        "not more severe"),
    "levels that are equal": ("{ below = 50,", "{ below = 140,", "rules[3].levels[1].below",
        "not more severe"),
    "levels both ways": ("{ below = 50,", "{ above = 900,", "rules[3].levels[1].above",
        "points the other way"),
    "a trend among limits": ("{ below = 50,", '{ falls_in_a_row = 3, each = "10 %",',
        "rules[3].levels[1]", "rule of its own"),
    "urgency that falls": ('{ below = 50, action = "discontinue", urgency = "critical"',
        '{ below = 50, action = "discontinue", urgency = "routine"',
        "rules[3].levels[1].urgency", "one of urgent, critical"),
    "a rule twice": ('id = "leucopenia"', 'id = "neutropenia"', "rules[2].id", "rules[1], line"),
    "a phase twice": ('name = "quarterly"', 'name = "weekly"', "phases[1].name", "stands twice"),
    "confirm on an urgent level": (
        'levels = [{ above = 105, action = "review", urgency = "routine" }]',
        'levels = [{ above = 105, action = "review", urgency = "urgent" }]',
        "rules[7].confirm", "keep an urgent level waiting"),
    "again_after on an urgent level": (
        '"BSR 2017"\nlevels = [{ below = 30, action = "review", urgency = "routine"',
        '"B"\nagain_after = "1 year"\nlevels = [{ below = 3, action = "review", urgency = "urgent"',
        "rules[9].again_after", "keep an urgent level quiet"),
    "nothing asks for it": ('analyte = "mcv"\nopportunistic = true', 'analyte = "mcv"',
        "rules[7].analyte (rule macrocytosis)", "in no panel"),
    "nothing judges it": ('"platelets"]', '"platelets", "mcv", "crp"]',
        "panels.cbc", 'no_rule = { crp = "reason" }'),
    "an excuse too many": ('title = "Liver function tests"',
        'title = "Liver function tests"\nno_rule = { bilirubin = "why" }',
        "panels.lft.no_rule.bilirubin", "has a rule after all"),
    "an excuse for nothing": ('title = "Liver function tests"',
        'title = "Liver function tests"\nno_rule = { crp = "why" }',
        "panels.lft.no_rule.crp", "no analyte of this panel"),
    "a bad duration": ('until = "8 weeks"', 'until = "8 wks"', "phases[0].until (phase weekly)",
        '"8 weeks"'),
    "a negative duration": ('until = "8 weeks"', 'until = "-8 weeks"', "phases[0].until",
        "no duration"),
    "no time at all": ('until = "8 weeks"', 'until = "0 weeks"', "phases[0].until",
        "no time at all"),
    "longer than a life": ('until = "8 weeks"', 'until = "800 years"', "phases[0].until",
        "at most 50 years"),
    "a first phase for ever": ('until = "8 weeks"', "", "phases[0].until", "only the last phase"),
    "a last phase that ends": ('name = "quarterly"', 'name = "quarterly"\nuntil = "5 years"',
        "phases[1].until", "allow_ending"),
    "phases that overlap": ('name = "quarterly"', 'name = "quarterly"\nuntil = "2 weeks"',
        "phases[1].until", "overlaps the phase before it"),
    "phases of unequal measures": ('name = "quarterly"', 'name = "quarterly"\nuntil = "1 month"',
        "phases[1].until", "overlaps the phase before it"),
    "a phase of an unknown panel": ("[phases.panels.lft]", "[phases.panels.ltf]",
        "phases[1].panels.ltf", 'did you mean "lft"'),
    "grace as long as the interval": (CBC_WEEKLY + 'grace = "2 days"',
        CBC_WEEKLY + 'grace = "7 days"', "phases[0].panels.cbc.grace", "not shorter than every"),
    "lead as long as the interval": ('lead = "2 days"', 'lead = "1 month"',
        "phases[0].panels.cbc.lead", "not shorter than every"),
    "escalation within the grace": ('escalate_after = "1 week"', 'escalate_after = "1 day"',
        "phases[0].panels.cbc.escalate_after", "before the grace"),
    "serious and milder": ('serious_urgency = "urgent"', 'serious_urgency = "routine"',
        "phases[0].panels.cbc.serious_urgency", "milder than urgency"),
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
    assert all(fault.file == FILE for fault in found)


def with_phases(*phases: str) -> str:
    """The shipped file with other phases; each a name, `until` and (panel every) pairs."""
    text = []
    for phase in phases:
        name, until, *pairs = phase.split("; ")
        text.append(f'[[phases]]\nname = "{name}"')
        text += [f'until = "{until}"'] if until else []
        for panel, every in (pair.split(" ", 1) for pair in pairs):
            text.append(
                f'[phases.panels.{panel}]\nevery = "{every}"\ngrace = "1 day"\nlead = "1 day"\n'
                'repeat = "1 day"\nescalate_after = "3 days"\n'
                'urgency = "urgent"\nserious_urgency = "urgent"'
            )
    head, _, rest = bare().partition("[[phases]]")
    rules = rest[rest.index("[[rules]]") :]
    return head + "\n".join(text) + "\n" + rules


PHASES = {
    "no fault": (["a; 8 weeks; cbc 1 week", "b; ; cbc 3 months; lft 3 months"], ""),
    "three phases": (
        ["a; 8 weeks; cbc 1 week", "b; 6 months; cbc 4 weeks", "c; ; cbc 1 month; lft 1 year"], ""),
    "an end": (["a; 8 weeks; cbc 1 week; lft 1 week"], "ends the last phase"),
    "the last phase lacks a panel": (
        ["a; 8 weeks; cbc 1 week; lft 1 week", "b; ; cbc 1 month"], "lacks lft"),
    "a panel without phase": (["a; ; cbc 1 month"], ""),
    "tests more often later": (
        ["a; 8 weeks; cbc 1 month; lft 1 month", "b; ; cbc 2 weeks; lft 1 month"],
        "is the order of the phases right?"),
    "as often later": (["a; 8 weeks; cbc 1 week; lft 1 week", "b; ; cbc 7 days; lft 7 days"], ""),
    "overlap": (["a; 8 weeks; cbc 1 week", "b; 56 days; cbc 1 week", "c; ; cbc 1 week; lft 1 week"],
        "overlaps the phase before it, which lasts until 8 weeks"),
    "perhaps overlap": (
        ["a; 30 days; cbc 1 week", "b; 1 month; cbc 1 week", "c; ; cbc 1 week; lft 1 week"],
        "overlaps the phase before it"),
}  # fmt: skip


@pytest.mark.parametrize(("phases", "words"), PHASES.values(), ids=PHASES.keys())
def test_phases_follow_each_other_and_go_on_for_ever(phases: list[str], words: str) -> None:
    text = with_phases(*phases)
    if words:
        assert any(words in str(fault) for fault in faults_of(text))
        if "lack" in words or "ends" in words:
            assert read('allow_ending = "a course"\n' + text)
    else:
        assert read(text)


def test_a_panel_that_neither_phase_nor_baseline_has_is_a_fault() -> None:
    text = with_phases("a; ; cbc 1 month").replace('panels = ["cbc", "lft"]', 'panels = ["cbc"]')
    (fault,) = faults_of(text)
    assert "panels.lft" in str(fault)
    assert "in no phase" in str(fault)


def test_a_rule_needs_a_level() -> None:
    text = re.sub(r"levels = \[\{ below = 30.*\]", "levels = []", bare())
    (fault,) = faults_of(text)
    assert "rules[9].levels (rule low_albumin): is missing" in str(fault)


def test_between_too_low_and_too_high_there_must_be_room() -> None:
    rule = (
        '[[rules]]\nid = "thrombocytosis"\nanalyte = "platelets"\nsource = "s"\n'
        'levels = [{ above = 130, action = "review", urgency = "routine" }]\n'
    )
    (fault,) = faults_of(bare() + rule)
    assert "every value would alert" in str(fault)
    assert read(bare() + rule.replace("130", "140"))
    assert read(bare() + rule.replace('source = "s"', 'source = "s"\nindications = ["x"]'))


def test_a_value_where_a_table_belongs() -> None:
    text = re.sub(r"\[baseline\].*?\n\n", "", bare(), flags=re.DOTALL)
    (fault,) = faults_of("baseline = 3\n" + text)[:1]
    assert "baseline = 3: must be a table" in str(fault)


def test_one_mistake_is_told_once() -> None:
    for name in ("levels out of order", "unknown analyte of a rule", "a bad duration", "no test"):
        old, new, _, _ = MISTAKES[name]
        assert len(faults_of(edited(old, new))) == 1, name


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = edited('until = "8 weeks"', 'until = "8 wks"')
    text = edited('analyte = "platelets"', 'analyte = "plaetlets"', text)
    text = edited("{ below = 50,", "{ below = -50,", text)
    text = edited('id = "azathioprine"', "id = 3", text)
    found = faults_of(text)
    assert [fault.key.split(" ")[0] for fault in found] == [
        "id", "phases[0].until", "rules[3].analyte", "rules[3].levels[1].below",
    ]  # fmt: skip
    lines = text.splitlines()
    for fault, words in zip(found, ("id = 3", "8 wks", "plaetlets", "below = -50"), strict=True):
        assert fault.line is not None
        assert words in lines[fault.line - 1]


def test_a_fault_says_file_line_key_value_and_what_is_valid() -> None:
    (fault,) = faults_of(edited('until = "8 weeks"', 'until = "8 wks"'))
    assert re.fullmatch(
        r"azathioprine\.toml, line \d+: phases\[0\]\.until \(phase weekly\) = 8 wks: "
        r"is no duration; valid: .*\"8 weeks\".*",
        str(fault),
    )


# --- Examples ----------------------------------------------------------------------------

EXAMPLE = """
[[examples]]
name = "one"
started_on = 2026-01-05
completed = { cbc = [2026-01-12] }
results = [{ on = 2026-01-12, analyte = "lymphocytes", value = "0.4", unit = "10*9/L" }]
events = [{ on = 2026-01-12, event = "hold" }]
today = 2026-01-13
expect = { cbc = { due_on = 2026-01-19, state = "up_to_date" }, alerts = ["lymphopenia"] }
"""
FAULTY_EXAMPLES = {
    "another due day": ("due_on = 2026-01-19", "due_on = 2026-01-20",
        "examples[0].expect.cbc.due_on", "2026-01-19"),
    "another state": ('"up_to_date"', '"overdue"', "examples[0].expect.cbc.state", "up_to_date"),
    "an alert too many": ('["lymphopenia"]', '["lymphopenia", "anaemia"]',
        "examples[0].expect.alerts", "lymphopenia (dose reduction, urgent)"),
    "an alert too few": ('["lymphopenia"]', "[]", "examples[0].expect.alerts",
        "lymphopenia (dose reduction, urgent)"),
    "another action": ('["lymphopenia"]', '[{ rule = "lymphopenia", action = "discontinue" }]',
        "examples[0].expect.alerts", "lymphopenia (dose reduction, urgent)"),
    "unknown rule": ('["lymphopenia"]', '["lymphopaenia"]', "examples[0].expect.alerts",
        'did you mean "lymphopenia"'),
    "unknown state": ('"up_to_date"', '"fine"', "examples[0].expect.cbc.state", "up_to_date"),
    "unknown panel": ("expect = { cbc", "expect = { cbd", "examples[0].expect.cbd", "cbc"),
    "unknown panel completed": ("completed = { cbc", "completed = { cbd",
        "examples[0].completed.cbd", "cbc"),
    "unknown analyte": ('"lymphocytes", value', '"lymphocyts", value',
        "examples[0].results[0].analyte", "lymphocytes"),
    "unknown unit": ('unit = "10*9/L"', 'unit = "mg/dL"', "examples[0].results[0]", "unit"),
    "no value": ('"0.4"', '"O.4"', "examples[0].results[0]", ""),
    "unknown event": ('"hold"', '"holiday"', "examples[0].events[0].event", "hold"),
    "a day in quotes": ("today = 2026-01-13", 'today = "2026-01-13"', "examples[0].today",
        "2026-01-05"),
    "a day and an hour": ("today = 2026-01-13", "today = 2026-01-13T10:00:00", "examples[0].today",
        "no day"),
    "a day of another time": ("today = 2026-01-13", "today = 0026-01-13", "examples[0].today",
        "1900"),
    "a result of tomorrow": ("today = 2026-01-13", "today = 2026-01-11", "examples[0].results",
        "nobody could know"),
    "nothing expected": ("expect = {", "x = {", "examples[0].expect", "missing"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", FAULTY_EXAMPLES.values(), ids=FAULTY_EXAMPLES.keys())
def test_an_example_that_fails_is_a_fault(mistake: tuple[str, str, str, str]) -> None:
    old, new, where, words = mistake
    assert read(bare() + EXAMPLE).examples
    found = faults_of(edited(old, new, bare() + EXAMPLE))
    said = [str(it) for it in found if it.key.startswith(where) and '(example "one")' in it.key]
    assert any(words in text for text in said), [str(fault) for fault in found]


def test_an_edited_limit_fails_the_examples_around_it() -> None:
    found = faults_of(shipped().replace("{ below = 140,", "{ below = 139,"))
    assert ['example "platelets 139"' in fault.key for fault in found] == [True]
    assert found[0].line is not None


# --- What is no protocol file at all -----------------------------------------------------


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", None, "is empty"),
        (b" \n\n", None, "is empty"),
        (b'id = "a"\ntitle = "caf\xe9"\n', 2, "byte 0xe9 at column 13"),
        ("id = 'a'".encode("utf-16"), 1, "not UTF-8"),
        (b'id = "a"\ntitle = \n', 2, "at column 9"),
        (b'id = "a"\nid = "b"\n', 2, "column"),
        (b"\x00\x01", 1, "column"),
        (b"mrn,drug,started_on\nA1,azathioprine,2026-01-05\n", 1, "column"),
        (b'[[rules]]\nid = "a', 2, "at its end"),
        (b"a = " + b"[" * 20000, None, "too deep"),
        (b"a = 1e99999999999999999999999", None, "number"),
        (b"a = " + b"1" * 5000, None, "number"),
        (b"# " + b"x" * 1_000_001, None, "too large"),
    ],
)
def test_what_is_no_protocol_gives_one_readable_fault(
    data: bytes, line: int | None, words: str
) -> None:
    with pytest.raises(Faults) as caught:
        load_protocol(decode(data, FILE), FILE, catalogue())
    (fault,) = caught.value.faults
    assert words in str(fault)
    assert fault.line == line
    assert fault.valid


def test_an_empty_table_of_contents_names_all_that_is_missing() -> None:
    missing = {fault.key for fault in faults_of("default = true\n")}
    assert missing >= {"id", "title", "drugs", "panels", "phases", "rules", "baseline", "wash_out"}


# --- Whatever is written, only faults come out -------------------------------------------

_ODD = [
    "true", "-1", "0", "nan", "1e400", "0.000000000000000000001", '"x"', '""', "[]", "{}", "[[]]",
    "[{}]", "2026-01-05", "2026-02-29", "9999-12-31", "07:30:00", '"0 days"', '"50 years"',
    '"30 %"', '"critical"', '"cbc"', '"alerts"', '"lymphocytes"', '"<0.5"', "9" * 400, "[1, 'a']",
    '{ below = 1 }', '["cbc", "cbc"]', '"\\u0000"', '"' + "y" * 3000 + '"',
]  # fmt: skip
_VALUE = re.compile(r'(?<== )(?:"[^"\n]*"|[\d.:-]+|true|\[[^\[\]\n]*\])|(?<=\[)"[^"\n]*"')


@cache
def _ground() -> str:
    return bare() + EXAMPLE + shipped()[shipped().rindex("[[examples]]") :]


def _only_faults(text: str) -> None:
    found: tuple[Fault, ...] = ()
    try:
        load_protocol(text, FILE, catalogue())
    except Faults as faults:
        found = faults.faults or (Fault(FILE, "", "", ""),)
    assert all(fault.problem and str(fault) for fault in found)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(_ODD)), min_size=1, max_size=4
    )
)
def test_odd_values_give_faults_and_nothing_else(edits: list[tuple[float, str]]) -> None:
    text = _ground()
    for where, value in edits:
        places = list(_VALUE.finditer(text))
        place = places[int(where * len(places))]
        text = text[: place.start()] + value + text[place.end() :]
    _only_faults(text)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 40), st.text(max_size=4)), min_size=1, max_size=3
    )
)
def test_a_torn_file_gives_faults_and_nothing_else(cuts: list[tuple[float, int, str]]) -> None:
    text = _ground()
    for where, length, put in cuts:
        start = int(where * len(text))
        text = text[:start] + put + text[start + length :]
    _only_faults(text)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_lines_taken_out_or_doubled_give_faults_and_nothing_else(data: st.DataObject) -> None:
    lines = _ground().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place : place + 1] = data.draw(st.sampled_from([[], [lines[place]] * 2]))
    _only_faults("\n".join(lines))


@given(st.binary(max_size=200))
def test_no_bytes_give_anything_but_faults(data: bytes) -> None:
    with pytest.raises(Faults):
        load_protocol(decode(data, FILE), FILE, catalogue())


# --- The guide ---------------------------------------------------------------------------


def test_every_key_the_parser_knows_is_in_the_guide() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    missing = []
    for table, keys in KEYS.items():
        heading = f"`{table}`" if table else "`top`"
        section = re.search(
            rf"^#+ [^\n]*{re.escape(heading)}[^\n]*\n(.*?)(?=^#|\Z)",
            guide,
            re.MULTILINE | re.DOTALL,
        )
        rows = section[1] if section else ""
        missing += [f"{heading} {key}" for key in keys if f"| `{key}` |" not in rows]
    assert missing == []


def test_the_guide_names_no_key_that_is_unknown() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    known = {key for keys in KEYS.values() for key in keys}
    named = set(re.findall(r"^\| `([a-z_]+)` \|", guide, re.MULTILINE))
    assert named - known == set()


def test_the_complete_protocol_in_the_guide_is_sound() -> None:
    (text,) = re.findall(
        r"^```toml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    protocol = load_protocol(text, "example.toml", catalogue())
    assert protocol.rules[0].levels[1].below == 60
    assert len(protocol.examples) == 2
