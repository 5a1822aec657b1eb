"""`docs/api.md` says what is: its scopes, its routes, requests that work as they are written."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from monitor.core.permissions import SCOPES, Scope
from monitor.operations import api_tokens
from monitor.store.audit import ON_THE_COMMAND_LINE
from monitor.web.api.problems import MEDIA_TYPE
from tests.web.test_api_access import TABLE
from tests.web_clinic import WebClinic

TEXT = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
LAB = "mrn,collected_at,analyte,value,unit\nD1021,2026-03-09T08:00,neutrophils,0.9,10*9/L\n"


def test_the_table_of_scopes_is_that_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", TEXT, re.MULTILINE))
    assert set(rows) == set(Scope)
    for scope, words in rows.items():
        assert set(words.split("; ")) == {it.value for it in SCOPES[Scope(scope)]}, scope


def test_every_route_that_is_named_exists() -> None:
    named = re.findall(r"`(GET|POST|DELETE) (/[^\s`?]*)", TEXT)
    assert len(named) > 20
    assert set(named) <= set(TABLE)


def test_every_request_works_as_it_is_written(web: WebClinic, tmp_path: Path) -> None:
    token = api_tokens.issue(
        web.store, name="reader", scopes=list(Scope), by=ON_THE_COMMAND_LINE, now=web.now
    )
    (tmp_path / "results.csv").write_text(LAB, encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    commands = re.split(r"\n(?=curl )", block.strip())
    assert len(commands) > 5
    for command in commands:
        ended = subprocess.run(
            ["bash", "-c", f"{command} --fail-with-body -w '\\n%{{content_type}}'"],
            cwd=tmp_path, env={**os.environ, "MONITOR": web.url, "TOKEN": token},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, (command, ended.stdout, ended.stderr)
        assert MEDIA_TYPE not in ended.stdout


def test_every_answer_has_its_shape_in_the_document(web: WebClinic) -> None:
    document = web.client().get("/api/v1/openapi.json").json()
    loose = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation["responses"].get("200", {}).get("content", {})
            if "additionalProperties" in content.get("application/json", {}).get("schema", {}):
                loose.add(f"{method.upper()} {path}")
    assert loose == {
        "GET /patients/{patient_id}/explanation",
        "GET /alerts/{alert_id}/explanation",
        "GET /schedules/compare",
        "GET /schedules/{protocol_id}",
        "GET /reports/{name}",
    }
