"""Run every bench at a scale and write the table: `python -m bench [--scale usual]`.

Each bench, size and database runs in a process of its own. What was measured is kept in
`bench/records`; `--only storm` renews one bench, `--table` writes the table from what is kept.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import bench
from bench import table
from bench.plan import SCALES
from bench.record import load_sheets


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="usual")
    parser.add_argument("--only", action="append", metavar="NAME", help="this bench (repeatable)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    parser.add_argument("--table", action="store_true", help="measure nothing")
    asked = parser.parse_args()
    failed = []
    for found in [] if asked.table else benches():
        name = found.__name__.rpartition(".")[2]
        if asked.only and name not in asked.only:
            continue
        failed += [it for it in _each(found, asked.scale, asked.database) if not _ran(it)]
    table.write(load_sheets())
    for line in failed:
        print(f"failed: {' '.join(line)}", file=sys.stderr)
    return bool(failed)


def benches() -> list[ModuleType]:
    """The modules beside this one that can `run`."""
    names = [f"bench.{found.name}" for found in pkgutil.iter_modules(bench.__path__)]
    modules = [importlib.import_module(name) for name in names if name != "bench.__main__"]
    return [module for module in modules if hasattr(module, "run")]


def _each(module: ModuleType, scale: str, database: str | None) -> list[list[str]]:
    """The command lines of one bench at a scale."""
    repeats = str(SCALES[scale].repeats)
    return [
        ["-m", module.__name__, "--size", str(size), "--repeats", repeats]
        + (["--database", own] if own else [])
        for size in module.sizes(scale)
        for own in module.DATABASES
        if not (database and own and own != database)
    ]


def _ran(arguments: list[str]) -> bool:
    print("python", *arguments, flush=True)
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
