"""The monitor in figures, as a Prometheus reads them: who may ask, and nothing of any patient."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient, Response
from prometheus_client.parser import text_string_to_metric_families

from monitor.config import Settings, read_settings
from monitor.operations import job_runs
from monitor.operations.backup import backup
from monitor.store.database import Store, open_store
from monitor.web.app import create_app
from tests.clinic import CBC, Clinic, at

HERE = ("127.0.0.1", 50000)
AWAY = ("192.0.2.7", 50000)


def asked(
    store: Store, settings: Settings, *, client: tuple[str, int] = HERE, **headers: str
) -> Response:
    app = create_app(store, settings)
    names = {name.replace("_", "-"): value for name, value in headers.items()}

    async def ask() -> Response:
        transport = ASGITransport(app=app, client=client)
        async with AsyncClient(transport=transport, base_url="http://monitor") as http:
            return await http.get("/metrics", headers=names)

    return asyncio.run(ask())


def settings_with(folder: Path, **environment: str) -> Settings:
    return read_settings("", folder / "config.toml", environment)


def figures(text: str) -> dict[str, float]:
    """`name{label=value}` and its number."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={it}" for name, it in sorted(sample.labels.items()))
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def test_the_monitor_in_figures(ward: Clinic, tmp_path: Path) -> None:
    ward.enrol("SECRET-77")
    ward.results("SECRET-77", "2026-01-12", CBC | {"neutrophils": "0.7"})
    ward.review(at("2026-01-12", 13))
    with ward.store.write() as connection:
        job_runs.record(connection, "inbox", at("2026-01-12"), at("2026-01-12"), "")
        job_runs.record(connection, "delivery", at("2026-01-12"), at("2026-01-12"), "OSError")
    backup(ward.store, tmp_path / "copy.db", at("2026-01-12"), replace=False)
    answer = asked(ward.store, settings_with(tmp_path))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found = figures(answer.text)
    noon = at("2026-01-12").timestamp()
    assert found["monitor_up"] == 1
    assert found["monitor_alerts_live{state=open,urgency=critical}"] == 1
    assert found["monitor_alerts_live{state=acknowledged,urgency=critical}"] == 0
    assert found["monitor_job_last_run_seconds{job=inbox}"] == noon
    assert (found["monitor_job_failed{job=inbox}"], found["monitor_job_failed{job=delivery}"]) == (
        0,
        1,
    )
    assert found["monitor_part_well{part=scheduler}"] == 0
    assert found["monitor_messages{state=waiting}"] == 1
    assert found["monitor_enrolments"] == 1
    assert found["monitor_backup_last_seconds"] == noon
    assert found["monitor_brought_to_seconds"] == at("2026-01-12", 13).timestamp()
    assert "SECRET-77" not in answer.text
    assert "nurse" not in answer.text


def test_without_a_token_this_machine_alone_is_answered(ward: Clinic, tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    assert asked(ward.store, settings).status_code == 200
    assert asked(ward.store, settings, client=("::1", 50000)).status_code == 200
    assert asked(ward.store, settings, client=AWAY).status_code == 403
    assert asked(ward.store, settings, x_forwarded_for="192.0.2.7").status_code == 403
    assert asked(ward.store, settings, client=("testclient", 1)).status_code == 403


def test_with_a_token_whoever_has_it(
    ward: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_with(tmp_path, MONITOR__METRICS__TOKEN_ENV="METRICS_TOKEN")
    assert asked(ward.store, settings).status_code == 403  # it is asked for, and not there
    monkeypatch.setenv("METRICS_TOKEN", "open sesame")
    assert asked(ward.store, settings).status_code == 403
    assert asked(ward.store, settings, authorization="Bearer wrong").status_code == 403
    right = asked(ward.store, settings, client=AWAY, authorization="Bearer open sesame")
    assert right.status_code == 200
    (tmp_path / "token").write_text("from a file\n")
    file = settings_with(tmp_path, MONITOR__METRICS__TOKEN_FILE="token")
    assert asked(ward.store, file, authorization="Bearer from a file").status_code == 200


def test_a_database_that_does_not_answer_is_a_figure(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'nowhere.db'}")
    answer = asked(store, settings_with(tmp_path))
    assert figures(answer.text) == {"monitor_up": 0}
