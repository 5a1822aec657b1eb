"""One request of a person: who it is, what they may do, and how a page answers.

A page's route takes a `Visit` and names what it needs:

    @routes.get("/patients/{patient_id}")
    def patient(patient_id: RowId, visit: Annotated[Visit, needs(May.SEE_PATIENTS)]) -> Response:

Whoever is not signed in is sent to sign in and comes back; whoever may not is told so (403). A
route that changes something is a POST, and its form has carried the session's token before the
route is called.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from monitor.core.permissions import May, allows
from monitor.operations import sessions
from monitor.operations.accounts import Account
from monitor.operations.sessions import Session
from monitor.store.audit import Actor
from monitor.store.database import Store
from monitor.web.navigation import ENTRIES
from monitor.web.site import Site
from monitor.web.trail import Trailed

SAFE = frozenset({"GET", "HEAD"})
_MOST_FIELDS = 2000
_NOT_KEPT = re.compile("[\0\ud800-\udfff]")
LARGEST = 2**31 - 1
RowId = Annotated[int, Path(ge=1, le=LARGEST)]
"""A number of a row as an address names it; no other one is found."""


class Forbidden(Exception):
    """The person may not; the page says so (403)."""


class SignInFirst(Exception):
    """Nobody is signed in, or something is owed before: go there."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class Stale(Exception):
    """The form's token is not this session's: it was sent from an old page, or elsewhere."""


@dataclass
class Visit(Trailed):
    """A signed-in person's request."""

    site: Site
    request: Request
    session: Session
    now: datetime
    form: FormData = field(default_factory=FormData)
    _notices: list[tuple[str, str]] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.site.store

    @property
    def account(self) -> Account:
        return self.session.account

    @property
    def who(self) -> str:
        """The name that stands in histories."""
        return self.account.full_name

    @property
    def actor(self) -> Actor:
        return Actor(self.who, self.account.id, address_of(self.request))

    def may(self, what: May) -> bool:
        return allows(self.account.role, what)

    def text(self, name: str) -> str:
        """A field of the form, without the space around it; "" where it is absent."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """All values of a field that may be there several times."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def upload(self, name: str) -> UploadFile | None:
        """A file of the form."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def notice(self, text: str, kind: str = "done") -> None:
        """Tell it on the next page: kind is done, info, caution or problem."""
        self._notices.append((kind, text))

    def go_on_as(self, session_id: int) -> None:
        """A new session of the same person takes over in this browser."""
        self.session = replace(self.session, id=session_id, notices=())

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A page of `templates/web/`, with whatever notices wait."""
        waiting = self.session.notices
        if waiting:
            sessions.keep_notices(self.site.store, self.session.id, ())
        body = self.site.templates.get_template(template).render(
            visit=self,
            path=self.request.url.path,
            csrf=self.session.csrf,
            navigation=[it for it in ENTRIES if self.may(it.needs)],
            notices=[*waiting, *self._notices],
            now=self.now,
            **context,
        )
        return HTMLResponse(body, status)

    def redirect(self, path: str) -> Response:
        """After a change: see there (303). Notices go along."""
        if self._notices:
            kept = (*self.session.notices, *self._notices)
            sessions.keep_notices(self.site.store, self.session.id, kept)
        return RedirectResponse(local_path(path), 303)


def needs(what: May | None, *, quiet: bool = False) -> Any:
    """A dependency: a Visit of somebody who may do this (None: of anybody signed in). `quiet`:
    a request that a page makes by itself, which keeps nobody signed in."""
    return Depends(Gate(what, quiet))


@dataclass(frozen=True)
class Gate:
    """What a route asks of a visitor."""

    what: May | None
    quiet: bool = False

    async def __call__(self, request: Request) -> AsyncIterator[Visit]:
        visit = await run_in_threadpool(self._visit, request)
        try:
            if request.method not in SAFE:
                visit.form = await read_form(request, max_fields=_MOST_FIELDS)
                if not same_origin(request) or not _same(visit.text("csrf"), visit.session.csrf):
                    raise Stale
            yield visit
        finally:
            await visit.form.close()

    def _visit(self, request: Request) -> Visit:
        site: Site = request.app.state.site
        now = site.moment()
        token = request.cookies.get(cookie_name(site, request), "")
        found = (
            sessions.find(site.store, site.settings, token, now, touch=not self.quiet)
            if token
            else None
        )
        if found is None:
            raise SignInFirst(_and_back("/sign-in", request))
        if not found.complete:
            raise SignInFirst(_and_back("/sign-in/code", request))
        _refuse_owing(site, found.account, request)
        if self.what is not None and not allows(found.account.role, self.what):
            raise Forbidden
        return Visit(site, request, found, now)


def whole_number(text: str) -> int | None:
    """The number of a row, a version or a page as forms and addresses carry it; None for any
    other text, and for a number that no row can have."""
    plain = text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST))
    number = int(text) if plain else None
    return number if number is not None and number <= LARGEST else None


async def read_form(request: Request, *, max_fields: int, max_files: int = 1000) -> FormData:
    """What was filled in, without what nobody types and no database keeps. Raises HTTPException
    where it is written in a way that nobody's browser has."""
    try:
        form = await request.form(max_fields=max_fields, max_files=max_files)
    except UnicodeError:
        raise HTTPException(400) from None
    fields = [
        (name, _NOT_KEPT.sub("", value) if isinstance(value, str) else value)
        for name, value in form.multi_items()
    ]
    return FormData(fields)


def _refuse_owing(site: Site, account: Account, request: Request) -> None:
    """A given password is changed first, and a second factor set up where the role has to."""
    if request.url.path.startswith("/account") or request.url.path == "/sign-out":
        return
    if account.must_change:
        raise SignInFirst(_and_back("/account/password", request))
    if account.role in site.settings.web.second_factor and not account.has_second_factor:
        raise SignInFirst(_and_back("/account/second-factor", request))


def _and_back(path: str, request: Request) -> str:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if wanted in ("/", "/sign-out"):
        return path
    if request.method not in SAFE:
        form = _form_of(request)
        return f"{path}?unsent=yes" + (f"&next={quote(form, safe='/')}" if form else "")
    return f"{path}?next={quote(wanted, safe='/')}"


def _form_of(request: Request) -> str:
    """The page of ours on which the form stood; empty where none says so."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return ""
    if parts.netloc != request.url.netloc or parts.path in ("", "/", "/sign-in"):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def local_path(path: str) -> str:
    """A path of ours, or the first page where it leads anywhere else."""
    try:
        parts = urlsplit(path)
    except ValueError:  # a bracket that begins no address
        return "/"
    plain = path.startswith("/") and not path.startswith("//") and not set(path) & set("\\\r\n\t")
    return path if plain and not parts.scheme and not parts.netloc else "/"


def address_of(request: Request) -> str:
    """Where a request comes from; the proxies of the config are believed, nobody else."""
    return request.client.host if request.client else ""


def is_https(site: Site, request: Request) -> bool:
    return site.is_https or request.url.scheme == "https"


def cookie_name(site: Site, request: Request) -> str:
    """`__Host-` keeps other names of the same domain from setting it."""
    return "__Host-monitor" if is_https(site, request) else "monitor"


def set_cookie(site: Site, request: Request, response: Response, token: str) -> None:
    """Give the browser its session; gone when the browser closes."""
    response.set_cookie(
        cookie_name(site, request),
        token,
        httponly=True,
        secure=is_https(site, request),
        samesite="lax",
        path="/",
    )


def same_origin(request: Request) -> bool:
    """Whether a form was sent from a page of ours, as far as the browser says: by the name that
    the request has, or by `public_url` where a proxy hands on another one."""
    site: Site = request.app.state.site
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "")
    names = (request.headers.get("host", ""), _as_browsers_write(site.settings.web.public_url))
    own = origin.partition("://")[2] in filter(None, names)
    return fetched in ("same-origin", "none") and (not origin or own)


def _as_browsers_write(url: str) -> str:
    """The name of an address as an Origin has it: in small letters, without the usual port."""
    parts = urlsplit(url)
    usual = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.lower().removesuffix(usual)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
