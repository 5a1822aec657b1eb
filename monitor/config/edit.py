"""Writing a `[sources.NAME]` table into `config.toml`, leaving all else as its author wrote it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table

from monitor.config.read import read_settings

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def source_table(
    values: Mapping[str, Any], comments: Sequence[str], closing: Sequence[str]
) -> Table:
    """A table with lines of comment above and below its keys; mappings become tables of their
    own, so that each entry has its line."""
    table = tomlkit.table()
    for line in comments:
        table.add(tomlkit.comment(line))
    for key, value in values.items():
        if isinstance(value, Mapping):
            continue
        table.add(key, _listed(value) if isinstance(value, list | tuple) else value)
    for line in closing:
        table.add(tomlkit.comment(line))
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = tomlkit.table()
            for name, text in value.items():
                inner.add(name, text)
            table.add(key, inner)
    return table


def text_of_source(name: str, table: Table) -> str:
    """The table as it will stand in the file."""
    document = tomlkit.document()
    sources = tomlkit.table(is_super_table=True)
    sources.add(name, table)
    document.add("sources", sources)
    return tomlkit.dumps(document)


def with_source(text: str, name: str, table: Table) -> str:
    """The text of the config with this source's table, in place of an earlier one or at the
    end of the sources."""
    document = tomlkit.parse(text)
    sources = document.get("sources")
    if sources is not None and name in sources:
        sources[name] = table
        return tomlkit.dumps(document)
    if sources is not None and not getattr(sources, "is_super_table", bool)():
        sources.add(name, table)
        return tomlkit.dumps(document)
    # Appended as text: the comments between the tables stay where they are.
    gap = "" if text.endswith("\n\n") or not text else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + text_of_source(name, table)


def write_config(path: Path, text: str) -> None:
    """Put a new text in the place of the file, whole or not at all. Raises Faults where it
    would not be a valid config, and OSError where it cannot be written."""
    read_settings(text, path, os.environ)
    part = path.with_name(f".{path.name}.part")
    part.touch(mode=0o600)
    part.chmod(path.stat().st_mode & 0o777)
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _listed(names: Sequence[str]) -> Any:
    array = tomlkit.array()
    array.extend(names)
    return array.multiline(len(names) > 4)
