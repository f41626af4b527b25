"""What the payment processor reports: verified, kept by event id, answered at once, then delivered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Header, Request
from pydantic import BaseModel, ConfigDict

from api.auth import public
from api.dependencies import AppServices
from api.problems import responses
from api.webhooks.inbox import deliver, take
from api.webhooks.stripe_events import translate, verify
from config import Settings

router = APIRouter(prefix="/webhooks", tags=["webhooks"], dependencies=[public])

_EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "created": 1772468400,
    "data": {"object": {"id": "cs_1", "object": "checkout.session"}},
}
_BODY = {"required": True, "content": {"application/json": {"schema": {"type": "object"}, "example": _EVENT}}}


class WebhookAnswer(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "accepted", "code": None}]})

    outcome: Literal["accepted", "duplicate", "ignored"]
    code: str | None = None


def stripe_secrets(settings: Settings) -> list[str]:
    """The signing secrets, several while one is rotated. Raises ValueError when there is none."""
    secrets = [part.strip() for part in settings.stripe_webhook_secret.get_secret_value().split(",")]
    if not all(secrets):
        raise ValueError("STRIPE_WEBHOOK_SECRET is empty: webhooks could not be told from forgeries")
    return secrets


@router.post(
    "/stripe",
    status_code=202,
    summary="Stripe's events",
    responses=responses(401, 413, 422),
    openapi_extra={"requestBody": _BODY},
)
async def take_stripe_event(
    request: Request,
    services: AppServices,
    background: BackgroundTasks,
    signature: Annotated[str | None, Header(alias="Stripe-Signature", description="`t=…,v1=…`")] = None,
) -> WebhookAnswer:
    """Kept once by its id, then told to the case. Unknown types are ignored: refused, they would come for days.

    401 `webhook.signature_missing`, `webhook.signature_malformed`, `webhook.signature_invalid`,
    `webhook.signature_stale`; 422 `webhook.payload_malformed`. Codes of a 202: `webhook.event_unknown`,
    `webhook.case_unknown`, `payment.amount_mismatch`, `payment.currency_mismatch`.
    """
    body = await request.body()
    # The age of a signature is a matter of the wire, not of business time.
    received = verify(body, signature, stripe_secrets(services.settings), datetime.now(UTC))
    taken = await take(services, received, translate(received))
    if taken.to_deliver:
        background.add_task(deliver, services, received.id)
    return WebhookAnswer(outcome=taken.outcome, code=taken.code)
