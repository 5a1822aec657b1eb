"""Tokens of other programs: issued once, kept as a digest, revoked and never deleted."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from monitor.core.permissions import May, Scope, in_scope
from monitor.store import tables
from monitor.store.audit import Actor, note
from monitor.store.database import Store
from monitor.store.tables import table_of

PREFIX = "mon_"
"""So that a token that leaks is recognised as one."""
_NAME = re.compile(r"[\w.@ +-]{2,64}")
_NOTED_EVERY = timedelta(minutes=1)
_TABLE = table_of(tables.ApiTokenRow)


class TokenRefused(Exception):
    """What was asked of a token is not possible; the text says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as others see it, without its secret."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def may(self, what: May) -> bool:
        return in_scope(self.scopes, what)

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def issue(
    store: Store,
    *,
    name: str,
    scopes: Collection[Scope],
    by: Actor,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """A new token; its text is given once. Raises TokenRefused."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise TokenRefused("a token is named with 2 to 64 letters, digits, spaces and . @ + - _")
    if not scopes:
        raise TokenRefused(f"say what it is for: {', '.join(Scope)}")
    if expires_at is not None and expires_at <= now:
        raise TokenRefused("it would have ended already")
    text = PREFIX + secrets.token_urlsafe(32)
    with store.write() as connection:
        if connection.scalar(select(_TABLE.c.id).where(_TABLE.c.name == name)) is not None:
            raise TokenRefused(f"there is a token {name} already, or there was: name another")
        connection.execute(
            insert(_TABLE).values(
                name=name,
                digest=_digest(text),
                scopes=sorted(scopes),
                created_at=now,
                created_by=by.who,
                expires_at=expires_at,
                revoked_by="",
            )
        )
        note(connection, by, "token issued", now, detail=name)
    return text


def revoke(store: Store, name: str, *, by: Actor, now: datetime) -> None:
    """From now on it is worth nothing. Raises TokenRefused."""
    mine = (_TABLE.c.name == name.strip()) & _TABLE.c.revoked_at.is_(None)
    with store.write() as connection:
        values = {"revoked_at": now, "revoked_by": by.who}
        if not connection.execute(update(_TABLE).where(mine).values(values)).rowcount:
            raise TokenRefused(f"no token {name.strip()} is in use")
        note(connection, by, "token revoked", now, detail=name.strip())


def tokens(store: Store) -> list[Token]:
    """All of them, by name."""
    with store.read() as connection:
        return [_token(row) for row in connection.execute(select(_TABLE).order_by(_TABLE.c.name))]


def find(store: Store, text: str, now: datetime) -> Token | None:
    """The token of this text, where it is worth something now."""
    with store.read() as connection:
        row = connection.execute(select(_TABLE).where(_TABLE.c.digest == _digest(text))).first()
    token = None if row is None else _token(row)
    if token is None or not token.is_valid(now):
        return None
    if token.last_used_at is None or now - token.last_used_at > _NOTED_EVERY:
        with store.write() as connection:
            _use(connection, token.id, now)
    return token


def _use(connection: Connection, token_id: int, now: datetime) -> None:
    connection.execute(update(_TABLE).where(_TABLE.c.id == token_id).values(last_used_at=now))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _token(row: Any) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
