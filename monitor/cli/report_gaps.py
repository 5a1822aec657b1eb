"""`monitor report gaps --check`: whether a report that was kept still holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from monitor.cli.common import Exit, Work, say
from monitor.cli.json_answers import print_json

if TYPE_CHECKING:
    from monitor.operations.report_gaps_check import Checked, Kept


def check(path: Path, work: Work, *, as_json: bool) -> None:
    """Say whether a kept report holds, and what differs; ends with 3 where it does not."""
    from monitor.operations import report_gaps_check

    kept = report_gaps_check.Kept.read(path)
    found = report_gaps_check.check(work.store, work.settings, kept, work.now)
    if as_json:
        print_json(found.document())
    else:
        _say(kept, found, path)
    if not found.is_well:
        raise typer.Exit(Exit.NOT_ALL)


def _say(kept: Kept, found: Checked, path: Path) -> None:
    if found.is_the_same:
        say(f"The same: {path.name} is what is stored now, SHA-256 {found.kept}.")
    elif not found.is_whole:
        say(
            f"Not the same: {path.name} was changed since it was made. It holds something else than"
        )
        say(f"  its digest says, SHA-256 {found.kept}.")
    if found.kept != found.now:
        say(f"Not the same: {path.name} of {kept.made_at} has SHA-256 {found.kept};")
        say(f"  the same report made now has {found.now}.")
    if found.differences:
        say("What differs:")
    for difference in found.differences:
        say(f"  {difference}")
    if found.more:
        say(f"  and {found.more} more")
    if not found.is_the_same and not found.program_is_the_same:
        say("  Another program made it, which may have counted otherwise.")
    seal = kept.audit_seal
    if found.audit_holds:
        say("The audit trail up to then was not changed.")
    else:
        say(f"The audit trail up to then was changed: its seal {seal} does not hold.")
