"""A server that has stopped answering, though its machine still takes whatever is sent.

The system of a machine acknowledges for a process that is frozen (it swaps, its disk hangs,
somebody has stopped it), and so does a firewall in between that has lost the way: no time of TCP
runs out, and the limits of the server stop with it. Whoever waits for an answer would wait for
ever. So a wait in which nothing came for a while asks whether the server takes another connection
at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

SILENT = 30.0
"""Seconds without a word before the server is asked, and between two times of asking."""
LONGEST = 660.0
"""Seconds without a word after which nobody waits on, whatever the server says: a minute more than
it lets any statement take."""

Steps = Generator[Any, Any, Any]


def watched(connection_class: Any, errors: Any, takes_another: Callable[[], bool]) -> Any:
    """The driver's class of connections, whose waits end where the server is frozen: with the
    driver's OperationalError, and the connection closed."""

    def wait(connection: Any, steps: Steps, *how: Any, **more: Any) -> Any:
        def give_up(seconds: float) -> None:
            connection.pgconn.finish()
            raise errors.OperationalError(
                f"it has said nothing for {seconds:.0f} s, though its machine is there"
            )

        watching = _with_an_end(steps, takes_another, give_up)
        return connection_class.wait(connection, watching, *how, **more)

    return type("Watched", (connection_class,), {"wait": wait})


def _with_an_end(
    steps: Steps, takes_another: Callable[[], bool], give_up: Callable[[float], None]
) -> Steps:
    """The steps of one wait, as the driver's. It goes on with each as soon as something comes, and
    now and then (with nothing) while nothing does."""
    heard = asked = time.monotonic()
    try:
        wants = next(steps)
        while True:
            came = yield wants
            now = time.monotonic()
            if came:
                heard = asked = now
            elif now - heard >= LONGEST or (now - asked >= SILENT and not takes_another()):
                give_up(time.monotonic() - heard)
            elif now - asked >= SILENT:
                asked = now
            wants = steps.send(came)
    except StopIteration as end:
        return end.value
