"""What a patient is treated for: as people write it, and as protocol files name it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Protocol

from monitor.core.plain_words import plain_words
from monitor.core.toml_lines import Path
from monitor.core.toml_reader import Report, Table

_POSSESSIVE = re.compile(r"['\u2019](?=s\b)", re.IGNORECASE)


class ForSome(Protocol):
    """What a file says of patients with some indications, or of all but some."""

    @property
    def indications(self) -> tuple[str, ...]: ...

    @property
    def except_indications(self) -> tuple[str, ...]: ...


@lru_cache(4096)
def indication_key(text: str) -> str:
    """An indication as protocol files name it: `Autoimmune hepatitis` is autoimmune_hepatitis,
    and `Crohn's disease` crohns_disease."""
    return "_".join(plain_words(_POSSESSIVE.sub("", text)))


def meant_for(entry: ForSome, indication: str) -> bool:
    """Whether a part of a file is for patients with this indication, however it is written."""
    if not entry.indications and not entry.except_indications:
        return True
    key = indication_key(indication)
    if key in entry.except_indications:
        return False
    return not entry.indications or key in entry.indications


def read_indications(table: Table, key: str) -> tuple[str, ...]:
    """A list of indications in a file. One written otherwise would be nobody's: a fault."""
    names = table.texts(key)
    for name in names:
        check_indication(table.report, table.at(key), name)
    return names


def check_indication(report: Report, path: Path, name: str) -> None:
    """A fault where a file names an indication as no enrolment is compared."""
    key = indication_key(name)
    if name != key:
        problem = "is not how an indication is named here: no patient would have it"
        report.add(path, name, problem, f'"{key}"' if key else "its words with _ between them")
