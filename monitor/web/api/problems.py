"""Errors in one shape: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from monitor.core.actions import ActionRefused, Overtaken
from monitor.intake.dependence import BatchRefused
from monitor.intake.quarantine import QuarantineRefused
from monitor.intake.survey import UnreadableFile
from monitor.operations.arrivals import NotReviewed
from monitor.operations.patient_file import NoSuchPatient
from monitor.store.errors import StoreError, TooEarly
from monitor.web.faults import Faults
from monitor.web.guards import TooLarge

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "This cannot be read",
    401: "A token is needed",
    403: "The token is not for this",
    404: "There is no such thing",
    405: "This cannot be done here",
    412: "It has changed since you looked",
    413: "This is too large",
    422: "This cannot be done as asked",
    429: "Too many requests",
    500: "A fault of ours",
    503: "The database is busy",
}


class Refused(Exception):
    """An answer other than success, in words."""

    def __init__(self, status: int, detail: str = "", **headers: str) -> None:
        super().__init__(status)
        self.status, self.detail, self.headers = status, detail, headers


def problem(
    status: int, detail: str = "", headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """A problem; `detail` says what is wrong and what would be right, and names no patient."""
    body = {"type": "about:blank", "title": _TITLES.get(status, "It did not work")}
    document = {**body, "status": status, **({"detail": detail} if detail else {}), **more}
    return Response(json.dumps(document), status, headers, media_type=MEDIA_TYPE)


def fault(name: str) -> Response:
    """A fault of ours, with its number in the log."""
    return problem(500, f"nothing was changed; the fault is {name} in the log")


def install(app: FastAPI) -> None:
    """Turn whatever routes raise into problems."""

    def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        headers = {name.replace("_", "-"): it for name, it in error.headers.items()}
        return problem(error.status, error.detail, headers)

    def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _http(error)

    def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        found = [
            {"at": "/".join(str(part) for part in it["loc"]), "problem": it["msg"]}
            for it in error.errors()
        ]
        return problem(422, "see errors", errors=found)

    def cannot(_: Request, error: Exception) -> Response:
        return problem(422, getattr(error, "plain", str(error)))

    def busy(_: Request, error: Exception) -> Response:
        if isinstance(error, TooEarly):
            return problem(422, str(error))
        if isinstance(error, NotReviewed):
            return problem(503, NotReviewed.plain, {"retry-after": "10"})
        return problem(503, "nothing was changed; try again in a moment", {"retry-after": "10"})

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in (ActionRefused, BatchRefused, QuarantineRefused, UnreadableFile):
        app.add_exception_handler(kind, cannot)
    app.add_exception_handler(NoSuchPatient, lambda _request, _error: problem(404))
    app.add_exception_handler(Overtaken, _overtaken)
    app.add_exception_handler(StoreError, busy)
    app.add_middleware(Faults, answer=lambda _path, name: fault(name))


def _http(error: HTTPException) -> Response:
    if isinstance(error.__cause__, TooLarge):
        # FastAPI says of any error while a body is read that it cannot be read.
        return problem(413, f"at most {error.__cause__.largest} bytes are taken here")
    return problem(error.status_code, headers=dict(error.headers or {}))


def _overtaken(_: Request, error: Exception) -> Response:
    assert isinstance(error, Overtaken)
    acts = "; ".join(error.acts) or "it has another version"
    return problem(412, f"nothing was done, read it again: {acts}")
