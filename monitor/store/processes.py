"""Whether another process of this machine still lives, be it a daemon or whoever held a lease."""

from __future__ import annotations

import os
import sys


def is_alive(pid: int) -> bool:
    """Whether there is one of that number; of one that cannot be asked: yes."""
    if sys.platform == "win32":  # a signal there is the end of it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's
    return True
