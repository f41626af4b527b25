"""One request to the API: its key, its parameters, its idempotency, its answer."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from embedded.stripe_sandbox.errors import StripeApiError
from embedded.stripe_sandbox.faults import Fault
from embedded.stripe_sandbox.forms import ListParams, Params, parse
from embedded.stripe_sandbox.objects import public, seconds
from embedded.stripe_sandbox.state import StripeSandbox
from embedded.stripe_sandbox.store import Object, Reply

P = TypeVar("P", bound=Params)

KEY_LIFE_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Call:
    sandbox: StripeSandbox
    method: str
    path: str
    encoded: str
    idempotency_key: str | None
    fault: Fault | None

    def params(self, model: type[P]) -> P:
        return parse(model, self.encoded)

    def read(self, item: Object, expand: list[str]) -> JSONResponse:
        return answer(self._expanded(item, expand))

    def write(self, model: type[P], act: Callable[[P], Object]) -> JSONResponse:
        """Carry out `act` once per idempotency key and answer repeats alike. As at Stripe, invalid parameters are
        refused without using up the key."""
        params = self.params(model)
        self.sandbox.expire_due()
        with self.sandbox.store.atomic():
            known = self._known_reply()
            if known is not None:
                return answer(known.body, replayed=True)
            body = self._expanded(act(params), params.expand)
            self._remember(body)
        if self.fault is not None and self.fault.after_executing:
            raise failure(self.fault)
        return answer(body)

    def page(self, items: list[Object], params: ListParams) -> JSONResponse:
        """Answer with a list, newest first."""
        ids = [item["id"] for item in items]
        start = ids.index(params.starting_after) + 1 if params.starting_after in ids else 0
        chosen = items[start : start + params.limit]
        has_more = start + params.limit < len(items)
        data = [self._expanded(item, []) for item in chosen]
        return answer({"object": "list", "url": self.path, "has_more": has_more, "data": data})

    def _known_reply(self) -> Reply | None:
        reply = self.sandbox.store.reply(self.idempotency_key) if self.idempotency_key else None
        if reply is None or reply.at + KEY_LIFE_SECONDS <= seconds(self.sandbox.clock()):
            return None
        if reply.request != self._fingerprint:
            raise StripeApiError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                kind="idempotency_error",
            )
        return reply

    def _remember(self, body: Object) -> None:
        if self.idempotency_key:
            at = seconds(self.sandbox.clock())
            self.sandbox.store.save_reply(self.idempotency_key, Reply(self._fingerprint, body, at))

    @property
    def _fingerprint(self) -> str:
        return f"{self.method} {self.path} {'&'.join(sorted(self.encoded.split('&')))}"

    def _expanded(self, item: Object, paths: list[str]) -> Object:
        result = public(item)
        for path in paths:
            head, _, rest = path.partition(".")
            if head not in result:
                raise StripeApiError(f"This property cannot be expanded ({head}).", param="expand")
            found = self.sandbox.store.get(result[head]) if isinstance(result[head], str) else None
            if found is not None:
                result[head] = self._expanded(found, [rest] if rest else [])
        return result


def answer(body: dict[str, Any], *, status: int = 200, replayed: bool = False) -> JSONResponse:
    headers = {"Request-Id": f"req_{secrets.token_hex(7)}"}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return JSONResponse(body, status, headers)


async def read_call(request: Request) -> Call:
    sandbox: StripeSandbox = request.app.state.sandbox
    authorise(request.headers.get("Authorization", ""), sandbox.api_key)
    fault = sandbox.faults.take()
    if fault is not None and not fault.after_executing:
        raise failure(fault)
    posted = request.method == "POST"
    return Call(
        sandbox=sandbox,
        method=request.method,
        path=request.url.path,
        encoded=(await request.body()).decode() if posted else request.url.query,
        idempotency_key=request.headers.get("Idempotency-Key") if posted else None,
        fault=fault,
    )


ApiCall = Annotated[Call, Depends(read_call)]


def authorise(header: str, api_key: str) -> None:
    """Bearer, or Basic with the key as user name."""
    scheme, _, given = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if not given:
        raise StripeApiError("You did not provide an API key.", status=401)
    if not secrets.compare_digest(given.encode(), api_key.encode()):
        raise StripeApiError("Invalid API Key provided.", status=401)


def failure(fault: Fault) -> StripeApiError:
    return StripeApiError("The sandbox was asked to fail.", status=fault.status, kind="api_error")
