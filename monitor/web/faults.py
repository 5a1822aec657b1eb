"""A fault of ours, wherever it happens: a number in the log, and the same number in the answer."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor import logs


class Faults:
    """Answers what nobody caught, never with a traceback. `answer` is given the path and the
    number that the log has."""

    def __init__(self, app: ASGIApp, *, answer: Callable[[str, str], Response]) -> None:
        self._app, self._answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as fault:
            if scope["type"] != "http":
                raise
            name = logs.fault_id()
            logs.logger("web").error("fault", id=name, what=logs.places(fault))
            if not begun:
                await self._answer(scope["path"], name)(scope, receive, send)
