"""Puts messages into a folder as JSON files, for another program to pick up.

A file appears whole or not at all, is on the disk before it counts as sent, and has the same
name each time it is written: a repeat replaces, and never doubles. Names hold no patient data.
"""

from __future__ import annotations

import contextlib
import json
import os
from datetime import UTC
from pathlib import Path

from monitor.config import Queue
from monitor.delivery.channels.letter import Letter, NotSent, Turn


class QueueChannel:
    """One queue folder of the config."""

    def __init__(self, name: str, queue: Queue) -> None:
        self._name = name
        self._folder = queue.folder

    async def send(self, letter: Letter, turn: Turn) -> str:
        """Write the file; its name. Raises NotSent where the disk is full, or not there."""
        message = letter.message
        digest = message.message_id.strip("<>").partition("@")[0][:16]
        made = message.created_at.astimezone(UTC)
        name = f"{made:%Y%m%dT%H%M%SZ}-{message.urgency}-{digest}.json"
        text = json.dumps(letter.document(), ensure_ascii=False, indent=2) + "\n"
        await turn()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_whole(self._folder / name, text)
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise NotSent(f"queue {self._name}: {said}", whole=True) from error
        return name

    async def close(self) -> None:
        """Nothing is kept open."""


def _write_whole(path: Path, text: str) -> None:
    """Through a hidden file beside it, forced to the disk, then renamed."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
