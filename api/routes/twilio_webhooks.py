"""What Twilio reports of calls and texts: verified, kept by event id, answered at once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request

from api.auth import public
from api.dependencies import AppServices
from api.problems import responses
from api.routes.webhooks import WebhookAnswer
from api.webhooks.twilio_events import parse_form, text_report, voice_report
from api.webhooks.twilio_inbox import deliver_call, take_call, take_text
from api.webhooks.twilio_signature import Form, verify
from config import Settings

router = APIRouter(
    prefix="/webhooks/twilio", tags=["webhooks"], dependencies=[public], responses=responses(401, 413, 422)
)

Signature = Annotated[
    str | None, Header(alias="X-Twilio-Signature", description="HMAC-SHA1 of the URL and the form, base64.")
]


def _body(example: dict[str, str]) -> dict[str, Any]:
    content = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": content}}}


_CALL = {
    "CallSid": "CA1",
    "ParentCallSid": "CA0",
    "CallStatus": "completed",
    "CallDuration": "42",
    "SequenceNumber": "3",
    "Timestamp": "Mon, 02 Mar 2026 16:20:00 +0000",
}
_MESSAGE = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}


@router.post("/voice", status_code=202, summary="How a call goes", openapi_extra=_body(_CALL))
async def take_call_status(
    request: Request,
    services: AppServices,
    background: BackgroundTasks,
    attempt: Annotated[str, Query(description="The attempt to call.")] = "",
    leg: Annotated[str, Query(description="`clinician`, or empty for the patient's.")] = "",
    signature: Signature = None,
) -> WebhookAnswer:
    """The attempt is brought up to date; its visit is told how it ended (V-07).

    401 `webhook.signature_missing`, `webhook.signature_malformed`, `webhook.signature_invalid`; 422
    `webhook.payload_malformed`. Code of a 202: `webhook.attempt_unknown`.
    """
    report = voice_report(await _verified(request, services.settings, signature), attempt, leg)
    taken = await take_call(services, report)
    if taken.to_deliver:
        background.add_task(deliver_call, services, report.event_id)
    return WebhookAnswer(outcome=taken.outcome, code=taken.code)


@router.post("/messages", status_code=202, summary="What became of a text", openapi_extra=_body(_MESSAGE))
async def take_message_status(
    request: Request,
    services: AppServices,
    notice: Annotated[str, Query(description="The notice that was sent.")] = "",
    signature: Signature = None,
) -> WebhookAnswer:
    """A text that does not arrive makes its notice fail with `text.undelivered`.

    401 and 422 as above. Code of a 202: `webhook.notice_unknown`.
    """
    report = text_report(await _verified(request, services.settings, signature), notice)
    taken = await take_text(services, report)
    return WebhookAnswer(outcome=taken.outcome, code=taken.code)


async def _verified(request: Request, settings: Settings, signature: str | None) -> Form:
    """The form, once its signature fits the URL that Twilio knows: a proxy may have changed the one seen here."""
    form = parse_form(await request.body())
    path, query = request.url.path, request.url.query
    called = f"{settings.public_url.rstrip('/')}{path}" + (f"?{query}" if query else "")
    verify(called, form, signature, settings.twilio_auth_token.get_secret_value())
    return form
