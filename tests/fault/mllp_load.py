"""Many messages from a real client library to a daemon that is killed again and again."""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hl7.client import MLLPClient
from sqlalchemy import Integer, cast, func, select

from monitor.store import tables
from monitor.store.database import open_store
from monitor.store.tables import table_of
from tests.fault.mllp_senders import END
from tests.hl7_messages import obx, oru
from tests.processes import ClinicFolder, met

ANALYTES = (
    ("718-7^Hemoglobin^LN", "g/L", 130, 150),
    ("6690-2^Leukocytes^LN", "10*9/L", 5, 8),
    ("751-8^Neutrophils^LN", "10*9/L", 3, 4),
    ("731-0^Lymphocytes^LN", "10*9/L", 1, 2),
    ("777-3^Platelets^LN", "10*9/L", 200, 300),
)
_RESULTS = table_of(tables.ResultRow)
_FILES = table_of(tables.File)
_FIRST = datetime(2026, 1, 5, 6)
_PATIENCE = 90.0
"""Seconds in which a daemon that was killed is back."""


@dataclass
class Luck:
    """How often what goes wrong, of 1."""

    dropped: float = 0.01
    """Connections that break amid a message."""
    again: float = 0.05
    """Messages that are sent again though they were acknowledged."""
    unheard: float = 0.01
    """Answers that the sender does not wait for, and sends again."""
    looked_at: float = 0.005
    """Acknowledgements after which the database is looked at, at once."""


class CutSocket:
    """A socket that sends in random pieces, and sometimes breaks amid them."""

    def __init__(self, connection: socket.socket, chance: random.Random, luck: Luck) -> None:
        self._socket, self._chance, self._luck = connection, chance, luck
        connection.settimeout(30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        cuts = sorted(
            self._chance.randrange(len(data)) for _ in range(self._chance.choice((0, 0, 1, 3)))
        )
        last = self._chance.random() < self._luck.dropped
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            if last and start:
                raise ConnectionAbortedError("cut amid the message")
            self._socket.sendall(data[start:end])
        if self._chance.random() < self._luck.unheard:
            raise ConnectionAbortedError("the answer is not waited for")

    def recv(self, _size: int) -> bytes:
        """One whole answer."""
        told = b""
        while not told.endswith(END):
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError("closed before the answer")
            told += data
        return told

    def close(self) -> None:
        self._socket.close()


def message(number: int, patients: int) -> str:
    """The blood count of that number: each a specimen of its own."""
    chance = random.Random(number)
    at = _FIRST + timedelta(minutes=number // patients * 90 + number % 60)
    results = [
        obx(code, f"{chance.uniform(low, high):.2f}", unit) for code, unit, low, high in ANALYTES
    ]
    return oru(
        *results,
        mrn=f"M{number % patients}",
        control=f"C{number}",
        collected=f"{at:%Y%m%d%H%M}",
        specimen=f"T{number}",
    )


@dataclass
class Load:
    """A clinic, what is sent to it, and what was acknowledged."""

    clinic: ClinicFolder
    url: str
    port: int
    messages: int
    patients: int
    seed: int = 1
    luck: Luck = field(default_factory=Luck)
    acknowledged: Counter[int] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    missing: list[int] = field(default_factory=list)
    """Messages that were acknowledged and not there a moment later."""
    kills: int = 0
    seconds_up: float = 0.0
    """Seconds in which a daemon ran and listened."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._store = open_store(self.url)

    def run(self, clients: int, kills: int) -> None:
        """Send all messages from some clients at once, and kill the daemon now and then."""
        chance = random.Random(self.seed)
        sending = [threading.Thread(target=self._send, args=(n, clients)) for n in range(clients)]
        daemon = self.clinic.start()
        began = time.monotonic()
        for it in sending:
            it.start()
        for number in range(kills):
            goal = self.messages * (number + chance.random()) / kills
            while len(self.acknowledged) < goal and any(it.is_alive() for it in sending):
                time.sleep(0.005)
            self.seconds_up += time.monotonic() - began
            daemon.kill()
            self.kills += 1
            daemon = self.clinic.start()
            began = time.monotonic()
        for it in sending:
            it.join()
        self.seconds_up += time.monotonic() - began
        assert met(self._all_reviewed, 600), "reviews are still owed"
        assert daemon.end(30) == 0

    def results(self) -> list[tuple[str, int, int]]:
        """Per specimen: how many results, how many of them stand."""
        columns = _RESULTS.c
        query = select(
            columns.specimen_id, func.count(), func.sum(cast(columns.stands, Integer))
        ).group_by(columns.specimen_id)
        with self._store.read() as connection:
            return [(row[0], int(row[1]), int(row[2])) for row in connection.execute(query)]

    def rows_accounted(self) -> Counter[str]:
        """The sums of the accounts of all messages."""
        names = ("rows", "stored", "duplicate", "superseded", "withdrawn", "quarantined", "ignored")
        query = select(*(func.sum(_FILES.c[name]) for name in names), func.count())
        with self._store.read() as connection:
            row = connection.execute(query.where(_FILES.c.name == "HL7 message")).one()
        return Counter(dict(zip((*names, "files"), (int(it or 0) for it in row), strict=True)))

    def close(self) -> None:
        self._store.dispose()

    def _send(self, client: int, clients: int) -> None:
        chance = random.Random(self.seed * 1000 + client)
        connection: MLLPClient | None = None
        for number in range(client, self.messages, clients):
            text = message(number, self.patients)
            wanted = 2 if chance.random() < self.luck.again else 1
            while wanted:
                try:
                    if connection is None:
                        connection = self._connect(chance)
                    told = connection.send_message(text)
                except OSError:
                    self._count("sent again")
                    if connection is not None:
                        connection.close()
                    connection = None
                    continue
                wanted -= self._heard(number, told, chance)
        if connection is not None:
            connection.close()

    def _connect(self, chance: random.Random) -> MLLPClient:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                client = MLLPClient("127.0.0.1", self.port)
            except OSError:
                assert time.monotonic() < end, "nobody listens any more"
                time.sleep(0.05)
                continue
            client.socket = CutSocket(client.socket, chance, self.luck)
            self._count("connections")
            return client

    def _heard(self, number: int, told: bytes, chance: random.Random) -> bool:
        """Note an answer; whether it says that the message was taken."""
        found = re.search(rb"\rMSA\|(..)\|C(\d+)\r", told)
        assert found is not None and int(found[2]) == number, told
        code = found[1].decode()
        self._count(code)
        if code != "AA":
            return False
        with self._lock:
            self.acknowledged[number] += 1
        if chance.random() < self.luck.looked_at and not self._is_there(number):
            self.missing.append(number)
        return True

    def _is_there(self, number: int) -> bool:
        self._count("looked at")
        query = select(func.count()).where(_RESULTS.c.specimen_id == f"T{number}")
        query = query.where(_RESULTS.c.patient_id == self._patient_of(number))
        with self._store.read() as connection:
            return connection.scalar(query) == len(ANALYTES)

    def _patient_of(self, number: int) -> int:
        """The patients are the only ones of the clinic, enrolled in the order of their numbers."""
        return number % self.patients + 1

    def _all_reviewed(self) -> bool:
        waits = table_of(tables.EnrolmentRow).c.next_review_at <= datetime.now().astimezone()
        with self._store.read() as connection:
            return connection.scalar(select(func.count()).where(waits)) == 0

    def _count(self, what: str) -> None:
        with self._lock:
            self.seen[what] += 1
