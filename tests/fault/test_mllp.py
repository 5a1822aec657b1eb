"""The listener for HL7 messages: what is answered, when, and what survives."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import hl7
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from hl7.client import MLLPClient
from hl7.mllp import open_hl7_connection

from monitor.intake.listener import Listener, ListenerFailed
from monitor.operations.health import examine
from monitor.store import tables
from monitor.store.database import Store, open_store
from tests.clinic import CONFIG, Clinic, settings_in
from tests.fault.mllp_senders import framed, free_port, sender, verdict
from tests.hl7_messages import obx, oru

WBC = obx("6690-2^WBC^LN", "5.4")
NEUTROPHILS = obx("751-8^Neutrophils^LN", "0.4")


def now() -> datetime:
    return datetime.now(UTC)


class Listening:
    """A clinic with a listener."""

    def __init__(self, store: Store, folder: Path, more: str = "") -> None:
        self.port = free_port()
        config = f"{CONFIG}\n[mllp]\nport = {self.port}\n{more}"
        self.clinic = Clinic(store, settings_in(folder, config))
        if not self.clinic.rows(tables.Patient):
            self.clinic.enrol("A1", "2026-01-05", baseline=False)
        self.woken = threading.Event()
        self.listener = Listener(store, self.clinic.settings, now, arrived=self.woken.set)

    def stored(self) -> int:
        return len(self.clinic.rows(tables.ResultRow))

    def files(self) -> int:
        return len(self.clinic.rows(tables.File, name="HL7 message"))


@contextmanager
def listening(store: Store, folder: Path, more: str = "") -> Iterator[Listening]:
    made = Listening(store, folder, more)
    made.listener.start()
    try:
        yield made
    finally:
        made.listener.stop()


@pytest.fixture
def lab(store: Store, tmp_path: Path) -> Iterator[Listening]:
    with listening(store, tmp_path) as made:
        yield made


@pytest.fixture
def lite(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Store]:
    """On SQLite alone, where the database makes no difference."""
    shutil.copy(migrated_sqlite, tmp_path / "monitor.db")
    store = open_store(f"sqlite:///{tmp_path / 'monitor.db'}")
    yield store
    store.dispose()


def test_what_is_acknowledged_is_there(lab: Listening) -> None:
    with sender(lab.port) as one:
        told = one.ask(oru(WBC, NEUTROPHILS, control="C-1"))
    assert verdict(told) == ("AA", "C-1")
    assert told.startswith("MSH|^~\\&|MONITOR|CLINIC|LAB|NORTH|")
    assert "|ACK^R01^ACK|" in told and "|P|2.5.1" in told
    assert lab.stored() == 2
    assert lab.woken.is_set()


def test_a_message_sent_again_is_acknowledged_again_and_taken_once(lab: Listening) -> None:
    message = oru(WBC)
    with sender(lab.port) as one, sender(lab.port) as two:
        assert [verdict(it.ask(message))[0] for it in (one, two, one)] == ["AA"] * 3
    assert (lab.stored(), lab.files()) == (1, 1)
    (figures,) = lab.clinic.rows(tables.Listener)
    assert (figures.messages, figures.repeated) == (3, 2)


def test_frames_may_be_cut_and_joined_anyhow(lab: Listening) -> None:
    messages = [framed(oru(WBC, control=str(n), specimen=f"S{n}")) for n in range(20)]
    stream = b"".join(messages)
    with sender(lab.port) as one:
        one.send(*(stream[at : at + 7] for at in range(0, 400, 7)), stream[400 // 7 * 7 + 7 :])
        answers = [verdict(one.answer()) for _ in messages]
    assert answers == [("AA", str(n)) for n in range(20)]
    assert lab.stored() == 20


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("hello", "AR"),
        ("PID|1||A1\r" + WBC, "AR"),
        (oru(WBC).replace("|P|2.5.1", "|P|3.0"), "AR"),
        (oru().replace("ORU^R01", ""), "AR"),
        (oru(WBC).replace("ORU^R01", "ADT^A08"), "AA"),
        (oru(WBC).replace("ORU^R01", "XYZ^Z99"), "AA"),
        (oru(WBC, mrn="nobody"), "AA"),
        (oru("???"), "AA"),
        (oru(WBC).replace("ORU^R01", ""), "AA"),
        (oru(WBC).replace("|1|P|2.5.1", "||P|2.5.1"), "AA"),
    ],
)
def test_accepted_or_rejected(lite: Store, tmp_path: Path, content: str, told: str) -> None:
    with listening(lite, tmp_path) as lab, sender(lab.port) as one:
        answer = one.ask(content)
        assert verdict(answer)[0] == told
        assert ("\rERR|" in answer) == (told == "AR")
        assert verdict(one.ask(oru(WBC, control="next"))) == ("AA", "next")


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("", "", "AA", "AR"),
        ("AL", "", "CA", "CR"),
        ("AL", "NE", "CA", "CR"),
        ("AL", "AL", "AA", "AR"),
        ("NE", "AL", "AA", "AR"),
        ("SU", "NE", "CA", ""),
        ("ER", "NE", "", "CR"),
        ("NE", "ER", "", "AR"),
        ("NE", "NE", "", ""),
    ],
)
def test_a_sender_is_answered_as_it_asks(
    lite: Store, tmp_path: Path, accept: str, application: str, good: str, bad: str
) -> None:
    def asking(control: str, version: str) -> str:
        return oru(WBC, control=control).replace(
            "|P|2.5.1", f"|P|{version}|||{accept}|{application}"
        )

    sent = [asking("g", "2.5.1"), asking("b", "3"), oru(WBC, control="last")]
    with listening(lite, tmp_path) as lab, sender(lab.port) as one:
        one.send(*(framed(it) for it in sent))
        expected = [it for it in ((good, "g"), (bad, "b"), ("AA", "last")) if it[0]]
        assert [verdict(one.answer()) for _ in expected] == expected


def test_a_site_may_have_all_answered_in_original_mode(lite: Store, tmp_path: Path) -> None:
    with listening(lite, tmp_path, 'acknowledge = "original"\n') as lab, sender(lab.port) as one:
        assert verdict(one.ask(oru(WBC).replace("|2.5.1", "|2.5.1|||AL|NE")))[0] == "AA"


def test_an_answer_uses_the_senders_marks_and_set_of_characters(
    lite: Store, tmp_path: Path
) -> None:
    message = oru(WBC, control="Nr-é").replace("|2.5.1", "|2.3||||||8859/1")
    with listening(lite, tmp_path) as lab, sender(lab.port) as one:
        one.send(framed(message.translate(str.maketrans("|^~\\&", "$%*!@")).encode("latin-1")))
        frame = one.socket.recv(4096)
    assert frame.startswith(b"\x0bMSH$%*!@$MONITOR$CLINIC$LAB$NORTH$")
    assert b"\rMSA$AA$Nr-\xe9\r" in frame


def test_the_reason_says_nothing_of_the_patient(lite: Store, tmp_path: Path) -> None:
    with listening(lite, tmp_path) as lab, sender(lab.port) as one:
        told = one.ask(oru(WBC).replace("|2.5.1", "|3.0"))
        assert "\rERR||MSH^1^12|203^Unsupported version id^HL70357|E||||MSH-12 names" in told
        old = one.ask(oru().replace("ORU^R01", "").replace("|2.5.1", "|2.3"))
        assert "\rERR|MSH^1^9^101&Required field missing&HL70357\r" in old
        for answer in (told, old):
            assert "Keller" not in answer and "A1" not in answer


def test_no_answer_before_the_commit_and_an_error_where_it_cannot_be_written(
    lite: Store, tmp_path: Path
) -> None:
    """Somebody else holds the database: the answer waits; with the disk gone it is AE, nothing
    is lost, and sending it again helps."""
    with listening(lite, tmp_path) as lab, sender(lab.port) as one:
        other = sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        one.send(framed(oru(WBC, control="1")))
        one.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            one.answer()
        other.execute("ROLLBACK")
        one.socket.settimeout(20)
        assert verdict(one.answer()) == ("AA", "1")
        moved = tmp_path / "away.db"
        (tmp_path / "monitor.db").rename(moved)
        told = one.ask(oru(WBC, control="2", specimen="S2"))
        assert verdict(told) == ("AE", "2")
        assert "ERR|||207^Application internal error^HL70357|E" in told
        moved.rename(tmp_path / "monitor.db")
        with pytest.raises(ListenerFailed, match="could not be taken"):
            lab.listener.look()
        assert verdict(one.ask(oru(WBC, control="2", specimen="S2"))) == ("AA", "2")
        assert lab.stored() == 2
        other.close()


def test_a_fault_in_one_message_does_not_stop_the_others(lite: Store, tmp_path: Path) -> None:
    """A database that refuses one row: its message is not taken, those beside it are."""
    with listening(lite, tmp_path) as lab, sender(lab.port) as one:
        with sqlite3.connect(tmp_path / "monitor.db") as other:
            other.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON results WHEN NEW.specimen_id = 'S2' "
                "BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        other.close()
        sent = [oru(WBC, control=str(n), specimen=f"S{n}") for n in (1, 2, 3)]
        one.send(b"".join(map(framed, sent)))
        assert [verdict(one.answer()) for _ in sent] == [("AA", "1"), ("AE", "2"), ("AA", "3")]
        assert lab.stored() == 2


def test_a_torn_message_is_not_taken_and_its_connection_goes_on(
    lite: Store, tmp_path: Path
) -> None:
    with listening(lite, tmp_path) as lab:
        with sender(lab.port) as one:
            one.send(framed(oru(WBC))[:80])
        with sender(lab.port) as two:
            two.send(framed(oru(WBC, specimen="torn"))[:-40] + framed(oru(WBC, control="2")))
            assert verdict(two.answer()) == ("AA", "2")
        assert lab.stored() == 1


def test_slow_silent_and_endless_senders_are_let_go(lite: Store, tmp_path: Path) -> None:
    more = "stall_seconds = 0.3\nidle_seconds = 0.6\nmax_message_mb = 0.01\n"
    with listening(lite, tmp_path, more) as lab:
        with sender(lab.port) as slow:
            slow.send(framed(oru(WBC))[:50])
            assert slow.is_closed()
        with sender(lab.port) as silent:
            assert silent.is_closed()
        with sender(lab.port) as endless:
            endless.send(b"\x0bMSH|^~\\&|L|N|||||ORU^R01|big|P|2.5\r" + b"x" * 20000)
            assert verdict(endless.answer()) == ("AR", "big")
            assert endless.is_closed()
        with sender(lab.port) as babbling, pytest.raises(ConnectionError):
            while True:
                babbling.send(b"GET / HTTP/1.1 " * 1000)
                time.sleep(0.01)
        assert lab.stored() == 0


def test_one_connection_too_many_is_turned_away(lite: Store, tmp_path: Path) -> None:
    with (
        listening(lite, tmp_path, "connections = 2\n") as lab,
        sender(lab.port) as a,
        sender(lab.port) as b,
    ):
        assert [verdict(it.ask(oru(WBC)))[0] for it in (a, b)] == ["AA", "AA"]
        with sender(lab.port) as third:
            assert third.is_closed()
        assert verdict(a.ask(oru(WBC)))[0] == "AA"


def test_who_may_connect(lite: Store, tmp_path: Path) -> None:
    with listening(lite, tmp_path, 'allow = ["10.0.0.0/8"]\n') as lab, sender(lab.port) as one:
        assert one.is_closed()


def test_a_sender_has_the_mapping_of_its_source(lite: Store, tmp_path: Path) -> None:
    more = 'source = "south"\nsenders = { "LAB|NORTH" = "north" }\n[sources.south]\n'
    more += '[sources.north]\ncodes = { XN1 = "neutrophils" }\n'
    with listening(lite, tmp_path, more) as lab, sender(lab.port) as one:
        message = oru(obx("XN1", "2.2"))
        assert verdict(one.ask(message))[0] == "AA"
        assert verdict(one.ask(message.replace("|LAB|", "|OTHER|")))[0] == "AA"
        assert [row.source for row in lab.clinic.rows(tables.File, name="HL7 message")] == [
            "north", "south",
        ]  # fmt: skip
        assert (lab.stored(), len(lab.clinic.rows(tables.HeldRowTable))) == (1, 1)


def test_a_merge_over_the_connection_is_followed(lab: Listening) -> None:
    lab.clinic.enrol("A2", "2026-01-05", baseline=False)
    merge = "MSH|^~\\&|L|NORTH|||20260302||ADT^A40|9|P|2.3\rPID|1||A1^^^NORTH^MR\rMRG|A2^^^NORTH^MR"
    with sender(lab.port) as one:
        assert verdict(one.ask(oru(WBC, mrn="A2")))[0] == "AA"
        lab.woken.clear()
        assert verdict(one.ask(merge)) == ("AA", "9")
    (result,) = lab.clinic.rows(tables.ResultRow)
    (stays,) = lab.clinic.rows(tables.Patient, mrn="A1")
    assert result.patient_id == stays.id
    assert lab.woken.is_set()


def test_at_the_end_the_message_in_hand_is_answered(lite: Store, tmp_path: Path) -> None:
    lab = Listening(lite, tmp_path)
    lab.listener.start()
    with sender(lab.port) as one, sender(lab.port) as idle:
        one.send(b"".join(framed(oru(WBC, control=str(n), specimen=f"S{n}")) for n in range(300)))
        first = one.answer()
        lab.listener.stop()
        answers = [first]
        while told := one.answer():
            answers.append(told)
        assert idle.is_closed()
    assert {verdict(it)[0] for it in answers} == {"AA"}
    assert len(answers) == lab.stored()


def test_a_listener_that_can_write_no_more_ends_and_is_begun_again(
    lite: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take what is sent and never answer."""
    lab = Listening(lite, tmp_path)

    def no_daemon() -> None:
        raise RuntimeError("the daemon has gone")

    monkeypatch.setattr(lab.woken, "set", no_daemon)
    lab.listener = Listener(lite, lab.clinic.settings, now, arrived=lab.woken.set)
    lab.listener.start()
    with sender(lab.port) as one:
        one.send(framed(oru(WBC)))
        assert one.is_closed()
    for thread in threading.enumerate():
        if thread.name == "mllp":
            thread.join(20)
    monkeypatch.undo()
    lab.listener.look()
    with sender(lab.port) as one:
        assert verdict(one.ask(oru(WBC)))[0] == "AA"
    assert lab.stored() == 1
    lab.listener.stop()


def test_a_port_that_is_taken_and_a_certificate_that_is_none_are_said(
    lite: Store, tmp_path: Path
) -> None:
    with listening(lite, tmp_path) as lab:
        again = Listener(lite, lab.clinic.settings, now)
        with pytest.raises(ListenerFailed, match="cannot be listened on"):
            again.start()
        again.stop()
    broken = Listening(lite, tmp_path, 'tls_certificate = "none.pem"\n')
    with pytest.raises(ListenerFailed, match="certificates cannot be used"):
        broken.listener.start()
    broken.listener.stop()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('tls_certificate = "one.pem"\ntls_key = "sealed.key"\n', "tls_key: .* by a passphrase"),
        ('tls_certificate = "one.pem"\ntls_key = "other.pem"\n', "do not belong together"),
        ('tls_certificate = "."\n', "tls_certificate: Is a directory"),
        ('tls_certificate = "one.pem"\ntls_client_ca = "text.pem"\n', "tls_client_ca: no cert"),
    ],
)
def test_what_is_wrong_with_the_certificates_is_said_and_nobody_is_asked_for_a_passphrase(
    lite: Store, tmp_path: Path, more: str, said: str
) -> None:
    authority = trustme.CA()
    for name in ("one", "other"):
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / f"{name}.pem"))
    key = serialization.load_pem_private_key((tmp_path / "one.pem").read_bytes(), None)
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "sealed.key").write_bytes(sealed)
    (tmp_path / "text.pem").write_text("none")
    lab = Listening(lite, tmp_path, more)
    with pytest.raises(ListenerFailed, match=f"certificates cannot be used: .*{said}"):
        lab.listener.start()
    lab.listener.stop()


def test_health_tells_of_the_listener(lite: Store, tmp_path: Path) -> None:
    from monitor.operations import job_runs

    with listening(lite, tmp_path) as lab, sender(lab.port) as one:
        one.ask(oru(WBC))
        lab.listener.look()
        with lite.write() as connection:
            job_runs.record(connection, "mllp", now(), now(), "")
        parts = {it.name: it for it in examine(lite, lab.clinic.settings, now()).parts}
        assert parts["listener"].well
        assert f"127.0.0.1:{lab.port}: connected 1; messages 1, the last" in parts["listener"].says


def test_a_real_client_library_over_tls(lite: Store, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = authority.issue_cert("127.0.0.1")
    server.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    client = authority.issue_cert("lab@north.example")
    client.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "client.pem"))
    more = 'tls_certificate = "server.pem"\ntls_client_ca = "ca.pem"\n'
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))

    async def send(port: int) -> str:
        reader, writer = await open_hl7_connection("127.0.0.1", port, ssl=context)
        writer.writemessage(hl7.parse(oru(WBC, control="tls")))
        await writer.drain()
        told = await reader.readmessage()
        writer.close()
        await writer.wait_closed()
        return str(told)

    with listening(lite, tmp_path, more) as lab:
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            asyncio.run(send(lab.port))
        context.load_cert_chain(str(tmp_path / "client.pem"))
        assert "MSA|AA|tls" in asyncio.run(send(lab.port))


def test_the_blocking_client_of_the_same_library(lab: Listening) -> None:
    with MLLPClient("127.0.0.1", lab.port) as client:
        told = client.send_message(oru(WBC, control="lib"))
    assert b"MSA|AA|lib" in told


def test_many_clients_at_once(lab: Listening) -> None:
    answers: list[tuple[str, str]] = []

    def send(client: int) -> None:
        with sender(lab.port) as one:
            for number in range(10):
                name = f"{client}-{number}"
                answers.append(verdict(one.ask(oru(WBC, control=name, specimen=name))))

    clients = [threading.Thread(target=send, args=(n,)) for n in range(8)]
    for it in clients:
        it.start()
    for it in clients:
        it.join()
    assert sorted(answers) == sorted(("AA", f"{c}-{n}") for c in range(8) for n in range(10))
    assert lab.stored() == 80


def test_a_sender_that_asks_much_and_reads_nothing_is_not_read_on(
    lite: Store, tmp_path: Path
) -> None:
    with listening(lite, tmp_path) as lab, sender(lab.port, timeout=1) as one:
        message = framed(oru(WBC, *(["NTE|1||" + "x" * 2000] * 20)))
        one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 5000:
                one.send(message)
                sent += 1
        assert sent < 5000
