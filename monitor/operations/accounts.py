"""The people who may sign in: added, changed, disabled, by an admin or on the command line.

Nobody is deleted: their names stand in histories. Every change is a line of the audit trail,
and whoever's password, role or state changes is signed out everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from monitor.core.permissions import Role
from monitor.operations import passwords, throttle
from monitor.operations.passwords import WeakPassword
from monitor.store import tables
from monitor.store.alerts import MONITOR
from monitor.store.audit import Actor, note
from monitor.store.database import Store
from monitor.store.tables import table_of

_USERS = table_of(tables.UserRow)
_SESSIONS = table_of(tables.SessionRow)
_ADMINS = select(_USERS.c.id).where(
    _USERS.c.role == Role.ADMIN.value, _USERS.c.disabled_at.is_(None)
)
_NAME = re.compile(r"[\w.@+-]{2,64}")
_LONGEST_NAME = 100


class AccountRefused(Exception):
    """What was asked of an account is not possible; the text says why and what is."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in, without secrets."""

    id: int
    name: str
    full_name: str
    role: Role
    created_at: datetime
    password_set_at: datetime
    must_change: bool
    has_second_factor: bool
    disabled_at: datetime | None
    last_seen_at: datetime | None

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None


def account_of(row: Row[Any]) -> Account:
    """A row of the table as others see it."""
    return Account(
        id=row.id,
        name=row.name,
        full_name=row.full_name,
        role=Role(row.role),
        created_at=row.created_at,
        password_set_at=row.password_set_at,
        must_change=row.must_change,
        has_second_factor=bool(row.second_factor) and row.second_factor_at is not None,
        disabled_at=row.disabled_at,
        last_seen_at=row.last_seen_at,
    )


def key_of(name: str) -> str:
    """How a sign-in name is compared."""
    return name.strip().casefold()


def accounts(store: Store) -> list[Account]:
    """Everybody, by name; the disabled last."""
    with store.read() as connection:
        found = [account_of(row) for row in connection.execute(select(_USERS))]
    return sorted(found, key=lambda it: (it.is_disabled, it.name.casefold()))


def find(store: Store, name: str) -> Account:
    """The account of this sign-in name. Raises AccountRefused."""
    with store.read() as connection:
        return account_of(_row(connection, name))


def add(
    store: Store,
    *,
    name: str,
    full_name: str = "",
    role: Role,
    password: str,
    must_change: bool,
    by: Actor,
    now: datetime,
) -> Account:
    """Somebody new. Raises AccountRefused, WeakPassword."""
    name, full_name = name.strip(), " ".join((full_name or name).split())
    if not _NAME.fullmatch(name):
        raise AccountRefused(
            "a sign-in name is 2 to 64 letters, digits, dots or hyphens, such as n.gray"
        )
    if not full_name.isprintable() or len(full_name) > _LONGEST_NAME:
        raise AccountRefused(
            f"a full name has up to {_LONGEST_NAME} signs that can be seen: it stands in histories"
        )
    if key_of(full_name) == MONITOR:
        raise AccountRefused("in histories that name means the monitor itself: give a full name")
    passwords.check(password, name)
    kept = passwords.hashed(password)
    with store.write() as connection:
        taken = _USERS.c.name_key == key_of(name), _USERS.c.full_name_key == key_of(full_name)
        for clause, what in zip(taken, (f"the name {name}", f"the name {full_name}"), strict=True):
            if connection.scalar(select(_USERS.c.id).where(clause)) is not None:
                raise AccountRefused(f"{what} is taken: people are told apart by it in histories")
        row_id = connection.scalar(
            insert(_USERS)
            .values(
                name=name,
                name_key=key_of(name),
                full_name=full_name,
                full_name_key=key_of(full_name),
                role=role.value,
                password_hash=kept,
                password_set_at=now,
                must_change=must_change,
                second_factor="",
                last_step=0,
                created_at=now,
            )
            .returning(_USERS.c.id)
        )
        note(connection, by, "person added", now, detail=f"{name}, {role}")
        return account_of(connection.execute(select(_USERS).where(_USERS.c.id == row_id)).one())


def set_password(
    store: Store, name: str, password: str, *, must_change: bool, by: Actor, now: datetime
) -> Account:
    """A new password from somebody else, and with it a door that wrong ones had closed. Raises
    AccountRefused, WeakPassword."""
    passwords.check(password, name)
    values = {
        "password_hash": passwords.hashed(password),
        "password_set_at": now,
        "must_change": must_change,
    }
    return _change(store, name, values, "password reset", by, now)


def change_own_password(
    store: Store, account: Account, old: str, new: str, *, by: Actor, now: datetime
) -> None:
    """Their own password, who know the old one. Raises AccountRefused, WeakPassword."""
    with store.read() as connection:
        kept = _row(connection, account.name).password_hash
    if not passwords.matches(old, kept):
        raise AccountRefused("the present password is not right")
    passwords.check(new, account.name)
    if old == new:
        raise WeakPassword("the new password is the old one")
    values = {
        "password_hash": passwords.hashed(new),
        "password_set_at": now,
        "must_change": False,
    }
    _change(store, account.name, values, "password changed", by, now)


def set_role(store: Store, name: str, role: Role, *, by: Actor, now: datetime) -> Account:
    """What somebody is from now on. Raises AccountRefused."""
    return _change(store, name, {"role": role.value}, "role changed", by, now, detail=str(role))


def disable(store: Store, name: str, *, by: Actor, now: datetime) -> Account:
    """They cannot sign in any more, and are signed out. Raises AccountRefused."""
    return _change(store, name, {"disabled_at": now}, "person disabled", by, now)


def enable(store: Store, name: str, *, by: Actor, now: datetime) -> Account:
    """They can sign in again. Raises AccountRefused."""
    return _change(store, name, {"disabled_at": None}, "person enabled", by, now)


def reset_second_factor(store: Store, name: str, *, by: Actor, now: datetime) -> Account:
    """They set up a new one. Raises AccountRefused."""
    values = {"second_factor": "", "second_factor_at": None, "last_step": 0}
    return _change(store, name, values, "second factor reset", by, now)


def _change(
    store: Store,
    name: str,
    values: dict[str, Any],
    what: str,
    by: Actor,
    now: datetime,
    detail: str = "",
) -> Account:
    with store.write() as connection:
        connection.execute(_ADMINS.order_by(_USERS.c.id).with_for_update())  # two follow each other
        row = _row(connection, name)
        connection.execute(update(_USERS).where(_USERS.c.id == row.id).values(values))
        connection.execute(
            update(_SESSIONS)
            .where(_SESSIONS.c.user_id == row.id, _SESSIONS.c.ended_at.is_(None))
            .values(ended_at=now)
        )
        throttle.forgive(connection, row.name_key)
        _refuse_no_admin(connection, row)
        note(connection, by, what, now, detail=", ".join(filter(None, (row.name, detail))))
        return account_of(_row(connection, name))


def _refuse_no_admin(connection: Connection, before: Row[Any]) -> None:
    """An admin who goes leaves another behind."""
    if before.role != Role.ADMIN or before.disabled_at is not None:
        return
    if connection.scalar(_ADMINS.limit(1)) is None:
        raise AccountRefused(f"{before.name} is the last admin: add another one first")


def _row(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(_USERS).where(_USERS.c.name_key == key_of(name))).one_or_none()
    if row is None:
        raise AccountRefused("nobody has this name; see: monitor user list")
    return row
