"""Whatever is written into a protocol file, only faults come out."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.examples import load_protocol
from monitor.core.faults import Fault, Faults
from monitor.core.toml_text import decode
from tests.protocol_texts import EXAMPLE, FILE, bare, catalogue, shipped

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
