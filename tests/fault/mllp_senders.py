"""Senders of HL7 messages: patient ones, and such as cut and drop what they send."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

START, END = b"\x0b", b"\x1c\r"


def framed(message: str | bytes) -> bytes:
    raw = message.encode() if isinstance(message, str) else message
    return START + raw + END


class Sender:
    """A connection on which messages are sent, and their answers read."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._rest = b""

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def answer(self) -> str:
        """The next answer; empty where the connection was closed instead."""
        while END not in self._rest:
            data = self.socket.recv(65536)
            if not data:
                return ""
            self._rest += data
        frame, _, self._rest = self._rest.partition(END)
        assert frame.startswith(START), frame
        return frame[1:].decode()

    def ask(self, message: str | bytes) -> str:
        """Send a message; its answer."""
        self.send(framed(message))
        return self.answer()

    def is_closed(self) -> bool:
        """Whether the other side closes, without a word."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


@contextmanager
def sender(port: int, timeout: float = 20) -> Iterator[Sender]:
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        yield Sender(connection)


def verdict(answer: str) -> tuple[str, str]:
    """MSA-1 and MSA-2."""
    found = re.search(r"\rMSA\|([^|]*)\|([^|\r]*)", answer)
    assert found is not None, answer
    return found[1], found[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
