"""What each scope opens: every route of the API with each scope, with none, and without a token.

A route without a line in the table fails, and so does a line without a route.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from monitor.core.permissions import SCOPES, May, Role, Scope
from monitor.web.api.application import TOPICS
from monitor.web.api.callers import Asks
from tests.web.test_api import caller, is_problem
from tests.web_clinic import WebClinic

TABLE: dict[tuple[str, str], Scope] = {
    ("GET", "/status"): Scope.READ,
    ("GET", "/ledger"): Scope.READ,
    ("POST", "/patients/search"): Scope.READ,
    ("GET", "/patients/{patient_id}"): Scope.READ,
    ("GET", "/patients/{patient_id}/results"): Scope.READ,
    ("GET", "/patients/{patient_id}/explanation"): Scope.READ,
    ("GET", "/patients/{patient_id}/tests.ics"): Scope.READ,
    ("POST", "/patients/{patient_id}/events/preview"): Scope.EVENTS,
    ("POST", "/patients/{patient_id}/events"): Scope.EVENTS,
    ("GET", "/alerts"): Scope.READ,
    ("GET", "/alerts/{alert_id}"): Scope.READ,
    ("GET", "/alerts/{alert_id}/explanation"): Scope.READ,
    ("POST", "/alerts/{alert_id}/acknowledge"): Scope.ALERTS,
    ("POST", "/alerts/{alert_id}/snooze"): Scope.ALERTS,
    ("POST", "/alerts/{alert_id}/close"): Scope.ALERTS,
    ("POST", "/alerts/{alert_id}/assign"): Scope.ALERTS,
    ("POST", "/alerts/{alert_id}/comment"): Scope.ALERTS,
    ("POST", "/alerts/{alert_id}/contact"): Scope.ALERTS,
    ("POST", "/files"): Scope.LOAD,
    ("GET", "/batches"): Scope.LOAD,
    ("GET", "/batches/{batch_id}"): Scope.LOAD,
    ("POST", "/batches/{batch_id}/revert"): Scope.LOAD,
    ("GET", "/quarantine"): Scope.LOAD,
    ("GET", "/quarantine/{row_id}"): Scope.LOAD,
    ("POST", "/quarantine/{row_id}/mend"): Scope.LOAD,
    ("POST", "/quarantine/{row_id}/retry"): Scope.LOAD,
    ("POST", "/quarantine/{row_id}/discard"): Scope.LOAD,
    ("GET", "/fixes"): Scope.LOAD,
    ("DELETE", "/fixes/{fix_id}"): Scope.LOAD,
    ("GET", "/schedules"): Scope.READ,
    ("GET", "/schedules/compare"): Scope.READ,
    ("GET", "/schedules/{protocol_id}"): Scope.READ,
    ("GET", "/reports/{name}"): Scope.READ,
    ("GET", "/health"): Scope.OPERATIONS,
}
SAMPLES = {"{protocol_id}": "azathioprine", "{name}": "overdue"}
NUMBERS = ("{patient_id}", "{alert_id}", "{batch_id}", "{row_id}", "{fix_id}")
FOR_PEOPLE = {
    May.EDIT_SCHEDULES,
    May.APPROVE_SCHEDULES,
    May.SEE_AUDIT,
    May.MANAGE_PEOPLE,
}


def routes() -> list[APIRoute]:
    return [it for topic in TOPICS for it in topic.routes.routes if isinstance(it, APIRoute)]


def served() -> set[tuple[str, str]]:
    return {(method, route.path) for route in routes() for method in route.methods or ()}


def address(path: str) -> str:
    for name, sample in SAMPLES.items():
        path = path.replace(name, sample)
    for name in NUMBERS:
        path = path.replace(name, "99999")
    return path


def body(method: str, path: str) -> dict[str, Any]:
    if method != "POST":
        return {}
    return {"files": {"file": ("a.csv", "x")}} if path == "/files" else {"json": {}}


def test_every_route_has_a_line_and_every_line_a_route(web: WebClinic) -> None:
    assert served() == set(TABLE)
    document = web.client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert described == set(TABLE)


def test_each_route_asks_for_what_its_scope_is_for() -> None:
    """What a route asks for is read off the route itself, and one scope alone gives it."""
    for route in routes():
        (gate,) = [it.call for it in route.dependant.dependencies if isinstance(it.call, Asks)]
        for method in route.methods or ():
            opened_by = {scope for scope in Scope if gate.what in SCOPES[scope]}
            assert opened_by == {TABLE[method, route.path]}, route.path


def test_what_takes_a_person_is_in_no_scope() -> None:
    given = frozenset().union(*SCOPES.values())
    assert set(May) - given == FOR_PEOPLE


@pytest.mark.parametrize("scope", list(Scope))
def test_the_table_holds(web: WebClinic, scope: Scope) -> None:
    client = caller(web, scope)
    for (method, path), needed in TABLE.items():
        answer = client.request(method, address(path), **body(method, path))
        if needed is scope:
            assert answer.status_code in {200, 404, 422}, (path, answer.status_code)
        else:
            assert is_problem(answer, 403), (path, answer.status_code)


@pytest.mark.parametrize("role", [None, *Role])
def test_a_person_who_is_signed_in_is_no_token(web: WebClinic, role: Role | None) -> None:
    client = web.client(role)
    for method, path in TABLE:
        given: httpx.Response = client.request(
            method, f"/api/v1{address(path)}", **body(method, path)
        )
        assert is_problem(given, 401), path
        assert given.headers["www-authenticate"].startswith("Bearer")


def test_who_may_work_on_alerts_and_not_read_them_is_told_nothing_of_a_patient(
    web: WebClinic,
) -> None:
    """A comment was answered with the alert, its value and its history."""
    blind, both = caller(web, Scope.ALERTS), caller(web, Scope.ALERTS, Scope.READ)
    path = f"/alerts/{web.alert_id(urgency='critical')}"
    assert is_problem(blind.get(path), 403)
    done = blind.post(f"{path}/comment", json={"text": "paged"})
    assert (done.status_code, done.content) == (204, b"")
    seen = both.get(path)
    assert seen.headers["etag"] == done.headers["etag"]
    assert "paged" in [it["text"] for it in seen.json()["history"]]
    taken = blind.post(f"{path}/acknowledge", json={}, headers={"If-Match": done.headers["etag"]})
    assert taken.status_code == 204
    assert both.post(f"{path}/comment", json={"text": "read"}).json()["alert"]["id"]
