"""What people said once for all rows of a source: read this code so, this unit, this number.

A fix is remembered in the database with who made it, listed, and removed again; it holds
beside the source's table in the config, which is stronger where both speak.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitor.config import Settings, Source
from monitor.intake.columns import fold
from monitor.intake.issuers import Issuers
from monitor.store import tables
from monitor.store.tables import table_of

FIXES = table_of(tables.FixRow)


class FixKind(StrEnum):
    """What a fix is about: their word -> ours."""

    CODE = "code"
    """A code -> the analyte."""
    IGNORE = "ignore"
    """A code -> nothing."""
    UNIT = "unit"
    """A spelling of a unit -> ours."""
    MISSING_UNIT = "missing unit"
    """An analyte without unit -> the unit meant."""
    PATIENT = "patient"
    """Number, name and birth date as written -> a patient's number."""
    ISSUER = "issuer"
    """How an issuer is written ("": no issuer) -> the clinic's name for it ("": its own)."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One remembered fix."""

    id: int
    source: str
    kind: FixKind
    theirs: str
    ours: str
    made_at: datetime
    made_by: str

    @property
    def written(self) -> str:
        """Their word as a person reads it."""
        if self.kind is not FixKind.PATIENT:
            return self.theirs
        return ", ".join(cell for cell in json.loads(self.theirs) if cell)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of one source are to be read: by the config and by what was remembered."""

    mapping: Source
    issuers: Issuers
    patients: Mapping[str, str] = field(default_factory=dict)
    """Who is written so (`as_written`) -> the number of the patient meant."""


def reading(connection: Connection, settings: Settings, source: str) -> Reading:
    """The reading of a source; one that the config no longer names has no table."""
    mapping = settings.sources.get(source, Source())
    said: dict[str, dict[str, str]] = {kind.value: {} for kind in FixKind}
    for fix in fixes(connection, source=source):
        said[fix.kind.value][fix.theirs] = fix.ours
    spellings = said[FixKind.ISSUER]
    mapped = {fold(code) for code in mapping.codes}
    unneeded = [code for code in said[FixKind.IGNORE] if fold(code) not in mapped]
    plain = mapping.issuer or spellings.pop("", "")
    return Reading(
        mapping=mapping.model_copy(
            update={
                "codes": said[FixKind.CODE] | mapping.codes,
                "ignore": [*unneeded, *mapping.ignore],
                "unit_spellings": said[FixKind.UNIT] | mapping.unit_spellings,
                "units": said[FixKind.MISSING_UNIT] | mapping.units,
            }
        ),
        issuers=Issuers(source, plain, spellings | settings.intake.issuers),
        patients=said[FixKind.PATIENT],
    )


def fixes(connection: Connection, *, source: str | None = None) -> list[Fix]:
    """The fixes in force, oldest first."""
    columns = FIXES.c
    query = select(FIXES).where(columns.removed_at.is_(None)).order_by(columns.id)
    if source is not None:
        query = query.where(columns.source == source)
    return [_fix(row) for row in connection.execute(query)]


def remember(
    connection: Connection,
    source: str,
    kind: FixKind,
    theirs: str,
    ours: str,
    by: str,
    now: datetime,
) -> None:
    """Remember a fix from now on; none is in force about the same."""
    connection.execute(
        insert(FIXES).values(
            source=source, kind=kind.value, theirs=theirs, ours=ours, made_at=now, made_by=by
        )
    )


def forget(connection: Connection, fix_id: int, by: str, now: datetime) -> bool:
    """Remove a fix; what was taken by it stays. False where no such fix is in force."""
    columns = FIXES.c
    mine = (columns.id == fix_id) & columns.removed_at.is_(None)
    values = {"removed_at": now, "removed_by": by}
    return connection.execute(update(FIXES).where(mine).values(**values)).rowcount > 0


def _fix(row: Any) -> Fix:
    return Fix(
        row.id, row.source, FixKind(row.kind), row.theirs, row.ours, row.made_at, row.made_by
    )
