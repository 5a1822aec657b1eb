"""Whatever an edit changes of alerts and due days was in its preview, and nothing else was."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.core.examples import load_protocol
from monitor.core.faults import Faults
from monitor.core.vocabulary import AlertState
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import Edit, Preview
from monitor.operations.status import status_rows
from monitor.operations.verify import verify
from tests.clinic import CBC, LFT, Clinic, at
from tests.protocol_texts import FILE, bare, catalogue

_LIMIT = re.compile(r"(?<=below = |above = )[\d.]+(?=, (?:action|rise))")
_URGENCY = re.compile(r'(?<=w", urgency = "|d", urgency = ")(?:routine|urgent|critical)(?=")')
_EVERY = re.compile(r'(?<=\nevery = ")[^"]+')
_FACTORS = [Decimal(it) for it in ("0.8", "0.95", "1.05", "1.2", "1.5")]


def _edited(luck: random.Random, text: str) -> str:
    """A sound text with up to five numbers or words of it changed."""
    while True:
        changed = text
        for _ in range(luck.randint(1, 5)):
            pattern = luck.choice([_LIMIT, _LIMIT, _URGENCY, _URGENCY, _EVERY])
            place = luck.choice(list(pattern.finditer(changed)))
            word = luck.choice(["routine", "urgent", "critical"])
            if pattern is _LIMIT:
                word = f"{(Decimal(place[0]) * luck.choice(_FACTORS)).normalize():f}"
            if pattern is _EVERY:
                word = luck.choice(["1 week", "10 days", "2 months", "3 months", "4 months"])
            changed = changed[: place.start()] + word + changed[place.end() :]
        try:
            load_protocol(changed, FILE, catalogue())
        except Faults:
            continue
        if changed != text:
            return changed


def _fill(luck: random.Random, ward: Clinic) -> dict[int, str]:
    known = {}
    for number in range(4):
        known[ward.enrol(f"A{number}")] = f"A{number}"
        day, level = date(2026, 1, 5), 1.0
        while day < date(2026, 3, 5):
            day += timedelta(days=luck.choice([7, 7, 14, 21]))
            level = min(1.3, max(0.35, level * luck.uniform(0.75, 1.25)))
            values = {name: f"{float(text) * level:.2f}" for name, text in CBC.items()}
            liver = {name: f"{float(text) / level**3:.2f}" for name, text in LFT.items()}
            ward.results(f"A{number}", day.isoformat(), values | liver)
    return known


def _live(ward: Clinic, enrolments: dict[int, str]) -> dict[tuple[str, int], tuple[Any, ...]]:
    return {
        (mrn, alert.id): (alert.cause, alert.kind, alert.urgency, alert.recovered)
        for enrolment, mrn in enrolments.items()
        for alert in ward.alerts(enrolment)
        if alert.state is not AlertState.CLOSED
    }


@pytest.mark.parametrize("seed", [0, 1, 2, 14, 15, 38])
def test_what_an_edit_changes_was_said_before(ward: Clinic, seed: int) -> None:
    luck = random.Random(seed)
    enrolments, text = _fill(luck, ward), bare()
    for day in ("2026-04-01", "2026-04-20", "2026-05-20"):
        now, shown = at(day), list[Preview]()
        ward.review(now)
        text = _edited(luck, text)
        before, due = _live(ward, enrolments), _due(ward, now)
        edit = Edit(FILE, text)
        apply(ward.store, ward.settings, edit, now, by="Dr A", reason="x", show=shown.append)
        assert verify(ward.store, ward.settings, now) == []
        after, due_now = _live(ward, enrolments), _due(ward, now)
        changed = {it for it in {*before, *after} if before.get(it) != after.get(it)}
        causes = {(mrn, (after.get(it) or before[it])[0]) for it in changed for mrn in [it[0]]}
        patients = shown[0].patients
        said = {
            (it.mrn, about.cause)
            for it in patients
            for change in it.alerts
            if (about := change.alert or change.finding)
        }
        assert causes <= said, (day, causes - said)
        assert {(it.mrn, panel) for it in patients for panel, _, _ in it.panels} == {
            it for it in due if due[it] != due_now[it]
        }
        left = enrolments.keys() - {key for key, mrn in enrolments.items() if mrn in _of(patients)}
        assert shown[0].counts["unchanged"] == len(left)


def _due(ward: Clinic, now: Any) -> dict[tuple[str, str], tuple[Any, Any]]:
    rows = status_rows(ward.store, ward.settings, now)
    return {(it["mrn"], it["panel"]): (it["due_on"], it["state"]) for it in rows}


def _of(patients: Any) -> set[str]:
    return {it.mrn for it in patients}
