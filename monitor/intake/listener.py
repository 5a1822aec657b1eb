"""The MLLP listener: an answer goes out once its message is written down, and never before.

Connections live in the event loop of one thread. What they bring queues up for one writer, which
takes all that waits as one transaction: the busier it is, the more messages share a commit.
A connection of which much is unanswered is not read on, so a sender can never overrun it.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from monitor import logs
from monitor.config import Mllp, Settings
from monitor.intake import mllp
from monitor.intake.messages import Arrived, Took, take_messages
from monitor.intake.mllp import Frame, Frames, Header, Verdict
from monitor.store import listeners
from monitor.store.database import Store
from monitor.store.errors import StoreError

GROUP = 200
"""Messages that share a transaction, at most."""
_GROUP_BYTES = 1 << 25
_UNANSWERED = 100
"""Messages of one connection that wait for their answer, before it is read on."""
_UNREAD = 1 << 16
"""Bytes of answers that the system keeps for a client that reads none."""
_WAITING = 1000
"""Messages of all connections that wait for the writer."""
_PIECE = 1 << 16
_LAST_ANSWERS = 2.0
"""Seconds in which the answers to what was written down go out at the end."""


class ListenerFailed(StoreError):
    """The listener cannot be started; the text says why and what would help."""


@dataclass(slots=True, eq=False)
class _Job:
    """A message on its way: what came, and what is to be answered."""

    arrived: Arrived
    header: Header | None
    verdict: asyncio.Future[Verdict | None]
    """None: no answer; the sender will send it again."""


class Listener:
    """Takes HL7 messages on a port. `start` returns once it listens, `stop` once it has ended."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        """`arrived` is called, in a thread of the listener's, when patients were touched."""
        self._store, self._settings, self._clock = store, settings, clock
        self._mllp: Mllp = settings.mllp
        self._arrived = arrived
        self._log = logs.logger("mllp")
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        self._connections: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        """Refused since it was last written down."""
        self._fault = ""
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="mllp-writer")

    def start(self) -> None:
        """Listen. Raises ListenerFailed where the port or a certificate cannot be used."""
        with self._store.write() as connection:
            listeners.started(connection, self._mllp.address, self._clock())
        ready = threading.Event()
        failed: list[BaseException] = []
        self._thread = threading.Thread(
            target=self._run, args=(ready, failed), name="mllp", daemon=True
        )
        self._thread.start()
        ready.wait()
        if failed:
            raise ListenerFailed(_why(failed[0], self._mllp)) from failed[0]
        self._log.info("listening", address=self._mllp.address)

    def stop(self) -> None:
        """End: take no more, finish the group in hand and its answers; the rest is sent again."""
        loop, thread = self._loop, self._thread
        if loop is not None and thread is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._stop.set)
            thread.join()
        self._writer.shutdown()

    def look(self) -> None:
        """Write down how many are connected and what was refused since the last look. Raises
        ListenerFailed where the listener has died, or could not take a message lately."""
        if self._thread is None or not self._thread.is_alive():
            self.start()
        with self._store.write() as connection:
            self._add(connection, Counter(), None)
        fault, self._fault = self._fault, ""
        if fault:
            raise ListenerFailed(f"a message could not be taken ({fault})")

    def _run(self, ready: threading.Event, failed: list[BaseException]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except BaseException as error:  # noqa: BLE001  # told by who waits for it
            failed.append(error)
            self._log.error("listener ended", what=logs.places(error))
        finally:
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._queue = asyncio.Event(), asyncio.Queue(_WAITING)
        server = await asyncio.start_server(
            self._connected,
            self._mllp.host,
            self._mllp.port,
            ssl=_tls(self._mllp),
            reuse_address=True,
            backlog=self._mllp.connections,
        )
        for listening in server.sockets:  # as each connection will; the system would keep megabytes
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD)
        writing = asyncio.create_task(self._write())
        ready.set()
        try:
            await writing  # until the end; a fault ends all, for nobody would be answered
        finally:
            self._stop.set()
            server.close()
            if self._connections:
                _, left = await asyncio.wait(self._connections, timeout=_LAST_ANSWERS)
                for task in left:
                    task.cancel()

    # ------------------------------------------------------------------------ connections

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peer = writer.get_extra_info("peername")
        if not self._mllp.may_connect(str(peer[0]) if peer else ""):
            self._log.warning("a client that [mllp] allow does not name was turned away")
        elif len(self._connections) >= self._mllp.connections:
            self._log.warning("too many connections", allowed=self._mllp.connections)
        else:
            self._connections.add(task)
            try:
                await self._converse(reader, writer)
            finally:
                self._connections.discard(task)
        writer.close()
        with suppress(OSError, ssl.SSLError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read and answer until the client goes, stalls, or the listener ends."""
        jobs: asyncio.Queue[_Job | None] = asyncio.Queue(_UNANSWERED)
        answering = asyncio.create_task(self._answer_all(jobs, writer))
        reading = asyncio.create_task(self._read(reader, jobs))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({reading, answering, stopping}, return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
            with suppress(asyncio.CancelledError, OSError, mllp.NoMllp):
                await reading
            if not answering.done():
                await jobs.put(None)
            with suppress(OSError, TimeoutError):
                await answering
        finally:
            for task in (reading, answering, stopping):
                task.cancel()

    async def _read(self, reader: asyncio.StreamReader, jobs: asyncio.Queue[_Job | None]) -> None:
        frames = Frames(int(self._mllp.max_message_mb * (1 << 20)))
        while True:
            patience = self._mllp.stall_seconds if frames.is_amid else self._mllp.idle_seconds
            try:
                async with asyncio.timeout(patience):
                    data = await reader.read(_PIECE)
            except TimeoutError:
                if frames.is_amid:
                    self._log.warning("a client stalled amid a message")
                return
            if not data:
                return
            for frame in frames.feed(data):
                job = self._job(frame)
                await jobs.put(job)
                if not job.verdict.done():
                    await self._queue_up(job)
                if not frame.whole:
                    return

    async def _queue_up(self, job: _Job) -> None:
        """Hand a message to the writer; where the end comes before there is room, its sender
        hears nothing of it and sends it again."""
        try:
            await self._queue.put(job)
        except asyncio.CancelledError:
            job.verdict.set_result(None)
            raise

    def _job(self, frame: Frame) -> _Job:
        """A message with what can be answered to it at once: what is wrong with its header."""
        message = mllp.first_message(frame.content)
        header = Header.of(message)
        verdict: asyncio.Future[Verdict | None] = asyncio.get_running_loop().create_future()
        refused = mllp.fault_of(frame, message)
        if refused is not None:
            self._note("rejected", 1)
            verdict.set_result(refused)
        return _Job(Arrived(frame.content, self._source_of(header)), header, verdict)

    def _source_of(self, header: Header | None) -> str:
        if header is None:
            return self._mllp.source
        application, facility = header.segment.component(3), header.segment.component(4)
        senders = self._mllp.senders
        names = (f"{application}|{facility}", application, facility)
        return next((senders[it] for it in names if it in senders), self._mllp.source)

    async def _answer_all(
        self, jobs: asyncio.Queue[_Job | None], writer: asyncio.StreamWriter
    ) -> None:
        """Answer in the order in which the messages came."""
        while (job := await jobs.get()) is not None:
            verdict = await job.verdict
            if verdict is None:
                return
            original = self._mllp.acknowledge == "original"
            number = secrets.token_hex(10)
            told = mllp.answer(job.header, verdict, self._clock(), number, original=original)
            if told:
                writer.write(told)
                async with asyncio.timeout(self._mllp.stall_seconds):
                    await writer.drain()

    # ----------------------------------------------------------------------------- writing

    async def _write(self) -> None:
        """Take all that waits, group by group, until the listener ends."""
        stopping = asyncio.create_task(self._stop.wait())
        try:
            while not self._stop.is_set():
                getting = asyncio.create_task(self._queue.get())
                await asyncio.wait({getting, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    getting.cancel()
                    break
                await self._write_down(self._waiting(getting.result()))
        finally:
            while not self._queue.empty():
                _judge(self._queue.get_nowait(), None)

    async def _write_down(self, group: Sequence[_Job]) -> None:
        """Take a group; after a fault none of it is answered."""
        verdicts: Sequence[Verdict | None] = [None] * len(group)
        loop = asyncio.get_running_loop()
        try:
            verdicts = await loop.run_in_executor(self._writer, self._take, group)
        finally:
            for job, verdict in zip(group, verdicts, strict=True):
                _judge(job, verdict)

    def _waiting(self, first: _Job) -> list[_Job]:
        group, size = [first], len(first.arrived.content)
        while len(group) < GROUP and size < _GROUP_BYTES and not self._queue.empty():
            group.append(self._queue.get_nowait())
            size += len(group[-1].arrived.content)
        return group

    def _take(self, group: Sequence[_Job]) -> list[Verdict]:
        """Write a group down; what is answered to each. In the writer's thread."""
        now = self._clock()

        def after(connection: Connection, took: Sequence[Took]) -> None:
            self._add(connection, _counts_of(took), now)

        arrived = [job.arrived for job in group]
        try:
            took = take_messages(self._store, self._settings, arrived, now, after)
        except Exception as fault:  # noqa: BLE001  # the sender hears of it, and sends again
            self._failed(logs.places(fault), len(group))
            return [mllp.NOT_NOW] * len(group)
        counts: Counter[str] = sum((it.counts for it in took), Counter())
        self._log.info("messages", count=len(took), **counts)
        for it in took:
            if it.fault:
                self._failed(it.fault, 1)
        if any(it.touched or it.kind == "merge" for it in took):
            self._arrived()
        return [mllp.NOT_NOW if it.fault else mllp.ACCEPTED for it in took]

    def _failed(self, what: str, count: int) -> None:
        self._log.error("messages not taken", count=count, what=what)
        self._note("failed", count)
        self._fault = what

    def _add(self, connection: Connection, counts: Counter[str], last: datetime | None) -> None:
        """Write down the figures, with what was refused since."""
        with self._lock:
            refused, self._counts = self._counts, Counter()
        open_now = len(self._connections)
        listeners.add(connection, self._mllp.address, counts + refused, open_now, last)

    def _note(self, what: str, count: int) -> None:
        with self._lock:
            self._counts[what] += count


def _judge(job: _Job, verdict: Verdict | None) -> None:
    """Say what is answered to a message, unless its sender has gone; None: nothing."""
    if not job.verdict.done():
        job.verdict.set_result(verdict)


def _counts_of(took: Sequence[Took]) -> Counter[str]:
    well = [it for it in took if not it.fault]
    return Counter(
        messages=len(well),
        repeated=sum(it.again for it in well),
        other_messages=sum(it.kind != "results" for it in well),
    )


class _Certificates(Exception):
    """The files of [mllp] that TLS needs cannot be used; the text names them and says why."""


def _tls(config: Mllp) -> ssl.SSLContext | None:
    """Raises _Certificates."""
    if config.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    pair = "tls_certificate and tls_key" if config.tls_key else "tls_certificate"
    with _read_as(pair):
        context.load_cert_chain(config.tls_certificate, config.tls_key, _no_passphrase)
    if config.tls_client_ca is not None:
        with _read_as("tls_client_ca"):
            context.load_verify_locations(config.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _no_passphrase() -> str:
    """Without it the library asks whoever sits at the terminal, and waits."""
    raise _Certificates("the key is protected by a passphrase: save it without")


@contextmanager
def _read_as(names: str) -> Iterator[None]:
    try:
        yield
    except _Certificates as fault:
        raise _Certificates(f"{names}: {fault}") from None
    except OSError as fault:
        raise _Certificates(f"{names}: {_plain(fault)}") from fault


def _why(error: BaseException, config: Mllp) -> str:
    if isinstance(error, _Certificates):
        return f"[mllp] the certificates cannot be used: {error}"
    return f"[mllp] {config.address} cannot be listened on: {_plain(error)}"


def _plain(error: BaseException) -> Any:
    if isinstance(error, ssl.SSLError):
        said = f" ({error.reason})" if error.reason else ""
        return f"no certificate or key in PEM, or they do not belong together{said}"
    return getattr(error, "strerror", None) or type(error).__name__
