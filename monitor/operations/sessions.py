"""Signing in, staying signed in, signing out. The browser has a token, the database its digest."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from monitor.config import Settings
from monitor.operations import passwords, second_factor, throttle
from monitor.operations.accounts import Account, account_of, key_of
from monitor.store import tables
from monitor.store.audit import Actor, note
from monitor.store.database import Store
from monitor.store.tables import table_of

_USERS = table_of(tables.UserRow)
_SESSIONS = table_of(tables.SessionRow)
_SEEN_EVERY = timedelta(minutes=1)
"""A page view within this of the last one is not written down."""


class SignInRefused(Exception):
    """The name or the password is wrong, or the code; it is not said which."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser and whose it is."""

    id: int
    account: Account
    csrf: str
    complete: bool
    notices: tuple[tuple[str, str], ...]


def sign_in(
    store: Store, settings: Settings, name: str, password: str, *, address: str, now: datetime
) -> str:
    """The token of a new session; where there is a second factor, `second_step` completes it.
    Raises SignInRefused, Throttled."""
    of_name = throttle.name_guard(settings, key_of(name))
    of_address = throttle.address_guard(settings, address)
    try:
        throttle.count(store, settings, (of_name, of_address), now)
    except throttle.Throttled:
        _note_failure(store, name, address, now, "sign-in closed for a while")
        raise
    with store.read() as connection:
        row = connection.execute(
            select(_USERS).where(_USERS.c.name_key == key_of(name))
        ).one_or_none()
    usable = row is not None and row.disabled_at is None
    if not passwords.matches(password, row.password_hash if row and usable else ""):
        _note_failure(store, name, address, now, "sign-in failed")
        raise SignInRefused
    assert row is not None
    complete = not account_of(row).has_second_factor
    outdated = passwords.is_outdated(row.password_hash)
    kept = passwords.hashed(password) if outdated else row.password_hash
    with store.write() as connection:
        _hold(connection, row.id, row.password_hash, kept)
        throttle.take_back(connection, of_address)
        if complete:
            throttle.forgive(connection, row.name_key)
        else:
            throttle.take_back(connection, of_name)
        if complete:
            note(connection, Actor(row.full_name, row.id, address), "signed in", now)
        return begin(connection, row.id, address, now, complete=complete)[0]


def second_step(
    store: Store, settings: Settings, session: Session, code: str, *, address: str, now: datetime
) -> str:
    """The token of the session that follows on the right code. Raises SignInRefused,
    Throttled."""
    account = session.account
    guard = throttle.name_guard(settings, key_of(account.name))
    actor = Actor(account.full_name, account.id, address)
    throttle.count(store, settings, (guard,), now)
    if not second_factor.accepts(store, settings, account.id, code, now):
        with store.write() as connection:
            note(connection, actor, "wrong second factor", now)
        raise SignInRefused
    with store.write() as connection:
        if not end(connection, session.id, now):
            raise SignInRefused
        throttle.forgive(connection, key_of(account.name))
        note(connection, actor, "signed in", now, detail="with second factor")
        return begin(connection, account.id, address, now)[0]


def _hold(connection: Connection, user_id: int, known: str, kept: str) -> None:
    """Keep the account as it was when its password was tried, until this is written: a password
    that is changed or taken away in that moment opens nothing. Raises SignInRefused."""
    own = _USERS.c.id == user_id, _USERS.c.password_hash == known, _USERS.c.disabled_at.is_(None)
    if not connection.execute(update(_USERS).where(*own).values(password_hash=kept)).rowcount:
        raise SignInRefused


def begin(
    connection: Connection, user_id: int, address: str, now: datetime, *, complete: bool = True
) -> tuple[str, int]:
    """A new session of somebody who has shown who they are: its token and id."""
    token = secrets.token_urlsafe(32)
    session_id = connection.scalar(
        insert(_SESSIONS)
        .values(
            token_digest=_digest(token),
            user_id=user_id,
            csrf=secrets.token_urlsafe(24),
            begun_at=now,
            seen_at=now,
            address=address,
            complete=complete,
            notices=[],
        )
        .returning(_SESSIONS.c.id)
    )
    connection.execute(update(_USERS).where(_USERS.c.id == user_id).values(last_seen_at=now))
    assert session_id is not None
    return token, session_id


def find(
    store: Store, settings: Settings, token: str, now: datetime, *, touch: bool = True
) -> Session | None:
    """The session of a token, if it has not ended; `touch` keeps it from ending for a while
    (what a page asks for by itself does not)."""
    query = (
        select(_USERS, *(_SESSIONS.c[name].label(f"session_{name}") for name in _OF_SESSION))
        .join(_SESSIONS, _SESSIONS.c.user_id == _USERS.c.id)
        .where(_SESSIONS.c.token_digest == _digest(token), _SESSIONS.c.ended_at.is_(None))
    )
    with store.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.disabled_at is not None:
        return None
    web = settings.web
    ends_at = min(
        row.session_seen_at + web.session_idle.span, row.session_begun_at + web.session_longest.span
    )
    if now >= ends_at:
        return None
    if touch and now - row.session_seen_at > _SEEN_EVERY:
        with store.write() as connection:
            seen = update(_SESSIONS).where(_SESSIONS.c.id == row.session_id)
            connection.execute(seen.values(seen_at=now))
            user = update(_USERS).where(_USERS.c.id == row.id)
            connection.execute(user.values(last_seen_at=now))
    notices = tuple((str(kind), str(text)) for kind, text in row.session_notices)
    return Session(row.session_id, account_of(row), row.session_csrf, row.session_complete, notices)


_OF_SESSION = ("id", "csrf", "complete", "notices", "seen_at", "begun_at")


def sign_out(store: Store, session: Session, *, by: Actor, now: datetime) -> None:
    """End this session."""
    with store.write() as connection:
        end(connection, session.id, now)
        note(connection, by, "signed out", now)


def end(connection: Connection, session_id: int, now: datetime) -> bool:
    """End a session; its token opens nothing any more. False where it had ended before."""
    own = _SESSIONS.c.id == session_id, _SESSIONS.c.ended_at.is_(None)
    return connection.execute(update(_SESSIONS).where(*own).values(ended_at=now)).rowcount == 1


def prune(store: Store, settings: Settings, now: datetime) -> int:
    """Remove sessions that ended long ago, and forgotten guesses; how many sessions went."""
    gone = _SESSIONS.c.seen_at < now - settings.web.sessions_kept.span
    with store.write() as connection:
        throttle.forget(connection, now)
        return connection.execute(delete(_SESSIONS).where(gone)).rowcount


def keep_notices(store: Store, session_id: int, notices: Sequence[tuple[str, str]]) -> None:
    """What the next page tells (kind, text); none where it was told."""
    kept: list[Any] = [list(it) for it in notices]
    with store.write() as connection:
        connection.execute(
            update(_SESSIONS).where(_SESSIONS.c.id == session_id).values(notices=kept)
        )


def _note_failure(store: Store, name: str, address: str, now: datetime, what: str) -> None:
    """Somebody's account is named by its own name; what nobody is called is not written down."""
    with store.write() as connection:
        row = connection.execute(
            select(_USERS.c.id, _USERS.c.full_name).where(_USERS.c.name_key == key_of(name))
        ).one_or_none()
        actor = Actor("nobody known", None, address)
        if row is not None:
            actor = Actor(row.full_name, row.id, address)
        note(connection, actor, what, now)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
