"""The whole API, for tests of its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from pydantic import SecretStr

from api.auth import TokenVerifier
from api.dependencies import Services
from api.jwks import KeySource
from cases import Cases
from config import Settings
from crypto import Keyring, generate_key
from db.session import Database
from domain import policy
from domain.access import Role
from embedded.issuer import DevelopmentIssuer
from embedded.seed import seed
from links import PaymentLinks
from tests.api.front import FakeCases, Front
from tests.shared_app import shared_app

ISSUER = "http://issuer.test/dev"
WEBHOOK_SECRET = "whsec_test"
TWILIO_TOKEN = "twilio-token"
BASE = "http://api.test"
CODEC_KEYS = generate_key("c1")


@pytest.fixture
def settings() -> Settings:
    return Settings(
        public_url=BASE,
        oidc_issuer=ISSUER,
        oidc_jwks_url=f"{ISSUER}/jwks.json",
        stripe_webhook_secret=SecretStr(WEBHOOK_SECRET),
        twilio_auth_token=SecretStr(TWILIO_TOKEN),
        stripe_api_base="http://stripe.sandbox:12111",
        codec_keys=SecretStr(CODEC_KEYS),
    )


@pytest.fixture
async def front(database: Database, keyring: Keyring, settings: Settings, tmp_path: Path) -> AsyncIterator[Front]:
    await seed(database)
    issuer = DevelopmentIssuer(embedded=True, state_dir=tmp_path, issuer=ISSUER, audience=settings.oidc_audience)
    keys = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=issuer.jwks())))
    verifier = TokenVerifier(
        KeySource(keys, issuer=ISSUER, jwks_url=settings.oidc_jwks_url), issuer=ISSUER, audience=settings.oidc_audience
    )
    cases = FakeCases(database)
    links = PaymentLinks(keyring, BASE)
    services = Services(settings, database, cast("Cases", cases), links, policy.load())
    transport = httpx.ASGITransport(shared_app(services, verifier))

    def client(subject: str, *roles: Role) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {issuer.token(subject, roles)}"}
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    async with keys, httpx.AsyncClient(transport=transport, base_url=BASE) as anybody:
        yield Front(transport.app, database, cases, links, client, anybody)  # type: ignore[arg-type]
