"""The guide for who edits a protocol file is true."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.core.examples import load_protocol
from monitor.core.protocol_file import KEYS
from tests.protocol_texts import catalogue

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
    (text,) = re.findall(
        r"^```toml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    protocol = load_protocol(text, "example.toml", catalogue())
    assert protocol.rules[0].levels[1].below == 60
    assert len(protocol.examples) == 2
