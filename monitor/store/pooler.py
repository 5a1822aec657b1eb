"""A pooler before the server that does not keep sessions.

One that gives each transaction to whichever session of the server is free (PgBouncer's `pool_mode =
transaction`) lends our settings and prepared statements to others, and theirs to us. Most would
work; and now and then a file would be taken in, and who is in it not reviewed. So it is refused. It
is known by two connections that are open at a time and have been in one session of the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

REFUSED = (
    "a pooler before the server gives each transaction to another of its sessions. It must keep "
    "them (in PgBouncer: pool_mode = session), or name the server itself in [database] url"
)
MIXED_UP = ("42P05", "26000")
"""A prepared statement of this name is there already, or is not there: the driver counts them for
each session, so somebody else was in ours. Source: PostgreSQL manual, appendix A."""
_ROUNDS = 3
"""One look may miss it where others work meanwhile."""
_SECONDS = 2.0
"""How long an answer is waited for: where sessions are kept, ours may be the last there was."""
_GLANCE = 0.002
_ASKS = b"SELECT pg_backend_pid()"


def keeps_sessions(connection: Any, session: int, connect: Callable[[], Any]) -> bool:
    """Whether the `session` of the server that a connection is in, between two transactions, stays
    its own. `connect` opens another connection."""
    if session == connection.info.backend_pid:
        return True  # no pooler: those say a number of their own at first
    with closing(connect()) as another:
        ours, theirs = {b"%d" % session}, set[bytes]()
        for _ in range(_ROUNDS):
            for line, sessions in ((another.pgconn, theirs), (connection.pgconn, ours)):
                found = _session(line)
                if found is None:
                    return True
                sessions.add(found)
        return len(ours) == len(theirs) == 1 and ours != theirs


def _session(line: Any) -> bytes | None:
    """Which session of the server a transaction of its own is in; None: there was none free."""
    until = time.monotonic() + _SECONDS
    line.send_query(_ASKS)
    line.flush()
    while line.is_busy():
        if time.monotonic() > until:
            return None
        time.sleep(_GLANCE)
        line.consume_input()
    found = line.get_result()
    while line.get_result() is not None:
        pass
    return found.get_value(0, 0) if found.ntuples else None
