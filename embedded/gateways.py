"""Stand-ins for the outside world in one process: Stripe, Twilio, a mail server, a login provider, and the outbox."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from config import Settings
from embedded.issuer import DevelopmentIssuer
from embedded.mail_sandbox import MailSandbox
from embedded.outbox import outbox_router
from embedded.process import HOST
from embedded.stripe_sandbox.app import create_app as stripe_app
from embedded.stripe_sandbox.state import StripeSandbox
from embedded.stripe_sandbox.webhooks import deliver_to
from embedded.twilio_sandbox import TwilioSandbox, twilio_app
from embedded.twilio_sandbox.delivery import deliver_over
from observability import configure_logging

EXPIRE_EVERY_SECONDS = 30
GRACEFUL_SHUTDOWN_SECONDS = 2


class Gateways:
    """The sandboxes that the settings point to. Where they point to a real service its sandbox stays away."""

    def __init__(self, settings: Settings, state_dir: Path, *, port: int, smtp_port: int) -> None:
        folder = state_dir / "gateways"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        url = f"http://{HOST}:{port}"
        self._http = httpx.AsyncClient(timeout=10, trust_env=False)
        self.issuer = DevelopmentIssuer(
            embedded=True, state_dir=state_dir, issuer=settings.oidc_issuer, audience=settings.oidc_audience
        )
        self.mail = MailSandbox(port=smtp_port, store=folder / "mail.jsonl")
        self.stripe: StripeSandbox | None = None
        if settings.stripe_api_base == f"{url}/stripe":
            self.stripe = StripeSandbox(
                api_key=settings.stripe_api_key.get_secret_value(),
                webhook_secret=settings.stripe_webhook_secret.get_secret_value(),
                base_url=f"{url}/stripe",
                deliver=deliver_to(f"http://{HOST}:{settings.api_port}/webhooks/stripe", self._http),
                path=folder / "stripe.sqlite",
            )
        self.twilio: TwilioSandbox | None = None
        if settings.twilio_api_base == f"{url}/twilio":
            self.twilio = TwilioSandbox(
                account_sid=settings.twilio_account_sid,
                auth_token=settings.twilio_auth_token.get_secret_value(),
                store=folder / "texts.jsonl",
                call_store=folder / "calls.jsonl",
                deliver=deliver_over(self._http),
            )

    def app(self) -> FastAPI:
        app = FastAPI(title="Sandboxes", openapi_url=None, lifespan=self._lifespan)
        app.include_router(outbox_router(self.mail, self.twilio))
        app.include_router(self.issuer.router())
        app.add_api_route("/", _to_outbox, methods=["GET"])
        if self.stripe:
            app.mount("/stripe", stripe_app(self.stripe))
        if self.twilio:
            app.mount("/twilio", twilio_app(self.twilio))
        return app

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._http)
            await self.mail.start()
            stack.callback(self.mail.stop)
            if self.stripe:
                stack.push_async_callback(self.stripe.close)
                self.stripe.webhooks.resume()  # a mounted application's own lifespan does not run
                await stack.enter_async_context(_expiring(self.stripe))
            yield


@asynccontextmanager
async def _expiring(stripe: StripeSandbox) -> AsyncIterator[None]:
    """Sessions expire although nobody looks at them."""

    async def expire() -> None:
        while True:
            stripe.expire_due()
            await asyncio.sleep(EXPIRE_EVERY_SECONDS)

    task = asyncio.create_task(expire())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _to_outbox() -> RedirectResponse:
    return RedirectResponse("/outbox")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    arguments = parser.parse_args()
    settings = Settings()
    configure_logging(settings.log_level)
    gateways = Gateways(settings, arguments.state_dir, port=arguments.port, smtp_port=arguments.smtp_port)
    uvicorn.run(
        gateways.app(),
        host=HOST,
        port=arguments.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
    )


if __name__ == "__main__":
    main()
