"""What a look costs when nobody is due: the same for a thousand enrolled and for a million."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from statistics import median

from sqlalchemy import select, text

from bench.databases import copied, keep, kept
from bench.filling import put_protocols, settings
from bench.plan import BOTH, Plan, alone, rss_mib, this, timed
from bench.population import NOW
from bench.record import Peer, Record
from monitor.review import review_due
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.facts import bring_to
from monitor.store.revisions import newest
from monitor.store.tables import table_of

TITLE = "Idle tick"
DATABASES = BOTH
_WHO = table_of(tables.EnrolmentRow).c
_DUE = select(_WHO.id).where(_WHO.next_review_at <= NOW).limit(1)
_TICKS = 50
"""Looks a repeat: their median is one value."""
_PEOPLE = """
INSERT INTO patients (id, mrn, mrn_key, mrn_loose, family_name, given_name, sex)
SELECT n, 'P' || n, 'p' || n, 'p' || n, '', '', '' FROM {numbers}
"""
_ENROLMENTS = """
INSERT INTO enrolments (id, patient_id, drug, protocol_id, indication, clinic, started_on,
    enrolled_on, enrolled_at, tpmt, nudt15, next_review_at)
SELECT n, n, 'azathioprine', 'azathioprine', '', '', :day, :day, :began, '', '', {wakes}
FROM {numbers}
"""
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT :size) "
    "SELECT n FROM c) AS c",
    "postgresql": "generate_series(1, :size) AS n",
}
_WAKES = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', :later, '+' || (n % 129600) || ' seconds')",
    "postgresql": "CAST(:later AS timestamptz) + (n % 129600) * interval '1 second'",
}


def sizes(scale: str) -> Sequence[int]:
    return {"quick": (1_000,), "usual": (1_000, 100_000)}.get(scale, (1_000, 1_000_000))


def run(plan: Plan) -> list[Record]:
    """A review with nobody due, and the fetch of an index entry that it cannot do without."""
    with copied(_kept(plan.database, plan.size)) as url:
        store = open_store(url)
        own, ours, fetches = settings(), [], []
        for _ in range(plan.repeats):
            ours.append(_median(lambda: review_due(store, own, NOW)))
            fetches.append(_median(lambda: _fetch(store)))
        memory = rss_mib()
        store.dispose()
    return [
        Record(
            what=f"idle look, {plan.size:,} enrolled",
            unit="ms",
            values=ours,
            more_is_better=False,
            peers=(Peer(name="one index fetch in a transaction", values=fetches),),
            reach=2.0,
            goal="an idle look at the clock",
            peak_mib=[memory],
        )
    ]


def _median(step: Callable[[], object]) -> float:
    step()
    return 1000 * median(timed(step) for _ in range(_TICKS))


def _fetch(store: Store) -> None:
    with store.read() as connection:
        assert connection.scalar(_DUE) is None


def _kept(database: str, size: int) -> str:
    url, there = kept(database, f"asleep_{size}_{newest()}")
    if not there:
        store = open_store(url)
        store.migrate()
        _fill(store, size)
        store.dispose()
        keep(url)
    return url


def _fill(store: Store, size: int) -> None:
    """Everybody asleep: nobody is due before tomorrow."""
    kind = store.engine.dialect.name
    later, began = NOW + timedelta(days=1), NOW - timedelta(days=700)
    is_text = kind == "sqlite"
    given = {
        "size": size,
        "day": began.date().isoformat() if is_text else began.date(),
        "began": f"{began:%Y-%m-%d %H:%M:%S.%f}" if is_text else began,
        "later": f"{later:%Y-%m-%d %H:%M:%S}" if is_text else later,
    }
    with store.write() as connection:
        put_protocols(connection)
        connection.execute(text(_PEOPLE.format(numbers=_NUMBERS[kind])), {"size": size})
        statement = _ENROLMENTS.format(numbers=_NUMBERS[kind], wakes=_WAKES[kind])
        connection.execute(text(statement), given)
        bring_to(connection, NOW)
    with store.write() as connection:
        connection.execute(text("ANALYZE"))


if __name__ == "__main__":
    alone(this(__name__))
