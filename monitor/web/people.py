"""`/people`: who may sign in, in which role. For admins; `monitor user` does the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from monitor.core.permissions import PERMISSIONS, May, Role
from monitor.operations import accounts, passwords
from monitor.operations.accounts import Account, AccountRefused
from monitor.operations.passwords import WeakPassword
from monitor.operations.still_in_hand import still_in_hand
from monitor.web.visit import Visit, needs

routes = APIRouter()
Manager = Annotated[Visit, needs(May.MANAGE_PEOPLE)]


@routes.get("/people")
def people(visit: Manager) -> Response:
    return _page(visit)


@routes.post("/people")
def add(visit: Manager) -> Response:
    given = passwords.drawn()
    try:
        account = accounts.add(
            visit.site.store,
            name=visit.text("name"),
            full_name=visit.text("full_name"),
            role=_role(visit),
            password=given,
            must_change=True,
            by=visit.actor,
            now=visit.now,
        )
    except (AccountRefused, WeakPassword) as refused:
        return _page(visit, problem=str(refused), status=422)
    return _page(visit, given=(account, given))


@routes.post("/people/{name}/password")
def reset(visit: Manager, name: str) -> Response:
    given = passwords.drawn()
    try:
        account = accounts.set_password(
            visit.site.store, name, given, must_change=True, by=visit.actor, now=visit.now
        )
    except (AccountRefused, WeakPassword) as refused:
        return _page(visit, problem=str(refused), status=422)
    return _page(visit, given=(account, given))


@routes.post("/people/{name}/role")
def role(visit: Manager, name: str) -> Response:
    return _changed(visit, lambda: accounts.set_role(
        visit.site.store, name, _role(visit), by=visit.actor, now=visit.now
    ), "{name} is {role} now, and signs in anew.")  # fmt: skip


@routes.post("/people/{name}/second-factor")
def reset_factor(visit: Manager, name: str) -> Response:
    return _changed(visit, lambda: accounts.reset_second_factor(
        visit.site.store, name, by=visit.actor, now=visit.now
    ), "{name} sets up a new second factor at the next sign-in.")  # fmt: skip


@routes.post("/people/{name}/disable")
def disable(visit: Manager, name: str) -> Response:
    return _changed(visit, lambda: accounts.disable(
        visit.site.store, name, by=visit.actor, now=visit.now
    ), "{name} cannot sign in any more.")  # fmt: skip


@routes.post("/people/{name}/enable")
def enable(visit: Manager, name: str) -> Response:
    return _changed(visit, lambda: accounts.enable(
        visit.site.store, name, by=visit.actor, now=visit.now
    ), "{name} can sign in again.")  # fmt: skip


def _changed(visit: Visit, act: Callable[[], Account], told: str) -> Response:
    try:
        account = act()
    except AccountRefused as refused:
        return _page(visit, problem=str(refused), status=422)
    visit.notice(told.format(name=account.full_name, role=account.role))
    if left := still_in_hand(visit.store, visit.site.settings, account, visit.now):
        visit.notice(left, "problem")
    return visit.redirect("/people")


def _role(visit: Visit) -> Role:
    given = visit.text("role")
    if given not in list(Role):
        raise AccountRefused(f"a role is one of {', '.join(Role)}")
    return Role(given)


def _page(
    visit: Visit,
    *,
    problem: str = "",
    given: tuple[Account, str] | None = None,
    status: int = 200,
) -> Response:
    return visit.page(
        "people.html",
        status,
        everybody=accounts.accounts(visit.site.store),
        roles=list(Role),
        role_options=[(it, it) for it in Role],
        permissions=PERMISSIONS,
        problem=problem,
        given=given,
        needing=visit.site.settings.web.second_factor,
    )
