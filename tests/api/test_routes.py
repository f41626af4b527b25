"""Every route says who may call it and how it fails; the service says whether it is ready."""

from __future__ import annotations

import re
from typing import Any, cast

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import assemble
from api.auth import TokenVerifier, roles_by_route
from api.main import create
from config import Settings
from crypto import CryptoError, generate_key
from db.session import Database
from db.types import vault
from tests.api.front import Front, problem

PUBLIC = {
    "GET /assets/pay.css",
    "GET /healthz",
    "GET /pay/{token}",
    "GET /readyz",
    "POST /pay/{token}",
    "POST /webhooks/stripe",
    "POST /webhooks/twilio/messages",
    "POST /webhooks/twilio/voice",
}


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return assemble(settings, cast("TokenVerifier", None))


def operations(app: FastAPI) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, item in app.openapi()["paths"].items()
        for method, operation in item.items()
    ]


def test_every_route_names_its_roles_and_only_these_are_public(app: FastAPI) -> None:
    roles = roles_by_route(app)
    assert [route for route, allowed in roles.items() if allowed is None] == []
    assert {route for route, allowed in roles.items() if not allowed} == PUBLIC


def test_the_openapi_document_is_valid(app: FastAPI) -> None:
    schemathesis.openapi.from_dict(app.openapi()).validate()


def test_every_operation_is_described_with_its_errors(app: FastAPI) -> None:
    known = {tag["name"] for tag in app.openapi()["tags"]}
    for name, operation in operations(app):
        assert operation.get("summary"), name
        assert set(operation["tags"]) <= known, name
        if name not in PUBLIC:
            assert {"401", "403"} <= set(operation["responses"]), name
        if "{" in name and name not in PUBLIC:
            assert {"404", "422"} <= set(operation["responses"]), name


def test_every_request_body_has_an_example(app: FastAPI) -> None:
    document = app.openapi()
    for name, operation in operations(app):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            schema = content["schema"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
            assert "example" in content or schema.get("examples"), name


async def test_documented_examples_are_accepted(front: Front) -> None:
    """The example of each body of an act passes its own validation: what is refused is the unknown case."""
    document = front.app.openapi()
    unknown = "01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b"
    ids = {"{request_id}": "r-1", "{obligation}": "labs"}
    tried = 0
    for name, operation in operations(front.app):
        method, path = name.split()
        of_a_case = path.startswith(("/econsults/{econsult_id}/", "/visits/{visit_id}/"))
        if method != "POST" or not of_a_case or "requestBody" not in operation:
            continue
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        (example,) = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]["examples"]
        url = re.sub(r"{\w+}", lambda found: ids.get(found.group(), unknown), path)
        for caller in (front.clinician, front.specialist, front.support, front.operations):
            response = await caller.post(url, json=example)
            assert response.status_code in {403, 404}, (name, response.text)
        tried += 1
    assert tried >= 17


async def test_is_up_and_ready(front: Front) -> None:
    assert (await front.anybody.get("/healthz")).json() == {"status": "ok"}
    assert (await front.anybody.get("/readyz")).json() == {"status": "ok"}


async def test_names_what_is_not_ready(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    front.cases.serving = False
    response = await front.anybody.get("/readyz")
    assert problem(response) == (503, "service.not_ready")
    assert response.json()["missing"] == ["temporal"]
    closed = Database("postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(front.app.state.services.database, "engine", closed.engine)
    assert (await front.anybody.get("/readyz")).json()["missing"] == ["database", "temporal"]
    assert (await front.anybody.get("/healthz")).status_code == 200


async def test_refuses_a_body_that_is_too_large(front: Front, settings: Settings) -> None:
    body = b" " * (settings.max_body_bytes + 1)
    assert problem(await front.anybody.post("/webhooks/stripe", content=body)) == (413, "request.too_large")


@pytest.mark.parametrize("secret", ["", " , ", "whsec_1,"])
def test_does_not_start_without_a_webhook_secret(settings: Settings, secret: str) -> None:
    poor = settings.model_copy(update={"stripe_webhook_secret": SecretStr(secret)})
    with pytest.raises(ValueError, match="STRIPE_WEBHOOK_SECRET"):
        assemble(poor, cast("TokenVerifier", None))


def test_starts_with_a_codec_access_key_in_the_embedded_stack_only(settings: Settings) -> None:
    opened = settings.model_copy(update={"codec_access_key": SecretStr("let-me-in")})
    with pytest.raises(ValueError, match="CODEC_ACCESS_KEY"):
        assemble(opened, cast("TokenVerifier", None))
    within = roles_by_route(assemble(opened, cast("TokenVerifier", None), embedded=True))
    assert within["POST /codec/{given_key}/decode"] == frozenset()


def test_does_not_start_without_data_keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.main.configure_logging", lambda level: None)
    with pytest.raises(CryptoError):
        create(settings)


async def test_starts_while_database_and_temporal_are_down(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_keyring", None)  # the application opens it; other tests get theirs back
    monkeypatch.setattr("api.main.configure_logging", lambda level: None)
    dead = {"database_url": "postgresql://nobody@127.0.0.1:1/nothing", "temporal_address": "127.0.0.1:1"}
    configured = Settings(**{**settings.model_dump(), **dead, "data_keys": SecretStr(generate_key("d1"))})
    app = create(configured)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as http:
            assert (await http.get("/healthz")).status_code == 200
            assert (await http.get("/readyz")).json()["missing"] == ["database", "temporal"]
