"""The guide for who edits a protocol file is true."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from monitor.core.catalogue_file import load_catalogue
from monitor.core.examples import load_protocol
from monitor.core.protocol_file import KEYS
from monitor.core.toml_lines import shown
from monitor.resources import schedules_folder
from tests.protocol_texts import bare, catalogue, faults_of

GUIDE = Path(__file__).parents[2] / "docs" / "protocol-files.md"


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
    protocol = load_protocol(_examples()[1], "example.toml", catalogue())
    assert protocol.rules[0].levels[1].below == 60
    assert len(protocol.examples) == 2


def test_a_test_and_a_drug_are_added_to_the_catalogue_as_the_guide_says() -> None:
    shipped = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    added = load_catalogue(shipped + _examples()[0], "analytes.toml")
    assert added.analytes["lithium"].factor("mEq/L") == 1
    assert added.drugs.find("Nurofen 400 mg") == ("ibuprofen",)


def _examples() -> list[str]:
    """The texts of files in the guide, in its order."""
    return re.findall(r"^```toml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_what_the_guide_calls_required_is_missed_where_it_is_left_out() -> None:
    """A number left out is never filled in: a kidney level without its limit would be silent."""
    whole = tomllib.loads(bare())
    required, tried = _required(), 0
    for table, path, key in _keys(whole):
        if key not in required.get(table, ()):
            continue
        left = deepcopy(whole)
        inner: Any = left
        for part in path:
            inner = inner[part]
        del inner[key]
        said = [str(fault) for fault in faults_of(_toml(left))]
        assert any(f"{shown((*path, key))}" in text for text in said), (path, key, said)
        required[table].discard(key)
        tried += 1
    assert tried > 80


def _required() -> dict[str, set[str]]:
    """By table, the keys of which the guide says so."""
    found: dict[str, set[str]] = {}
    table = ""
    for line in GUIDE.read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"#+ .*`([^`]+)`", line):
            table = heading[1]
        elif row := re.match(r"\| `(\w+)` \| required \|", line):
            found.setdefault(table, set()).add(row[1])
    return found


def _keys(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any, str]]:
    """Every key of a file, with the table as the guide calls it and where that stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield _called(path), path, key
            yield from _keys(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _keys(inner, (*path, place))


def _called(path: tuple[str | int, ...]) -> str:
    words = "".join("[]" if isinstance(it, int) else f".{it}" for it in path).removeprefix(".")
    words = re.sub(r"^(panels|tasks|dosing\.indications)\.\w+", r"\1.ID", words)
    words = re.sub(r"^(phases\[\]\.panels)\.\w+", r"\1.ID", words)
    within = "dosing.indications.ID."
    return "dosing." + words.removeprefix(within) if words.startswith(within) else words or "top"


def _toml(table: Any) -> str:
    """A file with the same content, each key of the top on a line."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value}'" if "'" not in value else f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(it)}" for key, it in value.items()) + "}"
    return str(value)
