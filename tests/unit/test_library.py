"""The protocols that come with the program: sound, sourced, and comparable."""

from __future__ import annotations

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
    bare = [source for source in sources if UNTAGGED in sureness(source)]
    assert bare == []


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
    assert "azathioprine 3 tests, a wait of up to 92 days" in text
    assert "azathioprine-us-label 11 tests, a wait of up to 31 days" in text


def test_the_other_way_round_the_same_is_said() -> None:
    there = compared("azathioprine", "azathioprine-bsr-2017")
    back = compared("azathioprine-bsr-2017", "azathioprine")
    assert {(it.which, it.about, it.months) for it in there.looser} == {
        (1 - it.which, it.about, it.months) for it in back.looser
    }


def test_a_protocol_is_as_strict_as_itself() -> None:
    assert compared("mercaptopurine", "mercaptopurine").looser == ()


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
