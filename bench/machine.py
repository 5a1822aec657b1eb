"""The facts of the machine that a number depends on."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

EVERYTHING = (
    "import aiosmtplib, alembic, apscheduler.schedulers.background, babel, fastapi, httpx, jinja2, "
    "pandas, PIL.Image, PIL.ImageDraw, PIL.ImageFont, psycopg, pydantic, python_calamine, rich, "
    "sqlalchemy, sqlmodel, structlog, tomlkit, typer, uvicorn, watchfiles"
)
"""All that the product needs: how long Python takes to import it says how fast a machine is."""
_LIBRARIES = ("sqlalchemy", "psycopg", "pydantic", "jinja2", "pillow", "aiosmtplib", "pandas")


def facts(database: str = "") -> dict[str, Any]:
    """Cores, memory, versions, and how busy the machine was with other things just before."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "database": _database(database),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "load_before": round(os.getloadavg()[0], 1),
        "imports_s": round(min(_importing() for _ in range(3)), 2),
    }


def _importing() -> float:
    """Seconds of CPU."""
    before = os.times()
    subprocess.run([sys.executable, "-c", EVERYTHING], check=True)
    after = os.times()
    return (
        after.children_user
        + after.children_system
        - (before.children_user + before.children_system)
    )


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _database(database: str) -> str:
    if database == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    if database == "postgresql":
        from bench.databases import server_version

        return f"PostgreSQL {server_version()}"
    return ""
