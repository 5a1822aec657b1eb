"""From bytes to the tables of a TOML file, or one readable fault of a file that is none."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

from monitor.core.faults import Fault, Faults
from monitor.core.toml_syntax import Slip, slip

_LARGEST_FILE = 1_000_000


def decode(data: bytes, file: str) -> str:
    """The text of a file that people edit: UTF-8, with or without a byte order mark.

    Raises Faults that name line and column of the first byte that is not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        problem = f"is not UTF-8 text: byte 0x{error.object[error.start]:02x} at column {column}"
        raise _alone(file, problem, "save the file as UTF-8", line) from None
    return text.replace("\r\n", "\n")


def read_toml(text: str, file: str) -> dict[str, Any]:
    """The tables of a TOML text, with numbers as exact decimals. Raises Faults."""
    if len(text) > _LARGEST_FILE:
        problem = f"is too large for a file that people edit: {len(text):,} characters"
        raise _alone(file, problem, f"at most {_LARGEST_FILE:,}")
    if not text.strip():
        raise _alone(file, "is empty", "see docs/protocol-files.md")
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        found = Slip("is no TOML: brackets within brackets, too deep to read")
    except (ValueError, ArithmeticError) as error:
        found = slip(error, text)
    raise _alone(file, found.problem, found.valid, found.line, found.key)


def _alone(file: str, problem: str, valid: str, line: int | None = None, key: str = "") -> Faults:
    """The one fault of a file that cannot be read at all."""
    return Faults([Fault(file, key, "", problem, valid, line)])
