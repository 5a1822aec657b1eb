"""The application: which topics it serves, from one store and its settings."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from monitor.config import Settings
from monitor.store.database import Store
from monitor.web import fhir, metrics


def create_app(store: Store, settings: Settings) -> FastAPI:
    """An application of its own; several may serve one database."""
    app = FastAPI(title="Azathioprine monitor", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(fhir.router(store, settings), prefix="/fhir")
    app.include_router(metrics.router(store, settings))
    app.add_exception_handler(HTTPException, fhir.refused)
    app.add_middleware(fhir.Faults)
    return app
