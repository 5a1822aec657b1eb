"""`/account`: one's own sign-in: password, second factor."""

from __future__ import annotations

import io
from typing import Annotated

import segno
from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from monitor.core.findings import sentence
from monitor.core.permissions import PERMISSIONS, May
from monitor.operations import accounts, second_factor, throttle
from monitor.operations.accounts import AccountRefused
from monitor.operations.passwords import SHORTEST, WeakPassword
from monitor.operations.sessions import begin
from monitor.web.visit import Visit, address_of, local_path, needs, set_cookie

routes = APIRouter()
_WRONG_CODE = "That is not the code of this moment. Wait for the next one and type it."


@routes.get("/account")
def account(visit: Annotated[Visit, needs(None)]) -> Response:
    can = [it for it in May if it in PERMISSIONS[visit.account.role]]
    return visit.page("account.html", can=can, owed=_owes_second_factor(visit))


@routes.get("/account/here")
def here(_visit: Annotated[Visit, needs(None)]) -> Response:
    """Asked by a page while somebody writes on it: it keeps them signed in."""
    return Response()


@routes.get("/account/password")
def password_form(visit: Annotated[Visit, needs(None)], next: str = "/account") -> Response:  # noqa: A002
    return visit.page("password.html", next=local_path(next), problem="", shortest=SHORTEST)


@routes.post("/account/password")
def password(visit: Annotated[Visit, needs(None)]) -> Response:
    back = local_path(visit.text("next") or "/account")
    old, new = (str(visit.form.get(name, "")) for name in ("old", "new"))
    try:
        _guess_slowly(visit)
        if new != visit.form.get("again"):
            raise WeakPassword("the new password and its repetition differ")
        accounts.change_own_password(
            visit.site.store, visit.account, old, new, by=visit.actor, now=visit.now
        )
    except (AccountRefused, WeakPassword) as refused:
        return visit.page("password.html", 422, next=back, problem=str(refused), shortest=SHORTEST)
    return _signed_in_anew(visit, back, "Your password is changed. Other sign-ins have ended.")


@routes.get("/account/second-factor")
def factor_form(visit: Annotated[Visit, needs(None)], next: str = "/account") -> Response:  # noqa: A002
    return _factor_page(visit, local_path(next))


@routes.post("/account/second-factor")
def factor(visit: Annotated[Visit, needs(None)]) -> Response:
    back = local_path(visit.text("next") or "/account")
    if visit.account.has_second_factor:
        return visit.redirect("/account")
    store, settings = visit.site.store, visit.site.settings
    _guess_slowly(visit)
    try:
        right = second_factor.confirm(
            store, settings, visit.account, visit.text("code"), by=visit.actor, now=visit.now
        )
    except AccountRefused as refused:
        return _refused(visit, refused)
    if not right:
        return _factor_page(visit, back, _WRONG_CODE, 422)
    _forgive(visit)
    visit.notice("The second factor is set up: from now on its code is asked at each sign-in.")
    return visit.redirect(back)


def _factor_page(visit: Visit, back: str, problem: str = "", status: int = 200) -> Response:
    store, settings = visit.site.store, visit.site.settings
    try:
        secret = second_factor.begin(store, settings, visit.account)
    except AccountRefused as refused:
        return _refused(visit, refused)
    address = second_factor.uri(settings, visit.account, secret)
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return visit.page(
        "second_factor.html", status, qr=_picture(address), secret=groups, next=back,
        problem=problem, owed=_owes_second_factor(visit),
    )  # fmt: skip


def _refused(visit: Visit, refused: AccountRefused) -> Response:
    visit.notice(sentence(str(refused)), "problem")
    return visit.redirect("/account")


def _picture(address: str) -> Markup:
    """A QR code as SVG that takes its colours from the page."""
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2,
        svgclass="qr", lineclass="qr-line", title="QR code for the second factor",
    )  # fmt: skip
    return Markup(out.getvalue().decode())  # noqa: S704  # made by the library from our own text


def _owes_second_factor(visit: Visit) -> bool:
    owed = visit.account.role in visit.site.settings.web.second_factor
    return owed and not visit.account.has_second_factor


def _guess_slowly(visit: Visit) -> None:
    """Whoever sits at an open screen guesses no faster than at the door."""
    guard = throttle.name_guard(visit.site.settings, accounts.key_of(visit.account.name))
    throttle.count(visit.site.store, visit.site.settings, (guard,), visit.now)


def _forgive(visit: Visit) -> None:
    with visit.site.store.write() as connection:
        throttle.forgive(connection, accounts.key_of(visit.account.name))


def _signed_in_anew(visit: Visit, back: str, notice: str) -> Response:
    """All sessions ended with the change; this browser begins another one."""
    now, address = visit.now, address_of(visit.request)
    with visit.site.store.write() as connection:
        token, session_id = begin(connection, visit.account.id, address, now)
    visit.go_on_as(session_id)
    visit.notice(notice)
    answer = visit.redirect(back)
    set_cookie(visit.site, visit.request, answer, token)
    return answer
