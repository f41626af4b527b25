"""What the sandboxes caught, as a page for a person and as JSON for a script; and what telephones answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.templating import Jinja2Templates

from domain.model import Value
from embedded.mail_sandbox import MailSandbox, StoredMail
from embedded.twilio_sandbox import StoredCall, StoredText, TwilioSandbox
from embedded.twilio_sandbox.calls import Answer

_templates = Jinja2Templates(directory=Path(__file__).parent)
_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}
_NEWEST = 200

Address = Annotated[str, Query(description="Only messages to this address or number.")]


class OutboxItem(Value):
    """One message or call. `channel` is email, text or call; `status` is what became of it."""

    id: str
    channel: str
    at: datetime
    to: str
    sender: str
    subject: str
    text: str
    status: str


class Outbox(Value):
    messages: tuple[OutboxItem, ...]
    """Newest first."""


def outbox_router(mail: MailSandbox, texting: TwilioSandbox | None = None) -> APIRouter:
    """`/outbox` and `/outbox.json`, both newest first and filtered by `?to=`; `?refresh=5` reloads the page.

    A form posted to `/outbox/calls` says what patients' telephones answer from then on.
    """
    router = APIRouter(include_in_schema=False)
    sources: list[Callable[[], Iterable[OutboxItem]]] = [lambda: map(_from_mail, mail.messages)]
    if texting:
        sources += [lambda: map(_from_text, texting.messages), lambda: map(_from_call, texting.calls)]

    def newest(to: str) -> list[OutboxItem]:
        items = [item for source in sources for item in source() if not to or to.lower() in item.to.lower()]
        return sorted(items, key=lambda item: item.at, reverse=True)[:_NEWEST]

    @router.get("/outbox")
    async def page(
        request: Request, to: Address = "", refresh: Annotated[int, Query(ge=0, le=3600)] = 0
    ) -> HTMLResponse:
        context = {"items": newest(to), "to": to, "refresh": refresh, "answers": list(Answer) if texting else []}
        context["answer"] = texting.default_answer if texting else ""
        return _templates.TemplateResponse(request, "outbox.html", context, headers=_HEADERS)

    @router.get("/outbox.json")
    async def as_json(to: Address = "") -> Outbox:
        return Outbox(messages=tuple(newest(to)))

    @router.post("/outbox/calls")
    async def choose_answer(answer: Annotated[Answer, Form()]) -> RedirectResponse:
        if texting:
            texting.default_answer = answer
        return RedirectResponse("/outbox", status_code=303)

    return router


def _from_mail(mail: StoredMail) -> OutboxItem:
    return OutboxItem(
        id=mail.id,
        channel="email",
        at=mail.received_at,
        to=", ".join(mail.to),
        sender=mail.sender,
        subject=mail.subject,
        text=mail.text,
        status="accepted",
    )


def _from_text(text: StoredText) -> OutboxItem:
    failure = f" (error {text.error_code})" if text.error_code else ""
    return OutboxItem(
        id=text.sid,
        channel="text",
        at=text.created_at,
        to=text.to,
        sender=text.sender,
        subject="",
        text=text.body,
        status=text.status + failure,
    )


def _from_call(call: StoredCall) -> OutboxItem:
    patient = f"the patient at {call.patient.number}: {call.patient_status or 'not rung'}"
    by = f" ({call.answered_by})" if call.answered_by else ""
    return OutboxItem(
        id=call.sid,
        channel="call",
        at=call.created_at,
        to=f"{call.to}, {call.patient.number}",
        sender=call.sender,
        subject="",
        text=f"Rang the clinician at {call.to}, then {patient}{by}.",
        status=call.status,
    )
