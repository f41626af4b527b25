"""Checks everything that Carewave depends on, and says what to do about each failure."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import httpx
from pydantic import ValidationError
from sqlalchemy import text
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from config import Settings
from crypto import Keyring
from db.migrate import missing_migrations
from db.session import Database
from domain.errors import CarewaveError
from domain.names import RECONCILE_SCHEDULE, SERVED_QUEUES
from domain.policy import load
from environment import faults
from temporal_client import EncryptionCodec, connect, missing_search_attributes, pollers
from wiring import smtp_mailer, stripe_gateway, twilio_reaches_us, twilio_texting, voice_number

ANSWER_WITHIN = timedelta(seconds=30)
E164 = re.compile(r"\+[1-9][0-9]{7,14}")

Probe = Callable[[], Awaitable[str]]
"""Says what it found; raises when something is wrong."""


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """One result. `remedy` is what to do about a failure."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Report:
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.status is not Status.FAILED for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "checks": [asdict(check) for check in self.checks]}


class _Skip(Exception):
    """There is nothing to check, for the reason given."""


class _Wrong(Exception):
    """What is wrong, in words that hold no secret."""


async def examine() -> Report:
    """Run every check against what the settings name; failures are results, nothing is raised."""
    try:
        settings = Settings()
    except ValidationError as error:
        return Report((Check("settings", Status.FAILED, faults(error), "Correct the variables named here."),))
    groups = await asyncio.gather(
        _keys(settings), _database(settings), _temporal(settings), _gateways(settings), _login(settings)
    )
    found = Check("settings", Status.OK, "every variable is valid")
    return Report((found, *(check for group in groups for check in group)))


async def _check(name: str, probe: Probe, remedy: str) -> Check:
    try:
        async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
            return Check(name, Status.OK, await probe())
    except _Skip as reason:
        return Check(name, Status.SKIPPED, str(reason))
    except (_Wrong, CarewaveError) as error:
        return Check(name, Status.FAILED, str(error), remedy)
    except TimeoutError:
        return Check(name, Status.FAILED, f"no answer in {ANSWER_WITHIN.total_seconds():.0f} s", remedy)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what was looked for
        return Check(name, Status.FAILED, _first_line(error), remedy)


def _first_line(error: Exception) -> str:
    # SQLAlchemy wraps what the driver says, which names host and reason.
    lines = str(getattr(error, "orig", None) or error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:160]}"


async def _keys(settings: Settings) -> Sequence[Check]:
    async def data_keys() -> str:
        ring = Keyring.parse(settings.data_keys.get_secret_value())
        if ring.decrypt(ring.encrypt(b"doctor", b"check"), b"check") != b"doctor":
            raise _Wrong("what was encrypted does not come back")
        return f"encrypts with {ring.key_id}"

    async def codec_keys() -> str:
        ring = Keyring.parse(settings.codec_keys.get_secret_value())
        codec, payload = EncryptionCodec(ring), Payload(data=b"doctor")
        if await codec.decode(await codec.encode([payload])) != [payload]:
            raise _Wrong("what was encrypted does not come back")
        return f"encrypts with {ring.key_id}"

    async def policy() -> str:
        return f"version {load(settings.policy_file).econsult.version}"

    return [
        await _check("data keys", data_keys, "Set DATA_KEYS to the line that `carewave keys` prints; keep it safe."),
        await _check("codec keys", codec_keys, "Set CODEC_KEYS to the line that `carewave keys` prints; keep it safe."),
        await _check("policy", policy, "Correct the file that POLICY_FILE names, or unset it."),
    ]


async def _database(settings: Settings) -> Sequence[Check]:
    url = settings.database_url.unicode_string()

    async def reachable() -> str:
        database = Database(url, pool_size=1)
        try:
            async with database.engine.connect() as connection:
                return f"PostgreSQL {(await connection.execute(text('SHOW server_version'))).scalar_one()}"
        finally:
            await database.close()

    async def migrated() -> str:
        missing = await asyncio.to_thread(missing_migrations, url)
        if missing:
            raise _Wrong(f"{len(missing)} missing, the newest is {missing[0]}")
        return "current"

    first = await _check("database", reachable, "Start PostgreSQL, or correct DATABASE_URL.")
    if first.status is not Status.OK:
        return [first, Check("migrations", Status.SKIPPED, "the database does not answer")]
    return [first, await _check("migrations", migrated, "Run `carewave migrate`.")]


async def _temporal(settings: Settings) -> Sequence[Check]:
    clients: list[Client] = []

    async def reachable() -> str:
        client = await connect(settings)
        clients.append(client)
        return f"namespace {client.namespace} at {client.service_client.config.target_host}"

    remedy = "Start Temporal, or correct TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and its credentials; CODEC_KEYS too."
    first = await _check("Temporal", reachable, remedy)
    names = ("search attributes", "schedule", "worker")
    if not clients:
        return [first, *(Check(name, Status.SKIPPED, "Temporal does not answer") for name in names)]
    client = clients[0]
    register = "Run `carewave migrate --temporal`; on Temporal Cloud add them by hand."
    remedies = (register, "Run `carewave migrate --temporal`, or start a worker.", "Start one: `carewave worker`.")
    probes = (lambda: _registered(client), lambda: _scheduled(client), lambda: _polled(client))
    return [first, *[await _check(*parts) for parts in zip(names, probes, remedies, strict=True)]]


async def _registered(client: Client) -> str:
    try:
        missing = await missing_search_attributes(client)
    except RPCError as error:
        if error.status in (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED):
            raise _Skip("this server does not list them") from None
        raise
    if missing:
        raise _Wrong(f"missing: {', '.join(missing)}")
    return "registered"


async def _scheduled(client: Client) -> str:
    try:
        found = (await client.get_schedule_handle(RECONCILE_SCHEDULE).describe()).schedule
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise _Wrong(f"{RECONCILE_SCHEDULE} does not exist") from None
        raise
    return f"{RECONCILE_SCHEDULE}, paused by somebody" if found.state.paused else RECONCILE_SCHEDULE


async def _polled(client: Client) -> str:
    found = {queue: len(await pollers(client, queue)) for queue in SERVED_QUEUES}
    if missing := [queue for queue, workers in found.items() if not workers]:
        raise _Wrong(f"nobody polls the task queue {' or '.join(missing)}")
    return ", ".join(f"{workers} on the task queue {queue}" for queue, workers in found.items())


async def _gateways(settings: Settings) -> Sequence[Check]:
    async def stripe() -> str:
        if not settings.stripe_api_key.get_secret_value():
            raise _Wrong("STRIPE_API_KEY is empty")
        gateway = stripe_gateway(settings)
        try:
            await gateway.ping()
        finally:
            await gateway.close()
        return settings.stripe_api_base or "answers, and takes the key"

    async def webhooks() -> str:
        if not settings.stripe_webhook_secret.get_secret_value():
            raise _Wrong("STRIPE_WEBHOOK_SECRET is empty")
        return "has a signing secret"

    async def twilio() -> str:
        texting = twilio_texting(settings)
        if texting is None:
            raise _Skip("no account: no texts are sent")
        try:
            await texting.ping()
        finally:
            await texting.aclose()
        return settings.twilio_api_base or "answers, and takes the account"

    async def smtp() -> str:
        await smtp_mailer(settings).ping()
        return f"{settings.smtp_host}:{settings.smtp_port}"

    return await asyncio.gather(
        _check("Stripe", stripe, "Correct STRIPE_API_KEY, and see that api.stripe.com can be reached."),
        _check("Stripe webhooks", webhooks, "Set STRIPE_WEBHOOK_SECRET to the signing secret of the endpoint."),
        _check("Twilio", twilio, "Correct TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or empty the former."),
        _check(
            "Twilio voice",
            lambda: _voice(settings),
            "Set TWILIO_VOICE_NUMBER, and PUBLIC_URL to where the internet finds this API.",
        ),
        _check("SMTP", smtp, "Correct SMTP_HOST, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD or SMTP_STARTTLS."),
    )


async def _voice(settings: Settings) -> str:
    if not settings.twilio_account_sid:
        raise _Skip("no account: nobody is called")
    number = voice_number(settings)
    if not E164.fullmatch(number):
        raise _Wrong("TWILIO_VOICE_NUMBER, or else TWILIO_FROM_NUMBER, is not a number in E.164")
    if not twilio_reaches_us(settings):
        raise _Wrong("Twilio cannot report how calls end: PUBLIC_URL is an address of this machine alone")
    return f"calls come from {number}"


async def _login(settings: Settings) -> Sequence[Check]:
    async def keys() -> str:
        async with httpx.AsyncClient(timeout=10) as http:
            address = settings.oidc_jwks_url or await _discovered(http, settings.oidc_issuer)
            published = (await _read(http, address)).get("keys") or []
        if not published:
            raise _Wrong(f"{address} lists no key")
        return f"{len(published)} at {address}"

    remedy = "Correct OIDC_ISSUER and OIDC_JWKS_URL: the `iss` and `jwks_uri` of the provider."
    return [await _check("login keys", keys, remedy)]


async def _discovered(http: httpx.AsyncClient, issuer: str) -> str:
    return str((await _read(http, f"{issuer.rstrip('/')}/.well-known/openid-configuration"))["jwks_uri"])


async def _read(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    response = await http.get(url)
    if response.is_error:
        raise _Wrong(f"{url} answers {response.status_code}")
    document: dict[str, Any] = response.json()
    return document
