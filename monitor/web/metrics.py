"""`GET /metrics`: the monitor in figures, in the text format of Prometheus.

Answered to whoever has the token of `[metrics]`; where the config names none, to this machine
alone. Labels hold names of jobs, parts and sources, and nothing of any patient.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor import clock
from monitor.config import Settings
from monitor.operations.figures import Figure, figures
from monitor.store.database import Store
from monitor.store.errors import StoreError

_PREFIX = "monitor_"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def router(store: Store, settings: Settings) -> APIRouter:
    """The one route."""
    routes = APIRouter()

    @routes.get("/metrics")
    def metrics(request: Request) -> Response:
        if not _may_ask(request, settings):
            return Response("not for you\n", 403, media_type="text/plain")
        return Response(_exposed(store, settings), media_type=CONTENT_TYPE_LATEST)

    return routes


def _exposed(store: Store, settings: Settings) -> bytes:
    try:
        found = [*figures(store, settings, clock.now()), Figure("up", "1 while it answers.", 1)]
    except StoreError:
        found = [Figure("up", "0 where the database does not answer.", 0)]
    registry = CollectorRegistry()
    registry.register(_Figures(found))
    return generate_latest(registry)


class _Figures(Collector):
    """Figures of one instant, grouped by their names."""

    def __init__(self, found: Iterable[Figure]) -> None:
        self._found = list(found)

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for it in self._found:
            names = [name for name, _ in it.labels]
            family = families.setdefault(
                it.name, GaugeMetricFamily(_PREFIX + it.name, it.says, labels=names)
            )
            family.add_metric([value for _, value in it.labels], float(it.value))
        yield from families.values()


def _may_ask(request: Request, settings: Settings) -> bool:
    token = _token(settings)
    if token:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode(), token)
        return same and scheme.casefold() == "bearer"
    wanted = settings.metrics
    if wanted.token_env or wanted.token_file:
        return False  # one is asked for, and cannot be read
    if any(name in request.headers for name in _FORWARDED):
        return False  # a proxy of this machine asks for somebody else
    return request.client is not None and _is_here(request.client.host)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _token(settings: Settings) -> bytes:
    """Read at each request, so that a changed file counts at once."""
    wanted = settings.metrics
    if wanted.token_file is not None:
        try:
            return wanted.token_file.read_bytes().strip()
        except OSError:
            return b""
    return os.environ.get(wanted.token_env, "").strip().encode() if wanted.token_env else b""
