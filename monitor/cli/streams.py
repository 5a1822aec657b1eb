"""Standard output and standard error of a command, whatever stands at their other end.

A reader that had enough (`| head`), a stream that was closed (`>&-`), or a full disk behind a
redirection are no reason to leave what was asked half done: what cannot be written is let go.
An answer on standard output that was not written whole is told at the end, by the exit code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from io import BufferedWriter, FileIO, RawIOBase, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STANDARD = 2
"""The highest descriptor that is a standard one: input, output, error (POSIX)."""


class _Patient(RawIOBase):
    """A descriptor whose failures are remembered and not raised."""

    lost: str = ""
    """Why something was not written; a reader that went away did not want it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def write(self, data: ReadableBuffer, /) -> int:
        """As any raw stream; what cannot be written counts as written."""
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            raise
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.lost = error.strerror or type(error).__name__
            return memoryview(data).nbytes

    def writable(self) -> bool:
        """That is all it is for."""
        return True

    def fileno(self) -> int:
        """The descriptor, for whoever asks what stands at its end."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether a person watches."""
        return os.isatty(self._descriptor)


def hold() -> Callable[[], str]:
    """Make the standard streams of this process take everything; returns a function that
    writes what is left and says why an answer on standard output was lost, or nothing."""
    _fill()
    sys.stdout, answer = _steady(sys.stdout)
    sys.stderr, _ = _steady(sys.stderr)

    def lost() -> str:
        sys.stdout.flush()
        return answer.lost if answer is not None else ""

    return lost


def _fill() -> None:
    """Something stands at each standard descriptor, lest a file that is opened gets its number
    and what is said lands in it."""
    while (free := os.open(os.devnull, os.O_RDWR)) <= _STANDARD:
        os.set_inheritable(free, True)
    os.close(free)


def _steady(stream: TextIO | None) -> tuple[TextIO, _Patient | None]:
    if stream is None:  # it was closed before the start
        return Path(os.devnull).open("w", encoding="utf-8"), None
    if not isinstance(stream, TextIOWrapper):
        return stream, None
    stream.reconfigure(errors="replace")  # a terminal of another encoding shows what it can
    # Where Python was told not to buffer, the buffer is the raw stream itself.
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if not isinstance(raw, FileIO):
        return stream, None
    stream.flush()
    steady = _Patient(stream.fileno())
    wrapped = TextIOWrapper(
        BufferedWriter(steady),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering or raw is stream.buffer,
    )
    return wrapped, steady
