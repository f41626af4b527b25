"""The composition root of the API: `python -m api.main`, or `uvicorn --factory api.main:create`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI

import temporal_client
from api.app import assemble
from api.auth import token_verifier
from api.dependencies import Services
from cases import Cases
from config import Settings, settings
from crypto import Keyring
from db.session import Database
from db.types import vault
from domain.policy import load
from links import PaymentLinks
from observability import configure_logging

GRACEFUL_SHUTDOWN_SECONDS = 20


def create(configured: Settings | None = None, *, embedded: bool = False) -> FastAPI:
    """The application as the settings describe it.

    It starts while the database or Temporal is down, and says so at /readyz. Raises ValueError without a Stripe webhook
    secret or, unless `embedded`, with a codec access key; `crypto.keys_invalid` without keys, `policy.unreadable` and
    `policy.invalid`.
    """
    chosen = configured or settings()
    configure_logging(chosen.log_level)
    keyring = Keyring.parse(chosen.data_keys.get_secret_value())
    policy = load(chosen.policy_file)
    http = httpx.AsyncClient(timeout=5)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        vault.open(keyring)
        database = Database(chosen.database_url.unicode_string(), chosen.database_pool_size)
        app.state.services = Services(
            settings=chosen,
            database=database,
            cases=Cases(await temporal_client.connect(chosen, lazy=True)),
            links=PaymentLinks(keyring, chosen.public_url),
            policy=policy,
        )
        yield
        await http.aclose()
        await database.close()

    return assemble(chosen, token_verifier(chosen, http), embedded=embedded, lifespan=lifespan)


def main(factory: str = "api.main:create") -> None:
    chosen = settings()
    uvicorn.run(
        factory,
        factory=True,
        host=chosen.api_host,
        port=chosen.api_port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )


if __name__ == "__main__":
    main()
