"""Who calls: a token, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Path, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monitor.config import Settings
from monitor.core.calendar import FIRST_YEAR, LAST_YEAR
from monitor.core.faults import nearest
from monitor.core.permissions import May
from monitor.operations import api_tokens
from monitor.operations.api_tokens import Token
from monitor.store.audit import Actor
from monitor.store.database import Store
from monitor.web.api.problems import Refused
from monitor.web.site import Site
from monitor.web.trail import Trailed

_BEARER = HTTPBearer(auto_error=False, description="A token of `monitor token add`.")
_TEXT_LIMIT = 1000


def _plain(text: str) -> str:
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in text):
        raise ValueError("control characters cannot be kept")
    if any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):
        raise ValueError("half a character cannot be kept")
    return text


def _within(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"a year from {FIRST_YEAR} to {LAST_YEAR}")
    return day


Text = Annotated[str, Field(max_length=_TEXT_LIMIT), AfterValidator(_plain)]
Needed = Annotated[str, Field(min_length=1, max_length=_TEXT_LIMIT), AfterValidator(_plain)]
Day = Annotated[date, AfterValidator(_within)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Body(BaseModel):
    """What a request carries: no unknown keys."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Caller(Trailed):
    """A program with a token that is for what it asks."""

    site: Site
    token: Token
    address: str
    now: datetime

    @property
    def store(self) -> Store:
        return self.site.store

    @property
    def settings(self) -> Settings:
        return self.site.settings

    @property
    def actor(self) -> Actor:
        return Actor(self.name, None, self.address)

    @property
    def name(self) -> str:
        """How it is told from people."""
        return f"token {self.token.name}"

    def by(self, person: str = "") -> str:
        """How histories name who did it: the person it is done for, through this token."""
        person = person.strip()
        return f"{person} (through {self.token.name})" if person else self.name


def for_(what: May) -> Any:
    """A dependency: a Caller whose token is for this."""
    return Depends(Asks(what))


@dataclass(frozen=True, slots=True)
class Asks:
    """What a route asks of a token."""

    what: May

    def __call__(
        self,
        request: Request,
        given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    ) -> Caller:
        site: Site = request.app.state.site
        now = site.moment()
        token = None if given is None else api_tokens.find(site.store, given.credentials, now)
        if token is None:
            text = "send a token that is in use as: Authorization: Bearer ..."
            raise Refused(401, text, WWW_Authenticate='Bearer realm="monitor"')
        wait = request.app.state.pace.wait(token.name)
        if wait:
            raise Refused(429, "too many requests with this token", Retry_After=str(wait))
        if not token.may(self.what):
            raise Refused(403, f"the token is not issued to {self.what.value}")
        _check_query(request)
        address = request.client.host if request.client else ""
        return Caller(site, token, address, now)


def _check_query(request: Request) -> None:
    """A parameter that a route does not know, an empty one, or one given twice would be answered as
    if it had not been there: everybody's alerts where somebody's were asked for."""
    known = [it.alias for it in request.scope["route"].dependant.query_params]
    given = request.query_params.multi_items()
    wrong = {name: "is given twice" for name in [it for it, _ in given] if _count(name, given) > 1}
    wrong |= {name: "is empty: give a value, or leave it out" for name, text in given if not text}
    wrong |= {
        name: f"is not known here; valid: {nearest(name, known) or 'no parameter'}"
        for name, _ in given
        if name not in known
    }
    if wrong:
        raise RequestValidationError(
            [
                {"loc": ("query", name), "msg": words, "type": "value"}
                for name, words in wrong.items()
            ]
        )


def _count(name: str, given: list[tuple[str, str]]) -> int:
    return sum(name == it for it, _ in given)
