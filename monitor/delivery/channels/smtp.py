"""Hands mails to one mail server over a kept connection, and says what a failure means.

Passing: try again, for ever. Permanent: this recipient will never get it, tell somebody
else. Where the whole connection is at fault, trying the next message now has no sense.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import suppress
from typing import NoReturn

import aiosmtplib
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from monitor.config import Relay
from monitor.delivery.channels.letter import NotSent, Turn

MOST_SECONDS = 120
"""The longest a message may take, however slowly the server answers; less than a lease."""
_CLOSING = 421
_TOO_LARGE = 552
_ANSWER = 200
"""Characters of a server's answer that are kept."""


class Mailer:
    """One mail server of the config, connected when first needed and until it is closed."""

    def __init__(self, relay: Relay, sender: str) -> None:
        self._relay = relay
        self._sender = sender
        self._client: SMTP | None = None
        self._handed_over = False
        """Whether the message is on its way, and the server has not answered."""

    async def send(self, message: bytes, recipient: str, turn: Turn) -> str:
        """Until the server took it; its answer. Raises NotSent.

        A kept connection that the server has dropped in the meantime is opened again, once.
        """
        if not recipient.isascii():
            raise NotSent("the address is not ASCII, which mail servers refuse", permanent=True)
        self._handed_over = False
        if self._client is not None:
            with suppress(SMTPServerDisconnected, ConnectionError):
                return await self._attempt(message, recipient, turn)
            await self.close()
        try:
            return await self._attempt(message, recipient, turn)
        except (SMTPServerDisconnected, ConnectionError) as error:
            await self.close()
            said = f"the server closed the connection: {_said(error)}"
            raise NotSent(said, lost=True, handed_over=self._handed_over) from error

    async def _attempt(self, message: bytes, recipient: str, turn: Turn) -> str:
        try:
            async with asyncio.timeout(min(MOST_SECONDS, 4 * self._relay.timeout_seconds)) as time:
                client = self._client or await self._connect()
                answer = await self._hand_over(client, message, recipient, _untimed(turn, time))
                return " ".join(answer.split())[:_ANSWER]
        except SMTPRecipientRefused as error:
            await self._refused(error.code, error.message)
        except SMTPSenderRefused as error:
            await self._sender_refused(error)
        except SMTPDataError as error:
            await self._refused(error.code, error.message)
        except TimeoutError as error:
            await self.close()
            said = f"no answer within {self._relay.timeout_seconds:g} s"
            raise NotSent(said, whole=True, handed_over=self._handed_over) from error
        except (SMTPServerDisconnected, ConnectionError):
            raise
        except (SMTPException, OSError) as error:
            await self.close()
            raise NotSent(_said(error), whole=True, handed_over=self._handed_over) from error

    async def _hand_over(self, client: SMTP, message: bytes, recipient: str, turn: Turn) -> str:
        """One message through an open connection, which is left ready for the next one. The turn
        comes while the server reads whom the message is from: nothing is handed over by that."""
        size = [f"SIZE={len(message)}"] if client.supports_extension("size") else []
        try:
            named = client.mail(self._sender, options=size)
            for done in await asyncio.gather(named, turn(), return_exceptions=True):
                if isinstance(done, BaseException):
                    raise done
            await client.rcpt(recipient)
            self._handed_over = True
            return (await client.data(message)).message
        except SMTPResponseException:
            with suppress(ConnectionError, SMTPException):
                await client.rset()
            raise

    async def _refused(self, code: int, text: str) -> NoReturn:
        if code == _CLOSING:
            await self.close()
            raise SMTPServerDisconnected(f"{code} {text}")
        raise NotSent(f"{code} {text}", permanent=code >= 500)

    async def _sender_refused(self, error: SMTPSenderRefused) -> NoReturn:
        """The sender is the same for all: a setting, unless the message is too large."""
        if error.code in {_CLOSING, _TOO_LARGE}:
            await self._refused(error.code, error.message)
        raise NotSent(
            f"the sender was refused: {_said(error)}", whole=True, setting=error.code >= 500
        )

    async def _connect(self) -> SMTP:
        relay = self._relay
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.security == "tls",
            start_tls=relay.security == "starttls",
            timeout=relay.timeout_seconds,
            tls_context=None if relay.security == "none" else ssl.create_default_context(),
        )
        try:
            await client.connect()
        except TimeoutError as error:
            raise NotSent(f"{self._where}: no answer in time", whole=True) from error
        except (SMTPException, OSError) as error:
            raise NotSent(
                f"{self._where}: {_said(error)}", whole=True, setting=_is_setting(error)
            ) from error
        self._client = client
        if relay.username:
            await self._log_in(client)
        return client

    async def _log_in(self, client: SMTP) -> None:
        try:
            await client.login(self._relay.username, _password(self._relay))
        except SMTPAuthenticationError as error:
            await self.close()
            wrong = error.code >= 500
            raise NotSent(f"{self._where}: {_said(error)}", whole=True, setting=wrong) from error
        except (SMTPServerDisconnected, ConnectionError, TimeoutError):
            raise
        except SMTPException as error:
            await self.close()
            raise NotSent(f"{self._where}: {_said(error)}", whole=True, setting=True) from error

    @property
    def _where(self) -> str:
        return f"{self._relay.host}:{self._relay.port} ({self._relay.security})"

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.is_connected:
                await client.quit(timeout=2)
        except (SMTPException, OSError):
            pass  # it is gone either way
        finally:
            client.close()


def _untimed(turn: Turn, time: asyncio.Timeout) -> Turn:
    """A turn that does not count as time the server took."""

    async def waited() -> None:
        loop, ends = asyncio.get_running_loop(), time.when()
        assert ends is not None
        began = loop.time()
        time.reschedule(None)
        await turn()
        time.reschedule(ends + loop.time() - began)

    return waited


def _password(relay: Relay) -> str:
    """From the environment or a file, read at each connection. Raises NotSent."""
    if relay.password_env:
        if relay.password_env not in os.environ:
            raise NotSent(
                f"[mail] password_env: {relay.password_env} is not set", whole=True, setting=True
            )
        return os.environ[relay.password_env]
    assert relay.password_file is not None
    try:
        return relay.password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotSent(
            f"[mail] password_file cannot be read: {type(error).__name__}", whole=True, setting=True
        ) from error


def _is_setting(error: Exception) -> bool:
    """Whether a failed connection is a fault of the settings rather than of the hour: TLS
    that the server lacks or whose certificate is not trusted, or a greeting that refuses us."""
    if isinstance(error, SMTPResponseException):
        return error.code >= 500
    chain = (error, error.__cause__, error.__context__)
    lacks_tls = not isinstance(error, SMTPConnectError | SMTPServerDisconnected | OSError)
    return lacks_tls or any(isinstance(part, ssl.SSLError) for part in chain)


def _said(error: Exception) -> str:
    """What the server said, or what became of the connection, on one line."""
    if isinstance(error, SMTPResponseException):
        text = f"{error.code} {error.message}"
    else:
        text = str(error) or type(error).__name__
    return " ".join(text.split())[:300]
