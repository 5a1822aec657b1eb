"""A day of `tools.week`: three daemons killed, the server crashed, by a clock that is moved on.

`python -m tools.week` is the whole: a week with a hundred thousand enrolled.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT


def test_a_disturbed_day_ends_as_one_in_peace(postgres_programs: Path) -> None:
    asked = "--enrolled 120 --days 1 --kills 4 --restarts 1".split()
    done = subprocess.run(
        [sys.executable, "-m", "tools.week", *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("differences: 0\n")
    assert "4 kills" in done.stdout
    assert "1 crashes" in done.stdout
    mails = re.search(r"^(\d+) mails,", done.stdout, re.MULTILINE)
    assert mails is not None and int(mails[1]) > 10
