"""Builds what a worker needs from the settings: adapters, the delivery of notices, the sweep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from temporalio.client import Client

from activities.cadences import CadenceActivities
from activities.calls import CallActivities
from activities.notices import NoticeDelivery, NudgingRecords
from activities.rollout_ports import Twins
from activities.sweep import SweepActivities
from activities.validation import ValidationActivities
from cases import Cases
from config import Settings
from crypto import Keyring
from db.cadences import SqlCadences
from db.calls import SqlCallRecords
from db.case_records import SqlCaseRecords
from db.gate_evidence import SqlGateEvidence
from db.outbox import SqlOutbox
from db.panel import SqlSpecialistPanel
from db.session import Database
from db.sweep import SqlSweep, SqlWebhookInbox
from db.telemetry import SqlTelemetryInbox
from db.types import vault
from domain import policy
from domain.actors import Audience
from integrations.smtp_mailer import SmtpMailer
from integrations.stripe_gateway import StripeGateway
from integrations.templates import TemplateRenderer
from integrations.twilio_texting import TwilioTexting
from integrations.twilio_voice import TwilioVoice
from links import PaymentLinks
from worker import Adapters

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Wired:
    """The adapters of a worker, and the loop that sends notices beside it, woken through `nudge`."""

    adapters: Adapters
    notices: NoticeDelivery
    nudge: asyncio.Event


@asynccontextmanager
async def wired(settings: Settings, client: Client) -> AsyncIterator[Wired]:
    """Everything a worker talks to, closed in the end. Raises `crypto.keys_invalid` without usable data keys."""
    keyring = Keyring.parse(settings.data_keys.get_secret_value())
    vault.open(keyring)
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url.unicode_string(), settings.database_pool_size)
        stack.push_async_callback(database.close)
        gateway = stripe_gateway(settings)
        stack.push_async_callback(gateway.close)
        texting = twilio_texting(settings)
        if texting:
            stack.push_async_callback(texting.aclose)
        voice = twilio_voice(settings)
        if voice:
            stack.push_async_callback(voice.aclose)
        links = PaymentLinks(keyring, settings.public_url)
        outbox = SqlOutbox(database, staff(settings))
        notices = NoticeDelivery(outbox, smtp_mailer(settings), texting, _renderer(settings, links))
        nudge = asyncio.Event()
        adapters = Adapters(
            records=NudgingRecords(SqlCaseRecords(database), nudge),
            network=SqlSpecialistPanel(database),
            gateway=gateway,
            pages=links,
            sweep=SweepActivities(
                SqlSweep(database), SqlWebhookInbox(database), Cases(client), notices, SqlTelemetryInbox(database)
            ),
            calls=CallActivities(voice, SqlCallRecords(database)),
            practice=ValidationActivities(validation_twins(settings)),
            evidence=SqlGateEvidence(database),
            cadences=CadenceActivities(SqlCadences(database)),
        )
        yield Wired(adapters, notices, nudge)


def stripe_gateway(settings: Settings) -> StripeGateway:
    return StripeGateway(settings.stripe_api_key.get_secret_value(), api_base=settings.stripe_api_base)


def twilio_texting(settings: Settings) -> TwilioTexting | None:
    """None without an account: then no texts are sent."""
    if not (settings.twilio_account_sid and settings.twilio_from_number):
        return None
    return TwilioTexting(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        from_number=settings.twilio_from_number,
        api_base=settings.twilio_api_base,
        status_callback=_callback(settings, "messages") if twilio_reaches_us(settings) else None,
    )


def twilio_voice(settings: Settings) -> TwilioVoice | None:
    """None without an account: then nobody is called."""
    number = voice_number(settings)
    if not (settings.twilio_account_sid and number):
        return None
    return TwilioVoice(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        from_number=number,
        status_callback=_callback(settings, "voice"),
        machine_detection=settings.twilio_machine_detection,
        api_base=settings.twilio_api_base,
    )


def validation_twins(settings: Settings) -> Twins | None:
    """None where no practice system is connected: then no location is validated."""
    if not settings.simulated_practice_systems:
        return None
    # Only there: the embedded stack is no part of a production image.
    from embedded.practice_system import SimulatedTwins  # noqa: PLC0415

    return SimulatedTwins(policy.load(settings.policy_file).rollout.integration.validation)


def voice_number(settings: Settings) -> str:
    return settings.twilio_voice_number or settings.twilio_from_number


def twilio_reaches_us(settings: Settings) -> bool:
    """Whether callbacks can arrive. Twilio refuses a text that names an address out of its reach (error 21609)."""
    return bool(settings.twilio_api_base) or urlsplit(settings.public_url).hostname not in LOOPBACK


def _callback(settings: Settings, what: str) -> str:
    return f"{settings.public_url.rstrip('/')}/webhooks/twilio/{what}"


def smtp_mailer(settings: Settings) -> SmtpMailer:
    return SmtpMailer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=settings.mail_from,
        brand=settings.brand_name,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
        starttls=settings.smtp_starttls,
    )


def staff(settings: Settings) -> Mapping[Audience, str]:
    """Where notices to staff go."""
    return {
        Audience.OPERATIONS: settings.operations_email,
        Audience.PROVIDER_SUCCESS: settings.provider_success_email,
        Audience.NETWORK_DESK: settings.network_desk_email,
        Audience.SUPPORT: settings.support_email,
    }


def _renderer(settings: Settings, links: PaymentLinks) -> TemplateRenderer:
    return TemplateRenderer(
        links,
        brand=settings.brand_name,
        clinician_contact=settings.support_contact,
        patient_contact=settings.support_email,
    )
