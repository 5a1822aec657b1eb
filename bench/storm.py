"""A storm: many messages, each to a recipient of its own and with a figure of its own, beside a
loop that sends mails which lie ready, over as many connections to the same server."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence

import aiosmtplib

from bench.databases import copied, empty, opened
from bench.filling import settings
from bench.plan import BOTH, Plan, alone, apart, this
from bench.population import NOW
from bench.postbox import CONFIG, fill_outbox, mail_server
from bench.record import Peer, Record
from monitor.delivery.message import render
from monitor.delivery.mime import to_bytes
from monitor.delivery.send import deliver_due
from monitor.store.leases import load_message

TITLE = "A storm of mails"
DATABASES = BOTH
CONNECTIONS = 1
SERVERS = {"on the same cores": 0, "a millisecond away": 0.001}
"""Where the mail server is, and how many seconds each of its answers takes beside its work."""
_SAMPLES = 20


def sizes(scale: str) -> Sequence[int]:
    """Messages."""
    return {"quick": (500,), "usual": (2_000,), "full": (1_000, 10_000)}[scale]


def run(plan: Plan) -> list[Record]:
    """Our delivery and the bare loops, in turn; to a server that shares this machine's cores with
    both, and to one that answers from another machine, as a clinic's does."""
    with empty(plan.database) as source:
        store = opened(source)
        fill_outbox(store, plan.size, NOW)
        store.dispose()
        return [_sent(plan, source, where, away) for where, away in SERVERS.items()]


def _sent(plan: Plan, source: str, where: str, away: float) -> Record:
    ours, memory, bare, ready = [], [], [], []
    for _ in range(plan.repeats):
        with mail_server(away=away) as port, copied(source) as url:
            mails = _mails(url, port)
            loop = apart(send_ready, port, plan.size, mails)
            bare.append(plan.size / loop.seconds)
            made = apart(make_and_send, url, port, plan.size)
            ready.append(plan.size / made.seconds)
            storm = apart(deliver, url, port)
            sent, helper_mib = storm.value
            if sent != plan.size:
                raise RuntimeError(f"{sent} of {plan.size} were sent")
            ours.append(plan.size / storm.seconds)
            memory.append(storm.peak_mib + helper_mib)
    peers = (
        Peer(name="bare aiosmtplib loop, mails ready", values=bare),
        Peer(name="the same loop laying out each mail, no outbox", values=ready),
    )
    return Record(what=f"messages with a figure, to as many recipients, {CONNECTIONS} connection; "
                       f"the server {where}",
                  unit="messages/s", values=ours, peers=peers, reach_ratio=0.8, peak_mib=memory,
                  reach_mib=300, goal=f"storm of mails; the server {where}")  # fmt: skip


def deliver(url: str, port: int) -> tuple[int, float]:
    """What `monitor deliver` does; how many were sent, and the most memory the helper had."""
    store = opened(url)
    sent = deliver_due(store, settings(config=CONFIG.format(port=port)), NOW, who="bench")
    store.dispose()
    return sent.sent, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def send_ready(port: int, count: int, mails: Sequence[bytes]) -> None:
    """The bare loop: mails that lie ready, one after the other over a kept connection."""

    async def go() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for number in range(count):
                to = f"nurse{number}@hill.example"
                await client.sendmail("monitor@hill.example", [to], mails[number % len(mails)])

    asyncio.run(go())


def make_and_send(url: str, port: int, count: int) -> None:
    """The bare loop, laying out each mail before it is sent; nothing is leased or recorded."""
    store = opened(url)
    ours = settings(config=CONFIG.format(port=port))

    async def go() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            with store.write() as connection:
                for number in range(1, count + 1):
                    message = load_message(connection, number)
                    mail = to_bytes(render(connection, message, ours, NOW), message, ours, NOW)
                    await client.sendmail("monitor@hill.example", [message.recipient], mail)

    asyncio.run(go())
    store.dispose()


def _mails(url: str, port: int) -> list[bytes]:
    """Some of the mails of the outbox, laid out."""
    store = opened(url)
    ours = settings(config=CONFIG.format(port=port))
    with store.write() as connection:
        mails = []
        for number in range(1, _SAMPLES + 1):
            message = load_message(connection, number)
            mails.append(to_bytes(render(connection, message, ours, NOW), message, ours, NOW))
    store.dispose()
    return mails


if __name__ == "__main__":
    alone(this(__name__))
