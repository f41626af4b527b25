"""The remote codec that the Temporal UI calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from google.protobuf.json_format import MessageToDict, ParseDict
from temporalio.api.common.v1 import Payloads

from api.auth import TokenVerifier, roles_by_route
from api.codec import codec_router, install_codec_cors
from api.jwks import KeySource
from api.problems import install_problem_handlers
from crypto import Keyring, generate_key
from domain.access import Role
from embedded.issuer import DevelopmentIssuer
from temporal_client import data_converter

KEYRING = Keyring.parse(generate_key("k1"))
ISSUER = "http://api.test/dev"
UI = "http://ui.test"
ACCESS_KEY = "let-me-in"


@pytest.fixture
def issuer(tmp_path: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer(embedded=True, state_dir=tmp_path, issuer=ISSUER, audience="carewave")


def build(issuer: DevelopmentIssuer, access_key: str = "") -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(issuer.router())
    app.include_router(codec_router(KEYRING, access_key, embedded=True))
    install_codec_cors(app, [UI])
    keys = KeySource(httpx.AsyncClient(transport=httpx.ASGITransport(app)), issuer=ISSUER)
    app.state.token_verifier = TokenVerifier(keys, issuer=ISSUER, audience="carewave")
    return app


@pytest.fixture
async def client(issuer: DevelopmentIssuer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {issuer.token('o-1', [Role.OPERATIONS])}"}
    transport = httpx.ASGITransport(build(issuer, ACCESS_KEY))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as http:
        yield http


async def sealed(value: str) -> dict[str, Any]:
    return MessageToDict(Payloads(payloads=await data_converter(KEYRING).encode([value])))


async def test_decodes_for_operations(client: httpx.AsyncClient) -> None:
    response = await client.post("/codec/decode", json=await sealed("a note"), headers={"X-Namespace": "default"})
    decoded = ParseDict(response.json(), Payloads())
    assert (response.status_code, decoded.payloads[0].data) == (200, b'"a note"')


async def test_encodes_what_it_then_decodes(client: httpx.AsyncClient) -> None:
    plain = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "InRleHQi"}]}
    encoded = (await client.post("/codec/encode", json=plain)).json()
    assert encoded != plain
    assert (await client.post("/codec/decode", json=encoded)).json() == plain


async def test_refuses_other_roles_and_strangers(client: httpx.AsyncClient, issuer: DevelopmentIssuer) -> None:
    clinician = {"Authorization": f"Bearer {issuer.token('c-1', [Role.CLINICIAN])}"}
    assert (await client.post("/codec/decode", json={}, headers=clinician)).status_code == 403
    assert (await client.post("/codec/decode", json={}, headers={"Authorization": ""})).status_code == 401


@pytest.mark.parametrize("body", [b"", b"1", b"{", b"\xff", b'{"payloads": 1}', b"[" * 5000])
async def test_refuses_what_is_no_list_of_payloads(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/codec/decode", content=body)
    assert (response.status_code, response.json()["code"]) == (422, "codec.payloads_invalid")


async def test_refuses_payloads_of_an_unknown_key(client: httpx.AsyncClient) -> None:
    other = data_converter(Keyring.parse(generate_key("k2")))
    body = MessageToDict(Payloads(payloads=await other.encode(["x"])))
    response = await client.post("/codec/decode", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "crypto.key_unknown")


async def test_opens_to_the_access_key_in_the_embedded_stack(client: httpx.AsyncClient) -> None:
    body = await sealed("a note")
    anonymous = {"Authorization": ""}
    assert (await client.post(f"/codec/{ACCESS_KEY}/decode", json=body, headers=anonymous)).status_code == 200
    for wrong in ("wrong", "ünknown"):
        response = await client.post(f"/codec/{wrong}/decode", json=body, headers=anonymous)
        assert (response.status_code, response.json()["code"]) == (404, "route.unknown")


def test_refuses_an_access_key_outside_the_embedded_stack() -> None:
    with pytest.raises(ValueError, match="CODEC_ACCESS_KEY"):
        codec_router(KEYRING, ACCESS_KEY)


def test_has_no_open_route_without_an_access_key(issuer: DevelopmentIssuer) -> None:
    roles = {path: roles for path, roles in roles_by_route(build(issuer)).items() if "codec" in path}
    allowed = frozenset({Role.OPERATIONS, Role.ADMINISTRATOR})
    assert roles == {"POST /codec/decode": allowed, "POST /codec/encode": allowed}


async def test_lets_only_the_ui_call_and_only_the_codec(client: httpx.AsyncClient) -> None:
    asks = {
        "Origin": UI,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-namespace",
    }
    allowed = await client.options("/codec/decode", headers=asks)
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, UI)
    other = await client.options("/codec/decode", headers=asks | {"Origin": "http://evil.test"})
    assert "Access-Control-Allow-Origin" not in other.headers
    elsewhere = await client.get("/dev/jwks.json", headers={"Origin": UI})
    assert "Access-Control-Allow-Origin" not in elsewhere.headers
    refused = await client.post("/codec/decode", headers={"Origin": UI, "Authorization": ""})
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, UI)
