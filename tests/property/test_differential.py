"""The seeded run of tools/differential: short here, as long as MONITOR_HISTORIES says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from monitor.core.case import Case, Enrolment, Event, HeldRow, Result
from monitor.core.personal_terms import Personal, Terms
from monitor.core.vocabulary import Status
from tools.differential.judging import lines_of
from tools.differential.pasted import pasted
from tools.differential.patients import Looked, patient_of
from tools.differential.smallest import smallest

HISTORIES = int(os.environ.get("MONITOR_HISTORIES", "240"))
SEED = int(os.environ.get("MONITOR_SEED", "0"))
NAMES = {
    it.__name__: it
    for it in (
        Case, Enrolment, Event, HeldRow, Looked, Personal, Result, Status, Terms,
        Decimal, ZoneInfo, date, datetime,
    )
}  # fmt: skip


def test_no_difference_on_seeded_patients() -> None:
    differing = [number for number in range(HISTORIES) if lines_of(patient_of(SEED, number))]
    assert not differing, f"python -m tools.differential --seed {SEED} --only {min(differing)}"


def test_the_command_shares_the_work_and_tells_the_rate() -> None:
    words = "-m tools.differential --histories 20 --seed 3 --processes 2".split()
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("seed 3: 20 histories in ")
    assert "0 on which core and oracle differ" in done.stdout


def test_a_patient_is_the_same_again_and_can_be_pasted() -> None:
    for number in range(20):
        looked = patient_of(5, number)
        assert patient_of(5, number) == looked
        assert eval(pasted(looked), NAMES) == looked


def has_a_stop(looked: Looked) -> bool:
    return any(it.event == "stop" for it in looked.case.events)


def has_two_low_neutrophils(looked: Looked) -> bool:
    low = [it for it in looked.case.results if it.analyte == "neutrophils" and it.value]
    return len([it for it in low if it.value is not None and it.value < 2]) > 1


@pytest.mark.parametrize(
    ("matters", "results", "events"), [(has_a_stop, 0, 1), (has_two_low_neutrophils, 2, 0)]
)
def test_what_does_not_matter_is_left_out(
    matters: Callable[[Looked], bool], results: int, events: int
) -> None:
    looked = next(it for it in (patient_of(5, number) for number in range(200)) if matters(it))
    case = smallest(looked, matters).case
    assert (len(list(case.results)), len(case.events)) == (results, events)
    assert not (case.held or case.personal or case.siblings)
