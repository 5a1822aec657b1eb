"""A review of everyone after an edit of the rules, with ten years of results and with two."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update

from bench.databases import copied
from bench.filling import kept_full, settings
from bench.plan import BOTH, Plan, alone, apart, this
from bench.population import NOW
from bench.record import Peer, Record
from monitor.core.protocol_file import digest_of
from monitor.core.vocabulary import AlertState
from monitor.operations.status import Everybody
from monitor.resources import schedules_folder
from monitor.review import review_due
from monitor.store import tables
from monitor.store.claims import wake_all
from monitor.store.database import open_store
from monitor.store.rulebook import load_rulebook, put_in_force
from monitor.store.tables import table_of

TITLE = "Where everybody stands, and the review of everyone after an edit of the rules"
DATABASES = BOTH
_ALERTS = table_of(tables.AlertRow)
_PROTOCOL = "azathioprine"
_EPOCH_DAY = 719_163


def sizes(scale: str) -> Sequence[int]:
    usual = (1_000, 5_000)
    return {"quick": (500,), "usual": usual}.get(scale, (1_000, 20_000, 100_000))


def run(plan: Plan) -> list[Record]:
    """Enrolments a second of a core, alerts standing that have not recovered: asked where they
    stand, and reviewed after an edit that changes a limit and after ones that change everybody's
    schedule; beside it what pandas does who reads the whole history for a much smaller
    question."""
    found = []
    for years in (10, 2):
        with copied(kept_full(plan.database, plan.size, years)) as url:
            apart(lived_in, url)
            peer = [plan.size / apart(last_completions, url).seconds for _ in range(plan.repeats)]
            seen = [apart(stands, url) for _ in range(plan.repeats)]
            found.append(
                Record(
                    what=f"where everybody stands, {plan.size:,} enrolled, {years} years",
                    unit="enrolments/s of CPU",
                    values=[plan.size / done.value for done in seen],
                    peers=(Peer(name="pandas: last tests and due days only", values=peer),),
                    peak_mib=[done.peak_mib for done in seen],
                )
            )
            for what in EDITS:
                turns = [apart(edited, url, what, turn) for turn in range(1, plan.repeats + 1)]
                found.append(
                    Record(
                        what=f"reviewed after an edit of {what}, {plan.size:,} enrolled, "
                        f"{years} years",
                        unit="enrolments/s of CPU",
                        values=[plan.size / done.value for done in turns],
                        peers=(Peer(name="pandas: last tests and due days only", values=peer),),
                        reach=20_000,
                        peak_mib=[done.peak_mib for done in turns],
                        reach_mib=500,
                        goal=f"everyone reviewed after an edit of {what}, {years} years",
                    )
                )
    return found


EDITS = {
    "a limit": ("{ below = 1.6,", "{ below = 1.5,"),
    "a grace": ('grace = "1 week"', 'grace = "8 days"'),
    "an interval": ('every = "3 months"', 'every = "4 months"'),
}
"""What an edit finds in the shipped protocol, and puts there. By the grace the alert of hardly
anybody is another one; by the interval everybody's due day is, and the alert of all overdue."""


def lived_in(url: str) -> None:
    """Everybody is reviewed, which opens what has to be opened, and people have closed what has
    recovered: what stands is who is overdue, and what breaches now."""
    store = open_store(url)
    for at in (NOW - timedelta(minutes=1), NOW):
        with store.write() as connection:
            wake_all(connection, at, None)
        review_due(store, settings(), at)
        with store.write() as connection:
            connection.execute(
                update(_ALERTS)
                .where(_ALERTS.c.recovered)
                .values(
                    state=AlertState.CLOSED.value,
                    closed_by="bench",
                    closed_at=at,
                    closed_recovered=True,
                    outcome="seen",
                )
            )
    store.dispose()


def stands(url: str) -> float:
    """Tell where everybody's tests stand, as `monitor status` does; processor seconds."""
    import time

    store = open_store(url)
    began = time.process_time()
    everybody = Everybody(store, settings(), NOW)
    rows = sum(1 for _ in everybody)
    took = time.process_time() - began
    assert rows >= everybody.ledger()["enrolled"] > 0
    store.dispose()
    return took


def edited(url: str, what: str, turn: int) -> float:
    """Put the edit in force, or take it back at every second turn; processor seconds of the
    waking and of the review of everybody, by a process that has read what was in force."""
    import time

    at = NOW + timedelta(hours=list(EDITS).index(what), minutes=turn)
    store = open_store(url)
    text = (schedules_folder() / f"{_PROTOCOL}.toml").read_text(encoding="utf-8")
    was, becomes = EDITS[what]
    assert was in text
    content = text.replace(was, becomes) if turn % 2 else text
    digest = digest_of(content)
    with store.read() as connection:
        assert load_rulebook(connection).protocols[_PROTOCOL]
    gc.freeze()  # as a daemon does once it has begun
    began = time.process_time()
    with store.write() as connection:
        put_in_force(connection, _PROTOCOL, content, digest, at, "bench", f"turn {turn}")
        wake_all(connection, at, _PROTOCOL)
    review_due(store, settings(), at)
    took = time.process_time() - began
    store.dispose()
    return took


def last_completions(url: str) -> int:
    """The latest day of each analyte of each patient, by pandas over all results."""
    import pandas as pd

    store = open_store(url)
    with store.engine.connect() as connection:
        columns = ["patient_id", "analyte", "collected_on"]
        query = f"SELECT {', '.join(columns)} FROM results WHERE stands"
        if not store.is_sqlite:
            query += " IS TRUE"
        cursor = connection.connection.cursor()
        cursor.execute(query)
        frame = pd.DataFrame.from_records(cursor.fetchall(), columns=columns)  # as pandas reads it
    store.dispose()
    latest = frame.sort_values("collected_on").drop_duplicates(
        ["patient_id", "analyte"], keep="last"
    )
    last = latest.groupby("patient_id")["collected_on"].max()
    if store.is_sqlite:  # which counts days, from another one than pandas
        last = pd.to_datetime(last - _EPOCH_DAY, unit="D")
    days = pd.to_datetime(last)
    return int((days + pd.DateOffset(months=3) < pd.Timestamp(NOW.date())).sum())


if __name__ == "__main__":
    alone(this(__name__))
