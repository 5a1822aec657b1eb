"""Whether a program may post: a bearer token, compared in constant time."""

from __future__ import annotations

import hmac
import os

from monitor.config import Settings


def token_of(settings: Settings) -> bytes:
    """The token that the config names, read at each request so that a changed file counts at
    once; empty where there is none."""
    web = settings.web
    if web.fhir_token_file is not None:
        try:
            return web.fhir_token_file.read_bytes().strip()
        except OSError:
            return b""
    return os.environ.get(web.fhir_token_env, "").strip().encode() if web.fhir_token_env else b""


def may_post(settings: Settings, authorization: str) -> bool:
    """Whether an Authorization header carries the token. Without a token nobody may."""
    scheme, _, given = authorization.partition(" ")
    expected = token_of(settings)
    same = hmac.compare_digest(given.strip().encode(), expected)
    return same and bool(expected) and scheme.casefold() == "bearer"
