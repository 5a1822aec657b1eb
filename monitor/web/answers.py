"""What is answered instead of a page: not signed in, not allowed, not found, a fault of ours."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from monitor.operations.arrivals import NotReviewed
from monitor.operations.patient_file import NoSuchPatient
from monitor.operations.throttle import Throttled
from monitor.store.errors import StoreError, TooEarly
from monitor.web import fhir
from monitor.web.guards import TooLarge
from monitor.web.site import Site
from monitor.web.visit import Forbidden, SignInFirst, Stale

_TITLES = {
    400: "This cannot be read",
    403: "This is not yours to do",
    404: "There is nothing here",
    405: "This cannot be done here",
    409: "It has changed since you looked",
    413: "This is too large",
    429: "Too many requests",
    500: "A fault of ours",
    503: "The database is busy",
}
_TEXTS = {
    400: "The address or the form is not as this page makes it.",
    403: "Your role does not include this. An admin of the monitor can change your role.",
    404: "The address is wrong, or what was here is not kept under it any more.",
    405: "The address is right, but not for this.",
    503: "Nothing was changed. Try again in a moment.",
}


def problem_page(site: Site, status: int, text: str = "", title: str = "") -> HTMLResponse:
    """A page that says what is wrong and what would be right."""
    body = site.templates.get_template("problem.html").render(
        status=status,
        title=title or _TITLES.get(status, "This did not work"),
        text=text or _TEXTS.get(status, ""),
    )
    return HTMLResponse(body, status)


def install(app: FastAPI, site: Site) -> None:
    """Turn what routes raise into answers."""

    def answer(status: int, text: str = "", title: str = "") -> Any:
        def handler(_request: Request, _error: Exception) -> Response:
            return problem_page(site, status, text, title)

        return handler

    def sign_in(_request: Request, error: Exception) -> Response:
        assert isinstance(error, SignInFirst)
        return RedirectResponse(error.location, 303)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        page = problem_page(site, error.status_code)
        page.headers.update(error.headers or {})  # which methods there are, of one there is not
        return page

    async def refused(request: Request, error: Exception) -> Response:
        if request.url.path.startswith("/fhir"):
            return await fhir.refused(request, error)
        return http(request, error)

    def throttled(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Throttled)
        return problem_page(site, 429, "Too many wrong codes. Wait a while, then sign in again.")

    def too_large(_request: Request, error: Exception) -> Response:
        assert isinstance(error, TooLarge)
        most = f"At most {error.largest // 2**20} MiB are taken at once: send it in parts."
        return problem_page(site, 413, most)

    stale = (
        "The page was opened before you last signed in, or it was sent from elsewhere. "
        "Nothing was changed: go back, load the page again and repeat what you did."
    )
    early = (
        "The monitor has already been brought to a later time than the clock of its machine shows: "
        "the clock was set back, or a command was given a time to come. Nothing was changed, and "
        "nothing can be until then. Tell your admin."
    )
    app.add_exception_handler(SignInFirst, sign_in)
    app.add_exception_handler(Forbidden, answer(403))
    app.add_exception_handler(NoSuchPatient, answer(404))
    app.add_exception_handler(Stale, answer(403, stale, "Please do that again"))
    app.add_exception_handler(Throttled, throttled)
    app.add_exception_handler(TooLarge, too_large)
    app.add_exception_handler(StoreError, answer(503))
    app.add_exception_handler(NotReviewed, answer(503, NotReviewed.plain))
    app.add_exception_handler(TooEarly, answer(503, early, "The clock is behind"))
    app.add_exception_handler(RequestValidationError, answer(404))
    app.add_exception_handler(HTTPException, refused)


def fault(site: Site, name: str) -> HTMLResponse:
    """The page of a fault of ours, with its number in the log."""
    text = f"What you asked for was not done. Tell your admin this number: {name}."
    return problem_page(site, 500, text)
