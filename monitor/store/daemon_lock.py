"""The lock of the one daemon of a SQLite file: its death lets it go."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.store.errors import StoreBusy, StoreError


@contextmanager
def hold_lock(path: Path, work: str) -> Iterator[None]:
    """Hold the file, with the number of this process in it. `work` is what the holder works on.

    Raises StoreBusy where another process holds it, StoreError where it cannot be opened or
    written.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"the daemon's lock {path} cannot be opened: {error.strerror}") from error
    try:
        if not _try_lock(descriptor):
            raise StoreBusy(
                f"another daemon (process {holder(path)}) already works on "
                f"{work}: end that one first, or leave it running"
            )
        _write_pid(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_pid(descriptor: int, path: Path) -> None:
    try:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except OSError as error:  # a full disk: the database could not be written either
        raise StoreError(f"the daemon's lock {path} cannot be written: {error.strerror}") from error


def holder(path: Path) -> str:
    """The number of the process that holds it, as it says there."""
    try:
        return path.read_bytes()[:20].decode(errors="replace").strip() or "unknown"
    except OSError:
        return "unknown"
