"""Who calls: OIDC bearer tokens, and the roles that each route asks for."""

# FastAPI reads the annotations of callable instances as they are, so they must not become strings here.

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    InvalidPayloadError,
    JoseError,
)
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry, extract_compact
from starlette.routing import BaseRoute

from api.jwks import KeySource
from config import Settings
from domain.access import Principal, Role
from domain.errors import Forbidden, Unauthenticated

# EdDSA is the older name of Ed25519 (RFC 9864). Never none or HS*: with those a public key would be a signing secret.
ALGORITHMS = ("RS256", "ES256", "Ed25519", "EdDSA")

_CLAIM_CODES = {
    "iss": ("auth.issuer_wrong", "The token comes from another issuer."),
    "aud": ("auth.audience_wrong", "The token is meant for another audience."),
    "nbf": ("auth.token_not_yet_valid", "The token is not valid yet."),
    "iat": ("auth.token_not_yet_valid", "The token was issued in the future."),
}


class TokenVerifier:
    """Turns a bearer token into a Principal."""

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audience: str,
        roles_claim: str = "roles",
        clock_skew_seconds: int = 60,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`roles_claim` may have dots, such as realm_access.roles. `now` is in seconds since the epoch."""
        self._keys = keys
        self._roles_path = roles_claim.split(".")
        # RFC 7515 lets a header hold members that one does not know; crit is checked all the same.
        self._registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=clock_skew_seconds,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, token: str) -> Principal:
        """Check signature and claims. Raises Unauthenticated with an `auth.*` code, or `auth.keys_unavailable`."""
        header = self._header(token)
        if header.get("alg") not in ALGORITHMS:
            raise Unauthenticated("auth.algorithm_refused", "The token's signature algorithm is not accepted.")
        key = await self._keys.find(header.get("kid"))
        claims = self._signed_claims(token, key)
        self._check(claims)
        return Principal(claims["sub"], self._roles(claims))

    def _header(self, token: str) -> dict[str, Any]:
        try:
            header = extract_compact(token.encode(), registry=self._registry).headers()
        except (JoseError, ValueError):
            raise _malformed() from None
        if not isinstance(header.get("kid"), str | None):
            raise _malformed()
        return header

    def _signed_claims(self, token: str, key: Key) -> dict[str, Any]:
        try:
            return jwt.decode(token, key, registry=self._registry).claims
        except InvalidPayloadError:
            raise _malformed() from None
        except (BadSignatureError, JoseError, ValueError):
            # Whatever else joserfc objects to is a key that does not fit the algorithm.
            raise Unauthenticated("auth.signature_invalid", "The token's signature does not match.") from None

    def _check(self, claims: dict[str, Any]) -> None:
        try:
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise Unauthenticated("auth.token_expired", "The token has expired.") from None
        except ClaimError as error:
            # Several missing claims come as one comma-separated name.
            refusal = _CLAIM_CODES.get(error.claim.split(",", maxsplit=1)[0])
            raise (Unauthenticated(*refusal) if refusal else _malformed()) from None

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        value: Any = claims
        for name in self._roles_path:
            value = value.get(name) if isinstance(value, Mapping) else None
        names = value.split() if isinstance(value, str) else value
        if not isinstance(names, list):
            return frozenset()
        # Providers list roles of other applications too.
        return frozenset(role for role in Role if role.value in names)


def token_verifier(settings: Settings, http: httpx.AsyncClient) -> TokenVerifier:
    """The verifier that the settings describe; keep it as `app.state.token_verifier`."""
    keys = KeySource(http, issuer=settings.oidc_issuer, jwks_url=settings.oidc_jwks_url)
    return TokenVerifier(
        keys,
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        roles_claim=settings.oidc_roles_claim,
        clock_skew_seconds=settings.oidc_clock_skew_seconds,
    )


bearer = HTTPBearer(auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="An OIDC token.")


@dataclass(frozen=True)
class RoleRequirement:
    """The dependency behind `require`: one instance for each set of roles."""

    roles: frozenset[Role]

    async def __call__(
        self, request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
    ) -> Principal:
        if credentials is None:
            raise Unauthenticated("auth.token_missing", "A bearer token is needed.")
        verifier: TokenVerifier = request.app.state.token_verifier
        principal = await verifier.verify(credentials.credentials)
        if not principal.has(*self.roles):
            raise Forbidden("auth.role_missing", "The token holds none of the roles that this needs.")
        return principal


def require(*roles: Role) -> Any:
    """A dependency that yields the Principal when it holds any of the roles.

    `principal: Annotated[Principal, require(Role.CLINICIAN)]`, or `dependencies=[require(Role.SUPPORT)]`.
    """
    if not roles:
        raise ValueError("Name at least one role, or mark the route public.")
    return Depends(RoleRequirement(frozenset(roles)))


async def _anyone() -> None:
    """Marks a route that needs no token."""


public: Any = Depends(_anyone)
"""The mark of a route that anyone may call: `dependencies=[public]`."""


def roles_of(route: BaseRoute | RouteContext) -> frozenset[Role] | None:
    """The roles that open a route; empty for a public one; None for one that says nothing."""
    dependant: Dependant | None = getattr(route, "dependant", None)
    if dependant is None:
        return None
    calls = [call for call in _calls(dependant) if call is not None]
    required = [call.roles for call in calls if isinstance(call, RoleRequirement)]
    if required:
        return frozenset.intersection(*required)
    return frozenset() if _anyone in calls else None


def roles_by_route(app: FastAPI) -> dict[str, frozenset[Role] | None]:
    """`roles_of` for every route, by "METHOD /path"; the documentation pages are left out."""
    documentation = {app.openapi_url, app.docs_url, app.redoc_url, app.swagger_ui_oauth2_redirect_url}
    return {
        f"{','.join(sorted(route.methods or ()))} {route.path}".strip(): roles_of(route)
        for route in iter_route_contexts(app.routes)
        if route.path not in documentation
    }


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any] | None]:
    for child in dependant.dependencies:
        yield child.call
        yield from _calls(child)


def _malformed() -> Unauthenticated:
    return Unauthenticated("auth.token_malformed", "The token is not a well-formed JWT with the needed claims.")
