"""An alert that finds itself on another ladder than it was put to people on, by edited routes or
by a correction: everybody on it hears in their time, and nobody again who heard."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.config import read_settings
from monitor.review import RoutesRead, wake_for_other_routes
from monitor.store import tables
from monitor.store.database import Store
from tests.clinic import CBC, Clinic, settings_in

ZONE = ZoneInfo("Europe/Zurich")
ASKED = datetime(2026, 3, 4, 10, tzinfo=ZONE)


def routes(*tiers: str, more: str = "") -> str:
    addresses = [f"{it}@hill.example" for it in tiers]
    then = [[it] for it in addresses[1:]]
    return f'[[routes]]\nto = ["{addresses[0]}"]\nthen = {then}\n{more}\n'


class House:
    """One patient, and routes that are edited."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.clinic = Clinic(store, settings_in(folder))
        self.folder = folder

    def edit(self, *ways: str) -> None:
        head = f'[clinic]\ntimezone = "{ZONE.key}"\nemail = "office@hill.example"\n'
        path = self.folder / "config.toml"
        self.clinic.settings = read_settings(head + "\n".join(ways), path, {})

    def told(self, after: float) -> list[str]:
        """Who is told so many minutes after the alert was put to people."""
        known = {it.id for it in self.clinic.rows(tables.Delivery)}
        now = ASKED + timedelta(minutes=after)
        self.clinic.review(now, everyone=True)
        new = [it for it in self.clinic.rows(tables.Delivery, kind="alert") if it.id not in known]
        return sorted(it.recipient.split("@")[0] for it in new)

    def count(self, neutrophils: str, after: float, status: str = "final") -> None:
        now = ASKED + timedelta(minutes=after)
        for row in self.clinic.rows(tables.ResultRow, collected_at=ASKED):
            self.clinic.set(tables.ResultRow, row.id, stands=False)
        self.clinic.results("A1", "2026-03-04", CBC | {"neutrophils": neutrophils},
                            collected_at=ASKED, received_at=now, status=status)  # fmt: skip


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    house = House(store, tmp_path)
    house.edit(routes("nurse", "doctor", "lead"))
    house.clinic.enrol("A1", "2026-02-25", now=ASKED - timedelta(days=7))
    house.clinic.review(ASKED - timedelta(hours=1))
    return house


def test_a_tier_put_before_the_others_hears_of_what_they_have(house: House) -> None:
    house.count("0.3", 0)
    assert house.told(0) == ["nurse"]
    house.edit(routes("matron", "nurse", "doctor", "lead"))
    assert house.told(10) == ["matron"]
    assert house.told(31) == []  # the nurse's place now, who heard
    assert house.told(61) == ["doctor"]
    assert house.told(91) == ["lead"]


def test_edited_routes_wake_whoever_waits_for_somebody(house: House) -> None:
    house.count("0.3", 0)
    house.told(0)
    clinic = house.clinic
    assert wake_for_other_routes(clinic.store, clinic.settings, ASKED) == 0
    house.edit(routes("matron", "nurse"))
    now = ASKED + timedelta(minutes=3)
    assert wake_for_other_routes(clinic.store, clinic.settings, now) == 1
    assert wake_for_other_routes(clinic.store, clinic.settings, now) == 0
    clinic.review(now)
    assert clinic.rows(tables.Delivery)[-1].recipient == "matron@hill.example"


def test_whoever_takes_a_week_over_hears_of_what_is_open(house: House) -> None:
    """Ann had it, and is ill: the rota is edited while the program runs."""
    clinic, routes_read = house.clinic, RoutesRead()
    rota = house.folder / "rota.csv"
    role = '[recipients.on_call]\naddresses = ["call@hill.example"]\nrota = "rota.csv"\n'

    def on_call(name: str) -> int:
        rota.write_text(f"week,name,addresses\n2026-W10,{name},{name}@hill.example\n")
        house.edit(role + '[[routes]]\nto = ["on_call"]\n')
        return routes_read.read_anew(clinic.store, clinic.settings, ASKED)

    assert on_call("ann") == 0
    house.count("0.3", 0)
    assert house.told(0) == ["ann"]
    assert on_call("ann") == 0
    assert on_call("bob") == 1
    assert house.told(5) == ["bob"]
    assert house.told(6) == []


def test_a_tier_taken_away_lets_nobody_be_passed_over(house: House) -> None:
    house.count("0.3", 0)
    assert house.told(0) == ["nurse"]
    house.edit(routes("doctor", "lead"))
    assert house.told(10) == ["doctor"]
    assert house.told(31) == ["lead"]
    assert house.told(61) == ["office"]


def test_tiers_added_at_the_end_do_not_repeat_what_was_repeated(house: House) -> None:
    house.count("0.3", 0)
    for minutes in (0, 31, 61):
        assert len(house.told(minutes)) == 1
    assert house.told(91) == ["office"]
    assert house.told(91 + 240) == ["doctor", "lead", "nurse", "office"]
    house.edit(routes("nurse", "doctor", "lead", "chief"))
    assert house.told(91 + 245) == ["chief"]
    assert house.told(91 + 246) == []
    assert len(house.told(120 + 241)) == 5  # by the hours of the new ladder


def test_what_a_correction_made_urgent_passes_nobody_over(house: House) -> None:
    """Of the critical ladder three had heard; of the urgent one only its first."""
    critical, urgent = 'urgencies = ["critical"]', 'urgencies = ["urgent"]'
    house.edit(
        routes("nurse", "doctor", "lead", more=critical),
        routes("nurse", "matron", "chief", more=urgent),
    )
    house.count("0.3", 0)
    for minutes, who in ((0, ["nurse"]), (31, ["doctor"]), (61, ["lead"])):
        assert house.told(minutes) == who
    house.count("1.4", 70, status="corrected")
    assert house.told(70) == ["doctor", "lead", "nurse"]
    assert house.told(4 * 60 + 1) == ["matron"]
    assert house.told(8 * 60 + 1) == ["chief"]


def corrected_to_urgent(house: House) -> None:
    """The nurse and the doctor were told that it is critical, and then that it is milder."""
    house.count("0.3", 0)
    for minutes in (0, 31):
        house.told(minutes)
    house.count("1.4", 40, status="corrected")
    assert house.told(40) == ["doctor", "nurse"]


def test_who_heard_of_the_critical_one_is_not_told_again_of_the_urgent(house: House) -> None:
    corrected_to_urgent(house)
    assert house.told(4 * 60 + 1) == []
    assert house.told(8 * 60 + 1) == ["lead"]


def test_a_correction_that_is_corrected_reaches_all_who_heard_the_first(house: House) -> None:
    """The doctor was rung up, then told it is milder; only the nurse heard that it is not."""
    corrected_to_urgent(house)
    house.count("0.4", 50, status="corrected")
    assert house.told(50) == ["doctor", "nurse"]
    said = {it.what: it.reason for it in house.clinic.rows(tables.DeliveryAlert)[-2:]}
    assert said["updated"] == "a correction made it worse; before: urgent, withhold"
    assert house.told(81) == ["doctor"], "whose turn it is all the same"
    assert house.told(111) == ["lead"]


def test_what_was_withdrawn_and_stands_after_all_reaches_all_who_heard_that(house: House) -> None:
    house.count("0.3", 0)
    for minutes in (0, 31):
        house.told(minutes)
    house.count("4.0", 40, status="corrected")
    house.told(40)
    withdrawn = house.clinic.rows(tables.Delivery, kind="withdrawal")
    assert len(withdrawn) == 2
    house.count("0.4", 50, status="corrected")
    assert house.told(50) == ["doctor", "nurse"]
    said = {it.what: it.reason for it in house.clinic.rows(tables.DeliveryAlert)[-2:]}
    assert said["updated"] == "it was taken back, and stands after all"
    assert house.told(81) == ["doctor"], "whose turn it is all the same"


def test_another_result_that_is_worse_is_told_tier_by_tier(house: House) -> None:
    house.count("0.8", 0)
    for minutes in (0, 31):
        house.told(minutes)
    now = ASKED + timedelta(minutes=40)
    house.clinic.results("A1", "2026-03-04", {"neutrophils": "0.3"}, collected_at=now,
                         received_at=now)  # fmt: skip
    assert house.told(40) == ["nurse"]
    assert house.told(71) == ["doctor"]
