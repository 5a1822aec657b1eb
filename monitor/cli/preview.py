"""What `load --preview` and `source learn` show of a file before anything is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.cli.common import say, table

if TYPE_CHECKING:
    from monitor.intake.recognised import Recognised
    from monitor.intake.report import FileReport
    from monitor.intake.seen import CodeSeen

_CODES_SHOWN = 60
_UNITS_SHOWN = 4
_REASONS_SHOWN = 20
_ALL_ROWS = "every row, as stated above the header"


def say_recognised(report: FileReport) -> None:
    """Each table of a file with its columns, and the codes in it."""
    for recognised in report.tables:
        _say_table(recognised)
    if report.seen:
        say()
        _say_codes(report.seen)
    say()


def say_reasons(report: FileReport) -> None:
    """Why rows would be held, the most frequent first."""
    if report.reasons:
        rows = list(report.reasons.items())
        table(
            ("rows", "would be held, because"),
            [(count, reason) for reason, count in rows[:_REASONS_SHOWN]],
        )
        if len(rows) > _REASONS_SHOWN:
            say(f"  and {len(rows) - _REASONS_SHOWN} more reasons")


def _say_table(found: Recognised) -> None:
    where = f'sheet "{found.sheet}"' if found.sheet else f"separated by {found.delimiter}"
    say(f"Read as {found.encoding}, {where}, header in line {found.header_line}, {found.form}.")
    facts = [
        ("dates", found.dates.replace("_", " ") or "as they say themselves", found.dates_why),
        ("decimals", found.decimal or "no mark seen", found.decimal_why),
    ]
    for name, what, why in facts:
        say(f"  {name:<9} {what}{f' ({why})' if why else ''}")
    for note in found.notes()[1:]:
        if not note.startswith("columns not used") and note not in (
            found.dates_why,
            found.decimal_why,
        ):
            say(f"  {note}")
    say()
    rows = [(column.title, column.ours or "not used", column.unit) for column in found.columns]
    rows += [("", name, _ALL_ROWS) for name in found.stated]
    table(("their column", "is", "unit"), rows)


def _say_codes(seen: Sequence[CodeSeen]) -> None:
    rows = [
        (
            it.code or "(empty)",
            _meaning(it),
            it.rows,
            ", ".join(unit or "(none)" for unit, _ in it.units.most_common(_UNITS_SHOWN)),
            _remark(it),
        )
        for it in seen[:_CODES_SHOWN]
    ]
    table(("their code or name", "is", "rows", "units", ""), rows)
    if len(seen) > _CODES_SHOWN:
        say(f"  and {len(seen) - _CODES_SHOWN} more")


def _meaning(seen: CodeSeen) -> str:
    if seen.analyte:
        return seen.analyte
    return "ignored" if seen.ignored else "unknown"


def _remark(seen: CodeSeen) -> str:
    if seen.nearest.startswith("did you mean"):
        return seen.nearest
    held = sum(seen.reasons.values())
    if not held or not seen.analyte:
        return ""
    return f"{held} held: {', '.join(seen.reasons)}"
