"""The application: which topics it serves, from one store and its settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.staticfiles import StaticFiles

from monitor import clock
from monitor.config import Settings
from monitor.store.database import Store
from monitor.web import (
    account,
    alert,
    answers,
    fhir,
    guards,
    load,
    metrics,
    operations,
    patient,
    patient_event,
    people,
    quarantine,
    reports,
    schedules,
    sign_in,
    worklist,
)
from monitor.web.navigation import entries_of
from monitor.web.render import STATIC
from monitor.web.site import Site, site_of

PAGES = (
    sign_in,
    account,
    people,
    worklist,
    alert,
    patient,
    patient_event,
    schedules,
    operations,
    reports,
    load,
    quarantine,
)
"""Every topic of pages: a module with `routes`, and with `UPLOADS` where it takes files."""


def create_app(
    store: Store, settings: Settings, *, now: Callable[[], datetime] = clock.now
) -> FastAPI:
    """An application of its own; several may serve one database. `now` is the time of what
    people do."""
    app = FastAPI(title="Azathioprine monitor", docs_url=None, redoc_url=None, openapi_url=None)
    site = site_of(store, settings)
    site.now = now
    app.state.site = site
    for page in PAGES:
        app.include_router(page.routes)
    app.include_router(fhir.router(store, settings), prefix="/fhir")
    app.include_router(metrics.router(store, settings))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    site.paths = frozenset(route.path for route in page_routes())
    site.navigation = entries_of(site.paths)
    answers.install(app, site)
    _guard(app, site)
    return app


def page_routes() -> list[APIRoute]:
    """Every route of a page."""
    return [it for page in PAGES for it in page.routes.routes if isinstance(it, APIRoute)]


def _guard(app: FastAPI, site: Site) -> None:
    """From the innermost to the outermost."""
    web = site.settings.web
    uploads = tuple(path for page in PAGES for path in getattr(page, "UPLOADS", ()))
    app.add_middleware(fhir.Faults)
    app.add_middleware(answers.Faults, site=site)
    app.add_middleware(
        guards.Bounded, upload_largest=web.upload_largest_mib * 2**20, uploads=uploads
    )
    app.add_middleware(guards.Paced, a_minute=web.requests_a_minute)
    app.add_middleware(guards.Careful, https=site.is_https)
