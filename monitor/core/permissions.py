"""Who may do what on the pages: the one table of it, from which pages, API and docs are made."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the monitor. Each person has one."""

    VIEWER = "viewer"
    NURSE = "nurse"
    CLINICIAN = "clinician"
    ADMIN = "admin"


class May(StrEnum):
    """Something that a page lets people do; the value says it to them."""

    SEE_PATIENTS = "see patients, their results and alerts"
    SEE_REPORTS = "see reports"
    WORK_ALERTS = "acknowledge, assign, comment, snooze, record a contact"
    CLOSE_RECOVERED = "close an alert that has recovered"
    CLOSE_ALERTS = "close any alert, with its outcome"
    RECORD_EVENTS = "record events: dose, hold, symptom, co-medication, stop"
    LOAD_FILES = "load files, and take them back"
    MEND_ROWS = "mend or discard rows in quarantine"
    SEE_SCHEDULES = "see schedules"
    EDIT_SCHEDULES = "propose a change of a schedule"
    APPROVE_SCHEDULES = "approve a change that somebody else proposed"
    SEE_OPERATIONS = "see feeds, mail, jobs and health"
    SEE_AUDIT = "see the audit trail"
    MANAGE_PEOPLE = "add, change and disable people, reset sign-ins"


_VIEWER = frozenset({May.SEE_PATIENTS, May.SEE_REPORTS, May.SEE_SCHEDULES})
_NURSE = _VIEWER | {
    May.WORK_ALERTS,
    May.CLOSE_RECOVERED,
    May.RECORD_EVENTS,
    May.LOAD_FILES,
    May.MEND_ROWS,
    May.SEE_OPERATIONS,
}
_CLINICIAN = _NURSE | {
    May.CLOSE_ALERTS,
    May.EDIT_SCHEDULES,
    May.APPROVE_SCHEDULES,
}
_ADMIN = _VIEWER | {
    May.LOAD_FILES,
    May.MEND_ROWS,
    May.EDIT_SCHEDULES,
    May.SEE_OPERATIONS,
    May.SEE_AUDIT,
    May.MANAGE_PEOPLE,
}
PERMISSIONS: dict[Role, frozenset[May]] = {
    Role.VIEWER: _VIEWER,
    Role.NURSE: _NURSE,
    Role.CLINICIAN: _CLINICIAN,
    Role.ADMIN: _ADMIN,
}
"""An admin looks after the monitor and decides nothing about a patient; approving what a
schedule says of medicine is a clinician's."""


def allows(role: Role, what: May) -> bool:
    """Whether a role may do this."""
    return what in PERMISSIONS[role]


class Scope(StrEnum):
    """What a token of another program is for. It may have several."""

    READ = "read"
    ALERTS = "alerts"
    EVENTS = "events"
    LOAD = "load"
    OPERATIONS = "operations"


SCOPES: dict[Scope, frozenset[May]] = {
    Scope.READ: frozenset({May.SEE_PATIENTS, May.SEE_REPORTS, May.SEE_SCHEDULES}),
    Scope.ALERTS: frozenset({May.WORK_ALERTS, May.CLOSE_RECOVERED, May.CLOSE_ALERTS}),
    Scope.EVENTS: frozenset({May.RECORD_EVENTS}),
    Scope.LOAD: frozenset({May.LOAD_FILES, May.MEND_ROWS}),
    Scope.OPERATIONS: frozenset({May.SEE_OPERATIONS}),
}
"""No token edits a schedule, sees the audit trail or manages people: those take a person."""


def in_scope(scopes: Iterable[Scope], what: May) -> bool:
    """Whether a token of these scopes may do this."""
    return any(what in SCOPES[scope] for scope in scopes)
