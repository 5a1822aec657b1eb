"""The run over the outbox: lease a message, lay it out, send it, record it; then the next.

Each step is a short transaction of its own and none is open while the server is spoken to. As
long as it goes quickly, more and more messages are leased together, and the next one is laid out
while one is on its way.
A crash between the server's answer and our record repeats one message, with the same
Message-ID, and loses none.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from monitor import logs
from monitor.config import Settings
from monitor.delivery.channels.letter import Letter, NotSent
from monitor.delivery.channels.ways import Ways, seen_by
from monitor.delivery.message import Rendered, plain, render
from monitor.delivery.mime import to_bytes
from monitor.delivery.pass_on import pass_on
from monitor.store import daemons, outbox
from monitor.store.database import Store
from monitor.store.errors import StoreBusy, StoreError, StoreLost
from monitor.store.outbox import Leased

_TOKEN = secrets.token_hex(4)
"""Tells this process from an earlier one with the same number."""
_unsent: set[int] = set()
"""Messages this process leased and did not send, because the database went away."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_NOTED_WITHIN = 240.0
"""Seconds for which what the server answered is kept in mind while the database is away: less
than a lease lasts."""
_DAEMON = re.compile(r"daemon (\w+)")
_DROPS = 3
"""Connections lost in a row after which a run waits for another time."""
_QUICK = 1.0
"""Seconds within which messages that were leased together should have gone out: so long may a
graver one wait for them."""
_MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run did: messages sent, messages refused for good (they went on to the last
    resort), and messages that are still owed."""

    sent: int
    failed: int
    waiting: int


@dataclass(slots=True)
class _Run:
    """What one run has done so far; `tried` are the messages that failed in it."""

    store: Store
    settings: Settings
    now: datetime
    holder: str
    despite_back_off: bool
    ways: Callable[[Store, Settings, datetime], Ways] = Ways
    tried: set[int] = field(default_factory=set)
    resting: set[str] = field(default_factory=set)
    """Channels that do not work now; what is theirs waits, and the rest goes on."""
    sent: int = 0
    failed: int = 0
    drops: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    @property
    def later(self) -> datetime:
        """The run's instant and the time it has taken since: a lease counts from when it is
        taken, or in a long run another one would think it had ended."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


def deliver_due(
    store: Store,
    settings: Settings,
    now: datetime,
    *,
    who: str,
    despite_back_off: bool = False,
    stop: Callable[[], bool] = lambda: False,
    ways: Callable[[Store, Settings, datetime], Ways] = Ways,
) -> Sent:
    """Try every message that is owed by `now` once, worst and oldest first.

    `who` names the caller in the leases. `despite_back_off` tries those too that wait for
    their next attempt (a person asked). `stop` is asked between messages.
    `ways` opens the channels; a replay's keep what others would send.
    """
    run = _Run(store, settings, now, _holder(who), despite_back_off, ways)
    _free_orphans(store, now, run.holder)
    asyncio.run(_deliver(run, stop))
    with store.read() as connection:
        return Sent(run.sent, run.failed, outbox.waiting(connection))


async def _deliver(run: _Run, stop: Callable[[], bool]) -> None:
    with run.store.read() as connection:
        if not outbox.waiting(connection):
            return
    many = 1
    async with run.ways(run.store, run.settings, run.now) as ways:
        while not stop() and (batch := _lease(run, many)):
            began = time.monotonic()
            await _send_batch(run, ways, batch, began, stop)
            many = 1 if _is_slow(began) else min(2 * many, _MOST_AT_ONCE)


async def _noted(run: _Run, note: Callable[[Connection], object], stop: Callable[[], bool]) -> None:
    """Write down what the other side answered, however often it takes: a server that restarts
    in this very moment must not make us say it twice."""
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            with run.store.write() as connection:
                note(connection)
            return
        except (StoreLost, StoreBusy):
            if stop() or time.monotonic() - began > _NOTED_WITHIN:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _is_slow(began: float) -> bool:
    """Whether messages leased together take so long that the others had better wait unleased,
    where graver ones overtake them and another daemon can take them."""
    return time.monotonic() - began > _QUICK


async def _send_batch(
    run: _Run, ways: Ways, batch: Sequence[Leased], began: float, stop: Callable[[], bool]
) -> None:
    """Send the messages one after the other, each recorded before the next one goes out. While
    one is on its way the next is laid out. What does not get its turn is let go."""
    left = deque(batch)
    ahead: asyncio.Task[Letter] | None = None
    try:
        while left and (len(left) == len(batch) or not (stop() or _is_slow(began))):
            leased = left[0]
            if leased.channel in run.resting:
                return
            letter = _letter(run, leased) if ahead is None else await ahead
            ahead = None
            left.popleft()
            if left:
                ahead = asyncio.create_task(asyncio.to_thread(_letter, run, left[0]))
            await _send(run, ways, letter, stop)
    finally:
        if ahead is not None:
            await asyncio.wait([ahead])
        _let_go(run, [leased.id for leased in left])


def _let_go(run: _Run, ids: Sequence[int]) -> None:
    """Free messages that did not get their turn; later, where the database is away."""
    if not ids:
        return
    try:
        with run.store.write() as connection:
            outbox.give_back(connection, ids)
    except StoreLost:
        _unsent.update(ids)


async def _send(run: _Run, ways: Ways, letter: Letter, stop: Callable[[], bool]) -> None:
    leased = letter.message
    try:
        answer = await ways.channel(leased.channel).send(letter)
    except NotSent as error:
        await _noted(run, partial(_record_failure, run, leased, error), stop)
        _take_note(run, leased, error)
    else:
        run.drops[leased.channel] = 0
        run.sent += 1
        sent = partial(outbox.record_sent, leased=leased, now=run.now, answer=answer)
        await _noted(run, sent, stop)


def _lease(run: _Run, many: int) -> list[Leased]:
    with run.store.write() as connection:
        return outbox.lease(
            connection,
            run.later,
            run.holder,
            many,
            despite_back_off=run.despite_back_off,
            but_not=run.tried,
            but_channels=run.resting,
        )


def _letter(run: _Run, leased: Leased) -> Letter:
    """The message laid out; in bare words where that fails, and the operator is told."""
    settings = seen_by(run.settings, leased.recipient)
    try:
        with run.store.read() as connection:
            rendered = render(connection, leased, settings, run.now)
        return _sealed(leased, rendered, settings, run.now)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever it was, the alert must go out
        _log().error("layout failed", delivery=leased.id, where=logs.places(error))
        text = f"Message {leased.id} went out in bare words. The fault: {logs.places(error)}"
        with run.store.write() as connection:
            _alarm(connection, run, "a mail could not be laid out", text)
        return _sealed(leased, plain(leased, settings), settings, run.now)


def _sealed(leased: Leased, rendered: Rendered, settings: Settings, now: datetime) -> Letter:
    mail = to_bytes(rendered, leased, settings, now) if leased.channel == outbox.MAIL else None
    return Letter(message=leased, rendered=rendered, settings=settings, now=now, mail=mail)


def _record_failure(run: _Run, leased: Leased, error: NotSent, connection: Connection) -> None:
    """Note it, and tell whom it concerns."""
    for_good = _is_for_good(run, leased, error)
    outbox.record_failure(
        connection, leased, run.now, str(error), permanent=for_good, wait=error.wait
    )
    if for_good:
        pass_on(connection, run.settings, leased, str(error), run.now)
    elif error.setting:
        _alarm(connection, run, leased.channel, _not_by_itself(leased.channel, error))


def _take_note(run: _Run, leased: Leased, error: NotSent) -> None:
    """A message is tried once a run; a channel that does not work rests until the next one."""
    for_good = _is_for_good(run, leased, error)
    _log().warning("not sent", delivery=leased.id, attempt=leased.attempts + 1, for_good=for_good)
    run.tried.add(leased.id)
    run.failed += for_good
    run.drops[leased.channel] = run.drops[leased.channel] + 1 if error.lost else 0
    if error.whole or run.drops[leased.channel] >= _DROPS:
        run.resting.add(leased.channel)


def _is_for_good(run: _Run, leased: Leased, error: NotSent) -> bool:
    """Never of what goes to the last resort: nobody is left to pass it on to."""
    return error.permanent and leased.recipient.lower() != run.settings.clinic.email.lower()


def _not_by_itself(channel: str, error: NotSent) -> str:
    if channel == outbox.MAIL:
        return f"Mail is not going out, and will not by itself: {error}. See [mail] in the config."
    return f"Messages to {channel} do not go out, and will not by themselves: {error}."


def _alarm(connection: Connection, run: _Run, topic: str, text: str) -> None:
    clinic = run.settings.clinic
    outbox.operator_alarm(connection, topic, text, clinic.email, run.now, clinic.zone)


def _holder(who: str) -> str:
    return f"{who}|{socket.gethostname()}|{os.getpid()}|{_TOKEN}"


def _free_orphans(store: Store, now: datetime, own: str) -> None:
    """Free the leases of processes that are gone, those of this machine and daemons of others:
    their messages are owed now, and not when the lease runs out. Our `own`, too: a run begins
    with none, but where the database went away it may have kept one that we never heard of."""
    with store.read() as connection:
        holders = outbox.lease_holders(connection)
        ids = {who: found[1] for who in holders if (found := _DAEMON.match(who))}
        dead = daemons.gone(connection, set(ids.values()), now) if ids else set()
    orphans = [it for it in holders if it == own or _is_gone(it) or ids.get(it) in dead]
    if not orphans and not _unsent:
        return
    with store.write() as connection:
        freed = outbox.release(connection, orphans)
        outbox.give_back(connection, sorted(_unsent))
    _unsent.clear()
    if freed:
        _log().warning("took over messages of a process that is gone", count=freed)


def _is_gone(holder: str) -> bool:
    parts = holder.split("|")
    if len(parts) != 4 or parts[1] != socket.gethostname() or not parts[2].isdigit():
        return False
    pid = int(parts[2])
    if pid == os.getpid():
        return parts[3] != _TOKEN
    if sys.platform == "win32":
        return False  # asking after a process would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _log() -> Any:
    return logs.logger("delivery")
