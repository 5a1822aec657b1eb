"""`python -m tests.fault.set_clock FILE COMMAND ...`: `monitor COMMAND` on a machine whose clock is
wrong by the seconds that stand in a file, and is set while it runs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from unittest.mock import patch

from apscheduler.executors import base as executors
from apscheduler.schedulers import base as schedulers
from apscheduler.triggers import interval

from monitor import clock
from monitor.__main__ import main


def run(file: Path) -> None:
    """The program with whatever asks for the time told the wrong one."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            wrong_by = timedelta(seconds=float(file.read_text()))
            return (datetime.now(UTC) + wrong_by).astimezone(tz)

    with (
        patch.object(clock, "datetime", Wrong),
        patch.object(executors, "datetime", Wrong),
        patch.object(schedulers, "datetime", Wrong),
        patch.object(interval, "datetime", Wrong),
    ):
        main()


if __name__ == "__main__":
    path, *rest = sys.argv[1:]
    sys.argv = ["monitor", *rest]
    run(Path(path))
