"""What an edit of a protocol would change for those enrolled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from monitor.config import Settings, route_book
from monitor.core.answer import PanelStatus
from monitor.core.calendar import clinic_day
from monitor.core.changes import Change, ChangeWhat
from monitor.core.protocol_file import digest_of
from monitor.core.routing import ENDINGS
from monitor.core.toml_text import decode
from monitor.core.vocabulary import Kind, PanelState, Urgency
from monitor.operations.schedule_drugs import refuse_given_up
from monitor.operations.schedule_force import Force, Proposal, in_force, propose_text, read_bytes
from monitor.operations.schedule_limits import refuse_misplaced
from monitor.review import BATCH, decided, judge_batch
from monitor.review.screen import Foreseen, foreseen
from monitor.store import claims, tables
from monitor.store.database import Store
from monitor.store.facts import is_past
from monitor.store.frames import chunks
from monitor.store.heard import load_heard
from monitor.store.rulebook import NoRuleBook, RuleBook
from monitor.store.tables import table_of

_ENROLMENTS = table_of(tables.EnrolmentRow)
_LATER = {
    PanelState.DUE: "due",
    PanelState.OVERDUE: "overdue",
    PanelState.SERIOUSLY_OVERDUE: "seriously_overdue",
}
_SHOWN_ALTHOUGH_NOT_TOLD = ENDINGS | {
    ChangeWhat.OPENED, ChangeWhat.RECOVERED, ChangeWhat.RELAPSED,
}  # fmt: skip
_COUNTED_AS = {
    **dict.fromkeys((*ENDINGS, ChangeWhat.RECOVERED), "quiet"),
    ChangeWhat.UPDATED: "changed",
}


@dataclass(frozen=True, slots=True)
class PatientChange:
    """What an edit changes for one enrolment."""

    mrn: str
    drug: str
    panels: tuple[tuple[str, PanelStatus | None, PanelStatus | None], ...]
    """(panel, before, after); None where the protocol has no such panel."""
    alerts: tuple[Change, ...]

    def counted_as(self) -> set[str]:
        """due, overdue, seriously_overdue, alerted, changed (an alert that asks for something
        else), quiet, or moved (a due day alone)."""
        words = {
            _LATER[after.state]
            for _, before, after in self.panels
            if after is not None
            and after.state in _LATER
            and (before is None or before.state is not after.state)
        }
        words |= {_COUNTED_AS.get(it.what, "alerted") for it in self.alerts}
        return words or {"moved"}

    def document(self) -> dict[str, Any]:
        """As `monitor schedule preview --json` prints it."""
        return {
            "mrn": self.mrn,
            "drug": self.drug,
            "panels": [
                {
                    "panel": panel,
                    "before": _panel_document(before),
                    "after": _panel_document(after),
                }
                for panel, before, after in self.panels
            ],
            "alerts": [_alert_document(change) for change in self.alerts],
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edit would change, by patient; those it leaves alone are only counted."""

    file: str
    id: str
    title: str
    before: str | None
    """Version and digest in force; None for a first text."""
    after: str
    enrolled: int
    concerned: int
    """With the other enrolments of the same patients."""
    already_in_force: bool
    patients: tuple[PatientChange, ...]
    failed: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many enrolments become due, overdue ..., are alerted or quiet; one can be in
        several."""
        found = Counter(word for patient in self.patients for word in patient.counted_as())
        words = ("due", "overdue", "seriously_overdue", "alerted", "changed", "quiet", "moved")
        counts = {word: found[word] for word in words}
        return counts | {"unchanged": self.concerned - len(self.patients) - self.failed}

    def document(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "id": self.id,
            "title": self.title,
            "before": self.before,
            "after": self.after,
            "already_in_force": self.already_in_force,
            "enrolled": self.enrolled,
            "counts": self.counts,
            "not_judged": self.failed,
            "patients": [patient.document() for patient in self.patients],
        }


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that is to be put in force; `file` is how its faults name it."""

    file: str
    text: str


def edit_of(path: Path) -> Edit:
    """The edit that a file is. Raises Faults where it cannot be read."""
    return Edit(path.name, decode(read_bytes(path), path.name))


def preview(store: Store, settings: Settings, edit: Edit, now: datetime) -> Preview:
    """What an edit would change for those enrolled. Raises Faults where it is not sound."""
    with store.read() as connection:
        force = in_force_now(connection)
        proposal = propose_text(edit.text, edit.file, force)
        return previewed(connection, settings, force, proposal, now)


def in_force_now(connection: Connection) -> Force:
    """What is in force. Raises NoRuleBook where nothing is."""
    force = in_force(connection)
    if force.catalogue is None:
        raise NoRuleBook("nothing is in force yet: `monitor init` begins with the schedules folder")
    return force


def previewed(
    connection: Connection, settings: Settings, force: Force, proposal: Proposal, now: datetime
) -> Preview:
    """What a sound proposal would change for those enrolled."""
    same = force.has(proposal.id, proposal.text)
    today = clinic_day(now, settings.clinic.zone)
    refuse_given_up(connection, force, proposal, today)
    refuse_misplaced(connection, force, proposal, today)
    query = select(_ENROLMENTS.c.id).where(_ENROLMENTS.c.stands).order_by(_ENROLMENTS.c.id)
    if not proposal.is_catalogue:
        query = query.where(claims.concerned_by(proposal.id))
    ids = list(connection.scalars(query))
    patients: list[PatientChange] = []
    failed = 0
    if not same and proposal.id in force.texts:
        assert force.catalogue is not None
        old = RuleBook(force.catalogue, force.protocols)
        new = RuleBook(proposal.catalogue, proposal.protocols)
        zone = settings.clinic.zone
        concerned: list[int] = []
        for piece in chunks(ids):
            known = foreseen(connection, piece, (old, new), now, zone)
            patients += _moved_alone(connection, known)
            concerned += [enrolment for enrolment in piece if enrolment not in known]
        for piece in chunks(concerned, BATCH):
            changed, lost = _changes(connection, settings, piece, old, new, now)
            patients += changed
            failed += lost
    return Preview(
        file=proposal.file,
        id=proposal.id,
        title=proposal.title,
        before=_version(force, proposal.id),
        after=_named(proposal.version, proposal.digest),
        enrolled=force.enrolled_on(proposal.id),
        concerned=len(ids),
        already_in_force=same,
        patients=tuple(sorted(patients, key=lambda it: it.mrn)),
        failed=failed,
    )


def _version(force: Force, protocol_id: str) -> str | None:
    text = force.texts.get(protocol_id)
    if text is None:
        return None
    protocol = force.protocols.get(protocol_id)
    return _named(protocol.version if protocol else "", digest_of(text.text))


def _named(version: str, digest: str) -> str:
    return f"{version} ({digest[:12]})" if version else digest[:12]


def _changes(
    connection: Connection,
    settings: Settings,
    ids: Sequence[int],
    old: RuleBook,
    new: RuleBook,
    now: datetime,
) -> tuple[list[PatientChange], int]:
    zone, book = settings.clinic.zone, route_book(settings)
    alerts = load_heard(connection, ids)
    recalling = not is_past(connection, now)
    known, judged = (
        judge_batch(connection, ids, book, now, zone, recalling=recalling, until=now)
        for book in (old, new)
    )
    before = {it.case.enrolment.id: it for it in known.reviews}
    found = []
    for after in judged.reviews:
        enrolment = after.case.enrolment
        earlier = before.get(enrolment.id)
        if earlier is None:
            continue
        panels = tuple(_moved(earlier.panels, after.panels))
        told = alerts[enrolment.id]
        was, will_be = (
            decided(it, told, rules, book, now, zone).changes
            for it, rules in ((earlier, old), (after, new))
        )
        steps = _steps(was, will_be)
        if panels or steps:
            found.append(PatientChange(enrolment.mrn, enrolment.drug, panels, steps))
    return found, len(judged.failures)


def _moved_alone(connection: Connection, known: Mapping[int, Foreseen]) -> Iterator[PatientChange]:
    """Those of whom an edit moves due days and nothing else."""
    moved = {it: tuple(_moved(*panels)) for it, panels in known.items() if panels.after}
    for it in claims.named(connection, sorted(moved)):
        yield PatientChange(it.mrn, it.drug, moved[it.id], ())


def _moved(
    before: Sequence[PanelStatus], after: Sequence[PanelStatus]
) -> Iterator[tuple[str, PanelStatus | None, PanelStatus | None]]:
    old, new = ({status.panel: status for status in panels} for panels in (before, after))
    for panel in dict.fromkeys([*old, *new]):
        was, is_now = old.get(panel), new.get(panel)
        if (
            was is None
            or is_now is None
            or (was.due_on, was.state) != (is_now.due_on, is_now.state)
        ):
            yield panel, was, is_now


def _steps(owed: Sequence[Change], changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes of alerts that the edit makes; not those that are owed anyway."""
    known = {_what(it) for it in owed}
    return tuple(change for change in changes if _is_shown(change) and _what(change) not in known)


def _is_shown(change: Change) -> bool:
    """Nobody is told that an alert asks for less by another text: whoever puts it in force sees
    it before."""
    if change.tell or change.what in _SHOWN_ALTHOUGH_NOT_TOLD:
        return True
    was, is_now = change.alert, change.finding
    if was is None or is_now is None:
        return False
    return (was.kind, was.urgency) != (is_now.kind, change.urgency)


def _what(change: Change) -> tuple[object, ...]:
    about = change.finding or change.alert
    assert about is not None
    return change.what, about.cause, about.kind, change.urgency, about.breaches


def _panel_document(status: PanelStatus | None) -> dict[str, Any] | None:
    if status is None:
        return None
    return {
        "state": status.state.value,
        "due_on": None if status.due_on is None else status.due_on.isoformat(),
        "phase": status.phase,
    }


def _alert_document(change: Change) -> dict[str, Any]:
    was, is_now = change.alert, change.finding
    about = is_now or was
    assert about is not None
    return {
        "what": change.what.value,
        "cause": about.cause,
        "summary": about.summary,
        "before": None if was is None else _asks(was.kind, was.urgency),
        "after": None if is_now is None else _asks(is_now.kind, change.urgency),
    }


def _asks(kind: Kind, urgency: Urgency) -> Mapping[str, str]:
    return {"kind": kind.value, "urgency": urgency.value}
