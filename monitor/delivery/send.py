"""The run over the outbox: lease a message, lay it out, send it, record it; then the next.

Each step is a short transaction of its own and none is open while the server is spoken to. As
long as it goes quickly, more and more messages are leased together, and the next ones are laid
out while one is on its way.
A message is recorded before the next one is handed over: a crash between the server's answer and
our record repeats one message, with the same Message-ID, and loses none.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from monitor import logs
from monitor.config import Settings
from monitor.delivery.channels.letter import Letter, NotSent
from monitor.delivery.channels.ways import Ways
from monitor.delivery.desk import Batch, Desk
from monitor.delivery.pass_on import pass_on
from monitor.store import daemons, leases, outbox
from monitor.store.database import Store
from monitor.store.errors import StoreError, StoreLost
from monitor.store.leases import Leased
from monitor.store.processes import is_alive

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
    why: tuple[str, ...] = field(default=(), compare=False)
    """What was said where a message was not taken, each once."""
    left: bool = field(default=False, compare=False)
    """Time was up; what else is owed has its turn in the next run."""


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
    why: dict[str, None] = field(default_factory=dict)
    drops: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)
    stop: Callable[[], bool] = lambda: False
    within: float = math.inf
    unrecorded: tuple[Leased, str] | None = None
    """What was sent last, and the answer; kept until it is recorded."""

    async def recorded(self) -> None:
        """Record what was sent last, where it is not yet. Where that cannot be done the run ends:
        nothing more is handed over."""
        if self.unrecorded is None:
            return
        try:
            await _noted(self, partial(_record_sent, self, *self.unrecorded))
        finally:
            self.unrecorded = None

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self.began > self.within

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
    within: float = math.inf,
    ways: Callable[[Store, Settings, datetime], Ways] = Ways,
) -> Sent:
    """Try every message that is owed by `now` once, worst and oldest first.

    `who` names the caller in the leases. `despite_back_off` tries those too that wait for
    their next attempt (a person asked). `stop` is asked between messages. After `within` seconds
    no further one is taken: a message that failed is tried once a run, and what it says is as of
    `now`, so that a run for hours would keep a critical one back and tell old times.
    `ways` opens the channels; a replay's keep what others would send.
    """
    run = _Run(store, settings, now, _holder(who), despite_back_off, ways, stop=stop, within=within)
    _free_orphans(store, now, run.holder)
    asyncio.run(_deliver(run))
    with store.read() as connection:
        return Sent(run.sent, run.failed, outbox.waiting(connection), tuple(run.why), run.is_late)


async def _deliver(run: _Run) -> None:
    with run.store.read() as connection:
        owed = outbox.waiting(connection)
    if not owed:
        return
    async with (
        run.ways(run.store, run.settings, run.now) as ways,
        Desk(run.store, run.settings, run.now, owed) as desk,
    ):
        try:
            await _send_all(run, ways, desk)
        finally:
            await run.recorded()


async def _send_all(run: _Run, ways: Ways, desk: Desk) -> None:
    """Batch after batch, as long as something is owed. Where a helper lays out, it has the next
    batch while this one is being sent."""
    many = 1
    following: asyncio.Task[Batch] | None = None
    try:
        while not (run.stop() or run.is_late):
            batch = desk.batch(_lease(run, many)) if following is None else await following
            following = None
            if not batch.size:
                if run.unrecorded is None:
                    return
                await run.recorded()  # for which a withdrawal waits
                continue
            if desk.has_help and many == _MOST_AT_ONCE:
                following = asyncio.create_task(_prepared(run, desk, many))
            await _send_batch(run, ways, batch)
            if _is_slow(batch):
                many = 1
                await _let_go(run, following)
                following = None
            else:
                many = min(2 * many, _MOST_AT_ONCE)
    finally:
        await _let_go(run, following)


async def _prepared(run: _Run, desk: Desk, many: int) -> Batch:
    return desk.batch(await asyncio.to_thread(_lease, run, many))


async def _let_go(run: _Run, prepared: asyncio.Task[Batch] | None) -> None:
    if prepared is not None:
        _give_back(run, await (await prepared).close())


async def _noted(run: _Run, write: Callable[[], None]) -> None:
    """Write down what the other side answered, however often it takes: a server that restarts
    in this very moment, or has no room, must not make us say it twice."""
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            write()
            return
        except StoreError:
            if run.stop() or time.monotonic() - began > _NOTED_WITHIN:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _is_slow(batch: Batch) -> bool:
    """Whether messages leased together take so long that the others had better wait unleased,
    where graver ones overtake them and another daemon can take them."""
    return time.monotonic() - batch.began > _QUICK


async def _send_batch(run: _Run, ways: Ways, batch: Batch) -> None:
    """Send the messages one after the other, each recorded before the next one is handed over.
    What does not get its turn is let go."""
    try:
        while batch.left and (len(batch.left) == batch.size or not (run.stop() or _is_slow(batch))):
            if batch.left[0].channel in run.resting:
                return
            if not batch.is_ready:
                await run.recorded()  # rather than wait for the turn of one that takes a while
            await _send(run, ways, await batch.take())
    finally:
        _give_back(run, await batch.close())


def _give_back(run: _Run, ids: Sequence[int]) -> None:
    """Free messages that did not get their turn; later, where the database is away."""
    if not ids:
        return
    try:
        with run.store.write() as connection:
            leases.give_back(connection, ids, run.holder)
    except StoreLost:
        _unsent.update(ids)


async def _send(run: _Run, ways: Ways, letter: Letter) -> None:
    leased = letter.message
    try:
        answer = await _handed_over(run, ways, letter)
    except NotSent as error:
        await run.recorded()
        await _noted(run, partial(_record_failure, run, leased, error))
        _take_note(run, leased, error)
    else:
        run.drops[leased.channel] = 0
        run.sent += 1
        run.unrecorded = leased, answer


async def _handed_over(run: _Run, ways: Ways, letter: Letter) -> str:
    """What the other side answered. A channel that breaks in a way that nobody foresaw rests, is
    told to the operator, and holds up no other: what waits behind it may be the alarm about it."""
    channel, letter = letter.message.channel, replace(letter, now=run.later)
    try:
        return await ways.channel(channel).send(letter, run.recorded)
    except (NotSent, StoreError):
        raise
    except Exception as error:
        where = logs.places(error)
        _log().error("channel failed", delivery=letter.message.id, where=where)
        raise NotSent(f"{channel}: {where}", whole=True, setting=True) from error


def _lease(run: _Run, many: int) -> list[Leased]:
    with run.store.write() as connection:
        return leases.lease(
            connection,
            run.later,
            run.holder,
            many,
            despite_back_off=run.despite_back_off,
            but_not=run.tried,
            but_channels=run.resting,
        )


def _record_sent(run: _Run, leased: Leased, answer: str) -> None:
    with run.store.note() as connection:
        leases.record_sent(connection, leased, run.now, answer)


def _record_failure(run: _Run, leased: Leased, error: NotSent) -> None:
    """Note it, and tell whom it concerns."""
    for_good = _is_for_good(run, leased, error)
    with run.store.write() as connection:
        is_ours = leases.record_failure(
            connection,
            leased,
            run.now,
            str(error),
            permanent=for_good,
            wait=error.wait,
            handed_over=error.handed_over,
        )
        if not is_ours:
            return
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
    run.why[f"{leased.channel if error.whole else leased.recipient}: {error}"] = None
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
        holders = leases.lease_holders(connection)
        ids = {who: found[1] for who in holders if (found := _DAEMON.match(who))}
        dead = daemons.gone(connection, set(ids.values()), now) if ids else set()
    orphans = [it for it in holders if it == own or _is_gone(it) or ids.get(it) in dead]
    if not orphans and not _unsent:
        return
    with store.write() as connection:
        leases.give_back(connection, sorted(_unsent), own)
        freed = leases.release(connection, orphans, now)
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
    return not is_alive(pid)


def _log() -> Any:
    return logs.logger("delivery")
