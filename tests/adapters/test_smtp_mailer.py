"""The mailer against a real SMTP server."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from activities.ports import Email
from domain.errors import CarewaveError, GatewayRejected, GatewayUnavailable
from embedded.mail_sandbox import MailSandbox
from integrations.smtp_mailer import SmtpMailer, message_id_header
from tests.adapters.loopback import closed_port, silent_server

PATIENT = "ada.patient@example.org"
SUBJECT = "Your payment link"


@dataclass(frozen=True)
class TlsSandbox:
    """A server that wants TLS and a password, and what its clients need to know."""

    server: MailSandbox
    trust: ssl.SSLContext

    def mailer(self, *, password: str = "right", trust: ssl.SSLContext | None = None) -> SmtpMailer:
        return SmtpMailer(
            host="127.0.0.1",
            port=self.server.port,
            sender="no-reply@carewave.example",
            brand="Sesame",
            username="carewave",
            password=password,
            tls_context=trust,
        )


@pytest.fixture
async def sandbox() -> AsyncIterator[MailSandbox]:
    server = MailSandbox()
    await server.start()
    yield server
    server.stop()


def mailer(port: int, *, timeout: float = 5.0) -> SmtpMailer:
    return SmtpMailer(
        host="127.0.0.1",
        port=port,
        sender="no-reply@carewave.example",
        brand="Sesame",
        starttls=False,
        timeout=timeout,
    )


def an_email(*, to: str = PATIENT, subject: str = SUBJECT, message_id: str = "econsult:1:link") -> Email:
    return Email(
        message_id=message_id,
        to=to,
        subject=subject,
        text="Bonjour Zoë,\n\nhttps://pay.example/p/1?a=1&b=2\n",
    )


def assert_tells_nothing(error: CarewaveError) -> None:
    said = f"{error} {error.args} {error.__cause__}"
    assert PATIENT not in said
    assert SUBJECT not in said
    assert error.__suppress_context__


async def test_delivers_the_message_as_written(sandbox: MailSandbox) -> None:
    await mailer(sandbox.port).send(an_email())

    (mail,) = sandbox.messages
    assert mail.to == (PATIENT,)
    assert mail.sender == "Sesame <no-reply@carewave.example>"
    assert mail.subject == SUBJECT
    assert mail.text == "Bonjour Zoë,\n\nhttps://pay.example/p/1?a=1&b=2\n"


async def test_a_repeat_carries_the_same_message_id(sandbox: MailSandbox) -> None:
    await mailer(sandbox.port).send(an_email())
    await mailer(sandbox.port).send(an_email())

    assert [mail.message_id for mail in sandbox.messages] == ["<econsult-1-link@carewave.example>"] * 2


def test_keeps_a_message_id_that_is_well_formed() -> None:
    assert message_id_header("<a.b@c.example>", "carewave.example") == "<a.b@c.example>"


async def test_sends_to_an_internationalised_domain(sandbox: MailSandbox) -> None:
    await mailer(sandbox.port).send(an_email(to="ada@bücher.example"))

    assert sandbox.messages[0].to == ("ada@xn--bcher-kva.example",)


async def test_a_refused_recipient_is_rejected_for_good(sandbox: MailSandbox) -> None:
    sandbox.refuse(PATIENT)

    with pytest.raises(GatewayRejected) as raised:
        await mailer(sandbox.port).send(an_email())

    assert raised.value.code == "mail.address_refused"
    assert_tells_nothing(raised.value)


async def test_a_refused_message_is_rejected_for_good(sandbox: MailSandbox) -> None:
    sandbox.refuse_messages()

    with pytest.raises(GatewayRejected) as raised:
        await mailer(sandbox.port).send(an_email())

    assert raised.value.code == "mail.rejected"
    assert_tells_nothing(raised.value)


@pytest.mark.parametrize("put_off", ["recipient", "message"])
async def test_a_message_put_off_goes_through_later(sandbox: MailSandbox, put_off: str) -> None:
    sandbox.put_off_recipients() if put_off == "recipient" else sandbox.put_off()

    with pytest.raises(GatewayUnavailable) as raised:
        await mailer(sandbox.port).send(an_email())
    await mailer(sandbox.port).send(an_email())

    assert raised.value.code == "mail.unavailable"
    assert_tells_nothing(raised.value)
    assert len(sandbox.messages) == 1


async def test_an_unreachable_server_is_unavailable() -> None:
    with pytest.raises(GatewayUnavailable) as raised:
        await mailer(closed_port()).send(an_email())

    assert raised.value.code == "mail.unavailable"
    assert_tells_nothing(raised.value)


async def test_a_silent_server_is_unavailable_after_the_time_limit() -> None:
    async with silent_server() as port:
        with pytest.raises(GatewayUnavailable) as raised:
            await mailer(port, timeout=0.1).send(an_email())

    assert raised.value.code == "mail.unavailable"


@pytest.mark.parametrize(
    "address",
    ["ada@example.org, eve@example.org", "ada@example.org\r\nBcc: eve@example.org", "ada", "ada@", "", "<a@b.c>"],
)
async def test_one_message_reaches_one_address_only(sandbox: MailSandbox, address: str) -> None:
    with pytest.raises(GatewayRejected) as raised:
        await mailer(sandbox.port).send(an_email(to=address))

    assert raised.value.code == "mail.address_refused"
    assert_tells_nothing(raised.value)
    assert sandbox.messages == []


async def test_a_header_cannot_be_injected_through_the_subject(sandbox: MailSandbox) -> None:
    with pytest.raises(GatewayRejected) as raised:
        await mailer(sandbox.port).send(an_email(subject=f"{SUBJECT}\r\nBcc: eve@example.org"))

    assert raised.value.code == "mail.rejected"
    assert_tells_nothing(raised.value)
    assert sandbox.messages == []


async def test_refuses_to_send_in_the_clear_when_starttls_is_required(sandbox: MailSandbox) -> None:
    strict = SmtpMailer(host="127.0.0.1", port=sandbox.port, sender="a@b.example", brand="Sesame")

    with pytest.raises(GatewayUnavailable):
        await strict.send(an_email())

    assert sandbox.messages == []


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[TlsSandbox]:
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = MailSandbox(tls_context=context, username="carewave", password="right")
    await server.start()
    yield TlsSandbox(server, ssl.create_default_context(cafile=certificate))
    server.stop()


async def test_sends_over_starttls_with_credentials(tls: TlsSandbox) -> None:
    await tls.mailer(trust=tls.trust).send(an_email())

    assert len(tls.server.messages) == 1


async def test_refuses_a_certificate_that_it_does_not_trust(tls: TlsSandbox) -> None:
    with pytest.raises(GatewayUnavailable):
        await tls.mailer().send(an_email())

    assert tls.server.messages == []


async def test_refused_credentials_hold_the_message_back(tls: TlsSandbox) -> None:
    with pytest.raises(GatewayUnavailable, match="credentials") as raised:
        await tls.mailer(trust=tls.trust, password="wrong").send(an_email())

    assert raised.value.code == "mail.unavailable"


async def test_a_ping_tells_whether_the_server_takes_our_credentials(tls: TlsSandbox) -> None:
    await tls.mailer(trust=tls.trust).ping()
    with pytest.raises(GatewayUnavailable, match="credentials"):
        await tls.mailer(trust=tls.trust, password="wrong").ping()
    with pytest.raises(GatewayUnavailable):
        await mailer(closed_port()).ping()
    assert tls.server.messages == []


async def test_the_sandbox_keeps_messages_across_restarts(tmp_path: Path) -> None:
    store = tmp_path / "state" / "mail.jsonl"
    first = MailSandbox(store=store)
    await first.start()
    await mailer(first.port).send(an_email())
    first.stop()
    store.open("a").write('{"id": "cut off by a cra')

    assert MailSandbox(store=store).messages == first.messages
    assert store.stat().st_mode & 0o077 == 0


def _certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path
