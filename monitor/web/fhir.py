"""`POST /fhir`: results from another system, and `GET /fhir/metadata`: what it may send.

A document is committed before it is answered. Answers are OperationOutcome, or the response
Bundle of a transaction or batch; they name places, never patients. Source: FHIR R4, RESTful
API (3.1.0) and OperationOutcome.
"""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from monitor import clock
from monitor.config import Settings
from monitor.operations.fhir_intake import Malformed, NotFhir, Receipt, take
from monitor.store.database import Store
from monitor.store.errors import StoreError
from monitor.web.auth import may_post
from monitor.web.outcome import Json, bundle_response, expression, issue, of_receipt, outcome

MEDIA_TYPE = "application/fhir+json"
KINDS = ("Observation", "DiagnosticReport", "Bundle")
_ONE = (
    "application/fhir+json", "application/json", "text/json",
    "application/fhir+xml", "application/xml", "text/xml",
)  # fmt: skip
_LINES = ("application/fhir+ndjson", "application/ndjson", "application/x-ndjson")
_RETRY_AFTER = "10"


class _Refused(Exception):
    """An answer other than success."""

    def __init__(self, status: int, body: Json, **headers: str) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


def router(store: Store, settings: Settings) -> APIRouter:
    """The routes of FHIR."""
    routes = APIRouter()

    async def post(request: Request, kind: str = "") -> Response:
        try:
            return await _post(store, settings, request, kind)
        except _Refused as refused:
            headers = {name.replace("_", "-"): it for name, it in refused.headers.items()}
            return _answer(refused.status, refused.body, headers)

    @routes.post("")
    async def post_any(request: Request) -> Response:
        return await post(request)

    @routes.post("/{kind}")
    async def post_kind(request: Request, kind: str) -> Response:
        return await post(request, kind)

    @routes.get("/metadata")
    async def metadata() -> Response:
        return _answer(200, _capabilities())

    return routes


async def _post(store: Store, settings: Settings, request: Request, kind: str) -> Response:
    if not may_post(settings, request.headers.get("authorization", "")):
        text = "a bearer token is needed: the one that [web] names"
        raise _refusal(401, "login", text, WWW_Authenticate='Bearer realm="fhir"')
    if kind and kind not in KINDS:
        raise _refusal(404, "not-supported", f"post one of {', '.join(KINDS)}")
    lines = _is_lines(request)
    source = request.query_params.get("source", "")
    if source and source not in settings.sources:
        raise _refusal(400, "not-found", "the config has no such source")
    content = await _body(request, settings.web.fhir_largest_mib * 2**20)
    try:
        receipt = await run_in_threadpool(
            take, store, settings, content, lines=lines, source=source, now=clock.now(), kind=kind
        )
    except Malformed as fault:
        places = [expression(place, "") or "line" for place in fault.places]
        raise _refusal(400, "structure", str(fault), places) from None
    except NotFhir as fault:
        raise _refusal(422, "not-supported", str(fault)) from None
    except StoreError:
        text = "the database is busy or cannot be used; nothing was taken, send it again"
        raise _refusal(503, "transient", text, Retry_After=_RETRY_AFTER) from None
    return _taken(receipt)


def _is_lines(request: Request) -> bool:
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    media = media.strip().casefold()
    if media not in (*_ONE, *_LINES):
        text = f"send {MEDIA_TYPE}, application/fhir+xml or application/fhir+ndjson"
        raise _refusal(415, "not-supported", text)
    charset = parameters.casefold().replace('"', "").partition("charset=")[2].partition(";")[0]
    if charset.strip() not in ("", "utf-8", "utf8"):
        raise _refusal(415, "not-supported", "FHIR is written in UTF-8")
    if request.headers.get("content-encoding", "identity").casefold() != "identity":
        raise _refusal(415, "not-supported", "send it uncompressed")
    return media in _LINES


async def _body(request: Request, largest: int) -> bytes:
    """The whole body, of which no more is ever kept than is allowed."""
    too_long = _refusal(413, "too-long", f"more than {largest // 2**20} MiB: send it in parts")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > largest:
        raise too_long
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > largest:
            raise too_long
    if not content.strip():
        raise _refusal(400, "required", "the body is empty")
    return bytes(content)


def _refusal(
    status: int, code: str, text: str, places: list[str] | None = None, **headers: str
) -> _Refused:
    return _Refused(status, outcome([issue("error", code, text, places or ())]), **headers)


def _taken(receipt: Receipt) -> Response:
    if receipt.wants_entries:
        return _answer(200, bundle_response(receipt))
    report = receipt.report
    created = receipt.kind == "Observation" and report.stored and not report.quarantined
    return _answer(201 if created else 200, of_receipt(receipt))


def _answer(status: int, body: Json, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, media_type=MEDIA_TYPE)


def _capabilities() -> Json:
    """A CapabilityStatement: results may be created, nothing is given out."""
    try:
        ours = version("azathioprine-monitor")
    except PackageNotFoundError:
        ours = "0"
    create: dict[str, Any] = {"interaction": [{"code": "create"}]}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-28",
        "kind": "instance",
        "software": {"name": "azathioprine-monitor", "version": ours},
        "implementation": {"description": "Takes laboratory results; gives nothing out"},
        "fhirVersion": "4.0.1",
        "format": ["json", "xml", "application/fhir+ndjson"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "OAuth-style bearer token of the config"},
                "resource": [{"type": kind, **create} for kind in KINDS if kind != "Bundle"],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


async def refused(_request: Request, error: Exception) -> Response:
    """No such path, or no such method there."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    body = outcome([issue("error", "not-supported", "there is no such thing")])
    return _answer(error.status_code, body, headers)


def fault(name: str) -> Response:
    """The answer to a fault of ours, with its number in the log."""
    text = f"a fault of ours ({name}); send it again, nothing is taken twice"
    return _answer(500, outcome([issue("fatal", "exception", text)]))
