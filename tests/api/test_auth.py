"""Bearer tokens: each way to be refused has its own code, and each route says who may call it."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from oidc_provider_mock import User, run_server_in_thread
from pydantic import SecretStr

from api.auth import TokenVerifier, public, require, roles_by_route, roles_of, token_verifier
from api.jwks import KeySource
from api.problems import install_problem_handlers
from config import Settings
from domain.access import Principal, Role
from domain.errors import CarewaveError, GatewayUnavailable, Unauthenticated
from embedded.issuer import DevelopmentIssuer

ISSUER = "http://issuer.test/dev"
NOW = 1_800_000_000
KEY = ECKey.generate_key("P-256", auto_kid=True)
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": "carewave", "sub": "p-1", "exp": NOW + 600, "roles": ["clinician"]}


class Provider:
    """An identity provider's two documents, which may fail, counted."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.failing = False
        self.requests: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url.path)
        if self.failing:
            return httpx.Response(500)
        if request.url.path == "/dev/.well-known/openid-configuration":
            return httpx.Response(200, json={"jwks_uri": "http://issuer.test/dev/jwks.json"})
        return httpx.Response(200, json={"keys": self.keys})

    def source(self, now: Callable[[], float] = lambda: 0.0, jwks_url: str | None = ISSUER + "/jwks.json") -> KeySource:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return KeySource(http, issuer=ISSUER, jwks_url=jwks_url, now=now)


def verifier(source: KeySource, roles_claim: str = "roles") -> TokenVerifier:
    return TokenVerifier(source, issuer=ISSUER, audience="carewave", roles_claim=roles_claim, now=lambda: NOW)


VERIFIER = verifier(Provider(KEY.as_dict(private=False)).source())


def sign(claims: dict[str, Any], key: Any = KEY, alg: str = "ES256", **header: Any) -> str:
    return jwt.encode({"alg": alg, "kid": KEY.kid, **header}, dict(claims), key, algorithms=[alg])


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return f"{parts[0]}.{parts[1]}."


async def code_of(token: str, using: TokenVerifier = VERIFIER) -> str:
    with pytest.raises(CarewaveError) as refusal:
        await using.verify(token)
    return refusal.value.code


async def test_accepts_a_good_token() -> None:
    assert await VERIFIER.verify(sign(CLAIMS)) == Principal("p-1", frozenset({Role.CLINICIAN}))


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "auth.token_malformed"),
        ("a.b.c", "auth.token_malformed"),
        ("ü.ü.ü", "auth.token_malformed"),
        (sign(CLAIMS) + ".x", "auth.token_malformed"),
        (sign(CLAIMS)[:-4] + "AAAA", "auth.signature_invalid"),
        (sign(CLAIMS, key=ECKey.generate_key("P-256")), "auth.signature_invalid"),
        (sign(CLAIMS, key=RSAKey.generate_key(2048), alg="RS256"), "auth.signature_invalid"),
        (sign(CLAIMS, key=OctKey.generate_key(256), alg="HS256"), "auth.algorithm_refused"),
        (unsigned({"alg": "none", "kid": KEY.kid}, CLAIMS), "auth.algorithm_refused"),
        (unsigned({"kid": KEY.kid}, CLAIMS), "auth.token_malformed"),
        (sign(CLAIMS, kid="another"), "auth.key_unknown"),
        (sign(CLAIMS | {"exp": NOW - 60}), "auth.token_expired"),
        (sign(CLAIMS | {"exp": "soon"}), "auth.token_malformed"),
        (sign(CLAIMS | {"exp": None}), "auth.token_malformed"),
        (sign(CLAIMS | {"nbf": NOW + 61}), "auth.token_not_yet_valid"),
        (sign(CLAIMS | {"iat": NOW + 61}), "auth.token_not_yet_valid"),
        (sign(CLAIMS | {"iss": "http://other.test"}), "auth.issuer_wrong"),
        (sign(CLAIMS | {"iss": None}), "auth.issuer_wrong"),
        (sign(CLAIMS | {"aud": ["other"]}), "auth.audience_wrong"),
        (sign(CLAIMS | {"aud": None}), "auth.audience_wrong"),
        (sign(CLAIMS | {"sub": ""}), "auth.token_malformed"),
        (sign(CLAIMS | {"sub": None}), "auth.token_malformed"),
        (sign(CLAIMS | {"sub": 7}), "auth.token_malformed"),
    ],
)
async def test_refuses_a_bad_token_with_its_own_code(token: str, code: str) -> None:
    assert await code_of(token) == code


@given(
    token=st.text(max_size=60) | st.builds(lambda a, b: f"{a}.{b}.{b}", st.binary().map(base64.b64encode), st.text())
)
async def test_refuses_arbitrary_text(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await VERIFIER.verify(token)


async def test_tolerates_the_configured_clock_skew_and_several_audiences() -> None:
    edge = CLAIMS | {"exp": NOW - 59, "nbf": NOW + 60, "iat": NOW + 60, "aud": ["x", "carewave"]}
    assert (await VERIFIER.verify(sign(edge))).subject == "p-1"


@pytest.mark.parametrize(
    ("key", "alg"),
    [(RSAKey.generate_key(2048), "RS256"), (OKPKey.generate_key("Ed25519"), "Ed25519")],
)
async def test_accepts_each_usual_algorithm(key: Any, alg: str) -> None:
    public_key = key.as_dict(private=False) | {"kid": KEY.kid, "use": "sig"}
    using = verifier(Provider(public_key).source())
    assert (await using.verify(sign(CLAIMS, key, alg))).subject == "p-1"


async def test_accepts_the_only_key_for_a_token_that_names_none() -> None:
    token = jwt.encode({"alg": "ES256"}, dict(CLAIMS), KEY, algorithms=["ES256"])
    assert (await VERIFIER.verify(token)).subject == "p-1"


@pytest.mark.parametrize(
    ("claims", "path", "roles"),
    [
        ({"realm_access": {"roles": ["support", "offline_access"]}}, "realm_access.roles", {Role.SUPPORT}),
        ({"roles": "patient operations"}, "roles", {Role.PATIENT, Role.OPERATIONS}),
        ({"realm_access": "support"}, "realm_access.roles", set()),
        ({"roles": {"support": True}}, "roles", set()),
        ({"roles": [1, None, ["support"]]}, "roles", set()),
        ({}, "roles", set()),
    ],
)
async def test_reads_roles_from_the_configured_claim(claims: dict[str, Any], path: str, roles: set[Role]) -> None:
    using = verifier(Provider(KEY.as_dict(private=False)).source(), path)
    without = {name: value for name, value in CLAIMS.items() if name != "roles"}
    assert (await using.verify(sign(without | claims))).roles == roles


async def test_fetches_keys_once_for_many_tokens() -> None:
    provider = Provider(KEY.as_dict(private=False))
    using = verifier(provider.source())
    for _ in range(3):
        await using.verify(sign(CLAIMS))
    assert provider.requests == ["/dev/jwks.json"]


async def test_finds_the_keys_through_discovery_when_no_url_is_set() -> None:
    provider = Provider(KEY.as_dict(private=False))
    await verifier(provider.source(jwks_url=None)).verify(sign(CLAIMS))
    assert provider.requests == ["/dev/.well-known/openid-configuration", "/dev/jwks.json"]


async def test_fetches_again_for_an_unknown_key_but_not_more_than_the_limit() -> None:
    clock = [0.0]
    provider = Provider()
    using = verifier(provider.source(now=lambda: clock[0]))
    assert await code_of(sign(CLAIMS), using) == "auth.key_unknown"
    provider.keys = [KEY.as_dict(private=False)]
    assert await code_of(sign(CLAIMS), using) == "auth.key_unknown"
    assert len(provider.requests) == 1
    clock[0] = 11
    assert (await using.verify(sign(CLAIMS))).subject == "p-1"
    assert len(provider.requests) == 2


async def test_forgets_a_key_that_the_provider_withdrew() -> None:
    clock = [0.0]
    provider = Provider(KEY.as_dict(private=False))
    using = verifier(provider.source(now=lambda: clock[0]))
    await using.verify(sign(CLAIMS))
    provider.keys = []
    clock[0] = 601
    assert await code_of(sign(CLAIMS), using) == "auth.key_unknown"


async def test_says_unavailable_when_the_provider_fails_and_recovers_by_itself() -> None:
    clock = [0.0]
    provider = Provider(KEY.as_dict(private=False))
    provider.failing = True
    using = verifier(provider.source(now=lambda: clock[0]))
    with pytest.raises(GatewayUnavailable):
        await using.verify(sign(CLAIMS))
    provider.failing = False
    clock[0] = 11
    assert (await using.verify(sign(CLAIMS))).subject == "p-1"
    provider.failing = True
    clock[0] = 2000
    assert (await using.verify(sign(CLAIMS))).subject == "p-1"  # known keys outlive an outage
    assert await code_of(sign(CLAIMS, kid="new"), using) == "auth.keys_unavailable"


async def test_skips_published_keys_that_are_not_for_signatures() -> None:
    encryption = RSAKey.generate_key(2048).as_dict(private=False) | {"kid": "enc", "use": "enc"}
    provider = Provider({"kty": "future"}, encryption, KEY.as_dict(private=False))
    assert (await verifier(provider.source()).verify(sign(CLAIMS))).subject == "p-1"
    assert await code_of(sign(CLAIMS, kid="enc"), verifier(provider.source())) == "auth.key_unknown"


# --- routes ---


@pytest.fixture
def issuer(tmp_path: Path) -> DevelopmentIssuer:
    return DevelopmentIssuer(embedded=True, state_dir=tmp_path, issuer=ISSUER, audience="carewave")


@pytest.fixture
async def client(issuer: DevelopmentIssuer) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problem_handlers(app)
    app.include_router(issuer.router())

    @app.get("/orders")
    async def orders(principal: Annotated[Principal, require(Role.CLINICIAN, Role.SUPPORT)]) -> str:
        return principal.subject

    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://issuer.test") as http,
    ):
        settings = Settings(oidc_issuer=ISSUER, oidc_audience="carewave", codec_keys=SecretStr(""))
        app.state.token_verifier = token_verifier(settings, http)
        yield http


def with_token(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_lets_a_holder_of_the_role_in(client: httpx.AsyncClient, issuer: DevelopmentIssuer) -> None:
    response = await client.get("/orders", headers=with_token(issuer.token("c-1", [Role.CLINICIAN])))
    assert (response.status_code, response.json()) == (200, "c-1")


async def test_answers_401_without_a_token_and_says_how_to_authenticate(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        response = await client.get("/orders", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "auth.token_missing")
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_answers_401_to_an_expired_token(client: httpx.AsyncClient, issuer: DevelopmentIssuer) -> None:
    response = await client.get("/orders", headers=with_token(issuer.token("c-1", [Role.CLINICIAN], lifetime=-61)))
    assert (response.status_code, response.json()["code"]) == (401, "auth.token_expired")
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


async def test_answers_403_to_another_role(client: httpx.AsyncClient, issuer: DevelopmentIssuer) -> None:
    response = await client.get("/orders", headers=with_token(issuer.token("p-1", [Role.PATIENT])))
    assert (response.status_code, response.json()["code"]) == (403, "auth.role_missing")


def test_tells_the_roles_of_every_route_included_ones_too() -> None:
    app, router = FastAPI(), APIRouter(dependencies=[require(Role.SUPPORT, Role.OPERATIONS)])
    router.add_api_route("/desk", lambda: None, dependencies=[require(Role.OPERATIONS)])
    app.include_router(router, prefix="/v1")
    app.add_api_route("/healthz", lambda: None, dependencies=[public])
    app.add_api_route("/forgotten", lambda: None)
    assert roles_by_route(app) == {
        "GET /v1/desk": {Role.OPERATIONS},
        "GET /healthz": frozenset(),
        "GET /forgotten": None,
    }
    assert [roles_of(route) for route in iter_route_contexts(app.routes)][-1] is None


def test_refuses_to_guard_a_route_with_no_role() -> None:
    with pytest.raises(ValueError, match="at least one role"):
        require()


# --- issuers ---


def test_the_development_issuer_exists_only_where_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="embedded stack only"):
        DevelopmentIssuer(embedded=False, state_dir=tmp_path, issuer=ISSUER, audience="x")
    assert not list(tmp_path.iterdir())


def test_the_development_issuer_keeps_its_key_private_and_across_restarts(tmp_path: Path) -> None:
    first, second = (
        DevelopmentIssuer(embedded=True, state_dir=tmp_path / "state", issuer=ISSUER, audience="x") for _ in range(2)
    )
    [file] = (tmp_path / "state").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.jwks() == second.jwks()
    assert "d" not in first.jwks()["keys"][0]


@pytest.fixture(scope="module")
def oidc_provider() -> Iterator[str]:
    user = User(sub="dr-1", claims={"realm": {"roles": ["clinician", "gardener"]}})
    with run_server_in_thread(user_claims=[user]) as server:
        yield f"http://localhost:{server.server_port}"


async def test_accepts_the_token_of_a_real_openid_provider(oidc_provider: str) -> None:
    settings = Settings(oidc_issuer=oidc_provider, oidc_audience="carewave", oidc_roles_claim="realm.roles")
    redirect = "http://app.test/back"
    query = {"client_id": "carewave", "redirect_uri": redirect, "response_type": "code", "scope": "openid"}
    async with httpx.AsyncClient() as http:
        login = await http.post(f"{oidc_provider}/oauth2/authorize", params=query, data={"sub": "dr-1"})
        [code] = parse_qs(urlsplit(login.headers["Location"]).query)["code"]
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        answer = await http.post(f"{oidc_provider}/oauth2/token", data=grant, auth=("carewave", "any"))
        principal = await token_verifier(settings, http).verify(answer.json()["id_token"])
    assert principal == Principal("dr-1", frozenset({Role.CLINICIAN}))
