"""Temporal's remote codec: lets the Temporal UI and CLI show payloads that only we can decrypt."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from temporalio.api.common.v1 import Payload, Payloads

from api.auth import public, require
from api.problems import responses
from crypto import CryptoError, Keyring
from domain.access import Role
from domain.errors import Invalid, NotFound
from temporal_client import EncryptionCodec

_EXAMPLE = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "InRleHQi"}]}
_CONTENT = {"application/json": {"schema": {"type": "object"}, "example": _EXAMPLE}}
_DOCUMENTED: dict[str, Any] = {"requestBody": {"required": True, "content": _CONTENT}}

Transform = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


def codec_router(keyring: Keyring, access_key: str = "", *, embedded: bool = False) -> APIRouter:
    """POST /codec/decode and /codec/encode, for operations and administrators.

    With an `access_key` /codec/{access_key}/decode needs no token: the UI's endpoint is then /codec/<key>. Raises
    ValueError for one unless `embedded` is True: only the embedded stack may open the codec without a token.
    """
    if access_key and embedded is not True:
        raise ValueError("CODEC_ACCESS_KEY opens the codec without a token: unset it outside the embedded stack")
    codec = EncryptionCodec(keyring)
    router = APIRouter(prefix="/codec", tags=["codec"])
    guard = [require(Role.OPERATIONS, Role.ADMINISTRATOR)]
    documented: dict[str, Any] = {
        "responses": {200: {"content": _CONTENT}, **responses(401, 403, 413, 422, 503)},
        "response_class": Response,
        "openapi_extra": _DOCUMENTED,
    }

    @router.post("/decode", dependencies=guard, **documented)
    async def decode(request: Request) -> Response:
        """Decrypt payloads (`temporal.api.common.v1.Payloads` as JSON)."""
        return await _transform(request, codec.decode)

    @router.post("/encode", dependencies=guard, **documented)
    async def encode(request: Request) -> Response:
        """Encrypt payloads (`temporal.api.common.v1.Payloads` as JSON)."""
        return await _transform(request, codec.encode)

    if access_key:

        @router.post("/{given_key}/decode", dependencies=[public], include_in_schema=False)
        async def decode_with_key(given_key: str, request: Request) -> Response:
            if not hmac.compare_digest(given_key.encode(), access_key.encode()):
                raise NotFound("route.unknown", "Not Found")
            return await _transform(request, codec.decode)

    return router


async def _transform(request: Request, transform: Transform) -> Response:
    try:
        payloads = Parse(await request.body(), Payloads(), ignore_unknown_fields=True)
        transformed = Payloads(payloads=await transform(payloads.payloads))
    except CryptoError as error:
        raise Invalid(error.code, error.detail) from None
    except (ParseError, UnicodeDecodeError, RecursionError):
        raise Invalid("codec.payloads_invalid", "The body is not a list of Temporal payloads.") from None
    return Response(MessageToJson(transformed, indent=None), media_type="application/json")


def install_codec_cors(app: FastAPI, origins: Sequence[str]) -> None:
    """Let browser pages of these origins, such as the Temporal UI's, call /codec and nothing else."""
    if origins:
        app.add_middleware(_CodecCors, origins=origins)


class _CodecCors:
    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self.app = app
        self.cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("POST",),
            allow_headers=("content-type", "x-namespace", "authorization"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        codec = scope["type"] == "http" and scope["path"].startswith("/codec/")
        await (self.cors if codec else self.app)(scope, receive, send)
