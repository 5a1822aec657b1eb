"""The API as an application of its own, with its OpenAPI document."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from monitor.web.api import alerts, clinic, files, patients, problems, quarantine
from monitor.web.api.shapes import Problem
from monitor.web.pace import Pace
from monitor.web.site import Site

PATH = "/api/v1"
UPLOADS = (f"{PATH}/files",)
TOPICS = (patients, alerts, files, quarantine, clinic)
_ABOUT = """What the pages do, for other programs. Send a token of `monitor token add` as
`Authorization: Bearer ...`; its scopes say what it is for. Errors are problems as in RFC 9457.
The JSON is that of the commands with `--json`."""
_PROBLEM = {
    "description": "A problem (RFC 9457)",
    "content": {problems.MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
}


def create_api(site: Site) -> FastAPI:
    """To be mounted at PATH."""
    app = FastAPI(
        title="Azathioprine monitor",
        description=_ABOUT,
        version=_version(),
        docs_url=None,
        redoc_url=None,
        responses=dict.fromkeys((400, 401, 403, 404, 405, 412, 413, 422, 429, 503), _PROBLEM),
    )
    app.state.site = site
    app.state.pace = Pace(site.settings.web.token_requests_a_minute)
    for topic in TOPICS:
        app.include_router(topic.routes)
    problems.install(app)
    return app


def _version() -> str:
    try:
        return version("azathioprine-monitor")
    except PackageNotFoundError:
        return "0"
