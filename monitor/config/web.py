"""`[web]`: where the pages are served, who may stay signed in for how long, and what is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from monitor.config.field_types import Network, Url
from monitor.config.section import Folder, OptionalPath, Section
from monitor.core.permissions import Role
from monitor.core.waits import Wait, parse_wait


def _span(value: object) -> object:
    wait = parse_wait(value) if isinstance(value, str) else value
    if isinstance(wait, Wait) and wait.working:
        raise ValueError("no working hours here: a time such as 30 minutes")
    return wait


def _role(value: object) -> object:
    if isinstance(value, str) and value not in list(Role):
        raise ValueError(f"must be one of {', '.join(Role)}")
    return Role(value) if isinstance(value, str) else value


Span = Annotated[Wait, BeforeValidator(_span)]


class Web(Section):
    """The pages and the FHIR intake."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """0: any free one, which the log names."""
    public_url: Url = ""
    behind_proxies: list[Network] = []
    """Whose word is taken for the address and the protocol of a visitor."""
    session_idle: Span = parse_wait("30 minutes")
    session_longest: Span = parse_wait("12 hours")
    sessions_kept: Span = parse_wait("30 days")
    """After the last thing done; the audit trail keeps who signed in, for good."""
    lock_after: Annotated[int, Field(ge=3, le=100)] = 10
    """Wrong passwords in a row for one name; ten times as many from one address."""
    lock_for: Span = parse_wait("15 minutes")
    second_factor: list[Annotated[Role, BeforeValidator(_role)]] = [Role.ADMIN]
    """Roles that do not get on without one; anybody may have one."""
    key_file: Folder = Path("web.key")
    """What second factors are kept under in the database; made when first needed."""
    requests_a_minute: Annotated[int, Field(ge=10)] = 3000
    """From one address, which may be a whole clinic's: an open worklist asks twenty times."""
    token_requests_a_minute: Annotated[int, Field(ge=10)] = 300
    """With one token, from wherever."""
    upload_largest_mib: Annotated[int, Field(ge=1, le=1024)] = 32
    fhir_token_env: str = ""
    """The bearer token of POST /fhir is named here or below; without one nothing is taken."""
    fhir_token_file: OptionalPath = None
    fhir_largest_mib: Annotated[int, Field(ge=1, le=1024)] = 16

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.fhir_token_env and self.fhir_token_file:
            raise ValueError("name fhir_token_env or fhir_token_file, not both")
        return self

    @model_validator(mode="after")
    def _idle_within_longest(self) -> Self:
        if self.session_idle.span > self.session_longest.span:
            raise ValueError("session_idle is longer than session_longest")
        if self.session_idle.span > self.sessions_kept.span:
            raise ValueError("session_idle is longer than sessions_kept")
        return self
