"""The shipped protocol as text, for tests that edit it."""

from __future__ import annotations

from functools import cache

import pytest

from monitor.core.catalogue import Catalogue
from monitor.core.catalogue_file import load_catalogue
from monitor.core.examples import load_protocol
from monitor.core.faults import Fault, Faults
from monitor.core.protocol import Protocol
from monitor.core.protocol_file import parse_protocol
from monitor.resources import schedules_folder

FILE = "azathioprine.toml"
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
