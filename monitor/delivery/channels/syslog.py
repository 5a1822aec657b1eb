"""Says in the syslog that there is a message: ids and urgency, never who or what value.

RFC 5424 over UDP, TCP (octet counting, RFC 6587) or a local socket. Over UDP and a local
datagram socket nothing is acknowledged: a log, beside a channel that is.
"""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC

from monitor.config import Syslog
from monitor.delivery.channels.letter import Letter, NotSent, Turn

_FACILITY = {"user": 1, "daemon": 3, "auth": 4, **{f"local{n}": 16 + n for n in range(8)}}
_SEVERITY = {"critical": 2, "urgent": 4, "routine": 6}
_SHOWN = 20


class SyslogChannel:
    """One syslog of the config."""

    def __init__(self, name: str, syslog: Syslog) -> None:
        self._name = name
        self._syslog = syslog

    async def send(self, letter: Letter, turn: Turn) -> str:
        """Hand one line over. Raises NotSent."""
        line = line_of(letter, self._syslog.facility).encode()
        await turn()
        try:
            await asyncio.to_thread(self._hand_over, line)
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise NotSent(f"syslog {self._name}: {said}", whole=True) from error
        return "handed over" + ("" if self._syslog.transport == "tcp" else ", unacknowledged")

    async def close(self) -> None:
        """Nothing is kept open."""

    def _hand_over(self, line: bytes) -> None:
        syslog = self._syslog
        if syslog.transport == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
                way.connect(syslog.socket)
                way.send(line)
        elif syslog.transport == "udp":
            family, *_, address = socket.getaddrinfo(
                syslog.host, syslog.port, type=socket.SOCK_DGRAM
            )[0]
            with socket.socket(family, socket.SOCK_DGRAM) as way:
                way.sendto(line, address)
        else:
            with socket.create_connection((syslog.host, syslog.port), timeout=10) as way:
                way.sendall(b"%d %s" % (len(line), line))


def line_of(letter: Letter, facility: str) -> str:
    """One RFC 5424 line: priority, time, host, program, and the ids in words."""
    message = letter.message
    priority = 8 * _FACILITY[facility] + _SEVERITY[message.urgency]
    at = letter.now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    shown = [f"{alert_id} {what}" for alert_id, what, _ in message.lines[:_SHOWN]]
    more = len(message.lines) - len(shown)
    about = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    text = f"{message.urgency} {message.kind}" + (f": alerts {about}" if about else "")
    host = socket.gethostname() or "-"
    return f"<{priority}>1 {at} {host} azathioprine-monitor {os.getpid()} {message.kind} - {text}"
