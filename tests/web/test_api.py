"""The API: the same JSON as the commands, tokens with scopes, errors in one shape."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from monitor.core.permissions import Role, Scope
from monitor.operations import api_tokens, arrivals
from monitor.operations.alert_list import alert_rows
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.store.errors import StoreError
from monitor.web.api import shapes
from tests.web_clinic import WebClinic, web_clinic

NEUTROPENIC = "D1063"
LAB = (
    "mrn,collected_at,analyte,value,unit\n"
    "D1021,2026-03-09T08:00,neutrophils,0.4,10*9/L\n"
    "D1021,2026-03-09T08:00,Frobulin,1,g/L\n"
)


def caller(web: WebClinic, *scopes: Scope, name: str = "") -> httpx.Client:
    """A program with a new token of these scopes; all of them where none is named."""
    wanted = scopes or tuple(Scope)
    text = api_tokens.issue(
        web.store, name=name or f"program {'-'.join(wanted)}", scopes=wanted,
        by=ON_THE_COMMAND_LINE, now=web.now,
    )  # fmt: skip
    client = web.client()
    client.base_url = httpx.URL(f"{web.url}/api/v1")
    client.headers["authorization"] = f"Bearer {text}"
    return client


def is_problem(answer: httpx.Response, status: int) -> bool:
    document = answer.json()
    return (
        answer.status_code == status
        and answer.headers["content-type"].startswith("application/problem+json")
        and document["status"] == status
        and bool(document["title"])
    )


def test_alerts_are_those_of_the_command(web: WebClinic) -> None:
    client = caller(web, Scope.READ)
    rows = alert_rows(web.store, web.settings, ("open", "acknowledged"), web.now)
    answer = client.get("/alerts").json()
    assert answer["total"] == len(rows) > 3
    assert answer["alerts"] == rows
    second = client.get("/alerts", params={"limit": 1, "offset": 1}).json()["alerts"]
    assert second == rows[1:2]
    mine = client.get("/alerts", params={"patient_id": web.patient_id(NEUTROPENIC)}).json()
    assert {row["mrn"] for row in mine["alerts"]} == {NEUTROPENIC}
    assert is_problem(client.get("/alerts", params={"state": "lost"}), 422)
    assert is_problem(client.get("/alerts", params={"patient_id": 99999}), 404)


TIERS = """token_requests_a_minute = 100000

[[routes]]
to = ["nurse@clinic.example"]
then = [["duty@clinic.example"], ["head@clinic.example"]]
"""


def test_what_there_is_of_everything_is_shaped_as_the_document_says(
    made_clinic: Path, tmp_path: Path
) -> None:
    """Requests that are drawn hardly ever name an alert or a patient that is there; that a tier is
    a number was said nowhere."""
    with web_clinic(made_clinic, tmp_path, TIERS) as web:
        client = caller(web)

        def holds(shape: Any, path: str) -> Any:
            answer = client.get(path)
            TypeAdapter(shape).validate_json(answer.content)
            return answer.json()

        rows = holds(shapes.Alerts, "/alerts?state=all&limit=1000")["alerts"]
        stories = [holds(shapes.AlertStory, f"/alerts/{it['id']}") for it in rows]
        assert any(rung["tier"] == 2 for story in stories for rung in story["next"])
        for mrn in {it["mrn"] for it in rows}:
            patient = web.patient_id(mrn)
            holds(shapes.Patient, f"/patients/{patient}")
            holds(list[shapes.Result], f"/patients/{patient}/results")
        for batch in holds(list[shapes.Batch], "/batches"):
            holds(shapes.BatchToday, f"/batches/{batch['id']}")
        holds(list[shapes.StatusRow], "/status")
        holds(shapes.Ledger, "/ledger")
        holds(list[shapes.Schedule], "/schedules")
        holds(shapes.Health, "/health")


def test_two_programs_on_one_alert_do_not_overwrite_each_other(web: WebClinic) -> None:
    client = caller(web)
    path = f"/alerts/{web.alert_id(kind='discontinue')}"
    read = client.get(path)
    tag = {"If-Match": read.headers["etag"]}
    assert read.headers["etag"] == f'"{read.json()["version"]}"'
    said = {"by": "Dr Field", "note": "called back"}
    done = client.post(f"{path}/acknowledge", json=said, headers=tag)
    assert done.status_code == 200, done.text
    assert done.json()["acknowledged_by"].startswith("Dr Field (through ")
    assert done.headers["etag"] not in (read.headers["etag"], "")
    assert is_problem(client.post(f"{path}/acknowledge", json=said, headers=tag), 412)
    later = {"If-Match": done.headers["etag"]}
    assert client.post(f"{path}/assign", json={"to": "N"}, headers=later).status_code == 200


def test_who_does_not_say_what_was_read_changes_nothing(web: WebClinic) -> None:
    client = caller(web)
    path = f"/alerts/{web.alert_id(kind='discontinue')}"
    before = client.get(path).json()
    for headers in ({}, {"If-Match": "1"}, {"If-Match": 'W/"1"'}, {"If-Match": '"x"'}):
        answer = client.post(f"{path}/acknowledge", json={}, headers=headers)
        assert is_problem(answer, 422)
        assert answer.json()["errors"][0]["at"] == "header/If-Match"
    assert client.get(path).json() == before
    anyhow = client.post(f"{path}/acknowledge", json={}, headers={"If-Match": "*"})
    assert anyhow.status_code == 200
    assert client.post(f"{path}/comment", json={"text": "rang"}).status_code == 200


def test_of_many_at_the_same_moment_one_is_heard_and_the_others_read_again(web: WebClinic) -> None:
    client = caller(web)
    path = f"/alerts/{web.alert_id(kind='discontinue')}"
    tag = {"If-Match": client.get(path).headers["etag"]}

    def assign(to: str) -> httpx.Response:
        return client.post(f"{path}/assign", json={"to": to}, headers=tag)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(assign, [f"Nurse {letter}" for letter in "abcdef"]))
    lost = [answer for answer in answers if answer.status_code != 200]
    assert len(lost) == 5
    assert all(is_problem(answer, 412) for answer in lost)
    assert "assigned by" in lost[0].json()["detail"]


def test_what_is_too_large_is_said_to_be(web: WebClinic) -> None:
    long = b'{"text": "' + b"x" * 2**21 + b'"}'
    answer = caller(web).post("/patients/search", content=long)
    assert is_problem(answer, 413)
    assert str(2**20) in answer.json()["detail"]


def test_a_patient_is_found_read_and_explained(web: WebClinic) -> None:
    client = caller(web, Scope.READ)
    (who,) = client.post("/patients/search", json={"text": NEUTROPENIC}).json()["patients"]
    path = f"/patients/{who['id']}"
    assert client.get(path).json()["mrn"] == NEUTROPENIC
    results = client.get(f"{path}/results").json()
    assert min(it["value"] for it in results if it["analyte"] == "neutrophils") == 0.8
    assert "" not in results[0].values(), "what does not apply is null"
    told = client.get(f"{path}/explanation", params={"on": "2026-02-01"}).json()
    assert told["mrn"] == NEUTROPENIC
    calendar = client.get(f"{path}/tests.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert "BEGIN:VEVENT" in calendar.text and NEUTROPENIC not in calendar.text
    assert is_problem(client.get("/patients/99999"), 404)
    assert f"token program {Scope.READ}: patient read" in web.audit()


def test_an_event_is_foreseen_then_recorded(web: WebClinic) -> None:
    client = caller(web)
    path = f"/patients/{web.patient_id(NEUTROPENIC)}/events"
    fever = {"on": "2026-03-10", "event": "symptom", "value": "fever"}
    coming = client.post(f"{path}/preview", json=fever).json()
    assert len(coming["opened"]) == 1
    assert client.post(path, json=fever).status_code == 201
    assert client.post(f"{path}/preview", json=fever).json()["known"]
    refused = client.post(path, json={**fever, "event": "dos"})
    assert is_problem(refused, 422)
    assert "did you mean" in refused.json()["detail"]
    merging = client.post(path, json={**fever, "event": "Merge", "value": "D1021"})
    assert is_problem(merging, 422)


def test_a_file_is_shown_taken_mended_and_taken_back(web: WebClinic) -> None:
    client = caller(web)
    shown = client.post("/files", params={"preview": True}, files={"file": ("l.csv", LAB)}).json()
    assert (shown["rows"], shown["stored"], shown["quarantined"]) == (2, 1, 1)
    assert "recognised" in shown
    taken = client.post("/files", files={"file": ("l.csv", LAB)}).json()
    assert taken["stored"] == 1
    held = [row for row in client.get("/quarantine").json() if row["analyte"] == "frobulin"]
    held = held or [row for row in client.get("/quarantine").json() if "Frobulin" in row["reason"]]
    path = f"/quarantine/{held[0]['id']}"
    assert is_problem(client.post(f"{path}/mend", json={}), 422)
    assert client.post(f"{path}/mend", json={"ignore": True}).json()["tried"] == 1
    (fix,) = client.get("/fixes").json()
    assert client.delete(f"/fixes/{fix['id']}").status_code == 204
    assert is_problem(client.delete(f"/fixes/{fix['id']}"), 404)
    assert client.get("/fixes").json() == []
    newest = client.get("/batches").json()[0]
    undo = client.post(f"/batches/{newest['id']}/revert", json={"reason": "wrong file"})
    assert undo.json()["results"] == 1
    assert is_problem(client.post("/files", files={"file": ("scan.pdf", "%PDF-1.7")}), 422)


@pytest.mark.parametrize(("files", "data", "words"), [
    ([("file", ("1.csv", LAB)), ("file", ("2.csv", LAB))], {}, "2 files in one request"),
    ([("file", ("1.csv", LAB))], {"source": "city"}, "the form holds source"),
])  # fmt: skip
def test_nothing_of_a_form_is_left_out(
    web: WebClinic, files: list[Any], data: dict[str, str], words: str
) -> None:
    """Of two files one was taken, and a source that stood in the form was not read by."""
    client = caller(web)
    before = client.get("/batches").json()
    answer = client.post("/files", files=files, data=data)
    assert is_problem(answer, 422)
    assert words in answer.json()["detail"]
    assert client.get("/batches").json() == before


def test_what_is_taken_in_is_not_said_to_be_undone(
    web: WebClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only the review failed, "nothing was changed" would be untrue."""

    def full(*_: Any, **__: Any) -> None:
        raise StoreError("the database is full")

    client = caller(web)
    before = len(client.get("/batches").json())
    monkeypatch.setattr(arrivals, "review_due", full)
    answer = client.post("/files", files={"file": ("l.csv", LAB)})
    assert is_problem(answer, 503)
    assert "The rows are taken in" in answer.json()["detail"]
    assert len(client.get("/batches").json()) == before + 1


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/alerts/0", {}, 422),
        ("GET", f"/alerts/{10**30}", {}, 422),
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/alerts", {}, 405),
        ("POST", "/patients/search", {"content": b"{not json"}, 422),
        ("POST", "/patients/search", {"json": {"text": "x", "more": 1}}, 422),
        ("POST", "/patients/search", {"json": {"text": "a\x00b"}}, 422),
        ("GET", "/schedules/aspirin", {}, 404),
        ("GET", "/schedules/azathioprine?start=9999-12-31", {}, 422),
        ("GET", "/schedules/compare?a=x&b=y", {}, 404),
        ("GET", "/reports/compliance?from=2026-03-02&to=2026-01-01", {}, 422),
        ("GET", "/reports/gaps?from=2026-03-02&to=2026-01-01", {}, 422),
    ],
)
def test_whatever_is_wrong_is_one_shape(
    web: WebClinic, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    assert is_problem(caller(web).request(method, path, **sent), status)


@pytest.mark.parametrize(("query", "at", "words"), [
    ("patient=1", "query/patient", 'did you mean "patient_id"?'),
    ("states=closed", "query/states", 'did you mean "state"?'),
    ("state=closed&state=open", "query/state", "is given twice"),
    ("state=", "query/state", "is empty"),
])  # fmt: skip
def test_what_a_query_asks_for_is_never_left_out(
    web: WebClinic, query: str, at: str, words: str
) -> None:
    """Alerts of everybody are no answer to who asked for those of one patient."""
    answer = caller(web).get(f"/alerts?{query}")
    assert is_problem(answer, 422)
    (error,) = answer.json()["errors"]
    assert error["at"] == at
    assert words in error["problem"]


def test_an_empty_clinic_is_not_every_clinic(web: WebClinic) -> None:
    client = caller(web)
    assert is_problem(client.get("/reports/overdue?clinic="), 422)
    assert is_problem(client.get("/health?verbose=yes"), 422)
    assert client.get("/alerts?state=closed&limit=5&offset=1").status_code == 200


@pytest.mark.parametrize("path", ["/alerts", "/batches", "/quarantine"])
def test_a_long_list_comes_in_parts_and_none_is_left_out(web: WebClinic, path: str) -> None:
    client = caller(web)
    for line in range(3):
        held = f"mrn,collected_at,analyte,value,unit\nD1021,2026-03-0{line + 1},Frob{line},1,g/L\n"
        client.post("/files", files={"file": (f"{line}.csv", held)}).raise_for_status()
    whole = ids(client.get(path, params={"limit": 1000}))
    assert len(whole) >= 3
    parts, following = [], f"{path}?limit=2"
    while following:
        answer = client.get(following)
        assert 1 <= len(ids(answer)) <= 2
        parts += ids(answer)
        following = path + answer.links["next"]["url"] if "next" in answer.links else ""
    assert parts == whole
    for wrong in ("limit=0", "limit=1001", "limit=x"):
        assert is_problem(client.get(f"{path}?{wrong}"), 422)


def ids(answer: httpx.Response) -> list[int]:
    found = answer.json()
    rows = found["alerts"] if isinstance(found, dict) else found
    return [row["id"] for row in rows]


def test_a_search_says_that_there_are_more(web: WebClinic) -> None:
    client = caller(web)
    found = client.post("/patients/search", json={"text": "D10", "limit": 2}).json()
    assert len(found["patients"]) == 2
    assert found["more"] is True
    assert client.post("/patients/search", json={"text": NEUTROPENIC}).json()["more"] is False


def test_a_token_that_asks_too_often_waits_and_others_do_not(
    made_clinic: Path, tmp_path: Path
) -> None:
    with web_clinic(made_clinic, tmp_path, "token_requests_a_minute = 10") as own:
        busy, calm = caller(own, name="busy"), caller(own, name="calm")
        answers = [busy.get("/schedules") for _ in range(12)]
        assert [it.status_code for it in answers[:10]] == [200] * 10
        assert is_problem(answers[-1], 429)
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 6
        assert calm.get("/schedules").status_code == 200


def test_a_problem_names_no_patient(web: WebClinic) -> None:
    client = caller(web)
    secret = "D1063-Meier"
    answers = [
        client.post("/patients/search", json={"text": 3, "more": secret}),
        client.post("/patients/search", content=f'{{"text": "{secret}"'.encode()),
        client.post("/patients/1/events", json={"on": secret, "event": "dose"}),
        client.get(f"/patients/{secret}"),
        client.get(f"/{secret}"),
        client.get("/alerts", params={"state": secret}),
    ]
    for answer in answers:
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert secret not in answer.text


def test_a_token_ends_and_is_revoked(web: WebClinic) -> None:
    soon = api_tokens.issue(
        web.store, name="short", scopes=[Scope.READ], by=ON_THE_COMMAND_LINE, now=web.now,
        expires_at=web.now + timedelta(hours=1),
    )  # fmt: skip
    client = web.client()
    headers = {"authorization": f"Bearer {soon}"}
    assert client.get("/api/v1/ledger", headers=headers).status_code == 200
    web.now += timedelta(hours=2)
    assert client.get("/api/v1/ledger", headers=headers).status_code == 401
    other = caller(web, Scope.READ, name="other")
    assert other.get("/ledger").status_code == 200
    api_tokens.revoke(web.store, "other", by=ON_THE_COMMAND_LINE, now=web.now)
    assert other.get("/ledger").status_code == 401
    with pytest.raises(api_tokens.TokenRefused, match="already"):
        caller(web, Scope.READ, name="other")


def test_a_person_who_is_signed_in_is_no_token(web: WebClinic) -> None:
    assert web.client(Role.ADMIN).get("/api/v1/status").status_code == 401
