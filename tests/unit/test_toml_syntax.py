"""A text that is no TOML: the line of the slip, what stands there, and how it is written."""

from __future__ import annotations

import tomllib

import pytest

from monitor.core.toml_syntax import slip
from tests.protocol_texts import FILE, bare, edited, faults_of

SLIPS = {
    # name: (old, new, the line that it stands in, what must be said)
    "a decimal comma": ("{ below = 0.5,", "{ below = 0,5,", "{ below = 0,5,",
        "with a point, not a comma"),
    "no digit before the point": ("{ below = 0.5,", "{ below = .5,", "{ below = .5,",
        "a digit before"),
    "a comparison": ("{ below = 0.5,", "{ below = <0.5,", "{ below = <0.5,", "alone"),
    "typographic quotes": ('version = "2026-11"', "version = \u201c2026-11\u201d",
        "version = \u201c", "plain quotes"),
    "a word without quotes": ('analyte = "platelets"', "analyte = platelets",
        "analyte = platelets", "in quotes"),
    "a duration without quotes": ('until = "8 weeks"', "until = 8 weeks", "until = 8 weeks",
        '"8 weeks"'),
    "a colon": ('analyte = "platelets"', 'analyte: "platelets"', 'analyte: "platelets"', "with ="),
    "a flag with a capital": ("default = true", "default = True", "default = True",
        "small letters"),
    "a key twice": ('analyte = "platelets"', 'analyte = "platelets"\nid = "again"', 'id = "again"',
        "rules[3].id: stands a second time; the first is in line"),
    "a header left out": ('[[rules]]\nid = "neutropenia"', 'id = "neutropenia"',
        'id = "neutropenia"', "rules[0].id: stands a second time"),
    "a table twice": ("[phases.panels.lft]", "[panels.lft]", "[panels.lft]\nevery",
        "panels.lft: stands a second time"),
    "one table and a list of them": ('[[rules]]\nid = "lymphopenia"', '[rules]\nid = "lymphopenia"',
        '[rules]\nid = "lymphopenia"', "rules: is one table, and a list of tables in line"),
    "a list of tables and one": ('[[rules]]\nid = "neutropenia"', '[rules]\nid = "neutropenia"',
        '[rules]\nid = "neutropenia"', "valid: [[rules]]"),
    "an unknown list of tables": ('[[rules]]\nid = "neutropenia"', '[[rule]]\nid = "neutropenia"',
        '[[rule]]\nid = "neutropenia"', 'did you mean "rules"'),
    "a text that is not closed": ('title = "Liver function tests"', 'title = "Liver function tests',
        'title = "Liver function tests', "a quote that ends the text, on the line where it begins"),
    "a comma left out between keys": ("{ below = 0.5, action", "{ below = 0.5 action",
        "{ below = 0.5 action", "a comma between two keys"),
    "a comma left out of a list": ('"hemoglobin", "white_cells"', '"hemoglobin" "white_cells"',
        '"hemoglobin" "white_cells"', "a comma between two members"),
    "a remark as elsewhere": ('version = "2026-11"', 'version = "2026-11" // ours', "// ours",
        "a remark, which begins with #"),
    "a backslash": ('title = "Liver function tests"', 'title = "Liver\\DFunction"', "Liver\\D",
        "two backslashes"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_is_told_in_its_line_and_with_what_is_right(slip: tuple[str, str, str, str]) -> None:
    old, new, stands, words = slip
    text = edited(old, new)
    line = text.count("\n", 0, text.index(stands)) + 1
    said = [str(fault) for fault in faults_of(text)]
    assert any(f"{FILE}, line {line}: " in it and words in it for it in said), (line, said)


def test_a_long_text_without_an_end_is_told_where_it_begins() -> None:
    text = bare() + '\nnote = """\nnobody closes it\n' + "# more\n" * 9
    line = text.count("\n", 0, text.index('note = """\nnobody')) + 1
    (fault,) = faults_of(text)
    assert fault.line == line
    assert "three quotes" in str(fault)


def test_a_text_without_an_end_is_told_where_it_begins() -> None:
    """An apostrophe in place of a quote was told of the last line of the file."""
    text = "title = 'A drug\nnote = 3 # it is ours\n"
    found = slip(parsed(text), text)
    assert (found.line, found.valid) == (1, "a quote behind its last word")
    assert "begins here in a quote" in found.problem


def parsed(text: str) -> Exception:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    return caught.value


def test_line_ends_of_an_old_program_are_named() -> None:
    (fault,) = faults_of(bare().replace("\n", "\r"))
    assert "line ends" in str(fault)
