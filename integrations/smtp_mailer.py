"""E-mail over SMTP: the `Mailer` port with aiosmtplib.

A repeat of a message carries the same Message-ID, so that mail servers and readers can tell that it is one message.
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage

import aiosmtplib

from activities.ports import Email
from domain.errors import GatewayRejected, GatewayUnavailable

IMPLICIT_TLS_PORT = 465
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MESSAGE_ID = re.compile(rf"<{_ATEXT}(\.{_ATEXT})*@{_ATEXT}(\.{_ATEXT})*>")


class SmtpMailer:
    """Sends plain-text mail, one connection a message.

    `starttls` requires STARTTLS; on port 465 the connection is TLS from its first byte. `tls_context` is for a private
    certificate authority. `timeout` is in seconds, for each step of the conversation.
    """

    def __init__(  # noqa: PLR0913 - plain values from the composition root
        self,
        *,
        host: str,
        port: int,
        sender: str,
        brand: str,
        username: str = "",
        password: str = "",
        starttls: bool = True,
        timeout: float = 30.0,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._username = username
        self._password = password
        self._starttls = starttls
        self._timeout = timeout
        self._tls_context = tls_context
        self._sender = Address(brand, addr_spec=sender)

    async def send(self, email: Email) -> None:
        """Hand one message to the mail server.

        Raises `GatewayRejected` with `mail.address_refused` for a recipient refused for good, `mail.rejected` for a
        message refused for good, and `GatewayUnavailable` with `mail.unavailable` for everything that may pass later,
        our own credentials included: a corrected password lets waiting messages through.
        """
        recipient = _recipient(email.to)
        message = self._compose(email, recipient)
        implicit_tls = self._port == IMPLICIT_TLS_PORT
        # `from None` throughout: what servers and libraries say may quote the address or the subject.
        try:
            await aiosmtplib.send(
                message,
                sender=self._sender.addr_spec,
                recipients=[recipient.addr_spec],
                hostname=self._host,
                port=self._port,
                username=self._username or None,
                password=self._password or None,
                use_tls=implicit_tls,
                start_tls=self._starttls and not implicit_tls,
                tls_context=self._tls_context,
                timeout=self._timeout,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _recipient_refused(refused.recipients[0].code) from None
        except aiosmtplib.SMTPResponseException as answer:
            raise _refused(answer) from None
        except (aiosmtplib.SMTPException, OSError) as failure:
            reason = f"the mail server could not be used ({type(failure).__name__})"
            raise GatewayUnavailable("mail.unavailable", reason) from None

    async def ping(self) -> None:
        """Connect, sign in if there is a password, and ask for nothing. Raises `GatewayUnavailable`."""
        implicit_tls = self._port == IMPLICIT_TLS_PORT
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username if self._password else None,
            password=self._password or None,
            use_tls=implicit_tls,
            start_tls=self._starttls and not implicit_tls,
            tls_context=self._tls_context,
            timeout=self._timeout,
        )
        try:
            async with server:
                await server.noop()
        except aiosmtplib.SMTPAuthenticationError as answer:
            raise _refused(answer) from None
        except (aiosmtplib.SMTPException, OSError) as failure:
            reason = f"the mail server could not be used ({type(failure).__name__})"
            raise GatewayUnavailable("mail.unavailable", reason) from None

    def _compose(self, email: Email, recipient: Address) -> EmailMessage:
        message = EmailMessage()
        try:
            message["From"] = self._sender
            message["To"] = recipient
            message["Subject"] = email.subject
        except ValueError:  # a line break: EmailMessage lets no header be injected
            raise GatewayRejected("mail.rejected", "a header of the message is malformed") from None
        message["Message-ID"] = message_id_header(email.message_id, self._sender.domain)
        message["Date"] = datetime.now(UTC)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday replies stay away
        message.set_content(email.text)
        return message


def message_id_header(message_id: str, domain: str) -> str:
    """The RFC 5322 form `<left@domain>` of a business key; one that has this form already is kept."""
    if _MESSAGE_ID.fullmatch(message_id):
        return message_id
    return f"<{re.sub(r'[^A-Za-z0-9_-]', '-', message_id)}@{domain}>"


def _recipient(address: str) -> Address:
    """Exactly one address, its domain in ASCII, so that one message never reaches a second reader."""
    try:
        parsed = Address(addr_spec=address)
        return Address(username=parsed.username, domain=parsed.domain.encode("idna").decode("ascii"))
    except (ValueError, IndexError, HeaderParseError):
        raise GatewayRejected("mail.address_refused", "the address is not one e-mail address") from None


def _recipient_refused(code: int) -> GatewayRejected | GatewayUnavailable:
    if _is_permanent(code):
        return GatewayRejected("mail.address_refused", f"the mail server refused the recipient ({code})")
    return GatewayUnavailable("mail.unavailable", f"the mail server put the recipient off ({code})")


def _refused(answer: aiosmtplib.SMTPResponseException) -> GatewayRejected | GatewayUnavailable:
    if isinstance(answer, aiosmtplib.SMTPAuthenticationError):
        return GatewayUnavailable("mail.unavailable", f"the mail server refused our credentials ({answer.code})")
    # A refusal before the envelope is about the connection, not about this message.
    about_connection = isinstance(answer, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPHeloError)
    if _is_permanent(answer.code) and not about_connection:
        return GatewayRejected("mail.rejected", f"the mail server refused the message ({answer.code})")
    return GatewayUnavailable("mail.unavailable", f"the mail server put the message off ({answer.code})")


def _is_permanent(code: int) -> bool:
    return 500 <= code < 600
