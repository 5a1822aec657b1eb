"""An alert by its fields: for programs that read messages instead of people, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from monitor.delivery.view import AlertView


def fields_of(view: AlertView, privacy: str) -> dict[str, Any]:
    """What a mail says of an alert, as a document: its sentences in the reader's language, its days
    and instants as programs read them too; name and birth date at full privacy only."""
    person: dict[str, str] = {"mrn": view.person.mrn}
    if privacy == "full":
        person |= {"name": view.person.name, "born": view.person.born}
    return {
        "id": view.id,
        "patient": person,
        "drug": view.drug,
        "clinic": view.clinic,
        "kind": view.kind,
        "urgency": view.urgency,
        "what": view.what,
        "reason": view.reason,
        "summary": view.summary,
        "value": view.value,
        "unit": view.unit,
        "collected": view.collected,
        "collected_at": view.collected_at.isoformat() if view.collected_at else None,
        "limit": view.limit_text,
        "action": view.action,
        "say": [*view.say, *view.cautions],
        "state": view.state,
        "standing": view.standing,
        "panels": [
            {
                "title": panel.title,
                "due_on": panel.due_on.isoformat() if panel.due_on else None,
                "due": panel.due,
                "late": panel.late,
            }
            for panel in view.panels
        ],
        "link": view.link,
    }


def bare_fields(alert_id: int, urgency: str) -> dict[str, Any]:
    """An alert that could not be laid out: a program that goes through the alerts of a message
    meets it all the same."""
    return {"id": alert_id, "urgency": urgency}


_COLUMNS = (
    "alert", "urgency", "mrn", "drug", "clinic", "asks_for", "about", "action", "standing",
)  # fmt: skip


def whole_list(views: Sequence[AlertView]) -> str:
    """Every alert of a message as CSV, a line each, worst first, those closed since last."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(_COLUMNS)
    for view in views:
        cells = (
            view.id,
            view.urgency,
            view.person.mrn,
            view.drug,
            view.clinic,
            view.headline,
            view.summary,
            view.action,
            view.standing,
        )
        lines.writerow(map(cell, cells))
    return text.getvalue()


def cell(value: Any) -> Any:
    """A value as CSV holds it: a text that a spreadsheet would take for a formula is quoted."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
