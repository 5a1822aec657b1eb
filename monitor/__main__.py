"""`monitor`, and `python -m monitor`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end with its exit code."""
    from monitor.cli.app import app
    from monitor.cli.common import guarded

    sys.exit(guarded(lambda: app(prog_name="monitor")))


if __name__ == "__main__":
    main()
