"""Sending HL7 messages over MLLP, one after the other, as a laboratory's system does."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.intake.hl7_text import Message, read_messages
from monitor.intake.mllp import END, START

_PIECE = 1 << 16


class NotSent(Exception):
    """The messages could not be sent, or no answer came; the text says why."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One message and its answer."""

    number: int
    """Of the message in its file, from 1."""
    kind: str
    code: str
    """MSA-1: AA, CA (taken), AE, CE (not now), AR, CR (not as it is)."""
    reason: str
    """ERR, where there is one."""

    @property
    def well(self) -> bool:
        return self.code.endswith("A")


def messages_of(path: Path) -> Iterator[Message]:
    """The messages of a file. Raises NotSent where it holds none or cannot be read."""
    found = False
    try:
        with path.open("rb") as stream:
            for it in read_messages(stream):
                if isinstance(it, Message) and it.header is not None:
                    found = True
                    yield it
    except OSError as error:
        raise NotSent(f"{path}: {error.strerror}") from None
    if not found:
        raise NotSent(f"{path}: no HL7 message in it")


def send_messages(path: Path, host: str, port: int, timeout: float) -> Iterator[Answered]:
    """Send each message of a file and wait for its answer. Raises NotSent."""
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            for message in messages_of(path):
                text = "\r".join(segment.text for segment in message.segments)
                connection.sendall(START + f"{text}\r".encode(message.codec, "replace") + END)
                yield _answered(message, _answer(connection))
    except TimeoutError:
        raise NotSent(f"{host}:{port} did not answer within {timeout:g} s") from None
    except OSError as error:
        raise NotSent(f"{host}:{port}: {error.strerror or type(error).__name__}") from None


def _answer(connection: socket.socket) -> str:
    told = b""
    while END not in told:
        data = connection.recv(_PIECE)
        if not data:
            raise NotSent("the other side closed the connection without an answer")
        told += data
    return told.partition(END)[0].lstrip(START).decode("utf-8", "replace")


def _answered(message: Message, told: str) -> Answered:
    segments = {line[:3]: line for line in re.split(r"[\r\n]+", told)}
    mark = re.escape(segments.get("MSH", "MSH|")[3:4])
    code = re.split(mark, segments.get("MSA", ""))[1:2]
    return Answered(
        message.number, message.kind or "unknown", "".join(code) or "?", segments.get("ERR", "")
    )
