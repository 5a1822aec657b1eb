"""Around every request: headers that keep browsers careful, limits of size and of number."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.pace import Pace

POLICY = "; ".join((
    "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self' data:",
    "font-src 'self'", "connect-src 'self'", "manifest-src 'self'", "form-action 'self'",
    "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'",
))  # fmt: skip
"""No script and no style but ours, nothing from elsewhere, shown in no frame."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-robots-tag": "noindex, nofollow",
}
_A_YEAR = 365 * 24 * 3600
_FORM_LARGEST = 2**20


class Careful:
    """Sets the headers. Nothing is kept by browsers or between, but static files."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app, self._https = app, https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers["cache-control"] = "no-store"
                elif message["status"] == 200 and scope["query_string"]:
                    headers["cache-control"] = f"public, max-age={_A_YEAR}, immutable"
                if self._https or scope.get("scheme") == "https":
                    headers["strict-transport-security"] = f"max-age={_A_YEAR}"
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class Plain:
    """Takes the NUL out of addresses, as `read_form` does of forms."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query, path = scope.get("query_string", b""), scope.get("path", "")
        if b"%00" in query or "\0" in path:
            plain = {"query_string": query.replace(b"%00", b""), "path": path.replace("\0", "")}
            scope = {**scope, **plain}
        await self._app(scope, receive, send)


class Bodiless:
    """Answers HEAD as GET, without the body (RFC 9110, 9.3.2): what looks whether a page is there
    need not fetch it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if "body" in message else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


class TooLarge(Exception):
    """The body is longer than is taken here; `largest` is in bytes."""

    def __init__(self, largest: int) -> None:
        super().__init__("too large")
        self.largest = largest


class Bounded:
    """Refuses bodies that are too long, however long they say they are. `uploads` are the
    beginnings of paths that take files; the FHIR intake bounds itself."""

    def __init__(self, app: ASGIApp, *, upload_largest: int, uploads: tuple[str, ...]) -> None:
        self._app, self._upload, self._uploads = app, upload_largest, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/fhir"):
            await self._app(scope, receive, send)
            return
        largest = self._upload if scope["path"].startswith(self._uploads) else _FORM_LARGEST
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        taken = int(announced) if announced.isdigit() and int(announced) > largest else 0

        async def bounded() -> Message:
            nonlocal taken
            if taken > largest:
                raise TooLarge(largest)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                raise TooLarge(largest)
            return message

        await self._app(scope, bounded, send)


class Paced:
    """Lets one address make so many requests a minute. `answer` is given the path of one too
    many."""

    def __init__(self, app: ASGIApp, *, a_minute: int, answer: Callable[[str], Response]) -> None:
        self._app, self._pace, self._answer = app, Pace(a_minute), answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wait = self._wait(scope) if scope["type"] == "http" else 0
        if wait:
            answer = self._answer(scope["path"])
            answer.headers["retry-after"] = str(wait)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _wait(self, scope: Scope) -> int:
        if scope["path"].startswith(("/static/", "/fhir")):
            return 0
        return self._pace.wait(scope["client"][0] if scope.get("client") else "")
