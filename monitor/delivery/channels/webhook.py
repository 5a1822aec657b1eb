"""Hands messages to another program by HTTP, signed so that it can tell they are ours.

The signature follows Standard Webhooks 1.0 (standardwebhooks.com): the headers `webhook-id`,
`webhook-timestamp` and `webhook-signature`, an HMAC-SHA256 over id, timestamp and body. The id
is the Message-ID: a repeat carries the same one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from datetime import datetime, timedelta

import httpx

from monitor.config import Webhook
from monitor.delivery.channels.letter import Letter, NotSent, Turn

_PASSING = frozenset({408, 425, 429})
_GONE = 410
_ANSWER = 200
_LONGEST_WAIT = timedelta(hours=1)


class WebhookChannel:
    """One webhook of the config, with a kept connection."""

    def __init__(self, name: str, webhook: Webhook) -> None:
        self._name = name
        self._webhook = webhook
        self._client: httpx.AsyncClient | None = None

    async def send(self, letter: Letter, turn: Turn) -> str:
        """Until the other side said 2xx; what it said. Raises NotSent."""
        body = json.dumps(letter.document(), ensure_ascii=False, separators=(",", ":")).encode()
        key = str(letter.document()["message_id"])
        headers = {
            "content-type": "application/json",
            "user-agent": "azathioprine-monitor",
            **signature(key, letter.now, body, self._secret()),
        }
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=self._webhook.timeout_seconds, follow_redirects=False, trust_env=False
            )
        await turn()
        try:
            answer = await self._client.post(self._webhook.url, content=body, headers=headers)
        except httpx.HTTPError as error:
            late = isinstance(error, httpx.TimeoutException)
            said = "no answer in time" if late else str(error) or type(error).__name__
            reached = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            raise NotSent(self._says(said), whole=True, handed_over=reached) from error
        return self._judged(answer)

    async def close(self) -> None:
        """End the kept connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _judged(self, answer: httpx.Response) -> str:
        said = f"{answer.status_code} {answer.reason_phrase}".strip()[:_ANSWER]
        if answer.is_success:
            return said
        code = answer.status_code
        if code in _PASSING or code >= 500:
            raise NotSent(self._says(said), whole=True, wait=_retry_after(answer))
        gone = "; it asks to be sent no more" if code == _GONE else ""
        raise NotSent(self._says(said + gone), permanent=True, setting=True)

    def _says(self, text: str) -> str:
        return f"webhook {self._name}: {text}"

    def _secret(self) -> bytes:
        """From the environment or a file, read each time. Raises NotSent."""
        webhook = self._webhook
        try:
            if webhook.secret_file is not None:
                secret = webhook.secret_file.read_bytes().strip()
            else:
                secret = os.environ[webhook.secret_env].encode()
        except (KeyError, OSError) as error:
            raise self._without_secret("cannot be read") from error
        if not secret.strip():
            raise self._without_secret("is empty: anybody could sign so")
        return secret

    def _without_secret(self, why: str) -> NotSent:
        source = self._webhook.secret_env or "secret_file"
        return NotSent(self._says(f"its secret {why} ({source})"), whole=True, setting=True)


def signature(key: str, at: datetime, body: bytes, secret: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks. A secret that begins with `whsec_` is base64."""
    if secret.startswith(b"whsec_"):
        secret = base64.b64decode(secret.removeprefix(b"whsec_"))
    stamp = str(int(at.timestamp()))
    signed = b".".join((key.encode(), stamp.encode(), body))
    code = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{code}",
    }


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """The pause the other side asks for in seconds, at most an hour."""
    text = answer.headers.get("retry-after", "")
    return min(timedelta(seconds=int(text)), _LONGEST_WAIT) if text.isdecimal() else None
