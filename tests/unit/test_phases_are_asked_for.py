"""After an edit of the schedule only due days and missed tests are reckoned anew. So a judge asks
the view for the phases, which notes it, and nothing is kept of such an answer (docs/adr/0054)."""

from __future__ import annotations

import ast
from pathlib import Path

CORE = Path(__file__).parents[2] / "monitor" / "core"
COUNT_FROM_THE_BASIS = {"due.py", "missed.py", "by_schedule.py", "basis.py"}
"""Asked again after an edit."""
ALONE_ARE_KEPT = {"personal.py", "personal_checks.py", "shared.py"}
"""Of patients with personal intervals or several drugs nothing is kept."""
SAID_ANEW = {"comparing.py", "reasons.py", "adherence.py", "examples.py"}
"""Explanations, comparisons and reports, of which nothing is kept."""
THE_LATE_ALERT = {"review.py", "findings.py", "evidence.py"}
"""Of whom an alert of a late panel tells, by_schedule compares the panel by both texts."""
ASKED = {"phases", "missed", "scheduled", "schedule", "lateness", "asked_with", "panels"}
OF = {"protocol", "view"}
HARMLESS = ("view.phases", "protocol.panels")
"""What notes that it was asked for, and which panels there are."""
SAID_BESIDE = {"absences.py: view.panels"}
"""For `explain` alone."""


def test_the_schedule_of_a_protocol_is_asked_through_the_view() -> None:
    allowed = COUNT_FROM_THE_BASIS | ALONE_ARE_KEPT | SAID_ANEW | THE_LATE_ALERT
    found = {
        f"{path.name}: {ast.unparse(node)}"
        for path in sorted(CORE.glob("*.py"))
        if path.name not in allowed and not path.name.startswith(("protocol", "kept", "judges"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ASKED and _of(node.value) in OF
    }
    assert {it for it in found if not it.endswith(HARMLESS)} == SAID_BESIDE


def _of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
