"""Fixtures for tests on both databases.

`store` is an empty, migrated database of the test's own: once on SQLite, once on PostgreSQL.
PostgreSQL is the server of MONITOR_TEST_POSTGRES (a URL), else a local one; where none answers,
its tests are left out and the summary says so, or they fail where CI is set. So it is with
tests in a browser (the fixture `chrome`) where there is no Chromium, with those that crash a
server of their own (`postgres_programs`) where PostgreSQL itself is not installed, and with those
that write to a full disk (`full_disk`) where the system has none to lend.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import make_url
from sqlmodel import SQLModel

import tests.hypothesis_profiles  # noqa: F401  # by which every test of properties runs
from monitor.store.database import Store, open_store
from tools.week.server import programs

if TYPE_CHECKING:
    from tests.clinic import Clinic
    from tests.web_clinic import WebClinic

_LOCAL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
_BOTH = ["sqlite", "postgresql"]
_ABSENT = pytest.StashKey[str]()
_FULL_DISK = Path("/dev/full")
"""Of Linux: whoever writes to it is told that no space is left."""


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("MONITOR__WEB__PORT", "0")  # daemons side by side: any free port
    config.stash[_ABSENT] = _why_no_postgres()
    config.addinivalue_line("markers", "postgresql_only: what SQLite is not made for")
    config.addinivalue_line("markers", "sqlite_only: what is asked in SQLite's own words")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marked = metafunc.definition.get_closest_marker
    only = [name for name in _BOTH if marked(f"{name}_only")]
    databases = only or _BOTH
    if "empty_url" in metafunc.fixturenames:
        metafunc.parametrize("empty_url", databases, indirect=True)
    elif "store_url" in metafunc.fixturenames:
        metafunc.parametrize("store_url", databases, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("CI"):
        return
    without_postgres, without_browser = bool(config.stash[_ABSENT]), chromium() is None
    without_programs = programs() is None
    left_out = [
        item
        for item in items
        if (without_postgres and _on_postgres(item))
        or (without_browser and _in_browser(item))
        or (without_programs and _on_its_own_server(item))
        or (not _FULL_DISK.exists() and _on_a_full_disk(item))
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash[_ABSENT]:
        terminalreporter.write_line(
            f"left out: the tests on PostgreSQL, because {config.stash[_ABSENT]}", yellow=True
        )
    if chromium() is None:
        terminalreporter.write_line(
            "left out: the tests in a browser, because there is no chromium", yellow=True
        )
    if programs() is None:
        terminalreporter.write_line(
            "left out: the tests that crash a server of their own, because there is no initdb",
            yellow=True,
        )
    if not _FULL_DISK.exists():
        terminalreporter.write_line(
            f"left out: the tests on a full disk, because there is no {_FULL_DISK}", yellow=True
        )


def chromium() -> str | None:
    """Where the browser of tests is; None where there is none."""
    names = (os.environ.get("MONITOR_TEST_CHROMIUM", "chromium"), "chromium-browser")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture
def postgres_programs() -> Path:
    """Where a server of the test's own can be made from."""
    found = programs()
    assert found is not None, "CI must crash a server of its own, but there is no initdb"
    return found


@pytest.fixture
def full_disk() -> Path:
    """A file that takes nothing, for no space is left."""
    assert _FULL_DISK.exists(), f"CI must write to a full disk, but there is no {_FULL_DISK}"
    return _FULL_DISK


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that has no table yet (on SQLite: no file)."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'monitor.db'}"
    else:
        yield from _fresh_schema(request.config)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to be copied: quicker than migrating for each test."""
    path = tmp_path_factory.mktemp("migrated") / "monitor.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(pytestconfig: pytest.Config) -> Iterator[str]:
    """A migrated schema of this worker's own, emptied for each test: quicker than a new one."""
    for url in _fresh_schema(pytestconfig):
        _migrate(url)
        yield url


@pytest.fixture
def store_url(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path
) -> Iterator[str]:
    """The URL of a migrated, empty database of this test's own."""
    if request.param == "sqlite":
        path = tmp_path / "monitor.db"
        shutil.copy(migrated_sqlite, path)
        yield f"sqlite:///{path}"
        return
    url = request.getfixturevalue("migrated_postgres")
    _empty(url)
    yield url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty, migrated store."""
    opened = open_store(store_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def made_clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the web clinic that tests copy: made once, by whichever worker asks first."""
    from tests.web_clinic import make_clinic

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "web-clinic"
    try:
        folder.mkdir()
    except FileExistsError:
        _wait_for(folder / "made")
    else:
        make_clinic(folder)
        (folder / "made").touch()
    return folder


@pytest.fixture
def web(made_clinic: Path, tmp_path: Path) -> Iterator[WebClinic]:
    """A served clinic with the demo's patients, of this test's own."""
    from tests.web_clinic import web_clinic

    with web_clinic(made_clinic, tmp_path) as own:
        yield own


@pytest.fixture
def ward(store: Store, tmp_path: Path) -> Clinic:
    """A store with the shipped protocol in force, and ways to fill it."""
    from tests.clinic import Clinic, settings_in  # not every test needs the whole program

    return Clinic(store, settings_in(tmp_path))


def _wait_for(path: Path, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > until:
            pytest.fail(f"{path.parent} was not made by the worker that began it")
        time.sleep(0.05)


def _on_postgres(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and "postgresql" in (
        callspec.params.get("store_url"),
        callspec.params.get("empty_url"),
    )


def _in_browser(item: pytest.Item) -> bool:
    return "chrome" in getattr(item, "fixturenames", ())


def _on_its_own_server(item: pytest.Item) -> bool:
    return "postgres_programs" in getattr(item, "fixturenames", ())


def _on_a_full_disk(item: pytest.Item) -> bool:
    return "full_disk" in getattr(item, "fixturenames", ())


def _migrate(url: str) -> None:
    store = open_store(url)
    store.migrate()
    store.dispose()


def _fresh_schema(config: pytest.Config) -> Iterator[str]:
    """A URL whose tables go into a schema of their own, dropped afterwards."""
    if config.stash[_ABSENT]:
        pytest.fail(f"CI must test on PostgreSQL, but {config.stash[_ABSENT]}")
    schema = f"test_{uuid.uuid4().hex}"
    url = make_url(_server())
    _execute(f"CREATE SCHEMA {schema}")
    try:
        own = url.update_query_dict(
            {
                "options": f"-csearch_path={schema} -csynchronous_commit=off",
                "application_name": schema,
            }
        )
        yield own.render_as_string(hide_password=False)
    finally:
        _execute(f"DROP SCHEMA {schema} CASCADE")


def _empty(url: str) -> None:
    """Take every row out of the migrated tables, and whoever an ended test left connected."""
    schema = _schema_of(url)
    left = f"pg_stat_activity WHERE application_name = '{schema}'"
    statements = [f"SELECT pg_terminate_backend(pid) FROM {left}"]
    for table in reversed(SQLModel.metadata.sorted_tables):
        name = f"{schema}.{table.name}"
        statements.append(f"DELETE FROM {name}")
        if "id" in table.columns:
            statements.append(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), 1, false)")
    _execute("; ".join(statements))


def _schema_of(url: str) -> str:
    name = make_url(url).query["application_name"]
    assert isinstance(name, str)
    return name


def _execute(statement: str) -> None:
    with _connect() as connection:
        connection.execute(statement)


def _connect() -> psycopg.Connection:
    plain = make_url(_server()).set(drivername="postgresql")
    return psycopg.connect(
        plain.render_as_string(hide_password=False), connect_timeout=2, autocommit=True
    )


def _server() -> str:
    return os.environ.get("MONITOR_TEST_POSTGRES", _LOCAL)


def _why_no_postgres() -> str:
    """Why there is no PostgreSQL to test on; empty where there is one."""
    try:
        _connect().close()
    except psycopg.Error as error:
        where = make_url(_server()).render_as_string(hide_password=True)
        return f"{where} does not answer ({str(error).splitlines()[0]})"
    return ""
