"""The application behind a socket: beside the daemon in a thread, or alone."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn
from fastapi import FastAPI

from monitor import clock, logs
from monitor.config import Settings
from monitor.store.database import open_store
from monitor.web.app import create_app

_LAST_WORDS = 5
"""Seconds that a request has to end when the server is asked to."""
_INSTEAD = {
    errno.EADDRINUSE: "; end what listens there, or name another [web] port",
    errno.EADDRNOTAVAIL: "; [web] host has to be an address of this machine",
    errno.EACCES: "; this account may not have it: name a [web] port above 1023",
}
"""What would be right, by what the system says."""


class PortTaken(Exception):
    """Nobody can listen there; the text says where and why."""


def listen(settings: Settings) -> socket.socket:
    """A socket on [web] host and port. Raises PortTaken."""
    web = settings.web
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    try:
        return socket.create_server((web.host, web.port), family=family)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno in _INSTEAD else error.strerror or str(error)
        instead = _INSTEAD.get(error.errno or 0, "")
        raise PortTaken(
            f"[web] cannot listen on {web.host}, port {web.port}: {why}{instead}"
        ) from None


def serve(settings: Settings, ready: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; in the main thread. Raises PortTaken."""
    stopping = threading.Event()
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {it: signal.signal(it, lambda *_: stopping.set()) for it in wanted}
    try:
        with serving(settings) as port:
            ready(port)
            stopping.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def address_of(settings: Settings, port: int) -> str:
    """Where a browser on this machine finds the pages."""
    host = settings.web.host
    own = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host)  # noqa: S104  # a way to read it
    return f"http://{own or (f'[{host}]' if ':' in host else host)}:{port}"


@contextmanager
def serving(settings: Settings, *, now: Callable[[], datetime] = clock.now) -> Iterator[int]:
    """Serve in a thread meanwhile; gives the port. `now` is the time of what people do.
    Raises PortTaken."""
    listening = listen(settings)
    port = int(listening.getsockname()[1])
    store = open_store(settings.database.url)
    server = _server(create_app(store, settings, now=now), settings)
    thread = threading.Thread(target=server.run, args=([listening],), name="web")
    thread.start()
    logs.logger("web").info("serving", port=port)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        store.dispose()


def _server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    proxies = settings.web.behind_proxies
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=_LAST_WORDS,
    )
    return uvicorn.Server(config)
