"""Made-up patients go the whole road, in a database of their own; what stops one is told."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlmodel import SQLModel

from monitor.config import Source
from monitor.core.protocol_file import digest_of
from monitor.operations.canary import Flight, fly, fly_apart, tell
from monitor.operations.health import Part, examine
from monitor.resources import schedules_folder
from monitor.store.database import Store
from monitor.store.outbox import DELIVERIES
from monitor.store.rulebook import put_in_force
from monitor.store.tables import ProtocolText, table_of
from tests.clinic import CBC, LFT, Clinic, at
from tests.protocol_texts import bare

NOW = at("2026-03-02")


def counted(ward: Clinic) -> dict[str, int]:
    with ward.store.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in SQLModel.metadata.sorted_tables
        }


def of_health(ward: Clinic, now: Any = NOW) -> Part:
    parts = examine(ward.store, ward.settings, now).parts
    return next(part for part in parts if part.name == "canary")


def flown(ward: Clinic) -> Flight:
    flight = fly(ward.store, ward.settings, NOW)
    tell(ward.store, ward.settings, flight)
    return flight


def shipped(ward: Clinic) -> list[str]:
    names = sorted(it.stem for it in schedules_folder().glob("*.toml"))
    with ward.store.write() as connection:
        for name in names:
            text = (schedules_folder() / f"{name}.toml").read_text(encoding="utf-8")
            put_in_force(connection, name, text, digest_of(text), NOW, "test", "all")
    return [name for name in names if name != "analytes"]


def test_those_of_every_shipped_protocol_arrive_and_leave_nothing_behind(ward: Clinic) -> None:
    names = shipped(ward)
    before = counted(ward)
    flight = fly(ward.store, ward.settings, NOW)
    assert flight.died == [] and flight.well
    assert flight.protocols == tuple(names)
    assert flight.alerts >= flight.patients > 10 * len(names) / 2
    assert flight.messages > 0
    assert counted(ward) == before


def test_only_protocols_that_somebody_follows_are_tried(ward: Clinic) -> None:
    shipped(ward)
    ward.enrol("A1", now=at("2026-01-05"))
    assert fly(ward.store, ward.settings, NOW).protocols == ("azathioprine",)


def test_a_test_that_is_due_once_a_year_is_told_as_overdue(ward: Clinic) -> None:
    """Where the first test comes after a year nobody was overdue yet: each night the operator was
    told that the road was cut, and the heartbeat stopped."""
    text = re.sub(r'(?m)^every = "(?:1 week|3 months)"', 'every = "1 year"', bare())
    with ward.store.write() as connection:
        put_in_force(connection, "azathioprine", text, digest_of(text), NOW, "test", "yearly")
    ward.enrol("A1")
    assert fly(ward.store, ward.settings, NOW).died == []


def test_a_source_of_the_clinic_does_not_make_them_read_otherwise(ward: Clinic) -> None:
    own = Source(decimal_comma=True, date_format="day_first", constants={"unit": "%"})
    chosen = ward.settings.model_copy(update={"sources": {"": own}})
    assert fly(ward.store, chosen, NOW).died == []


def test_health_says_when_they_last_flew_and_when_none_has_for_a_day(ward: Clinic) -> None:
    assert "none has flown yet" in of_health(ward).says
    flown(ward)
    part = of_health(ward, NOW + timedelta(hours=20))
    assert part.well and "made-up patients went the whole road, 2 Mar 2026" in part.says
    part = of_health(ward, NOW + timedelta(hours=27))
    assert not part.well and "none has flown since 2 Mar 2026" in part.says


def test_a_name_that_is_read_no_more_kills_those_that_need_it_and_the_operator_is_told(
    ward: Clinic,
) -> None:
    """A catalogue that calls neutrophils somebody else's: each such row waits for a person."""
    text = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    slip = text.replace("none_of_ours = [", 'none_of_ours = ["neutrophils",', 1)
    with ward.store.write() as connection:
        put_in_force(connection, "analytes", slip, digest_of(slip), NOW, "test", "a slip")
    ward.enrol("A1", now=at("2026-01-05"))
    ward.results("A1", "2026-01-05", CBC | LFT)
    flight = flown(ward)
    assert not flight.well
    assert "azathioprine, neutropenia: no alert came of it" in flight.died
    assert not any("thrombocytopenia" in it for it in flight.died)
    part = of_health(ward)
    assert not part.well and flight.died[0] in part.says
    with ward.store.read() as connection:
        told = connection.scalars(select(DELIVERIES.c.payload)).all()
    assert any(it.get("topic") == "canary" and flight.died[0] in it["text"] for it in told)
    assert "A1" not in json.dumps(flight.document())


def test_where_no_protocol_is_in_force_that_is_what_is_wrong(ward: Clinic) -> None:
    texts = table_of(ProtocolText)
    with ward.store.write() as connection:
        connection.execute(delete(texts).where(texts.c.protocol_id != "analytes"))
    flight = flown(ward)
    assert flight.died == ["no protocol is in force: nobody can be enrolled, or watched"]
    part = of_health(ward)
    assert not part.well and "no protocol is in force" in part.says


def test_those_of_a_process_of_their_own_come_back_or_say_in_a_line_why_not(
    ward: Clinic, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fly_apart(ward.store, ward.settings, NOW) == fly(ward.store, ward.settings, NOW)
    with store.write() as connection:
        connection.execute(delete(table_of(ProtocolText)))
    with pytest.raises(RuntimeError, match="the canaries did not come back: NoRuleBook"):
        fly_apart(store, ward.settings, NOW)
    assert "Traceback" not in "".join(capfd.readouterr())
