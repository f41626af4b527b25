"""The HTTP face of the sandbox, under `/2010-04-01` as at Twilio."""

from __future__ import annotations

import secrets
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Depends, FastAPI, Form, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from embedded.twilio_sandbox.calls import StoredCall, call_resource, read_twiml
from embedded.twilio_sandbox.errors import TwilioError
from embedded.twilio_sandbox.state import TwilioSandbox
from embedded.twilio_sandbox.texts import StoredText, text_resource

ACCOUNT = "/2010-04-01/Accounts/{account_sid}"

_basic = HTTPBasic(auto_error=False)

To = Annotated[str, Form(alias="To")]
From = Annotated[str, Form(alias="From")]
StatusCallback = Annotated[str | None, Form(alias="StatusCallback")]


def twilio_app(sandbox: TwilioSandbox) -> FastAPI:
    app = FastAPI(title="Twilio sandbox", openapi_url=None)

    async def authenticated(account_sid: str, given: Annotated[HTTPBasicCredentials | None, Depends(_basic)]) -> None:
        right = f"{sandbox.account_sid}:{sandbox.auth_token}"
        offered = f"{given.username}:{given.password}" if given else ""
        if account_sid != sandbox.account_sid or not secrets.compare_digest(right.encode(), offered.encode()):
            raise TwilioError(20003, 401)

    router = APIRouter(dependencies=[Depends(authenticated)])

    @router.get(f"{ACCOUNT}.json")
    async def read_account(account_sid: str) -> dict[str, Any]:
        return {"sid": account_sid, "friendly_name": "Sandbox", "status": "active", "type": "Full"}

    _add_messages(router, sandbox)
    _add_calls(router, sandbox)
    app.include_router(router)

    @app.exception_handler(TwilioError)
    async def answer(_request: Request, error: TwilioError) -> JSONResponse:
        more = f"https://www.twilio.com/docs/errors/{error.code}"
        body = {"code": error.code, "message": str(error), "more_info": more, "status": error.status}
        return JSONResponse(body, status_code=error.status)

    return app


def _add_messages(router: APIRouter, sandbox: TwilioSandbox) -> None:
    @router.post(f"{ACCOUNT}/Messages.json", status_code=201)
    async def send(
        account_sid: str,
        to: To = "",
        sender: From = "",
        body: Annotated[str, Form(alias="Body")] = "",
        status_callback: StatusCallback = None,
    ) -> dict[str, Any]:
        text = StoredText(
            sid=f"SM{uuid4().hex}",
            account_sid=account_sid,
            created_at=sandbox.clock(),
            sender=sender,
            to=to,
            body=body,
            status="queued",
            status_callback=status_callback,
        )
        sandbox.accept(text)
        sandbox.start(sandbox.deliver(text.sid))
        return text_resource(text)

    @router.get(f"{ACCOUNT}/Messages/{{sid}}.json")
    async def fetch_text(sid: str) -> dict[str, Any]:
        return text_resource(sandbox.text(sid))


def _add_calls(router: APIRouter, sandbox: TwilioSandbox) -> None:
    @router.post(f"{ACCOUNT}/Calls.json", status_code=201)
    async def place(
        account_sid: str,
        to: To = "",
        sender: From = "",
        twiml: Annotated[str, Form(alias="Twiml")] = "",
        status_callback: StatusCallback = None,
        events: Annotated[tuple[str, ...], Form(alias="StatusCallbackEvent")] = ("completed",),
    ) -> dict[str, Any]:
        call = StoredCall(
            sid=f"CA{uuid4().hex}",
            account_sid=account_sid,
            created_at=sandbox.clock(),
            sender=sender,
            to=to,
            status_callback=status_callback,
            events=events,
            patient=read_twiml(twiml, f"CA{uuid4().hex}"),
        )
        sandbox.accept_call(call)
        sandbox.start(sandbox.ring(call.sid))
        return call_resource(call)

    @router.get(f"{ACCOUNT}/Calls/{{sid}}.json")
    async def fetch_call(sid: str) -> dict[str, Any]:
        return call_resource(sandbox.call(sid))
