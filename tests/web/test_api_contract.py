"""Whatever is sent that the OpenAPI document allows, or nearly allows: no fault of ours, and an
answer as the document says. Schemathesis makes the requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from monitor.core.permissions import Scope
from monitor.operations import api_tokens
from monitor.store.audit import ON_THE_COMMAND_LINE
from tests.web_clinic import WebClinic, web_clinic

EXAMPLES = 8
"""Of each operation, in the suite."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
"""What is well formed may still be refused: an alert that is closed is not closed again."""


UNPACED = "requests_a_minute = 100000\ntoken_requests_a_minute = 100000"


def test_no_request_finds_a_fault_of_ours(made_clinic: Path, tmp_path: Path) -> None:
    with web_clinic(made_clinic, tmp_path, UNPACED) as web:
        _ask_everything(web)


def _ask_everything(web: WebClinic) -> None:
    token = api_tokens.issue(
        web.store, name="schemathesis", scopes=list(Scope), by=ON_THE_COMMAND_LINE, now=web.now
    )
    headers = {"Authorization": f"Bearer {token}"}
    schema = schemathesis.openapi.from_url(f"{web.url}/api/v1/openapi.json")
    met: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        _ask(found.ok(), headers, met)
    assert len(met) > 20
    assert any(200 in statuses for statuses in met.values())


def _ask(operation: Any, headers: dict[str, str], met: dict[str, set[int]]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def holds(case: Any) -> None:
        answer = case.call(headers=headers)
        met.setdefault(operation.label, set()).add(answer.status_code)
        assert answer.status_code < 500, (operation.label, answer.text)
        case.validate_response(answer, headers=headers, checks=CHECKS)

    holds()
