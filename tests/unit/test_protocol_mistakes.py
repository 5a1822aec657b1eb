"""Every mistake in a protocol file is told with its place and what would be valid."""

from __future__ import annotations

import re

import pytest

from monitor.core.examples import load_protocol
from monitor.core.faults import Faults
from monitor.core.toml_text import decode
from tests.protocol_texts import FILE, bare, catalogue, edited, faults_of, read

CBC_WEEKLY = '[phases.panels.cbc]\nevery = "1 week"\n'
MISTAKES = {
    # name: (old, new, where it must be said, what must be said)
    "unknown key at the top": ("wash_out =", "washout =", "washout", 'did you mean "wash_out"'),
    "unknown key of a level": ("{ below = 100,", "{ bellow = 100,", "rules[4].levels[0].bellow",
        'did you mean "below"'),
    "key of a later issue": ("[baseline]", "[pharmacy]\nmax = 3\n\n[baseline]", "pharmacy",
        "unknown key"),
    "missing title": ('title = "Azathioprine:', 'note = "Azathioprine:', "title", "missing"),
    "missing recheck word": ('recheck = "1 day"', "recheck = 1", "rules[1].levels[2].recheck",
        "no duration"),
    "empty text": ('source = "GPnotebook [verified: S12]; the ceiling: unverified"', 'source = " "',
        "rules[13].source", "empty"),
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
    "an exponent without end": ("{ below = 140,", "{ below = 1e999999999,",
        "rules[3].levels[0].below", "digits"),
    "next to nothing": ("{ below = 140,", "{ below = 1e-999999999,",
        "rules[3].levels[0].below", "digits"),
    "digits beyond all rounding": ("{ below = 140,", f"{{ below = 140.{'0' * 30}1,",
        "rules[3].levels[0].below", "digits"),
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
    "a level in multiples under the one before it": (
        "{ above_times_uln = 5, default_uln = 50,", "{ above_times_uln = 1.5, default_uln = 50,",
        "rules[5].levels[1].above_times_uln", "under the 100 of a level before it"),
    "a time that is over before it begins": ('after = "4 weeks", until = "12 weeks"',
        'after = "4 months", until = "12 weeks"', "rules[18].levels[0].until", "never hold"),
    "levels both ways": ("{ below = 50,", "{ above = 900,", "rules[3].levels[1].above",
        "points the other way"),
    "a trend among limits": ("{ below = 50,", '{ falls_in_a_row = 3, each = "10 %",',
        "rules[3].levels[1]", "rule of its own"),
    "urgency that falls": ('{ below = 50, action = "discontinue", urgency = "critical"',
        '{ below = 50, action = "discontinue", urgency = "routine"',
        "rules[3].levels[1].urgency", "one of urgent, critical"),
    "a rule twice": ('id = "leucopenia"', 'id = "neutropenia"', "rules[2].id", "rules[1], line"),
    "muted by what is not there": ('muted_by = ["dose_check:renal"]',
        'muted_by = ["dose_check:weight"]', "rules[10].muted_by", "dose_check:renal"),
    "a phase twice": ('name = "quarterly"', 'name = "weekly"', "phases[1].name", "stands twice"),
    "confirm on an urgent level": (
        'levels = [{ above = 105, action = "review", urgency = "routine" }]',
        'levels = [{ above = 105, action = "review", urgency = "urgent" }]',
        "rules[7].confirm", "keep an urgent level waiting"),
    "again_after on an urgent level": (
        '9]"\nlevels = [{ below = 30, action = "review", urgency = "routine"',
        '9]"\nagain_after = "1 year"\nlevels = [{ below = 3, action = "review", urgency = "urgent"',
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
    "grams a decilitre": ("{ below = 80, action", "{ below = 8, action",
        "rules[4].levels[1].below", "is below anything plausible for hemoglobin (20 to 260 g/L)"),
    "a floor in another unit": ("floor = 0.5 ", "floor = 500 ", "rules[1].floor",
        "anything plausible"),
    "a floor without room": ("floor = 0.5 ", "floor = 5 ", "rules[1].floor", "at most 1.6"),
    "a condition in another unit": ('last = { analyte = "neutrophils", below = 1.0 }',
        'last = { analyte = "neutrophils", below = 1000 }',
        "symptoms[1].levels[2].last.below", "anything plausible"),
    "a target in another unit": ("default_uln = { alt = 50 }", "default_uln = { alt = 0.83 }",
        "targets[0].default_uln.alt", "a number in U/L"),
    "an activity in another unit": ("deficient_below = 5 ", "deficient_below = 5000 ",
        "genotypes.activity.deficient_below", "anything plausible"),
    "a kidney in another unit": ("{ below = 50, percent", "{ below = 5000, percent",
        "dosing.renal.levels[0].below", "anything plausible"),
    "a value before the dose in another unit": ("below = 103,", "below = 10300,",
        "dosing.indications.autoimmune_hepatitis.before_dose.below", "anything plausible"),
    "a recheck that makes nothing due": ("{ below = 30, action",
        '{ below = 30, recheck = "1 week", action', "rules[9].levels[0].recheck",
        "no panel of this file has albumin"),
    "a fall of more than all": ('fall_from_baseline = "30 %"', 'fall_from_baseline = "130 %"',
        "rules[14].levels[0].fall_from_baseline", "less than all of it"),
    "an indication in words": ('except = ["autoimmune_hepatitis"]',
        'except = ["Autoimmune hepatitis"]', "rules[5].except", '"autoimmune_hepatitis"'),
    "an indication with a hyphen": ("[dosing.indications.rheumatoid_arthritis]",
        "[dosing.indications.rheumatoid-arthritis]", "dosing.indications.rheumatoid-arthritis",
        '"rheumatoid_arthritis"'),
    "an indication nearly one of the others": ('except = ["autoimmune_hepatitis"]',
        'except = ["autoimune_hepatitis"]', "rules[5].except",
        'did you mean "autoimmune_hepatitis"'),
    "doses of an indication nearly one of the others": (
        "[dosing.indications.autoimmune_hepatitis]", "[dosing.indications.autoimune_hepatitis]",
        "dosing.indications.autoimune_hepatitis", 'did you mean "autoimmune_hepatitis"'),
    "a drug nearly known": ('drugs = ["azathioprine"]', 'drugs = ["azathiprine"]', "drugs",
        'did you mean "azathioprine"'),
    "a symptom nearly known": ('["fever", "chills", "infection"]', '["fevr", "infection"]',
        "symptoms[1].groups[0]", 'did you mean "fever"'),
    "a kidney symptom nearly known": ('symptom = "oliguria"', 'symptom = "oligurea"',
        "dosing.renal.symptom", 'did you mean "oliguria"'),
    "levels that are never reached": ('after = { event = "pregnancy", within = "42 weeks" }, ',
        'action = "review", urgency = "routine" },\n  { ', "symptoms[5].levels[1]", "always holds"),
    "a rule in two lines": ('[["anaemia"], ["neutropenia",', '[["anaemia"], ["anaemia",',
        "combinations[0].lines[1]", "stands in two lines"),
    "begun with more than the maximum": ('start_at_most = "1 mg/kg"', 'start_at_most = "4 mg/kg"',
        "dosing.indications.rheumatoid_arthritis.start_at_most", "at most 2.5 mg/kg"),
    "a maximum under the usual start": ('maximum = "3 mg/kg"', 'maximum = "1.5 mg/kg"',
        "dosing.usual_start", "at most 1.5 mg/kg"),
    "later more than ever": ('later_maximum = "3 mg/kg"', 'later_maximum = "6 mg/kg"',
        "dosing.indications.renal_transplant.later_maximum", "at most 5 mg/kg"),
    "later without when": ('later_after = "3 months" ', "# ",
        "dosing.indications.renal_transplant", "`later_after` and `later_maximum`"),
    "a range upside down": ('maintenance = ["1 mg/kg", "2 mg/kg"]',
        'maintenance = ["2 mg/kg", "1 mg/kg"]',
        "dosing.indications.autoimmune_hepatitis.maintenance", "lowest dose first"),
    "a ladder downwards": ('until = "2 weeks", at_most = "50 mg"',
        'until = "2 weeks", at_most = "150 mg"',
        "dosing.indications.autoimmune_hepatitis.ladder[1].at_most", "rungs upwards"),
    "a ladder out of order": ('until = "2 weeks", at_most = "50 mg"',
        'until = "8 weeks", at_most = "50 mg"',
        "dosing.indications.autoimmune_hepatitis.ladder[1].until", "rungs in their order"),
    "a ladder beside steps": ("ladder = [", 'step = "25 mg"\nladder = [',
        "dosing.indications.autoimmune_hepatitis.step", "one of the two"),
    "doses for each kilogram, and no age of a weight": ('weight_valid = "12 months"', "#",
        "dosing.weight_valid", 'is missing; valid: text such as "8 weeks"'),
    "a dose without its kilogram": ('maximum = "3 mg/kg"', 'maximum = "3 mg"', "dosing.maximum",
        "nothing to the nearest tablet"),
    "a kidney level out of order": ("{ below = 50, percent", "{ below = 5, percent",
        "dosing.renal.levels[1].below", "levels from mild to severe"),
    "more for a failing kidney": ('percent = "75 %"', 'percent = "175 %"',
        "dosing.renal.levels[0].percent", "at most all of it"),
    "a limit shown that is not the limit": ("below = 103", "below = 51",
        "dosing.indications.autoimmune_hepatitis.before_dose.shown", "does not name the limit, 51"),
    "words for a gene that nobody asks for": ('genotypes = ["tpmt", "nudt15"]', "",
        "genotypes.poor", "nobody would hear of it"),
    "words for one gene of two": ('genotypes = ["tpmt", "nudt15"]', 'genotypes = ["tpmt"]',
        "genotypes.indeterminate.nudt15", "does not ask for"),
    "for some and not for the same": ('except = ["autoimmune_hepatitis"]',
        'except = ["autoimmune_hepatitis"]\nindications = ["autoimmune_hepatitis"]',
        "rules[5].except", "each in one of the two"),
    "tests after an event": ('event = "pregnancy"\n',
        'event = "pregnancy"\ntests = [{ panel = "cbc", every = "2 weeks" }]\n',
        "interactions[14].tests", "only of another drug"),
    "a restart by an event": ('event = "pregnancy"\n', 'event = "pregnancy"\nrestart = true\n',
        "interactions[14].restart", "only of another drug"),
    "another drug before the enrolment": ('drugs = ["allopurinol"]',
        'drugs = ["allopurinol"]\ncounts_before = "1 year"', "interactions[0].counts_before",
        "leave it out"),
    "a drug that is not in analytes.toml yet": ('drugs = ["allopurinol"]', 'drugs = ["ibuprofen"]',
        "interactions[0].drugs", "or the drug added to [drugs] of analytes.toml"),
    "nothing left of what is meant": ('drugs = ["allopurinol"]',
        'drugs = ["allopurinol"]\nnot_classes = ["xanthine_oxidase_inhibitor"]',
        "interactions[0].not_classes", "takes away everything"),
    "two that keep quiet beside each other": ('id = "hypersensitivity"',
        'id = "hypersensitivity"\nunless = ["nausea_alone"]', "symptoms[0].unless",
        "neither would speak"),
    "a panel that nothing demands": ('panel = "inr"', 'panel = "cbc"', "panels.inr.on_demand",
        "never be due"),
    "more for a slow metaboliser": ('at_most = "50 %"', 'at_most = "150 %"',
        "genotypes.intermediate.at_most", "at most all of it"),
    "more with two slow genes": ('# in both genes\nat_most = "50 %"', '\nat_most = "80 %"',
        "genotypes.both_intermediate.at_most", "at most 50 %"),
    "a deficient activity above a low one": ("deficient_below = 5 ",
        "low_below = 4\ndeficient_below = 5 ", "genotypes.activity.deficient_below",
        "less than 4"),
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


def test_an_example_expects_no_panel_that_nothing_demands() -> None:
    text = bare() + (
        '[[examples]]\nname = "one"\nstarted_on = 2026-01-05\ntoday = 2026-01-05\n'
        'expect = { inr = { state = "due" } }\n'
    )
    (fault,) = faults_of(text)
    assert fault.key.startswith("examples[0].expect.inr")
    assert "nothing demands it" in str(fault)


TOGETHER = [
    ("urgency that falls", "number in quotes"),
    ("a trend among limits", "negative"),
    ("levels both ways", "too many digits"),
    ("levels out of order", "empty note of a rule"),
    ("a number in another unit, not said", "empty note of a rule"),
    ("confirm on an urgent level", "text where a flag belongs"),
    ("a floor without room", "missing recheck word"),
    ("grams a decilitre", "id with capitals"),
    ("grace as long as the interval", "misspelt urgency of a panel"),
    ("a last phase that ends", "a phase of an unknown panel"),
    ("a last phase that ends", "misspelt urgency of a panel"),
    ("nothing asks for it", "synonym of an analyte"),
    ("nothing judges it", "unknown analyte of a panel"),
    ("an excuse for nothing", "a choice of one"),
    ("a maximum under the usual start", "a kidney level out of order"),
]
MORE = {
    "empty note of a rule": ('id = "thrombocytopenia"', 'id = "thrombocytopenia"\nnote = ""',
        "rules[3].note", "empty"),
    "misspelt urgency of a panel": ('urgency = "urgent"                  # of the',
        'urgency = "urgnt" # ', "phases[0].panels.cbc.urgency", 'did you mean "urgent"'),
}  # fmt: skip


@pytest.mark.parametrize("names", TOGETHER, ids=" + ".join)
def test_a_mistake_hides_no_other(names: tuple[str, str]) -> None:
    """What is compared is compared wherever it was read, so that all is mended in one sitting."""
    text, every = bare(), MISTAKES | MORE
    for old, new, _, _ in map(every.__getitem__, names):
        text = edited(old, new, text)
    found = faults_of(text)
    for _, _, where, words in map(every.__getitem__, names):
        assert any(it.key.startswith(where) and words in str(it) for it in found), found
    alone = [faults_of(edited(old, new)) for old, new, _, _ in map(every.__getitem__, names)]
    assert len(found) == sum(map(len, alone)), [str(it) for it in found]


NO_SLIP = {
    "a symptom of the site's own": ('["fever", "chills", "infection"]', '["weight_gain", "rash"]'),
    "a drug that nobody has named yet": ('drugs = ["azathioprine"]', 'drugs = ["a new drug"]'),
    "a limit in grams a decilitre that says so": ("{ below = 80, action",
        '{ below = 8, unit = "g/dL", action'),
    "a usual start for each kilogram beside a maximum in all": ('maximum = "3 mg/kg"',
        'maximum = "150 mg"'),
    "the mildest limit as floor": ("floor = 0.5 ", "floor = 1.6 "),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), NO_SLIP.values(), ids=NO_SLIP.keys())
def test_what_may_be_meant_is_no_mistake(old: str, new: str) -> None:
    assert read(edited(old, new))


@pytest.mark.parametrize(
    ("number", "unit", "own"),
    [("60000", "/uL", "60"), ("150", "K/uL", "150"), ("59.5", "/nL", "59.5")],
)
def test_a_limit_in_another_unit_stands_without_noughts(number: str, unit: str, own: str) -> None:
    """`below 60.000` is sixty thousand to whoever writes decimals with a comma."""
    level = f'{{ below = {number}, unit = "{unit}",'
    rule = read(edited("{ below = 140,", level, bare().replace("floor = 30 ", "# "))).rules[3]
    assert f"{rule.levels[0].below:f}" == own


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
    first = phases[0].partition(";")[0]
    rules = rules.replace('phase = "weekly"', f'phase = "{first}"')
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


MORE_TESTS = 'after_stop = "1 week"\n[[interactions.tests]]\npanel = "nutrition"\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('below = 30, action = "review",', 'below = 30, recheck = "2 weeks", action = "review",'),
        ('test_today = ["cbc"]', 'test_today = ["cbc", "nutrition"]'),
        ('panel = "inr"\n', 'panel = "inr"\n' + MORE_TESTS),
    ],
    ids=["recheck", "symptom", "interaction"],
)  # fmt: skip
def test_a_panel_of_the_baseline_alone_is_not_asked_for_later(old: str, new: str) -> None:
    """An alert said "repeat the test by 25 Mar", and nothing was ever due."""
    panel = '[panels.nutrition]\ntitle = "Nutrition"\nall_of = ["albumin"]\n\n[baseline]'
    text = edited("[baseline]", panel)
    text = edited('panels = ["cbc", "lft"]', 'panels = ["cbc", "lft", "nutrition"]', text)
    assert read(text)
    (fault,) = faults_of(edited(old, new, text))
    assert fault.key == "panels.nutrition"
    assert "is asked for after the start, and in no phase: it would never be due" in str(fault)
    assert "[panels.ID.on_demand]" in str(fault)


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


def test_a_muting_rule_that_is_not_there_is_told_once_where_it_is_named() -> None:
    """Others are muted by the rule that names it, and say nothing wrong."""
    (fault,) = faults_of(edited('muted_by = ["neutropenia"]', 'muted_by = ["neutropaenia"]'))
    assert fault.key.startswith("rules[2].muted_by")
    assert fault.value == "neutropaenia"


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


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", None, "is empty"),
        (b" \n\n", None, "is empty"),
        (b'id = "a"\ntitle = "caf\xe9"\n', 2, "byte 0xe9 at column 13"),
        ("id = 'a'".encode("utf-16"), 1, "not UTF-8"),
        (b'id = "a"\ntitle = \n', 2, "at column 9"),
        (b'id = "a"\nid = "b"\n', 2, "first is in line 1"),
        (b"\x00\x01", 1, "column"),
        (b"mrn,drug,started_on\nA1,azathioprine,2026-01-05\n", 1, "column"),
        (b'[[rules]]\nid = "a', 2, "begins here in a quote has no end"),
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
