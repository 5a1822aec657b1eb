"""Hands mails to the mail server over one kept connection, and says what a failure means.

Passing: try again, for ever. Permanent: this recipient will never get it, tell somebody
else. Where the whole connection is at fault, trying the next message now has no sense.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from email.message import EmailMessage
from types import TracebackType
from typing import Self

import aiosmtplib
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from monitor.config import Mail

MOST_SECONDS = 120
"""The longest a message may take, however slowly the server answers; less than a lease."""
_CLOSING = 421
_TOO_LARGE = 552


class NotSent(Exception):
    """Why a message did not go out.

    `permanent`: the server will never take it for this recipient. `whole`: no other message
    would fare better now. `setting`: an operator must put something right. `lost`: the
    server hung up on us. The text holds what the server said, and goes to the database and
    the operator, not to logs.
    """

    def __init__(
        self,
        text: str,
        *,
        permanent: bool = False,
        whole: bool = False,
        setting: bool = False,
        lost: bool = False,
    ) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.whole = whole
        self.setting = setting
        self.lost = lost


class Mailer:
    """The mail server of the config, connected when first needed and until the block ends."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._client: SMTP | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Until the server took it. Raises NotSent.

        A kept connection that the server has dropped in the meantime is opened again, once.
        """
        if not recipient.isascii():
            raise NotSent("the address is not ASCII, which mail servers refuse", permanent=True)
        kept = self._client is not None
        try:
            await self._attempt(message, recipient)
        except (SMTPServerDisconnected, ConnectionError) as error:
            await self._close()
            if not kept:
                said = f"the server closed the connection: {_said(error)}"
                raise NotSent(said, lost=True) from error
            await self.send(message, recipient)

    async def _attempt(self, message: EmailMessage, recipient: str) -> None:
        try:
            async with asyncio.timeout(min(MOST_SECONDS, 4 * self._mail.timeout_seconds)):
                client = self._client or await self._connect()
                await client.sendmail(self._mail.sender, [recipient], message.as_bytes())
        except SMTPRecipientsRefused as error:
            await self._refused(error.recipients[0].code, error.recipients[0].message)
        except SMTPSenderRefused as error:
            await self._sender_refused(error)
        except SMTPDataError as error:
            await self._refused(error.code, error.message)
        except TimeoutError as error:
            await self._close()
            raise NotSent(
                f"no answer within {self._mail.timeout_seconds:g} s", whole=True
            ) from error
        except (SMTPServerDisconnected, ConnectionError):
            raise
        except (SMTPException, OSError) as error:
            await self._close()
            raise NotSent(_said(error), whole=True) from error

    async def _refused(self, code: int, text: str) -> None:
        if code == _CLOSING:
            await self._close()
            raise SMTPServerDisconnected(f"{code} {text}")
        raise NotSent(f"{code} {text}", permanent=code >= 500)

    async def _sender_refused(self, error: SMTPSenderRefused) -> None:
        """The sender is the same for all: a setting, unless the message is too large."""
        if error.code in {_CLOSING, _TOO_LARGE}:
            await self._refused(error.code, error.message)
        raise NotSent(
            f"the sender was refused: {_said(error)}", whole=True, setting=error.code >= 500
        )

    async def _connect(self) -> SMTP:
        mail = self._mail
        client = aiosmtplib.SMTP(
            hostname=mail.host,
            port=mail.port,
            use_tls=mail.security == "tls",
            start_tls=mail.security == "starttls",
            timeout=mail.timeout_seconds,
            tls_context=None if mail.security == "none" else ssl.create_default_context(),
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
        if mail.username:
            await self._log_in(client)
        return client

    async def _log_in(self, client: SMTP) -> None:
        try:
            await client.login(self._mail.username, _password(self._mail))
        except SMTPAuthenticationError as error:
            await self._close()
            wrong = error.code >= 500
            raise NotSent(f"{self._where}: {_said(error)}", whole=True, setting=wrong) from error
        except (SMTPServerDisconnected, ConnectionError, TimeoutError):
            raise
        except SMTPException as error:
            await self._close()
            raise NotSent(f"{self._where}: {_said(error)}", whole=True, setting=True) from error

    @property
    def _where(self) -> str:
        return f"{self._mail.host}:{self._mail.port} ({self._mail.security})"

    async def _close(self) -> None:
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


def _password(mail: Mail) -> str:
    """From the environment or a file, read at each connection. Raises NotSent."""
    if mail.password_env:
        if mail.password_env not in os.environ:
            raise NotSent(
                f"[mail] password_env: {mail.password_env} is not set", whole=True, setting=True
            )
        return os.environ[mail.password_env]
    assert mail.password_file is not None
    try:
        return mail.password_file.read_text(encoding="utf-8").strip()
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
