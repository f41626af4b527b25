"""A token issuer for the embedded stack and for tests. Production settings have no way to reach it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uuid_utils
from fastapi import APIRouter
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from api.auth import public
from domain.access import Role

ALGORITHM = "ES256"
_KEY_FILE = "issuer-key.json"


class DevelopmentIssuer:
    """Signs tokens with a key of its own, kept in `state_dir` with mode 0600 so that tokens outlive a restart."""

    def __init__(
        self,
        *,
        embedded: bool,
        state_dir: Path,
        issuer: str,
        audience: str,
        roles_claim: str = "roles",
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raises RuntimeError unless `embedded` is True: only the embedded stack may sign its own tokens."""
        if embedded is not True:
            raise RuntimeError("The development issuer exists in the embedded stack only.")
        self.issuer = issuer.rstrip("/")
        self._audience = audience
        self._roles_claim = roles_claim
        self._now = now
        self._key = _load_or_create(state_dir / _KEY_FILE)

    def token(self, subject: str, roles: Iterable[Role], lifetime: int = 12 * 3600) -> str:
        """A signed token; `lifetime` in seconds."""
        issued_at = int(self._now())
        claims = {
            "iss": self.issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + lifetime,
            "jti": str(uuid_utils.uuid7()),
            **_nest(self._roles_claim.split("."), sorted(role.value for role in roles)),
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])

    def jwks(self) -> dict[str, Any]:
        """The public key, as a JSON Web Key Set."""
        return cast("dict[str, Any]", KeySet([self._key]).as_dict(private=False, use="sig", alg=ALGORITHM))

    def configuration(self) -> dict[str, Any]:
        """The OpenID provider configuration."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/jwks.json",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def router(self) -> APIRouter:
        """Routes under the path of the issuer's own URL."""
        router = APIRouter(prefix=urlsplit(self.issuer).path, dependencies=[public], include_in_schema=False)
        router.add_api_route("/.well-known/openid-configuration", self.configuration, methods=["GET"])
        router.add_api_route("/jwks.json", self.jwks, methods=["GET"])
        return router


def _load_or_create(path: Path) -> ECKey:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = ECKey.generate_key("P-256", private=True, auto_kid=True)
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(key.as_dict(private=True), file)
        fresh.replace(path)  # whole or not at all
    return ECKey.import_key(json.loads(path.read_text(encoding="utf-8")))


def _nest(path: list[str], value: object) -> dict[str, Any]:
    return {path[0]: _nest(path[1:], value) if len(path) > 1 else value}
