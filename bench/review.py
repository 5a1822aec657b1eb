"""A review of everyone after an edit of the rules, with ten years of results and with two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update

from bench.databases import copied
from bench.filling import kept_full, settings
from bench.plan import BOTH, Plan, alone, apart, this
from bench.population import NOW
from bench.record import Peer, Record
from monitor.review import review_due
from monitor.store import tables
from monitor.store.claims import WITH_ALL
from monitor.store.database import open_store
from monitor.store.tables import table_of

TITLE = "Review of everyone after an edit of the rules"
DATABASES = BOTH
_ENROLMENTS = table_of(tables.EnrolmentRow)


def sizes(scale: str) -> Sequence[int]:
    return {"quick": (500,), "usual": (1_000, 5_000)}.get(scale, (1_000, 20_000))


def run(plan: Plan) -> list[Record]:
    """Enrolments a second of a core, alerts standing; beside it what pandas does who reads
    the whole history for a much smaller question."""
    found = []
    for years in (10, 2):
        ours, peers, peaks = [], [], []
        with copied(kept_full(plan.database, plan.size, years)) as url:
            apart(drain, url, 0)  # the first review opens what has to be opened
            for turn in range(1, plan.repeats + 1):
                done = apart(drain, url, turn)
                ours.append(plan.size / done.value)
                peaks.append(done.peak_mib)
                peers.append(plan.size / apart(last_completions, url).seconds)
        found.append(
            Record(
                what=f"reviewed, {plan.size:,} enrolled, {years} years",
                unit="enrolments/s",
                values=ours,
                peers=(Peer(name="pandas: last tests and due days only", values=peers),),
                reach=20_000,
                peak_mib=peaks,
                reach_mib=500,
            )
        )
    return found


def drain(url: str, turn: int) -> float:
    """Wake everyone as an edit does, and review them; processor seconds of the review."""
    import time

    at = NOW + timedelta(minutes=turn)
    store = open_store(url)
    with store.write() as connection:
        connection.execute(update(_ENROLMENTS).values(next_review_at=at, wake_rank=WITH_ALL))
    began = time.process_time()
    review_due(store, settings(), at)
    took = time.process_time() - began
    store.dispose()
    return took


def last_completions(url: str) -> int:
    """The latest day of each analyte of each patient, by pandas over all results."""
    import pandas as pd

    store = open_store(url)
    with store.engine.connect() as connection:
        query = "SELECT patient_id, analyte, collected_on, value FROM results WHERE stands"
        if not store.is_sqlite:
            query += " IS TRUE"
        frame = pd.read_sql_query(query, connection.connection.driver_connection)
    store.dispose()
    latest = frame.sort_values("collected_on").drop_duplicates(
        ["patient_id", "analyte"], keep="last"
    )
    days = pd.to_datetime(latest.groupby("patient_id")["collected_on"].max())
    return int((days + pd.DateOffset(months=3) < pd.Timestamp(NOW.date())).sum())


if __name__ == "__main__":
    alone(this(__name__))
