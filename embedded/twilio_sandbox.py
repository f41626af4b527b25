"""The part of Twilio's Messages API that Carewave uses, without any telephone.

Numbers that fail are Twilio's own magic numbers for test credentials, and four of ours for what fails on delivery.
"""

from __future__ import annotations

import logging
import re
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import httpx
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Form, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from domain.model import Value
from embedded.journal import Journal

_log = logging.getLogger(__name__)
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_MAX_BODY = 1600
_basic = HTTPBasic(auto_error=False)

MESSAGES = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too many requests",
    20500: "An internal server error has occurred",
    21211: "The 'To' number is not a valid phone number",
    21602: "Message body is required",
    21603: "A 'From' phone number is required",
    21604: "A 'To' phone number is required",
    21610: "Attempt to send to unsubscribed recipient",
    21612: "The 'To' number is not currently reachable via SMS",
    21614: "The 'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
}
REFUSED_NUMBERS = {"+15005550001": 21211, "+15005550002": 21612, "+15005550004": 21610, "+15005550009": 21614}
UNDELIVERABLE_NUMBERS = {
    "+15005553003": 30003,  # unreachable handset
    "+15005553005": 30005,  # unknown handset
    "+15005553006": 30006,  # landline
    "+15005553007": 30007,  # filtered by the carrier
}


class StoredText(Value):
    """One text as it was accepted. `status` moves queued, sent, then delivered or undelivered."""

    sid: str
    account_sid: str
    created_at: datetime
    sender: str
    to: str
    body: str
    status: str
    error_code: int | None = None
    status_callback: str | None = None


class TwilioError(Exception):
    """An answer in Twilio's error format."""

    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(MESSAGES[code])
        self.code = code
        self.status = status


class TwilioSandbox:
    """Accepts texts for one account, and reports on them to the status callback that each names.

    `store` keeps the texts across restarts. Failures on demand: `opt_out(number)`, `undeliverable[number] = code`,
    `fail_next(status, times)` for answers 429 and 5xx.
    """

    def __init__(self, *, account_sid: str, auth_token: str, store: Path | None = None) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.undeliverable = dict(UNDELIVERABLE_NUMBERS)
        self._opted_out: set[str] = set()
        self._next_statuses: list[int] = []
        self._texts = Journal(StoredText, lambda text: text.sid, store)
        self._validator = RequestValidator(auth_token)

    @property
    def messages(self) -> list[StoredText]:
        """All texts, oldest first."""
        return self._texts.all()

    def opt_out(self, number: str) -> None:
        """The person answered STOP."""
        self._opted_out.add(number)

    def opt_in(self, number: str) -> None:
        """The person answered START."""
        self._opted_out.discard(number)

    def fail_next(self, status: int, times: int = 1) -> None:
        self._next_statuses += [status] * times

    def text(self, sid: str) -> StoredText:
        found = self._texts.get(sid)
        if found is None:
            raise TwilioError(20404, 404)
        return found

    def accept(self, text: StoredText) -> StoredText:
        """Keep a text, or raise the `TwilioError` that Twilio would answer with."""
        if self._next_statuses:
            status = self._next_statuses.pop(0)
            raise TwilioError(20429 if status == 429 else 20500, status)
        code = _fault(text) or REFUSED_NUMBERS.get(text.to)
        if text.to in self._opted_out:
            code = 21610
        if code:
            raise TwilioError(code)
        self._texts.put(text)
        return text

    async def deliver(self, sid: str) -> None:
        """Move a text to its end and report each step."""
        text = self.text(sid)
        code = self.undeliverable.get(text.to)
        sent = text.model_copy(update={"status": "sent"})
        end = {"status": "undelivered", "error_code": code} if code else {"status": "delivered"}
        async with httpx.AsyncClient(timeout=5.0, trust_env=False) as http:
            for step in (sent, sent.model_copy(update=end)):
                self._texts.put(step)
                await self._report(http, step)

    async def _report(self, http: httpx.AsyncClient, text: StoredText) -> None:
        if not text.status_callback:
            return
        form = _callback_form(text)
        signature = self._validator.compute_signature(text.status_callback, form)
        try:
            await http.post(text.status_callback, data=form, headers={"X-Twilio-Signature": signature})
        except httpx.HTTPError as error:
            _log.warning("status callback of %s failed: %s", text.sid, type(error).__name__)


def twilio_app(sandbox: TwilioSandbox) -> FastAPI:
    """The HTTP face of the sandbox, under `/2010-04-01` as at Twilio."""
    app = FastAPI(title="Twilio sandbox", openapi_url=None)
    app.include_router(_routes(sandbox))

    @app.exception_handler(TwilioError)
    async def answer(_request: Request, error: TwilioError) -> JSONResponse:
        more = f"https://www.twilio.com/docs/errors/{error.code}"
        body = {"code": error.code, "message": str(error), "more_info": more, "status": error.status}
        return JSONResponse(body, status_code=error.status)

    return app


def _routes(sandbox: TwilioSandbox) -> APIRouter:
    async def authenticated(account_sid: str, given: Annotated[HTTPBasicCredentials | None, Depends(_basic)]) -> None:
        right = f"{sandbox.account_sid}:{sandbox.auth_token}"
        offered = f"{given.username}:{given.password}" if given else ""
        if account_sid != sandbox.account_sid or not secrets.compare_digest(right.encode(), offered.encode()):
            raise TwilioError(20003, 401)

    account = "/2010-04-01/Accounts/{account_sid}"
    router = APIRouter(dependencies=[Depends(authenticated)])

    @router.get(f"{account}.json")
    async def read_account(account_sid: str) -> dict[str, Any]:
        return {"sid": account_sid, "friendly_name": "Sandbox", "status": "active", "type": "Full"}

    @router.post(f"{account}/Messages.json", status_code=201)
    async def create(
        later: BackgroundTasks,
        account_sid: str,
        to: Annotated[str, Form(alias="To")] = "",
        sender: Annotated[str, Form(alias="From")] = "",
        body: Annotated[str, Form(alias="Body")] = "",
        status_callback: Annotated[str | None, Form(alias="StatusCallback")] = None,
    ) -> dict[str, Any]:
        text = StoredText(
            sid=f"SM{uuid4().hex}",
            account_sid=account_sid,
            created_at=datetime.now(UTC),
            sender=sender,
            to=to,
            body=body,
            status="queued",
            status_callback=status_callback,
        )
        sandbox.accept(text)
        later.add_task(sandbox.deliver, text.sid)
        return _resource(text)

    @router.get(f"{account}/Messages/{{sid}}.json")
    async def fetch(sid: str) -> dict[str, Any]:
        return _resource(sandbox.text(sid))

    return router


def _fault(text: StoredText) -> int | None:
    """The code of what is wrong with the request itself."""
    checks = {
        21604: not text.to,
        21603: not text.sender,
        21602: not text.body,
        21617: len(text.body) > _MAX_BODY,
        21211: not _E164.fullmatch(text.to),
    }
    return next((code for code, wrong in checks.items() if wrong), None)


def _resource(text: StoredText) -> dict[str, Any]:
    return {
        "sid": text.sid,
        "account_sid": text.account_sid,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": format_datetime(text.created_at),
        "date_sent": None if text.status == "queued" else format_datetime(text.created_at),
        "date_updated": format_datetime(text.created_at),
        "direction": "outbound-api",
        "error_code": text.error_code,
        "error_message": None,
        "from": text.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "status": text.status,
        "subresource_uris": {},
        "to": text.to,
        "uri": f"/2010-04-01/Accounts/{text.account_sid}/Messages/{text.sid}.json",
    }


def _callback_form(text: StoredText) -> dict[str, str]:
    form = {
        "AccountSid": text.account_sid,
        "ApiVersion": "2010-04-01",
        "From": text.sender,
        "MessageSid": text.sid,
        "MessageStatus": text.status,
        "SmsSid": text.sid,
        "SmsStatus": text.status,
        "To": text.to,
    }
    return form | ({"ErrorCode": str(text.error_code)} if text.error_code else {})
