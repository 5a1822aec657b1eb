"""Who may open or send what: every route of the application with each role, and with none.

A route without a line in the table fails, and so does a line without a route.
"""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi.routing import APIRoute

from monitor.core.permissions import May, Role, allows
from monitor.web.app import create_app, page_routes
from monitor.web.visit import Gate
from monitor.web.worklist import AT_ONCE
from tests.web_clinic import PASSWORD, WebClinic, post, token_of

ANYBODY, SIGNED_IN = "anybody", "signed in"
TABLE: dict[tuple[str, str], May | str] = {
    ("GET", "/sign-in"): ANYBODY,
    ("POST", "/sign-in"): ANYBODY,
    ("GET", "/sign-in/code"): ANYBODY,
    ("POST", "/sign-in/code"): ANYBODY,
    ("POST", "/sign-out"): SIGNED_IN,
    ("GET", "/account"): SIGNED_IN,
    ("GET", "/account/here"): SIGNED_IN,
    ("GET", "/account/password"): SIGNED_IN,
    ("POST", "/account/password"): SIGNED_IN,
    ("GET", "/account/second-factor"): SIGNED_IN,
    ("POST", "/account/second-factor"): SIGNED_IN,
    ("GET", "/people"): May.MANAGE_PEOPLE,
    ("POST", "/people"): May.MANAGE_PEOPLE,
    ("POST", "/people/{name}/password"): May.MANAGE_PEOPLE,
    ("POST", "/people/{name}/role"): May.MANAGE_PEOPLE,
    ("POST", "/people/{name}/second-factor"): May.MANAGE_PEOPLE,
    ("POST", "/people/{name}/disable"): May.MANAGE_PEOPLE,
    ("POST", "/people/{name}/enable"): May.MANAGE_PEOPLE,
    ("GET", "/"): May.SEE_PATIENTS,
    ("GET", "/worklist/part"): May.SEE_PATIENTS,
    ("GET", "/worklist/seen"): May.SEE_PATIENTS,
    ("POST", "/worklist/search"): May.SEE_PATIENTS,
    ("POST", "/worklist/together"): May.WORK_ALERTS,
    ("GET", "/alerts/{alert_id}"): May.SEE_PATIENTS,
    ("GET", "/alerts/{alert_id}/forms"): May.SEE_PATIENTS,
    ("GET", "/alerts/{alert_id}/why"): May.SEE_PATIENTS,
    ("GET", "/patients"): May.SEE_PATIENTS,
    ("POST", "/patients"): May.SEE_PATIENTS,
    ("GET", "/patients/{patient_id}"): May.SEE_PATIENTS,
    ("GET", "/patients/{patient_id}/why"): May.SEE_PATIENTS,
    ("GET", "/patients/{patient_id}/tests.ics"): May.SEE_PATIENTS,
    ("GET", "/patients/{patient_id}/events"): May.RECORD_EVENTS,
    ("POST", "/patients/{patient_id}/events"): May.RECORD_EVENTS,
    ("GET", "/schedules"): May.SEE_SCHEDULES,
    ("GET", "/schedules/compare"): May.SEE_SCHEDULES,
    ("GET", "/schedules/proposals/{proposal_id}"): May.SEE_SCHEDULES,
    ("POST", "/schedules/proposals/{proposal_id}"): May.EDIT_SCHEDULES,
    ("GET", "/schedules/{protocol_id}"): May.SEE_SCHEDULES,
    ("GET", "/schedules/{protocol_id}/edit"): May.EDIT_SCHEDULES,
    ("POST", "/schedules/{protocol_id}/edit"): May.EDIT_SCHEDULES,
    ("GET", "/operations"): May.SEE_OPERATIONS,
    ("GET", "/audit"): May.SEE_AUDIT,
    ("GET", "/reports"): May.SEE_REPORTS,
    ("GET", "/reports/{name}"): May.SEE_REPORTS,
    ("GET", "/load"): May.LOAD_FILES,
    ("POST", "/load"): May.LOAD_FILES,
    ("POST", "/load/again"): May.LOAD_FILES,
    ("POST", "/load/take"): May.LOAD_FILES,
    ("POST", "/load/leave"): May.LOAD_FILES,
    ("POST", "/load/learn"): May.LOAD_FILES,
    ("GET", "/load/{batch_id}"): May.LOAD_FILES,
    ("POST", "/load/{batch_id}"): May.LOAD_FILES,
    ("GET", "/quarantine"): May.MEND_ROWS,
    ("POST", "/quarantine/retry"): May.MEND_ROWS,
    ("POST", "/quarantine/fixes/{fix_id}"): May.MEND_ROWS,
    ("GET", "/quarantine/{row_id}"): May.MEND_ROWS,
    ("POST", "/quarantine/{row_id}/mend"): May.MEND_ROWS,
    ("POST", "/quarantine/{row_id}/retry"): May.MEND_ROWS,
    ("POST", "/quarantine/{row_id}/discard"): May.MEND_ROWS,
    ("POST", "/quarantine/{row_id}/hold"): May.MEND_ROWS,
    ("POST", "/alerts/{alert_id}/acknowledge"): May.WORK_ALERTS,
    ("POST", "/alerts/{alert_id}/assign"): May.WORK_ALERTS,
    ("POST", "/alerts/{alert_id}/contact"): May.WORK_ALERTS,
    ("POST", "/alerts/{alert_id}/snooze"): May.WORK_ALERTS,
    ("POST", "/alerts/{alert_id}/comment"): May.WORK_ALERTS,
    ("POST", "/alerts/{alert_id}/close"): May.CLOSE_RECOVERED,
}
ELSEWHERE = {"", "/{kind}", "/metadata", "/metrics", "/static", "/api/v1"}
"""What is no page and has tests of its own: the FHIR intake, metrics, the API, style and script."""
SAMPLES = {
    "{name}": "nobody",
    "{alert_id}": "99999",
    "{patient_id}": "99999",
    "{proposal_id}": "99999",
    "{protocol_id}": "azathioprine",
}


def methods_of(route: APIRoute) -> set[str]:
    return set(route.methods or ()) - {"HEAD"}


def served() -> set[tuple[str, str]]:
    return {(method, route.path) for route in page_routes() for method in methods_of(route)}


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    assert served() == set(TABLE)


def test_nothing_is_served_beside_the_pages(web: WebClinic) -> None:
    """Whatever the application answers is a page, or named here."""
    app, pages = create_app(web.store, web.settings), page_routes()
    others = set()
    for top in app.routes:
        inner = getattr(getattr(top, "original_router", None), "routes", [top])
        others |= {str(getattr(it, "path", it)) for it in inner if it not in pages}
    assert others == ELSEWHERE
    assert web.client().get("/openapi.json").status_code == 404
    assert web.client().get("/docs").status_code == 404


def test_each_route_asks_for_what_the_table_says() -> None:
    """What a route asks for is read off the route itself."""
    for route in page_routes():
        gates = [it.call for it in route.dependant.dependencies if isinstance(it.call, Gate)]
        asked = gates[0].what or SIGNED_IN if gates else ANYBODY
        for method in methods_of(route):
            assert asked == TABLE[method, route.path], route.path


def test_what_a_role_may_do_can_be_done_on_a_page() -> None:
    """What is told of a role on the pages, they do."""
    within_a_route = {May.CLOSE_ALERTS, May.APPROVE_SCHEDULES}
    assert {it for it in TABLE.values() if isinstance(it, May)} | within_a_route == set(May)


@pytest.mark.parametrize("role", [None, *Role])
def test_the_table_holds(web: WebClinic, role: Role | None) -> None:
    client = web.client(role)
    token = token_of(client.get("/account" if role else "/sign-in").text)
    for (method, path), what in TABLE.items():
        if path == "/sign-out" or what == ANYBODY:
            continue
        answer = send(client, method, path, token)
        if role is None:
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path
        elif what == SIGNED_IN or allows(role, May(what)):
            assert answer.status_code in {200, 303, 404, 422}, (path, answer.status_code)
        else:
            assert answer.status_code == 403, path
            assert "not yours to do" in answer.text


def test_without_the_token_nothing_is_changed(web: WebClinic) -> None:
    client = web.client(Role.CLINICIAN)
    before = client.get("/alerts/1").text
    for fields in ({}, {"csrf": "guessed"}):
        answer = client.post("/alerts/1/acknowledge", data={**fields, "version": "0"})
        assert answer.status_code == 403
        assert "Please do that again" in answer.text
    assert "acknowledged" not in client.get("/alerts/1").text
    assert before


def test_a_form_sent_from_another_site_is_refused(web: WebClinic) -> None:
    client = web.client(Role.CLINICIAN)
    fields = {"csrf": token_of(client.get("/account").text), "version": "0"}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ):
        answer = client.post("/alerts/1/acknowledge", data=fields, headers=headers)
        assert answer.status_code == 403


def test_a_nul_that_no_database_keeps_is_taken_out(web: WebClinic) -> None:
    client = web.client()
    assert web.sign_in(client, "c.fi\0eld", PASSWORD + "\0").headers["location"] == "/"
    client = web.client(Role.CLINICIAN)
    page = f"/alerts/{web.alert_id(state='open')}"
    version = re.search(r'name="version" value="(\d+)"', client.get(page).text)
    assert version is not None
    post(client, f"{page}/comment", version=version[1], text="rang\0 twice")
    assert "rang twice" in client.get(page).text
    plain = client.get("/?clinic=no").text
    assert client.get("/?clinic=n%00o").text.replace("n%00o", "no") == plain
    assert client.get("/sche%00dules/no%00ne").status_code == 404
    assert client.get("/ac%00count").status_code == 200


@pytest.mark.parametrize("charset", ["unicode_escape", "punycode", "undefined", "utf-16", "nosuch"])
def test_a_form_that_no_browser_writes_is_no_fault_of_ours(web: WebClinic, charset: str) -> None:
    client = web.client()
    parts = {
        "csrf": token_of(client.get("/sign-in").text),
        "name": r"\ud800x",
        "password": r"\ud800",
    }
    fields = [f'--b\r\nContent-Disposition: form-data; name="{it}"\r\n\r\n' for it in parts]
    body = "\r\n".join(map("".join, zip(fields, parts.values(), strict=True))) + "\r\n--b--\r\n"
    headers = {"content-type": f"multipart/form-data; boundary=b; charset={charset}"}
    assert client.post("/sign-in", content=body, headers=headers).status_code < 500


ODD_NUMBERS = ("\u00b2", "9" * 5000, str(2**63), "1.5", "-1")
"""What is no number of a row: a digit that is no decimal, more than any database or any `int`
takes."""


@pytest.mark.parametrize("number", ODD_NUMBERS, ids=lambda it: it[:6])
def test_what_is_no_number_in_a_form_or_an_address_is_no_fault_of_ours(
    web: WebClinic, number: str
) -> None:
    client = web.client(Role.CLINICIAN)
    alert, row = web.alert_id(state="open"), web.held_id()
    shown = ("/", "/worklist/part")
    sent: tuple[tuple[str, dict[str, str], int], ...] = (
        (f"/alerts/{alert}/acknowledge", {"version": number}, 409),
        ("/worklist/together", {"do": "acknowledge", "alerts": f"{number}:0"}, 303),
        ("/worklist/together", {"do": "acknowledge", "alerts": f"{alert}:{number}"}, 303),
        ("/worklist/together", {"do": "assign", "to": "Nora Gray", "alerts": f"{number}:0"}, 303),
        (f"/quarantine/{row}/discard", {"reason": "", "all": "yes", "last": number}, 422),
        ("/account/second-factor", {"code": number}, 422),
    )
    for path in shown:
        assert client.get(path, params={"page": number}).status_code == 200, path
    for path, fields, status in sent:
        assert post(client, path, **fields).status_code == status, (path, fields)


def test_an_alert_that_is_not_there_is_named_and_the_others_are_dealt_with(web: WebClinic) -> None:
    client = web.client(Role.CLINICIAN)
    own = web.alert_id(state="open", urgency="routine")
    for do in ("acknowledge", "assign"):
        version = re.search(rf'value="{own}:(\d+)"', client.get("/?view=all&urgency=routine").text)
        assert version is not None
        chosen = ["99999:0", f"{own}:{version[1]}"]
        token = token_of(client.get("/account").text)
        fields = {"csrf": token, "do": do, "to": "Nora Gray", "alerts": chosen}
        assert client.post("/worklist/together", data=fields).status_code == 303, do
        told = client.get("/account").text
        assert "Alert 99999 was left as it is: there is no such alert." in told
        assert f"1 alert {do.removesuffix('e')}" in told


def test_more_than_are_done_at_once_are_said(web: WebClinic) -> None:
    client = web.client(Role.CLINICIAN)
    token = token_of(client.get("/account").text)
    chosen = [f"{99999 + number}:0" for number in range(AT_ONCE + 3)]
    fields = {"csrf": token, "do": "acknowledge", "alerts": chosen}
    assert client.post("/worklist/together", data=fields).status_code == 303
    assert "3 more were ticked than are done at once" in client.get("/account").text


def send(client: httpx.Client, method: str, path: str, token: str) -> httpx.Response:
    for name, sample in SAMPLES.items():
        path = path.replace(name, sample)
    return client.request(method, path, data={"csrf": token} if method == "POST" else None)


@pytest.mark.parametrize("number", ["0", "99999999999999999999", "x"])
def test_a_number_that_no_row_has_is_not_found(web: WebClinic, number: str) -> None:
    admin = web.client(Role.ADMIN)
    for path in ("alerts", "patients", "load", "quarantine", "schedules/proposals"):
        assert admin.get(f"/{path}/{number}").status_code == 404, path


def test_head_is_answered_as_get_is_without_the_body(web: WebClinic) -> None:
    anybody, admin = web.client(), web.client(Role.ADMIN)
    alert = f"/alerts/{web.alert_id(state='open')}"
    pages = ("/", "/sign-in", alert, "/reports/overdue", "/nowhere", "/sign-out")
    others = ("/static/style.css", "/fhir/metadata", "/metrics", "/api/v1/alerts")
    for client in (anybody, admin):
        for path in (*pages, *others):
            whole, head = client.get(path), client.head(path)
            assert (head.status_code, head.content) == (whole.status_code, b""), path
            for name in ("content-type", "location", "allow", "content-security-policy"):
                assert head.headers.get(name) == whole.headers.get(name), (path, name)


def test_a_method_that_is_none_of_an_address_is_told_which_ones_are(web: WebClinic) -> None:
    for path, method, allowed in (
        ("/", "DELETE", "GET"),
        ("/sign-out", "GET", "POST"),
        ("/fhir", "GET", "POST"),
        ("/api/v1/alerts", "PUT", "GET"),
    ):
        answer = web.client(Role.ADMIN).request(method, path)
        assert (answer.status_code, answer.headers.get("allow")) == (405, allowed), path
