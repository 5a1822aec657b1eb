"""The canary: made-up patients go the whole road, and whatever stops them would stop a real one.

Each night, and when somebody asks, each protocol that is followed gets patients of its own in a
database of their own: one who was never tested, and for each rule one with a value beyond its
gravest limit. They are enrolled, a laboratory's file is taken in, reviewed and told by the
clinic's settings, routes and templates; every alert must be there, be borne by a message that can
be laid out, and be acknowledged. Nothing is sent, and the clinic's own database is only read
(docs/adr/0067).
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import signal
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from monitor import logs
from monitor.config import Settings
from monitor.core import due
from monitor.core.actions import ActionRefused
from monitor.core.beyond import beyond, indication_for
from monitor.core.calendar import clinic_day, start_of_day
from monitor.core.protocol import Protocol, Rule
from monitor.core.vocabulary import Kind
from monitor.delivery.layout import lay_out
from monitor.operations import arrivals
from monitor.operations.alert_list import alert_rows
from monitor.operations.digests import compose_digests
from monitor.operations.people import acknowledge
from monitor.store import tables
from monitor.store.database import Store, open_store
from monitor.store.facts import CANARY, fact, put_fact
from monitor.store.leases import load_message
from monitor.store.outbox import operator_alarm
from monitor.store.rulebook import RuleBook, load_rulebook
from monitor.store.tables import table_of

_TEXTS, _ENROLMENTS = table_of(tables.ProtocolText), table_of(tables.EnrolmentRow)
_DELIVERIES = table_of(tables.Delivery)
_WHO = "canary"
_ON_TREATMENT = timedelta(days=365)
"""So long before today each canary is said to have started, at least."""
_UNEVEN = timedelta(days=31)
"""No two spans of as many months differ by more days."""
_PATIENCE, _LAST_WORDS = 300.0, 5.0
"""Seconds in which they have to come back, and then to end."""
_ONE_DAY, _ONE_MINUTE, _ONE_HOUR = timedelta(days=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass(slots=True)
class Flight:
    """What became of them."""

    at: datetime
    protocols: tuple[str, ...] = ()
    patients: int = 0
    alerts: int = 0
    messages: int = 0
    died: list[str] = field(default_factory=list)
    """Where the road was cut, one sentence each."""

    @property
    def well(self) -> bool:
        return not self.died

    def document(self) -> dict[str, Any]:
        """As `monitor canary --json` prints it."""
        return {
            "at": self.at.isoformat(),
            "well": self.well,
            "protocols": list(self.protocols),
            "patients": self.patients,
            "alerts": self.alerts,
            "messages": self.messages,
            "died": self.died,
        }


class _Bird(NamedTuple):
    """One made-up patient."""

    mrn: str
    protocol: Protocol
    rule: Rule | None
    """The rule that must speak; None: that no test was done must be told."""
    indication: str
    rows: tuple[dict[str, str], ...]

    @property
    def name(self) -> str:
        what = "a test that was never done" if self.rule is None else self.rule.id
        return f"{self.protocol.id}, {what}"

    def is_told_by(self, alert: Mapping[str, Any]) -> bool:
        """Whether an alert is the one that must come of it."""
        if self.rule is None:
            return bool(alert["kind"] == Kind.OVERDUE_TEST.value)
        return bool(alert["rule"] == self.rule.id)


def fly(store: Store, settings: Settings, now: datetime) -> Flight:
    """Let them fly at an instant, and say what became of them. Raises StoreError."""
    flight = Flight(now)
    with TemporaryDirectory(prefix="monitor-canary-") as folder:
        cage = open_store(f"sqlite:///{Path(folder) / 'canary.db'}")
        try:
            cage.migrate()
            settings = settings.model_copy(update={"sources": {}})  # the file is of the long form
            rulebook, followed = _bring_rules(store, cage)
            flight.protocols = tuple(sorted(followed))
            birds = list(_birds(rulebook, followed, settings, now))
            flight.patients = len(birds)
            _Road(cage, settings, Path(folder), now, flight).go(birds)
        finally:
            cage.dispose()
    return flight


def fly_apart(store: Store, settings: Settings, now: datetime) -> Flight:
    """The same by a process of its own, which takes its memory with it when it ends.

    Raises RuntimeError where it ends without an answer."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    url = store.engine.url.render_as_string(hide_password=False)
    process = context.Process(
        target=_apart, args=(theirs, url, settings, now), name="monitor canary", daemon=True
    )
    try:
        process.start()
        theirs.close()
        if not ours.poll(_PATIENCE):
            raise RuntimeError(f"the canaries did not come back within {_PATIENCE:.0f} s")
        flight: Flight | str = ours.recv()
    except EOFError:
        raise RuntimeError("the canaries did not come back") from None
    finally:
        ours.close()
        if process.is_alive():
            process.join(_LAST_WORDS)
        if process.is_alive():
            process.kill()
            process.join()
    if isinstance(flight, str):
        raise RuntimeError(f"the canaries did not come back: {flight}")
    return flight


def _apart(pipe: Pipe, url: str, settings: Settings, now: datetime) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon
    store = open_store(url)
    found: Flight | str
    try:
        found = fly(store, settings, now)
    except Exception as fault:  # noqa: BLE001  # told by whoever asked, in one line
        found = logs.places(fault)
    with suppress(OSError):  # whoever asked may be gone
        pipe.send(found)
    store.dispose()


def tell(store: Store, settings: Settings, flight: Flight) -> None:
    """Keep what became of them for `monitor health`; the operator is told where one died."""
    with store.write() as connection:
        put_fact(connection, CANARY, json.dumps(flight.document()))
        if flight.died:
            clinic = settings.clinic
            text = (
                "Made-up patients went the road of the real ones, as each night, and not all of "
                "it was open:\n\n" + "\n".join(f"- {it}" for it in flight.died) + "\n\nA real "
                "patient would be stopped there, too. `monitor canary` tries again at once."
            )
            operator_alarm(connection, "canary", text, clinic.email, flight.at, clinic.zone)


def flew_between(store: Store, since: datetime, now: datetime) -> bool:
    """Whether the last flight was in that time."""
    with store.look() as connection:
        kept = fact(connection, CANARY)
    return kept is not None and since <= datetime.fromisoformat(json.loads(kept)["at"]) <= now


def _bring_rules(store: Store, cage: Store) -> tuple[RuleBook, Collection[str]]:
    """The rules in force, put in force in the cage, and the protocols that somebody follows; all
    where nobody is enrolled."""
    with store.read() as connection:
        texts = [dict(row._mapping) for row in connection.execute(select(_TEXTS))]
        rulebook = load_rulebook(connection)
        query = select(_ENROLMENTS.c.protocol_id).where(_ENROLMENTS.c.stands).distinct()
        followed = set(connection.scalars(query)) & rulebook.protocols.keys()
    with cage.write() as connection:
        connection.execute(insert(_TEXTS), texts)
    return rulebook, followed or rulebook.protocols.keys()


def _birds(
    rulebook: RuleBook, followed: Collection[str], settings: Settings, now: datetime
) -> Iterator[_Bird]:
    number = 0
    for name in sorted(followed):
        protocol = rulebook.protocols[name]
        number += 1
        if protocol.scheduled:
            yield _Bird(f"CANARY-{number}", protocol, None, "", ())
        for rule in protocol.rules:
            found = beyond(rule, rulebook.catalogue.analytes[rule.analyte])
            if found is None:
                continue
            number += 1
            rows = tuple(
                {
                    "mrn": f"CANARY-{number}",
                    "collected_at": _local(now - _ONE_HOUR - day * _ONE_DAY, settings),
                    "analyte": rule.analyte,
                    "value": f"{found.value.normalize():f}",
                    "unit": rulebook.catalogue.analytes[rule.analyte].unit,
                    "ref_high": "" if found.uln is None else f"{found.uln.normalize():f}",
                }
                for day in reversed(range(rule.confirm))
            )
            fitting = indication_for(rule, protocol)
            yield _Bird(f"CANARY-{number}", protocol, rule, fitting, rows)


def _started(bird: _Bird, today: date) -> date:
    """Of one who was never tested so long ago that the first test is overdue, however rare."""
    start = today - _ON_TREATMENT
    if bird.rule is not None:
        return start
    duties = (
        due.scheduled(bird.protocol, it, None, (start,), start) for it in bird.protocol.scheduled
    )
    first = min(it.last_day_in_grace for it in duties if it is not None)
    return min(start, today - (first - start) - _UNEVEN)


def _local(instant: datetime, settings: Settings) -> str:
    return instant.astimezone(settings.clinic.zone).isoformat(timespec="seconds")


class _Road:
    """The road of a real patient, step by step."""

    def __init__(
        self, cage: Store, settings: Settings, folder: Path, now: datetime, flight: Flight
    ) -> None:
        self._cage, self._settings, self._folder = cage, settings, folder
        self._now, self._flight = now, flight
        self._today = clinic_day(now, settings.clinic.zone)

    def go(self, birds: Sequence[_Bird]) -> None:
        """Each bird as far as it comes."""
        if not birds:
            nobody = "no protocol is in force: nobody can be enrolled, or watched"
            self._flight.died.append(nobody)
            return
        self._enrol(birds)
        self._load([row for bird in birds for row in bird.rows])
        alerts = alert_rows(self._cage, self._settings, ("open",), self._now)
        self._flight.alerts = len(alerts)
        borne = self._messages()
        for bird in birds:
            own = [it for it in alerts if it["mrn"] == bird.mrn and bird.is_told_by(it)]
            if not own:
                self._flight.died.append(f"{bird.name}: no alert came of it")
            for alert in own[:1]:
                self._follow(bird, alert["id"], borne)

    def _enrol(self, birds: Sequence[_Bird]) -> None:
        rows = [
            {
                "mrn": it.mrn,
                "drug": it.protocol.drugs[0],
                "started_on": _started(it, self._today).isoformat(),
                "indication": it.indication,
                "protocol": it.protocol.id,
            }
            for it in birds
        ]
        path = self._file("patients.csv", rows)
        done = arrivals.enrol(self._cage, self._settings, path, self._now).report
        self._flight.died += [f"enrolment: {it.reason}" for it in done.refused]

    def _load(self, rows: Sequence[dict[str, str]]) -> None:
        if not rows:
            return
        path = self._file("results.csv", rows)
        done = arrivals.load(self._cage, self._settings, path, "", self._now).report
        if done.stored != done.rows:
            lost = f"of {done.rows} rows of a laboratory's file {done.stored} were stored"
            self._flight.died.append(f"intake: {lost}")

    def _file(self, name: str, rows: Sequence[dict[str, str]]) -> Path:
        path = self._folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def _messages(self) -> dict[int, list[str]]:
        """By alert what the messages that bear it say; each is laid out as it would be sent."""
        zone = self._settings.clinic.zone
        night = start_of_day(self._today + _ONE_DAY, zone) - _ONE_MINUTE
        compose_digests(self._cage, self._settings, max(night, self._now))
        borne: dict[int, list[str]] = defaultdict(list)
        with self._cage.write() as connection:
            for number in connection.scalars(select(_DELIVERIES.c.id).order_by(_DELIVERIES.c.id)):
                message = load_message(connection, number)
                try:
                    letter = lay_out(connection, message, self._settings, self._now)
                except Exception as fault:  # noqa: BLE001  # whatever a template does
                    what = f"a message of the kind {message.kind} cannot be laid out"
                    self._flight.died.append(f"{what} ({logs.places(fault)})")
                    continue
                self._flight.messages += 1
                said = letter.rendered.text + letter.rendered.whole_list
                if message.kind == "digest":  # the mail has room for some lines of each section
                    said = json.dumps(message.payload, ensure_ascii=False)
                for alert_id, _, _ in message.lines:
                    borne[alert_id].append(said)
        return borne

    def _follow(self, bird: _Bird, alert_id: int, borne: Mapping[int, Sequence[str]]) -> None:
        """An alert on its way to a person, who takes it in hand."""
        texts = borne.get(alert_id, ())
        if not texts:
            self._flight.died.append(f"{bird.name}: no message and no digest bears its alert")
        elif not any(bird.mrn in text for text in texts):
            self._flight.died.append(f"{bird.name}: its messages do not say whose alert it is")
        try:
            acknowledge(self._cage, self._settings, alert_id, by=_WHO, now=self._now)
        except ActionRefused as refused:
            self._flight.died.append(f"{bird.name}: its alert cannot be acknowledged ({refused})")
