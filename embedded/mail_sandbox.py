"""A mail server that delivers nothing: it keeps every message for the outbox page."""

from __future__ import annotations

import asyncio
import email
import email.policy
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from domain.model import Value
from embedded.journal import Journal

ACCEPTED = "250 2.0.0 OK"
REFUSED = "550 5.1.1 No such user here"
REFUSED_MESSAGE = "554 5.7.1 Message refused"
PUT_OFF = "451 4.3.0 Try again later"
RECIPIENT_PUT_OFF = "450 4.2.1 Mailbox busy"


class StoredMail(Value):
    """One message as it was accepted. `message_id` is its header, angle brackets included."""

    id: str
    received_at: datetime
    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str


class MailSandbox:
    """An SMTP server on loopback; port 0 takes a free one, to be read from `port` once started.

    `store` keeps the messages across restarts. With a `password`, clients must sign in. Failures on demand:
    `refuse(address)` answers 550 to a recipient for as long as the server lives; `put_off(times)` answers 451 and
    `refuse_messages(times)` 554 to the next messages, `put_off_recipients(times)` 450 to the next recipients.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        store: Path | None = None,
        tls_context: ssl.SSLContext | None = None,
        username: str = "",
        password: str = "",
    ) -> None:
        self.host = host
        self.port = port
        self._tls_context = tls_context
        self._credentials = (username, password)
        self._mails = Journal(StoredMail, lambda mail: mail.id, store)
        self._refused: set[str] = set()
        self._next_answers: list[str] = []
        self._next_recipients: list[str] = []
        self._server: asyncio.Server | None = None

    @property
    def messages(self) -> list[StoredMail]:
        """All messages, oldest first."""
        return self._mails.all()

    def refuse(self, address: str) -> None:
        self._refused.add(address.lower())

    def put_off(self, times: int = 1) -> None:
        self._next_answers += [PUT_OFF] * times

    def put_off_recipients(self, times: int = 1) -> None:
        self._next_recipients += [RECIPIENT_PUT_OFF] * times

    def refuse_messages(self, times: int = 1) -> None:
        self._next_answers += [REFUSED_MESSAGE] * times

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Listen no more. Idle connections are not waited for: clients may keep them open for minutes."""
        if self._server:
            self._server.close()
            self._server = None

    def _connection(self) -> SMTP:
        # A fixed name: the default one asks the name server, which may hang without a network.
        return SMTP(
            self,
            hostname="mail.sandbox",
            enable_SMTPUTF8=True,
            tls_context=self._tls_context,
            auth_required=bool(self._credentials[1]),
            authenticator=self._authenticate,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
    ) -> AuthResult:
        offered = (login.login.decode(), login.password.decode())
        return AuthResult(success=offered == self._credentials, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: Iterable[str]
    ) -> str:
        if self._next_recipients:
            return self._next_recipients.pop(0)
        if address.lower() in self._refused:
            return REFUSED
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self._next_answers:
            return self._next_answers.pop(0)
        self._mails.put(_stored(envelope))
        return ACCEPTED


def _stored(envelope: Envelope) -> StoredMail:
    content = envelope.content
    raw = content if isinstance(content, bytes) else str(content).encode()
    message = email.message_from_bytes(raw, EmailMessage, policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    return StoredMail(
        id=uuid4().hex,
        received_at=datetime.now(UTC),
        message_id=str(message["Message-ID"] or ""),
        sender=str(message["From"] or envelope.mail_from),
        to=tuple(envelope.rcpt_tos),
        subject=str(message["Subject"] or ""),
        text=str(body.get_content()).replace("\r\n", "\n") if body else "",
    )
