"""The second factor: codes of six digits that an app on a telephone shows (TOTP, RFC 6238).

The secret is kept encrypted under a key that is not in the database. A code counts once, and
for the half minute before and after its own, since clocks differ.
"""

from __future__ import annotations

import hmac
import os
from datetime import datetime
from pathlib import Path
from unicodedata import decimal

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import select, update

from monitor.config import Settings
from monitor.operations.accounts import Account, AccountRefused
from monitor.store import tables
from monitor.store.audit import Actor, note
from monitor.store.database import Store
from monitor.store.tables import table_of

_USERS = table_of(tables.UserRow)
_STEP_SECONDS = 30
_NEAR = (-1, 0, 1)


def begin(store: Store, settings: Settings, account: Account) -> str:
    """A new secret, which counts once `confirm` has seen a code of it. One that is being set up
    stays the same, so that a page opened twice shows one picture. Raises AccountRefused."""
    if account.has_second_factor:
        raise AccountRefused("there is a second factor already: an admin can reset it")
    box = _box(settings.web.key_file)
    with store.write() as connection:
        kept = connection.scalar(select(_USERS.c.second_factor).where(_USERS.c.id == account.id))
        secret = _opened(box, kept) if kept else None
        if secret is None:
            secret = pyotp.random_base32()
            values = {"second_factor": box.encrypt(secret.encode()).decode(), "last_step": 0}
            connection.execute(update(_USERS).where(_USERS.c.id == account.id).values(values))
    return secret


def uri(settings: Settings, account: Account, secret: str) -> str:
    """What the app reads: otpauth://totp/..."""
    totp = pyotp.TOTP(secret, name=account.name, issuer=settings.clinic.name)
    return totp.provisioning_uri()


def confirm(
    store: Store, settings: Settings, account: Account, code: str, *, by: Actor, now: datetime
) -> bool:
    """Whether the first code was right; from then on it is asked for at each sign-in."""
    if not accepts(store, settings, account.id, code, now):
        return False
    with store.write() as connection:
        connection.execute(
            update(_USERS).where(_USERS.c.id == account.id).values(second_factor_at=now)
        )
        note(connection, by, "second factor set up", now)
    return True


def accepts(store: Store, settings: Settings, user_id: int, code: str, now: datetime) -> bool:
    """Whether this is a code of now that was not taken before."""
    digits = "".join(str(decimal(sign)) for sign in code if sign.isdecimal())
    with store.write() as connection:
        row = connection.execute(select(_USERS).where(_USERS.c.id == user_id)).one()
        if not row.second_factor:
            return False
        secret = _opened(_box(settings.web.key_file), row.second_factor)
        if secret is None:
            raise AccountRefused(
                "the second factor cannot be read with the key in use: an admin resets it"
            )
        totp, step = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_SECONDS
        for number in (step + near for near in _NEAR):
            right = hmac.compare_digest(totp.generate_otp(number), digits)
            if right:
                unused = _USERS.c.id == user_id, _USERS.c.last_step < number
                taken = update(_USERS).where(*unused).values(last_step=number)
                return connection.execute(taken).rowcount == 1
    return False


def _opened(box: Fernet, kept: str) -> str | None:
    try:
        return box.decrypt(kept.encode()).decode()
    except InvalidToken:
        return None


def _box(path: Path) -> Fernet:
    """The key of the file, which is made where it is missing and read by its owner alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise AccountRefused(f"[web] key_file cannot be made: {error.strerror}") from None
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
    try:
        return Fernet(path.read_bytes().strip())
    except (OSError, ValueError):
        raise AccountRefused("[web] key_file cannot be read as a key") from None
