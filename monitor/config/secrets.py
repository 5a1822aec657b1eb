"""Passwords and tokens that the config names and that are not there.

Each is read when it is needed, so that a changed one counts at once; that one is not there at
all shows only then, and the first message may come weeks after the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from monitor.config.models import Settings


def missing_secrets(settings: Settings, environment: Mapping[str, str]) -> list[str]:
    """The variables that are not set (or empty) and the files that cannot be read (or are
    empty), each with the key that names it."""
    return [
        fault
        for key, variable, file in _named(settings)
        if (fault := _fault(key, variable, file, environment))
    ]


def _named(settings: Settings) -> Iterator[tuple[str, str, Path | None]]:
    for number, relay in enumerate((settings.mail, *settings.relays)):
        table = f"[[relays]] {number}" if number else "[mail]"
        yield f"{table} password", relay.password_env, relay.password_file
    for name, hook in settings.webhooks.items():
        yield f"[webhooks.{name}] secret", hook.secret_env, hook.secret_file
    box, web, metrics = settings.bounces, settings.web, settings.metrics
    yield "[bounces] imap_password", box.imap_password_env, box.imap_password_file
    yield "[web] fhir_token", web.fhir_token_env, web.fhir_token_file
    yield "[metrics] token", metrics.token_env, metrics.token_file


def _fault(key: str, variable: str, file: Path | None, environment: Mapping[str, str]) -> str:
    if variable and not environment.get(variable, "").strip():
        return f"{key}_env: {variable} is not set"
    if file is not None and not _holds_something(file):
        return f"{key}_file: {file.name} cannot be read, or is empty"
    return ""


def _holds_something(file: Path) -> bool:
    try:
        return bool(file.read_bytes().strip())
    except OSError:
        return False
