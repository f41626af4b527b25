"""The whole house on simulated time: API, workflows, database, sandbox gateways and letters, in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from temporalio.worker import Interceptor

from activities.notices import NoticeDelivery
from activities.ports import Email, Texting
from api.app import create_app
from api.auth import TokenVerifier, token_verifier
from api.dependencies import Services
from config import Settings
from crypto import Keyring
from db.outbox import SqlOutbox
from db.session import Database
from domain import policy
from domain.access import Role
from embedded.issuer import DevelopmentIssuer
from embedded.rehearsal import PUBLIC_URL, TWILIO_TOKEN, WEBHOOK_SECRET, Rehearsal, rehearse
from embedded.stripe_sandbox.webhooks import Deliver, sign
from embedded.twilio_sandbox.delivery import Deliver as DeliverCalls
from embedded.twilio_sandbox.delivery import deliver_over
from integrations.templates import TemplateRenderer
from wiring import staff

WEBHOOKS = "/webhooks/stripe"


@dataclass
class Letterbox:
    """The port `Mailer`: keeps every letter."""

    letters: list[Email] = field(default_factory=list)

    async def send(self, email: Email) -> None:
        self.letters.append(email)

    def latest_to(self, address: str) -> Email:
        return next(letter for letter in reversed(self.letters) if letter.to == address)


@dataclass
class Stage:
    """Everybody calls the API as they would over the network; time passes when it is told to."""

    rehearsal: Rehearsal
    app: FastAPI
    http: httpx.AsyncClient
    issuer: DevelopmentIssuer
    notices: NoticeDelivery
    letterbox: Letterbox

    async def call(self, subject: str, role: Role, method: str, path: str, **request: Any) -> httpx.Response:
        """One request with a token of that person."""
        headers = {"Authorization": f"Bearer {self.issuer.token(subject, [role])}", **request.pop("headers", {})}
        answer = await self.http.request(method, path, headers=headers, **request)
        await self.settle()
        return answer

    async def settle(self) -> None:
        """Let webhooks arrive, calls take their course and letters go out."""
        await self.rehearsal.synchronise()
        await self.notices.deliver_due(limit=1000)

    async def advance(self, duration: timedelta) -> None:
        await self.rehearsal.advance(duration)
        await self.settle()


@asynccontextmanager
async def stage(
    database: Database,
    keys: str,
    state_dir: Path,
    *,
    texting: Texting | None = None,
    interceptors: tuple[Interceptor, ...] = (),
    make_app: Callable[[Services, TokenVerifier], FastAPI] = create_app,
) -> AsyncIterator[Stage]:
    """The house, put up for as long as the block runs. `keys` is `id:base64`, for data and payloads alike."""
    settings = Settings(
        data_keys=SecretStr(keys),
        codec_keys=SecretStr(keys),
        stripe_webhook_secret=SecretStr(WEBHOOK_SECRET),
        twilio_auth_token=SecretStr(TWILIO_TOKEN),
        public_url=PUBLIC_URL,
        oidc_issuer=f"{PUBLIC_URL}/dev",
    )
    issuer = DevelopmentIssuer(
        embedded=True, state_dir=state_dir, issuer=settings.oidc_issuer, audience=settings.oidc_audience
    )
    providers = FastAPI()
    providers.include_router(issuer.router())
    app_of: list[FastAPI] = []
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(providers)) as keys_http,
        rehearse(
            database,
            keyring=Keyring.parse(keys),
            deliver=_to_webhooks(app_of),
            deliver_calls=_to_voice_webhook(app_of),
            interceptors=interceptors,
        ) as rehearsal,
    ):
        services = Services(settings, database, rehearsal.cases, rehearsal.links, policy.load(), clock=rehearsal.clock)
        app = make_app(services, token_verifier(settings, keys_http))
        app_of.append(app)
        letterbox = Letterbox()
        renderer = TemplateRenderer(
            rehearsal.links,
            brand=settings.brand_name,
            clinician_contact=settings.support_contact,
            patient_contact=settings.support_email,
        )
        notices = NoticeDelivery(SqlOutbox(database, staff(settings)), letterbox, texting, renderer)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL) as http:
            yield Stage(rehearsal, app, http, issuer, notices, letterbox)


def _to_webhooks(app_of: list[FastAPI]) -> Deliver:
    """Deliver to the API's own route, once there is an API.

    Signed anew: how old a signature may be is measured in real time, not in simulated time.
    """

    async def deliver(body: bytes, _: str) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app_of[0]), base_url=PUBLIC_URL) as http:
            headers = {
                "Stripe-Signature": sign(body, WEBHOOK_SECRET, datetime.now(UTC)),
                "Content-Type": "application/json",
            }
            return (await http.post(WEBHOOKS, content=body, headers=headers)).status_code

    return deliver


def _to_voice_webhook(app_of: list[FastAPI]) -> DeliverCalls:
    """The same for what the telephone company reports, whose signatures have no age."""

    async def deliver(url: str, form: Mapping[str, str], signature: str) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app_of[0])) as http:
            return await deliver_over(http)(url, form, signature)

    return deliver
