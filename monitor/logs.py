"""Logs for operators: ids and counts on stderr, never names, values or raw rows.

An exception's text can quote a cell of a file, so it is not logged: the log names its
type and the places in the code it passed through.
"""

from __future__ import annotations

import logging
import secrets
import sys
import traceback
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent
_level = {"least": logging.WARNING}


def configure(*, verbose: bool = False) -> None:
    """Send logs to stderr: from `info` on when verbose, else warnings and worse."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(levelname)s")
    _level.update(least=logging.INFO if verbose else logging.WARNING)


def logger(room: str) -> Any:
    """The logger of one room; call it with an event and keyword ids and counts."""
    import structlog  # a third of a second, which most commands never need

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(_level["least"]),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    return structlog.get_logger(room=room)


def fault_id() -> str:
    """A short name for one fault, told to the user and written beside it in the log."""
    return secrets.token_hex(4)


def places(error: BaseException) -> str:
    """The type of an exception and our lines it passed through, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f"{Path(frame.filename).relative_to(_ROOT)}:{frame.lineno}"
        for frame in frames
        if Path(frame.filename).is_relative_to(_ROOT)
    ]
    cause = error.__cause__ or error.__context__
    after = f" after {type(cause).__name__}" if cause is not None else ""
    return f"{type(error).__name__}{after} at {' > '.join(ours) or 'start'}"
