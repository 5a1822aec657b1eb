"""What people have said to ignore, and by which patients are watched now.

A code that nobody knew may be ignored; one by which patients are watched may not. It becomes one
later: the analytes learn the name, or a protocol watches more. What was said then still holds, and
its results would be seen by nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.catalogue import Analyte
from monitor.intake.columns import fold
from monitor.intake.fixes import Fix, FixKind, fixes
from monitor.intake.mending import needs_somebody
from monitor.store.database import Store
from monitor.store.rulebook import load_rulebook

IGNORED = "results are ignored"
"""What the operator is told of, once a day."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A remembered fix that hides results of an analyte by which patients are watched."""

    fix: Fix
    analyte: Analyte

    @property
    def says(self) -> str:
        """What is wrong, and what to do."""
        source = self.fix.source or "no source"
        return (
            f'"{self.fix.theirs}" of {source} is ignored, and is {self.analyte.title}, by which '
            f"patients are watched: monitor quarantine unfix {self.fix.id} --by WHO"
        )


def ignored(connection: Connection, settings: Settings) -> list[Ignored]:
    """Every code that is ignored although patients are watched by it. Where the config says what a
    code means, that counts."""
    said = [
        it for it in fixes(connection) if it.kind is FixKind.IGNORE and not _is_mapped(it, settings)
    ]
    if not said:
        return []
    rulebook = load_rulebook(connection)
    found = ((it, rulebook.catalogue.find(it.theirs)) for it in said)
    return [
        Ignored(fix, analyte)
        for fix, analyte in found
        if analyte is not None and needs_somebody(analyte.name, rulebook)
    ]


def _is_mapped(fix: Fix, settings: Settings) -> bool:
    source = settings.sources.get(fix.source)
    return source is not None and fold(fix.theirs) in {fold(code) for code in source.codes}


def still_ignored(store: Store, settings: Settings) -> str:
    """What to tell the operator of these; empty where there are none."""
    with store.read() as connection:
        return "; ".join(it.says for it in ignored(connection, settings))
