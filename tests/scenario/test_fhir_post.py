"""POST /fhir on a real server, with a real client: committed, accounted for, answered."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from monitor.store import tables
from monitor.web.server import PortTaken, serving
from tests.clinic import CONFIG, settings_in
from tests.desk import Desk, sqlite_desk
from tests.fhir_resources import PATIENT, REAL, bundle, dumped, observation

TOKEN = "a-long-secret"
FHIR_JSON = "application/fhir+json"
_PATIENCE = 60
"""Seconds: a busy machine takes its time."""


@dataclass
class Api:
    desk: Desk
    client: httpx.Client

    def post(
        self, body: Any, *, path: str = "", token: str = TOKEN, **headers: str
    ) -> httpx.Response:
        content = body if isinstance(body, str | bytes) else dumped(body)
        sent = {"Authorization": f"Bearer {token}", "Content-Type": FHIR_JSON}
        sent |= {name.replace("_", "-"): it for name, it in headers.items()}
        return self.client.post(f"/fhir{path}", content=content, headers=sent)

    def results(self) -> list[str]:
        return self.desk.standing()


@pytest.fixture
def api(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("FHIR_TOKEN", TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = (
        f'{CONFIG}\n[web]\nport = {port}\nfhir_token_env = "FHIR_TOKEN"\nfhir_largest_mib = 1\n'
        "[sources.lab]\npatient_id_is_mrn = true\n"
    )
    with sqlite_desk(migrated_sqlite, tmp_path, config) as desk:
        desk.enrol("F1,azathioprine,2026-01-05,,,")
        with (
            serving(desk.settings) as port,
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=_PATIENCE
            ) as client,
        ):
            yield Api(desk, client)


def issues(answer: httpx.Response) -> list[dict[str, Any]]:
    body = answer.json()
    assert answer.headers["content-type"] == FHIR_JSON
    assert body["resourceType"] == "OperationOutcome"
    assert "Muster" not in answer.text and "4.2" not in answer.text and "F1" not in answer.text
    return list(body["issue"])


def test_results_are_committed_reviewed_and_accounted_for(api: Api) -> None:
    low = observation("0.4", code="731-0")
    answer = api.post(bundle(PATIENT, low, observation("4.2"), kind="collection"))
    assert answer.status_code == 200
    (said,) = issues(answer)
    assert said["severity"] == "information"
    assert said["diagnostics"] == "rows 2: stored 2; resources of other kinds 1"
    assert api.results() == ["4.2"]
    (file,) = [it for it in api.desk.clinic.rows(tables.File) if it.name.startswith("fhir-")]
    assert (file.rows, file.stored, file.other_messages) == (2, 2, 1)
    (alert,) = api.desk.clinic.rows(tables.AlertRow, kind="dose_reduction")
    assert alert.rule == "lymphopenia"
    again = api.post(bundle(PATIENT, low, observation("4.2"), kind="collection"))
    assert "duplicate 2" in issues(again)[0]["diagnostics"]


def test_a_single_observation_is_created(api: Api) -> None:
    by_number = observation(subject={"identifier": {"value": "F1"}})
    answer = api.post(by_number, path="/Observation")
    assert answer.status_code == 201
    assert api.post(by_number, path="/Bundle").status_code == 400
    assert api.post(by_number, path="/Patient").status_code == 404
    assert api.results() == ["4.2"]


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_a_transaction_is_answered_entry_by_entry(api: Api, kind: str) -> None:
    nobody = observation("1.1", subject={"reference": "Patient/nobody"})
    answer = api.post(bundle(PATIENT, observation(), nobody, kind=kind))
    body = answer.json()
    assert (answer.status_code, body["type"]) == (200, f"{kind}-response")
    assert [it["response"]["status"] for it in body["entry"]] == [
        "200 OK", "200 OK", "202 Accepted",
    ]  # fmt: skip
    (said,) = body["entry"][2]["response"]["outcome"]["issue"]
    assert said["expression"] == ["Bundle.entry[2].resource"]
    assert said["code"] == "not-found"
    assert "Muster" not in answer.text


def test_lines_and_xml_are_taken(api: Api) -> None:
    lines = "\n".join([dumped(PATIENT), dumped(observation()), "{", dumped(observation("5"))])
    answer = api.post(lines, Content_Type="application/fhir+ndjson")
    said = issues(answer)
    assert answer.status_code == 200
    assert [it["severity"] for it in said] == ["information", "error"]
    assert said[1]["expression"] == ["line 3"]
    xml = (REAL / "uk_core_xml__UKCore-Observation-Lab-RedCellCount-Example.xml").read_bytes()
    answer = api.post(xml, Content_Type="application/fhir+xml")
    assert (answer.status_code, issues(answer)[1]["code"]) == (200, "not-found")


def test_a_source_is_named_in_the_address(api: Api) -> None:
    body = observation(subject={"reference": "Patient/F1"})
    answer = api.post(body, path="?source=lab")
    assert answer.status_code == 201
    assert api.post(body, path="?source=nonsense").status_code == 400
    files = api.desk.clinic.rows(tables.File, source="lab")
    assert [it.stored for it in files] == [1]


REFUSED: list[tuple[int, str, dict[str, Any]]] = [
    (401, "login", {"token": "wrong"}),
    (401, "login", {"Authorization": "Basic abc"}),
    (415, "not-supported", {"Content_Type": "text/csv"}),
    (415, "not-supported", {"Content_Type": "application/fhir+json; charset=latin-1"}),
    (415, "not-supported", {"Content_Encoding": "gzip"}),
    (400, "structure", {"body": '{"resourceType": "Observation", "status": '}),
    (400, "structure", {"body": '{"resourceType": "Observation", "a": NaN}'}),
    (400, "structure", {"body": "mrn,value"}),
    (400, "required", {"body": "  "}),
    (422, "not-supported", {"body": '{"mrn": "F1"}'}),
    (413, "too-long", {"body": " " * (2**20 + 1)}),
]


@pytest.mark.parametrize(("status", "code", "sent"), REFUSED)
def test_refusals_are_outcomes_and_take_nothing(
    api: Api, status: int, code: str, sent: dict[str, Any]
) -> None:
    before = len(api.desk.clinic.rows(tables.File))
    answer = api.post(**({"body": observation()} | sent))
    assert answer.status_code == status
    (said,) = issues(answer)
    assert (said["severity"], said["code"]) == ("error", code)
    assert len(api.desk.clinic.rows(tables.File)) == before


@pytest.mark.parametrize("body", ["{", "{}", "[]", "null"])
def test_json_that_holds_no_resource_is_not_called_by_another_name(api: Api, body: str) -> None:
    """Whoever sends JSON looks for the fault elsewhere where it is said to be CSV."""
    answer = api.post(body)
    assert answer.status_code == 400
    assert (
        issues(answer)[0]["diagnostics"] == "this begins as no FHIR resource does, in JSON or XML"
    )


def test_a_body_without_end_is_cut_off(api: Api) -> None:
    def blocks() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 2**16

    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": FHIR_JSON}
    answer = api.client.post("/fhir", content=blocks(), headers=headers)
    assert answer.status_code == 413


def test_a_database_that_cannot_be_used_is_told_and_may_be_tried_again(api: Api) -> None:
    path = api.desk.settings.database.sqlite_file
    assert path is not None
    aside = path.rename(path.with_suffix(".aside"))
    answer = api.post(observation())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert issues(answer)[0]["code"] == "transient"
    aside.rename(path)


def test_what_may_be_sent_is_told_to_everybody(api: Api) -> None:
    answer = api.client.get("/fhir/metadata")
    body = answer.json()
    assert (answer.status_code, body["resourceType"]) == (200, "CapabilityStatement")
    assert body["fhirVersion"] == "4.0.1"
    assert issues(api.client.get("/fhir/Patient/1"))[0]["code"] == "not-supported"


def test_without_a_token_nobody_may_post(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FHIR_TOKEN")
    assert api.post(observation(), Authorization="Bearer").status_code == 401


def test_a_taken_port_is_said(api: Api) -> None:
    says = (
        r"cannot listen on 127.0.0.1, port \d+: Address already in use; end what listens there, or "
        r"name another \[web\] port$"
    )
    with pytest.raises(PortTaken, match=says), serving(api.desk.settings):
        pass


def test_an_address_of_another_machine_is_said(api: Api) -> None:
    settings = api.desk.settings
    web = settings.web.model_copy(update={"host": "192.0.2.7"})
    elsewhere = settings.model_copy(update={"web": web})
    with pytest.raises(PortTaken, match="an address of this machine"), serving(elsewhere):
        pass


def test_logs_hold_no_patient_data(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    api.post(bundle(PATIENT, observation()))
    api.post('{"resourceType": "Observation", "subject": {"display": "Muster"')
    logged = capfd.readouterr()
    assert "Muster" not in logged.err + logged.out
    assert json.dumps("F1") not in logged.err + logged.out


def test_the_config_needs_one_token(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="fhir_token_env or fhir_token_file, not both"):
        settings_in(tmp_path, CONFIG + '\n[web]\nfhir_token_env = "A"\nfhir_token_file = "b"\n')
