"""The protocols that come with the program: sound, sourced, and comparable."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from monitor.core.comparing import Comparison, compare
from monitor.core.examples import load_protocol
from monitor.core.protocol import Protocol
from monitor.core.sureness import sureness
from monitor.resources import schedules_folder
from tests.protocol_texts import catalogue

NAMES = sorted(it.stem for it in Path(schedules_folder()).glob("*.toml") if it.stem != "analytes")
START = date(2026, 1, 5)
UNTAGGED = "no tag"


@cache
def shipped(name: str) -> Protocol:
    path = Path(schedules_folder()) / f"{name}.toml"
    return load_protocol(path.read_text(encoding="utf-8"), path.name, catalogue())


def compared(a: str, b: str) -> Comparison:
    return compare(shipped(a), shipped(b), catalogue(), START)


def test_a_limit_from_which_something_is_critical_is_compared() -> None:
    """From 80 to 60 g/L haemoglobin still asked for a review, and was looser "nowhere"."""
    path = Path(schedules_folder()) / "azathioprine.toml"
    text = path.read_text(encoding="utf-8").replace("{ below = 80, action", "{ below = 60, action")
    examples = text.replace('value = "79", unit = "g/L"', 'value = "59", unit = "g/L"')
    changed = load_protocol(examples, path.name, catalogue())
    (found,) = compare(shipped("azathioprine"), changed, catalogue(), START).looser
    assert (found.which, found.about) == (1, "hemoglobin")
    assert "Haemoglobin, critical" in found.text
    assert "only below 60 g/L" in found.text


def test_a_test_of_another_name_is_the_same_test() -> None:
    """Under a name of its own it was "asked for by none" of the two, in each of them."""
    path = Path(schedules_folder()) / "azathioprine.toml"
    text = path.read_text(encoding="utf-8").replace("[panels.lft]", "[panels.liver]")
    text = text.replace("[phases.panels.lft]", "[phases.panels.liver]")
    text = text.replace('panels = ["cbc", "lft"]', 'panels = ["cbc", "liver"]')
    changed = load_protocol(text[: text.index("# ==== Examples")], path.name, catalogue())
    assert compare(shipped("azathioprine"), changed, catalogue(), START).looser == ()


def test_a_test_of_one_name_that_asks_for_less_is_looser() -> None:
    path = Path(schedules_folder()) / "azathioprine.toml"
    text = path.read_text(encoding="utf-8").replace('"lymphocytes", "platelets"]', '"platelets"]')
    text = text.replace(
        '[[rules]]\nid = "lymphopenia"', '[[rules]]\nopportunistic = true\nid = "lymphopenia"'
    )
    text = text[: text.index("# ==== Examples")].replace(', recheck = "1 week" },', " },", 1)
    text = text.replace(', recheck = "2 days" },', " },", 1)
    changed = load_protocol(text, path.name, catalogue())
    (found,) = compare(shipped("azathioprine"), changed, catalogue(), START).looser
    assert (found.which, found.about, found.months) == (1, "lymphocytes", None)
    assert "asks for none" in found.text


def test_the_library_is_complete() -> None:
    assert NAMES == [
        "azathioprine",
        "azathioprine-bsr-2017",
        "azathioprine-sps-gastroenterology",
        "azathioprine-us-label",
        "leflunomide-bsr-2017",
        "mercaptopurine",
        "methotrexate-bsr-2017",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_sound_and_its_examples_hold(name: str) -> None:
    protocol = shipped(name)
    assert protocol.id == name
    assert len(protocol.examples) >= 10
    assert protocol.status == "not yet approved by a clinician"


@pytest.mark.parametrize("name", NAMES)
def test_each_number_says_how_sure_it_is(name: str) -> None:
    protocol = shipped(name)
    sources = [it.source for it in protocol.rules]
    sources += [it.source for it in protocol.interactions]
    sources += [it.source for it in protocol.tasks]
    sources += [it.source for it in protocol.targets]
    sources += [protocol.missed.source] if protocol.missed else []
    sources += [it.source for it in protocol.symptoms]
    sources += [it.source for it in protocol.combinations]
    sources += _of_genotypes(protocol) if protocol.genes else []
    if protocol.dosing is not None:
        sources += [protocol.dosing.general.source]
        sources += [regime.source for _, regime in protocol.dosing.indications]
        sources += [protocol.dosing.renal.source] if protocol.dosing.renal else []
    bare = [source for source in sources if UNTAGGED in sureness(source)]
    assert bare == []


def _of_genotypes(protocol: Protocol) -> list[str]:
    terms = protocol.genotypes
    parts = (terms.poor, terms.intermediate, terms.both_intermediate)
    return [*(it.source for it in parts), terms.indeterminate.source, terms.activity.source]


THIOPURINES = [name for name in NAMES if name.startswith(("azathioprine", "mercaptopurine"))]


@pytest.mark.parametrize("name", THIOPURINES)
def test_what_is_true_of_a_thiopurine_stands_in_each_of_its_files(name: str) -> None:
    """Schedules and limits are those of each source; genes, doses, symptoms and interactions
    are of the drug."""
    brief, protocol = shipped("azathioprine"), shipped(name)
    assert protocol.genes == brief.genes
    assert protocol.dosing is not None
    assert protocol.dosing.renal is not None
    assert protocol.genotypes.both_intermediate == brief.genotypes.both_intermediate
    assert protocol.genotypes.activity == brief.genotypes.activity
    assert (protocol.ages, protocol.ctcae_version) == (brief.ages, brief.ctcae_version)
    assert [it.id for it in protocol.symptoms] == [it.id for it in brief.symptoms]
    assert [it.id for it in protocol.interactions] == [it.id for it in brief.interactions]
    assert {"high_tgn", "high_mmp", "drifting_platelets"} <= {it.id for it in protocol.rules}
    own, theirs = ({it.id: it for it in one.rules} for one in (brief, protocol))
    for rule in ("neutropenia", "leucopenia", "thrombocytopenia", "falling_white_cells"):
        assert (theirs[rule].floor, theirs[rule].muted_by) == (own[rule].floor, own[rule].muted_by)


def test_no_file_has_a_rule_by_descent_nor_promises_no_cancer() -> None:
    """The founding brief refuses both."""
    for path in Path(schedules_folder()).glob("*.toml"):
        text = path.read_text(encoding="utf-8").casefold()
        assert not re.search(r"caucasian|ethnic|\brace\b|no increase of malignancy", text), (
            path.name
        )


def test_one_drug_has_one_default() -> None:
    defaults = [drug for name in NAMES if shipped(name).default for drug in shipped(name).drugs]
    assert sorted(defaults) == ["azathioprine", "leflunomide", "mercaptopurine", "methotrexate"]


def looser_months(found: Comparison, which: int, panel: str) -> set[int]:
    return {
        month
        for it in found.looser
        if it.which == which and it.about == panel and it.months
        for month in range(it.months[0], it.months[1] + 1)
    }


def test_the_brief_is_looser_than_the_us_label_from_month_3_on() -> None:
    found = compared("azathioprine", "azathioprine-us-label")
    assert {3, 4, 5} <= looser_months(found, 0, "cbc")
    assert looser_months(found, 1, "cbc") == {2}
    text = next(it.text for it in found.looser if it.which == 0 and it.about == "cbc")
    assert "from month 3 on: azathioprine a wait of up to 92 days" in text
    assert "azathioprine-us-label a wait of up to 31 days" in text
    (text,) = (it.text for it in found.looser if it.which == 1 and it.about == "cbc")
    assert "month 2: azathioprine-us-label 2 tests, a wait of up to 14 days" in text


def test_the_other_way_round_the_same_is_said() -> None:
    there = compared("azathioprine", "azathioprine-bsr-2017")
    back = compared("azathioprine-bsr-2017", "azathioprine")
    assert {(it.which, it.about, it.months) for it in there.looser} == {
        (1 - it.which, it.about, it.months) for it in back.looser
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_protocol_is_as_strict_as_itself(name: str) -> None:
    """Whatever tests its rules make of a result."""
    assert compared(name, name).looser == ()


def test_a_fall_from_the_baseline_is_compared_too() -> None:
    found = compared("azathioprine", "methotrexate-bsr-2017")
    texts = [it.text for it in found.looser if it.about == "platelets"]
    assert any("never, azathioprine more than 30 % below baseline" in text for text in texts), texts


def test_what_is_rarer_after_the_first_year_is_looser_too() -> None:
    """Blood counts once a year from month 19 on were looser "nowhere"."""
    brief = Path(schedules_folder()) / "azathioprine.toml"
    text = brief.read_text(encoding="utf-8").partition("# ==== Examples")[0]
    quarterly = text[text.index('name = "quarterly"') :].partition("# ---- Rules")[0]
    yearly = quarterly.replace("quarterly", "yearly").replace('"3 months"', '"1 year"')
    text = text.replace(quarterly, f'until = "18 months"\n{quarterly}\n[[phases]]\n{yearly}')
    changed = load_protocol(text, brief.name, catalogue())
    found = compare(shipped("azathioprine"), changed, catalogue(), START)
    assert {(it.which, it.about) for it in found.looser} == {(1, "cbc"), (1, "lft")}
    assert "count with differential, from month 18 on" in found.looser[0].text
    assert all(it.months is not None and it.months[0] > 12 for it in found.looser)


def test_what_ends_after_the_first_year_is_looser_too() -> None:
    brief = Path(schedules_folder()) / "azathioprine.toml"
    text = brief.read_text(encoding="utf-8").partition("# ==== Examples")[0]
    text = text.replace('name = "quarterly"', 'name = "quarterly"\nuntil = "2 years"')
    text = text.replace("\nversion = ", '\nallow_ending = "a trial"\nversion = ')
    changed = load_protocol(text, brief.name, catalogue())
    found = compare(shipped("azathioprine"), changed, catalogue(), START)
    assert {(it.which, it.about) for it in found.looser} == {(1, "cbc"), (1, "lft")}
    assert all("azathioprine asks for none" in it.text for it in found.looser)


def test_a_panel_and_a_limit_that_one_lacks_are_said() -> None:
    found = compared("azathioprine", "azathioprine-bsr-2017")
    assert looser_months(found, 0, "renal") == set(range(1, 13))
    limits = {(it.which, it.about) for it in found.looser if it.months is None}
    assert (1, "bilirubin") in limits


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("BSR 2017 [verified: S8, S9]", "read in the source (S8, S9)"),
        ("label [verified second-hand: S1, S2]", "second-hand (S1, S2)"),
        ("general knowledge, unverified", "unverified"),
        ("x [verified: S8]; ceiling [unverified]", "read in the source (S8); in part unverified"),
        ("founding brief", "founding brief, not approved by a clinician"),
        ("somebody", "no tag says how sure it is: check before use"),
    ],
)
def test_how_sure(source: str, words: str) -> None:
    assert sureness(source) == words
