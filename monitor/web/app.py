"""The application: which topics it serves, from one store and its settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
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
from monitor.web.api import application as api
from monitor.web.api.problems import problem
from monitor.web.faults import Faults
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
    site = site_of(store, settings, now)
    app.state.site = site
    for page in PAGES:
        app.include_router(page.routes)
    app.include_router(fhir.router(store, settings), prefix="/fhir")
    app.include_router(metrics.router(store, settings))
    app.mount(api.PATH, api.create_api(site))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
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
    uploads += api.UPLOADS
    app.add_middleware(guards.Plain)
    app.add_middleware(Faults, answer=partial(_fault, site))
    app.add_middleware(
        guards.Bounded, upload_largest=web.upload_largest_mib * 2**20, uploads=uploads
    )
    app.add_middleware(
        guards.Paced, a_minute=web.requests_a_minute, answer=partial(_one_too_many, site)
    )
    app.add_middleware(guards.Careful, https=site.is_https)
    app.add_middleware(guards.Bodiless)


def _fault(site: Site, path: str, name: str) -> Response:
    return fhir.fault(name) if path.startswith("/fhir") else answers.fault(site, name)


def _one_too_many(site: Site, path: str) -> Response:
    text = "Too many requests at once: wait a minute, then try again."
    if path.startswith(api.PATH):
        return problem(429, text)
    return answers.problem_page(site, 429, text)
