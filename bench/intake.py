"""A large file of results into an empty database, then a day's delta: validated, normalised,
de-duplicated, stored. Beside it the database's own way to import a file under a unique key."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import insert, make_url

from bench import by_hand
from bench.databases import empty
from bench.filling import put_protocols, settings
from bench.plan import BOTH, SQLITE, Plan, Spent, alone, apart, this
from bench.population import NOW, Population
from bench.record import Peer, Record
from monitor.intake.load import load_file
from monitor.review import review_due
from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.rulebook import load_rulebook
from monitor.store.tables import table_of

TITLE = "Intake"
DATABASES = BOTH
_KEY = "mrn, analyte, collected_at"
_COLUMNS = "mrn text, collected_at text, analyte text, value text, unit text"
_DELTA_PATIENTS = 230
DAY = timedelta(days=1)
_REACH = {"sqlite": 1.0, "postgresql": 0.8}


def sizes(scale: str) -> Sequence[int]:
    """Enrolled; each has some 250 results over ten years."""
    return {"quick": (500,), "usual": (4_000,)}.get(scale, (1_000, 20_000, 100_000))


def run(plan: Plan) -> list[Record]:
    """Rows a second of the whole file and its peer; seconds of a day's delta with its review."""
    people = Population(plan.size)
    ours, peers, peaks, busy, peers_busy = [], [], [], [], []
    deltas: list[Spent] = []
    taken_in: list[Spent] = []
    next_days: list[Spent] = []
    objects: list[Spent] = []
    bare: list[Spent] = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "results.csv"
        days = [Path(name) / "delta.csv", Path(name) / "next.csv"]
        rows = people.write_results(file)
        for day, path in enumerate(days):
            changed = _write_delta(people, path, NOW + day * DAY)
        for _ in range(plan.repeats):
            with empty(plan.database) as url:
                apart(enrol, url, plan.size)
                loaded = apart(load, url, str(file), 0)
                ours.append(rows / loaded.value)
                busy.append(rows / loaded.cpu_seconds)
                peaks.append(loaded.peak_mib)
                apart(review, url, 0)
                (loading, delta), (_, next_day) = apart(
                    load_and_review, url, [str(it) for it in days]
                ).value
                taken_in.append(loading)
                deltas.append(delta)
                next_days.append(next_day)
                apart(by_hand.fill, url)
                objects.append(apart(by_hand.through_objects, url, str(days[0])).value)
                bare.append(apart(by_hand.by_rows, url, str(days[0])).value)
                took, cpu = apart(_peer(plan.database), url, str(file)).value
                peers.append(rows / took)
                peers_busy.append(rows / cpu)
    reference = "sqlite3 .import" if plan.database == SQLITE else "COPY to a stage, ON CONFLICT"
    return [
        Record(
            what=f"CSV of {rows:,} rows, {plan.size:,} enrolled",
            unit="rows/s",
            values=ours,
            peers=(Peer(name=f"{reference}, unique key", values=peers),),
            reach_ratio=_REACH[plan.database],
            peak_mib=peaks,
            reach_mib=500,
            goal="intake of a large CSV, beside the database's own import",
        ),
        *(_by_cpu(busy, reference, peers_busy) if plan.database == SQLITE else ()),
        *_of_delta(f"a day's delta of {changed:,} rows into them", deltas, objects, bare),
        _seconds("of that, taking it in", taken_in),
        _seconds("the next day's, by the same process", next_days),
    ]


def _of_delta(
    what: str, deltas: Sequence[Spent], objects: Sequence[Spent], bare: Sequence[Spent]
) -> Iterator[Record]:
    """By the clock, and by CPU, which is that of this process: of SQLite alone all of it."""
    for unit in Spent._fields:
        by = {"clock": "reviewed and queued", "cpu": "by CPU of the process"}[unit]
        yield Record(
            what=f"{what}, {by}",
            unit="s",
            values=[getattr(it, unit) for it in deltas],
            more_is_better=False,
            peers=(
                Peer(
                    name="SQLModel objects, last test and due day only",
                    values=[getattr(it, unit) for it in objects],
                ),
                Peer(name="plain rows, likewise", values=[getattr(it, unit) for it in bare]),
            ),
            reach=0.5 if unit == "clock" else None,
            goal="a day's delta, to alerts and messages queued" if unit == "clock" else "",
        )


def _seconds(what: str, spent: Sequence[Spent]) -> Record:
    return Record(what=what, unit="s", values=[it.clock for it in spent], more_is_better=False)


def _by_cpu(busy: Sequence[float], reference: str, peers: Sequence[float]) -> Iterator[Record]:
    """What a machine that others keep busy cannot blur; of SQLite, which works in the process."""
    yield Record(
        what="the same by seconds of CPU",
        unit="rows/s of CPU",
        values=busy,
        peers=(Peer(name=reference, values=peers),),
    )


def enrol(url: str, size: int) -> None:
    """Everybody, without a result."""
    patients, numbers, enrolments, _ = Population(size).people()
    store = open_store(url)
    with store.write() as connection:
        put_protocols(connection)
        connection.execute(insert(table_of(tables.Patient)), patients)
        connection.execute(insert(table_of(tables.Identifier)), numbers)
        connection.execute(insert(table_of(tables.EnrolmentRow)), enrolments)
    store.dispose()


def load(url: str, file: str, minutes: int) -> float:
    """Take the file in; the seconds that took."""
    store = open_store(url)
    began = time.perf_counter()
    report = load_file(store, settings(), Path(file), "", NOW + timedelta(minutes=minutes))
    took = time.perf_counter() - began
    store.dispose()
    if report.stored != report.rows:
        raise RuntimeError(f"{report.rows - report.stored} rows were not stored")
    return took


def review(url: str, minutes: int) -> None:
    """Review whom the file touched."""
    store = open_store(url)
    review_due(store, settings(), NOW + timedelta(minutes=minutes))
    store.dispose()


def load_and_review(url: str, files: Sequence[str]) -> list[tuple[Spent, Spent]]:
    """Of a file a day: taking it in, and that with its review; what a process reads once at its
    start is not in it."""
    found = []
    store = open_store(url)
    with store.read() as connection:
        assert all(load_rulebook(connection).protocols.values())
    with tempfile.TemporaryDirectory() as name:
        nothing = Path(name) / "nothing.csv"
        nothing.write_text("mrn,collected_at,analyte,value,unit\n")
        load_file(store, settings(), nothing, "", NOW)
    for day, file in enumerate(files):
        now = NOW + day * DAY + timedelta(minutes=1)
        review_due(store, settings(), now)  # whose answer changes by the passing of time
        began = Spent.now()
        report = load_file(store, settings(), Path(file), "", now)
        loaded = Spent.since(began)
        tally = review_due(store, settings(), now)
        found.append((loaded, Spent.since(began)))
        if report.stored != report.rows or not tally.reviewed:
            raise RuntimeError(f"{report.rows - report.stored} rows were not stored")
    store.dispose()
    return found


def by_shell(url: str, file: str) -> tuple[float, float]:
    """The file into a table with a unique key, by the shell of SQLite; seconds, and of CPU."""
    shell = shutil.which("sqlite3")
    if shell is None:
        raise RuntimeError("the shell of SQLite (sqlite3) is not installed")
    with tempfile.TemporaryDirectory(dir=Path(str(make_url(url).database)).parent) as folder:
        commands = f"CREATE TABLE r ({_COLUMNS}, UNIQUE ({_KEY}));\n.mode csv\n"
        commands += f".import --skip 1 '{file}' r\n"
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([shell, f"{folder}/reference.db"], input=commands, text=True, check=True)
        took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_copy(url: str, file: str) -> tuple[float, float]:
    """The file by COPY into a stage, then into a table with a unique key; seconds, and those of
    this process' CPU, which leave out the server."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE reference ({_COLUMNS}, UNIQUE ({_KEY}))")
        began, before = time.perf_counter(), time.process_time()
        cursor.execute(f"CREATE TEMPORARY TABLE stage ({_COLUMNS})")
        with (
            cursor.copy("COPY stage FROM STDIN (FORMAT csv, HEADER)") as copy,
            Path(file).open("rb") as stream,
        ):
            while block := stream.read(1 << 20):
                copy.write(block)
        cursor.execute("INSERT INTO reference SELECT * FROM stage ON CONFLICT DO NOTHING")
        connection.commit()
        return time.perf_counter() - began, time.process_time() - before


def _peer(database: str) -> Callable[[str, str], tuple[float, float]]:
    return by_shell if database == SQLITE else by_copy


def _write_delta(people: Population, path: Path, now: datetime) -> int:
    """Blood counts and liver tests of some patients an hour ago; how many rows."""
    draw = random.Random(people.seed)
    chosen = draw.sample(range(people.size), min(_DELTA_PATIENTS, people.size))
    at = f"{now - timedelta(hours=1):%Y-%m-%dT%H:%MZ}"
    values = {
        "hemoglobin": ("138", "g/L"), "white_cells": ("6.1", "10*9/L"),
        "neutrophils": ("3.9", "10*9/L"), "lymphocytes": ("1.5", "10*9/L"),
        "platelets": ("250", "10*9/L"), "alt": ("24", "U/L"), "ast": ("22", "U/L"),
        "alp": ("70", "U/L"), "ggt": ("25", "U/L"), "bilirubin": ("9", "umol/L"),
        "albumin": ("42", "g/L"),
    }  # fmt: skip
    lines = [
        f"{people.mrn(patient)},{at},{analyte},{value},{unit}"
        for patient in chosen
        for analyte, (value, unit) in values.items()
    ]
    path.write_text("\n".join(["mrn,collected_at,analyte,value,unit", *lines]) + "\n")
    return len(lines)


if __name__ == "__main__":
    alone(this(__name__))
