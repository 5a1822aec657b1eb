"""`monitor`, and `python -m monitor`."""

from __future__ import annotations

import gc
import os
import sys

_MANY = 200_000
"""Objects made before the collector looks for garbage among them. What a start makes stays: to
look through it again and again takes a fourteenth of a short command."""


def main() -> None:
    """Run the command line and end with its exit code."""
    gc.set_threshold(_MANY)
    from monitor.cli.streams import hold

    lost = hold()
    # pydantic would look for plugins in the metadata of every installed package; there are none
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from monitor.cli.app import command_line
    from monitor.cli.common import answered, guarded

    app = command_line(*sys.argv[1:2])
    code = answered(guarded(lambda: app(prog_name="monitor")), lost())
    # What is there goes with the process: to look through all of it for garbage before, as the
    # interpreter does three times, takes a third of a short command.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
