"""Empty and filled databases of both kinds, made once and copied."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from bench.plan import CACHE, SQLITE
from monitor.store.database import Store, open_store

_SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
_WHOLE = "whole"


def server() -> str:
    """The PostgreSQL server that benches may create databases on."""
    return os.environ.get("MONITOR_TEST_POSTGRES", _SERVER)


def server_version() -> str:
    with _connected() as connection:
        return str(connection.execute("SHOW server_version").fetchone()[0]).split()[0]  # type: ignore[index]


@contextmanager
def empty(database: str) -> Iterator[str]:
    """The URL of a migrated database without a row, removed afterwards."""
    with bare(database) as url:
        store = open_store(url)
        store.migrate()
        store.dispose()
        yield url


@contextmanager
def bare(database: str) -> Iterator[str]:
    """The URL of a database without a table, removed afterwards."""
    if database == SQLITE:
        with tempfile.TemporaryDirectory(dir=_cache()) as folder:
            yield f"sqlite:///{folder}/monitor.db"
        return
    name = f"bench_{uuid.uuid4().hex}"
    _execute(f"CREATE DATABASE {name}")
    try:
        yield _url(name)
    finally:
        _drop(name)


@contextmanager
def copied(url: str) -> Iterator[str]:
    """A copy of a database that nobody is using, removed afterwards."""
    parsed = make_url(url)
    if parsed.get_backend_name() == SQLITE:
        with tempfile.TemporaryDirectory(dir=_cache()) as folder:
            target = Path(folder) / "monitor.db"
            shutil.copy(str(parsed.database), target)
            yield f"sqlite:///{target}"
        return
    name = f"bench_{uuid.uuid4().hex}"
    _execute(f"CREATE DATABASE {name} TEMPLATE {parsed.database}")
    try:
        yield _url(name)
    finally:
        _drop(name)


def kept(database: str, name: str) -> tuple[str, bool]:
    """The URL of a database that is kept between runs under a name of letters, digits and `_`,
    and whether it is there already. To be filled in place and marked with `keep`."""
    assert re.fullmatch(r"\w+", name)
    if database == SQLITE:
        path = _cache() / f"{name}.db"
        there = path.with_suffix(".done").exists()
        if not there:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
        return f"sqlite:///{path}", there
    own = f"bench_kept_{name}"
    there = _comment(own) == _WHOLE
    if not there:
        _drop(own)
        _execute(f"CREATE DATABASE {own}")
    return _url(own), there


def keep(url: str) -> None:
    """Note that a kept database is whole. Everybody has to have left it."""
    parsed = make_url(url)
    if parsed.get_backend_name() == SQLITE:
        Path(str(parsed.database)).with_suffix(".done").touch()
    else:
        _execute(f"COMMENT ON DATABASE {parsed.database} IS '{_WHOLE}'")


def opened(url: str) -> Store:
    """A store on a URL; to be disposed of."""
    return open_store(url)


def _cache() -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    return CACHE


def _url(name: str) -> str:
    return make_url(server()).set(database=name).render_as_string(hide_password=False)


def _comment(name: str) -> str:
    query = (
        "SELECT description FROM pg_shdescription JOIN pg_database ON objoid = pg_database.oid "
        "WHERE datname = %s"
    )
    with _connected() as connection:
        found = connection.execute(query, (name,)).fetchone()
        return "" if found is None else str(found[0])


def _drop(name: str) -> None:
    _execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _execute(statement: str) -> None:
    with _connected() as connection:
        connection.execute(statement)  # names of our own


def _connected() -> psycopg.Connection:
    plain = make_url(server()).set(drivername="postgresql")
    return psycopg.connect(
        plain.render_as_string(hide_password=False), connect_timeout=3, autocommit=True
    )
