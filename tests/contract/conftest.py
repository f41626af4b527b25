from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from embedded.stripe_sandbox.app import create_app
from embedded.stripe_sandbox.state import StripeSandbox
from integrations.stripe_gateway import HttpxTransport, StripeGateway
from tests.contract.providers import (
    API_KEY,
    Provider,
    payer_at_localstripe,
    payer_at_sandbox,
    payer_at_stripe,
)
from tests.contract.serving import listen, serving_in_thread

ROOT = Path(__file__).parents[2]


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def localstripe_url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.contract.localstripe_server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "localstripe did not start"
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    listener, url = listen()
    sandbox = StripeSandbox(api_key=API_KEY, webhook_secret="whsec_contract", base_url=url)
    with serving_in_thread(create_app(sandbox), listener):
        yield url
    sandbox.store.close()


@asynccontextmanager
async def sandbox_provider(url: str) -> AsyncIterator[Provider]:
    async with httpx.AsyncClient(verify=False) as client:
        gateway = StripeGateway(API_KEY, api_base=url, http_client=client)
        yield Provider(
            gateway=gateway,
            stranger=StripeGateway("sk_test_wrong", api_base=url, http_client=client),
            paid=payer_at_sandbox(gateway, client),
            has_checkout=True,
            guards_refunds=True,
        )


@asynccontextmanager
async def localstripe_provider(url: str) -> AsyncIterator[Provider]:
    async with httpx.AsyncClient(verify=False) as client:
        yield Provider(
            gateway=StripeGateway(API_KEY, api_base=url, http_client=client),
            stranger=StripeGateway("unknown", api_base=url, http_client=client),
            paid=payer_at_localstripe(url, HttpxTransport(client)),
            has_checkout=False,
            guards_refunds=False,
        )


@asynccontextmanager
async def stripe_provider(api_key: str) -> AsyncIterator[Provider]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield Provider(
            gateway=StripeGateway(api_key, http_client=client),
            stranger=StripeGateway("sk_test_unknown", http_client=client),
            paid=payer_at_stripe(api_key, HttpxTransport(client)),
            has_checkout=True,
            guards_refunds=True,
        )


def opened(name: str, request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Provider]:
    if name == "sandbox":
        return sandbox_provider(request.getfixturevalue("sandbox_url"))
    if name == "localstripe":
        return localstripe_provider(request.getfixturevalue("localstripe_url"))
    api_key = os.environ.get("STRIPE_API_KEY", "")
    if not api_key.startswith("sk_test_"):
        pytest.skip("STRIPE_API_KEY holds no sk_test_ key")
    return stripe_provider(api_key)


@pytest.fixture(params=["sandbox", "localstripe", "stripe"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with opened(request.param, request) as chosen:
        yield chosen
