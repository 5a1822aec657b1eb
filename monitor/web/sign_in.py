"""`/sign-in`: name and password, then the second factor; `/sign-out`."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from monitor.core.findings import sentence
from monitor.operations import sessions
from monitor.operations.accounts import AccountRefused
from monitor.operations.sessions import Session, SignInRefused
from monitor.operations.throttle import Throttled
from monitor.web.site import Site
from monitor.web.visit import (
    Stale,
    Visit,
    address_of,
    cookie_name,
    is_https,
    local_path,
    needs,
    read_form,
    same_origin,
    set_cookie,
)

routes = APIRouter()
_FORM_COOKIE = "monitor-sign-in"
"""What the form of somebody without a session has to carry too."""
_WRONG = "That name and password do not belong together."
_UNSENT = "You were signed out, so what you sent was not done. Sign in and do it again."
_WRONG_CODE = "That is not the code of this moment. Wait for the next one and type it."


@routes.get("/sign-in")
def form(
    request: Request,
    next: str = "/",  # noqa: A002  # the name in the address
    unsent: str = "",
) -> Response:
    """`unsent`: a form was sent by somebody whose session had ended."""
    return _form(request, next, problem=_UNSENT if unsent else "")


@routes.post("/sign-in")
async def sign_in(request: Request) -> Response:
    given = await read_form(request, max_files=0, max_fields=10)
    fields = {name: str(value) for name, value in given.items()}
    return await run_in_threadpool(_sign_in, request, fields)


def _sign_in(request: Request, fields: dict[str, str]) -> Response:
    site: Site = request.app.state.site
    cookie, given = request.cookies.get(_FORM_COOKIE, ""), fields.get("csrf", "")
    if not cookie or not hmac.compare_digest(cookie.encode(), given.encode()):
        raise Stale
    if not same_origin(request):
        raise Stale
    back = local_path(fields.get("next", "/"))
    name = fields.get("name", "").strip()
    try:
        token = sessions.sign_in(
            site.store,
            site.settings,
            name,
            fields.get("password", ""),
            address=address_of(request),
            now=site.now(),
        )
    except SignInRefused:
        return _form(request, back, name=name, problem=_WRONG, status=401)
    except Throttled as throttled:
        return _form(request, back, name=name, problem=_wait(site, throttled), status=429)
    answer = RedirectResponse(back, 303)
    set_cookie(site, request, answer, token)
    answer.delete_cookie(_FORM_COOKIE, path="/sign-in")
    return answer


@routes.get("/sign-in/code")
def code_form(request: Request, next: str = "/") -> Response:  # noqa: A002
    site: Site = request.app.state.site
    session = _half_way(request)
    if session is None or session.complete:
        return RedirectResponse("/sign-in", 303)
    return _code_form(site, session, next)


@routes.post("/sign-in/code")
async def code(request: Request) -> Response:
    given = await read_form(request, max_files=0, max_fields=10)
    fields = {name: str(value) for name, value in given.items()}
    return await run_in_threadpool(_code, request, fields)


def _code(request: Request, fields: dict[str, str]) -> Response:
    site: Site = request.app.state.site
    session = _half_way(request)
    if session is None or session.complete:
        return RedirectResponse("/sign-in", 303)
    expected, given = session.csrf.encode(), fields.get("csrf", "").encode()
    if not same_origin(request) or not hmac.compare_digest(expected, given):
        raise Stale
    back = local_path(fields.get("next", "/"))
    try:
        token = sessions.second_step(
            site.store,
            site.settings,
            session,
            fields.get("code", ""),
            address=address_of(request),
            now=site.now(),
        )
    except SignInRefused:
        return _code_form(site, session, back, problem=_WRONG_CODE, status=401)
    except AccountRefused as refused:
        return _code_form(site, session, back, problem=sentence(str(refused)), status=422)
    except Throttled as throttled:
        return _code_form(site, session, back, problem=_wait(site, throttled), status=429)
    answer = RedirectResponse(back, 303)
    set_cookie(site, request, answer, token)
    return answer


@routes.post("/sign-out")
def sign_out(visit: Annotated[Visit, needs(None)]) -> Response:
    sessions.sign_out(visit.site.store, visit.session, by=visit.actor, now=visit.now)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(
        cookie_name(visit.site, visit.request),
        path="/",
        secure=is_https(visit.site, visit.request),
        httponly=True,
        samesite="lax",
    )
    return answer


def _half_way(request: Request) -> Session | None:
    site: Site = request.app.state.site
    token = request.cookies.get(cookie_name(site, request), "")
    return sessions.find(site.store, site.settings, token, site.now(), touch=False)


def _form(
    request: Request, back: str, *, name: str = "", problem: str = "", status: int = 200
) -> HTMLResponse:
    site: Site = request.app.state.site
    token = request.cookies.get(_FORM_COOKIE) or secrets.token_urlsafe(24)
    body = site.templates.get_template("sign_in.html").render(
        csrf=token, next=local_path(back), name=name, problem=problem
    )
    answer = HTMLResponse(body, status)
    answer.set_cookie(
        _FORM_COOKIE,
        token,
        httponly=True,
        secure=is_https(site, request),
        samesite="strict",
        path="/sign-in",
    )
    return answer


def _code_form(
    site: Site, session: Session, back: str, *, problem: str = "", status: int = 200
) -> HTMLResponse:
    body = site.templates.get_template("sign_in_code.html").render(
        csrf=session.csrf, next=local_path(back), problem=problem
    )
    return HTMLResponse(body, status)


def _wait(site: Site, throttled: Throttled) -> str:
    left = max(1, round((throttled.until - site.now()).total_seconds()))
    told = f"{left} seconds" if left < 90 else f"{-(-left // 60)} minutes"
    return f"Too many wrong attempts. Nothing is tried for the next {told}; then try again."
