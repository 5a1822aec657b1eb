"""Passwords: what is good enough, and how they are kept (Argon2id, RFC 9106's low-memory
choice as the library has it)."""

from __future__ import annotations

import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 200
_GIVEN_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
_hasher = PasswordHasher()
_turns = BoundedSemaphore(2)
"""Each takes 64 MiB while it lasts, and whoever has no account can ask for it: the others wait, or
a morning's sign-ins take the memory from the daemon that watches."""


class WeakPassword(Exception):
    """It is not taken; the text says what would be."""


def check(password: str, *names: str) -> None:
    """Raises WeakPassword. Length counts; rules about signs only make people write it down."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"a password has at least {SHORTEST} signs: three or four words will do")
    if len(password) > LONGEST:
        raise WeakPassword(f"a password has at most {LONGEST} signs")
    plain = password.casefold()
    if any(name and name.casefold() in plain for name in names):
        raise WeakPassword("a password does not hold the name of its owner")
    if len(set(plain)) < SHORTEST // 2:
        raise WeakPassword("a password of a few signs over and over is guessed at once")


def hashed(password: str) -> str:
    """As it is kept."""
    with _turns:
        return _hasher.hash(password)


def matches(password: str, kept: str) -> bool:
    """Whether this is the password; as slow for somebody who does not exist as for others."""
    try:
        with _turns:
            return _hasher.verify(kept or _nobody(), password) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether it was kept with weaker settings than today's."""
    return _hasher.check_needs_rehash(kept)


def drawn() -> str:
    """A password for somebody else, to be changed at the first sign-in."""
    groups = ("".join(secrets.choice(_GIVEN_SIGNS) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_hex(16))
