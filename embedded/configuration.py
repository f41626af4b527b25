"""What the processes of the embedded stack are told: addresses, keys, and which outside services are real."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crypto import generate_key
from domain.model import Value
from embedded.process import HOST, StartFailed
from environment import write_private

SANDBOX_NUMBER = "+15005550006"
_SECRETS_FILE = "secrets.json"


@dataclass(frozen=True)
class Ports:
    """All on loopback."""

    api: int = 8000
    temporal: int = 7233
    temporal_ui: int = 8233
    postgres: int = 15432
    gateways: int = 8300
    smtp: int = 8325

    @property
    def api_url(self) -> str:
        return f"http://{HOST}:{self.api}"

    @property
    def gateways_url(self) -> str:
        return f"http://{HOST}:{self.gateways}"


class StackSecrets(Value):
    """Made once and kept in the state directory."""

    data_keys: str
    codec_keys: str
    codec_access_key: str
    stripe_api_key: str
    stripe_webhook_secret: str
    twilio_account_sid: str
    twilio_auth_token: str


def load_or_create_secrets(state_dir: Path) -> StackSecrets:
    """Raises `StartFailed` when they are gone while the database that they encrypt is still there."""
    path = state_dir / _SECRETS_FILE
    if not path.exists():
        if (state_dir / "postgres" / "data").exists():
            raise StartFailed(f"{path} is missing, and without it the records cannot be read; put it back, or --fresh.")
        write_private(path, _new_secrets().model_dump_json(indent=2))
    return StackSecrets.model_validate_json(path.read_text(encoding="utf-8"))


def _new_secrets() -> StackSecrets:
    return StackSecrets(
        data_keys=generate_key("data-1"),
        codec_keys=generate_key("codec-1"),
        codec_access_key=secrets.token_urlsafe(24),
        stripe_api_key=f"sk_test_{secrets.token_hex(16)}",
        stripe_webhook_secret=f"whsec_{secrets.token_hex(24)}",
        twilio_account_sid=f"AC{secrets.token_hex(16)}",
        twilio_auth_token=secrets.token_hex(16),
    )


def stack_environment(kept: StackSecrets, ports: Ports, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of every process but DATABASE_URL, which is known once the database runs.

    A service that `given`, the user's environment, configures is used as it is; the others get their sandboxes.
    Raises `StartFailed` for a Stripe key that is live or comes without its webhook secret.
    """
    _check_stripe(given, ports)
    issuer = f"{ports.gateways_url}/dev"
    return {
        "DATA_KEYS": given.get("DATA_KEYS") or kept.data_keys,
        "CODEC_KEYS": given.get("CODEC_KEYS") or kept.codec_keys,
        "CODEC_ACCESS_KEY": kept.codec_access_key,
        "CODEC_CORS_ORIGINS": f"http://{HOST}:{ports.temporal_ui},http://localhost:{ports.temporal_ui}",
        "API_HOST": HOST,
        "API_PORT": str(ports.api),
        "PUBLIC_URL": given.get("PUBLIC_URL") or ports.api_url,
        "OIDC_ISSUER": issuer,
        "OIDC_JWKS_URL": f"{issuer}/jwks.json",
        "OIDC_AUDIENCE": "carewave",
        "SIMULATED_PRACTICE_SYSTEMS": given.get("SIMULATED_PRACTICE_SYSTEMS") or "true",
        "WORKER_GRACEFUL_SHUTDOWN_SECONDS": given.get("WORKER_GRACEFUL_SHUTDOWN_SECONDS") or "5",
        **_beside_proxies(given),
        **_given_or("TEMPORAL_", "TEMPORAL_ADDRESS", given, _own_temporal(ports)),
        **_given_or("STRIPE_", "STRIPE_API_KEY", given, _stripe_sandbox(kept, ports)),
        **_given_or("TWILIO_", "TWILIO_ACCOUNT_SID", given, _twilio_sandbox(kept, ports)),
        **_given_or("SMTP_", "SMTP_HOST", given, _mail_sandbox(ports)),
    }


def _given_or(prefix: str, decisive: str, given: Mapping[str, str], ours: Mapping[str, str]) -> Mapping[str, str]:
    if not given.get(decisive):
        return ours
    return {name: value for name, value in given.items() if name.startswith(prefix)}


def _own_temporal(ports: Ports) -> dict[str, str]:
    return {
        "TEMPORAL_ADDRESS": f"{HOST}:{ports.temporal}",
        "TEMPORAL_NAMESPACE": "default",
        "TEMPORAL_CONFIG_FILE": os.devnull,  # the user's own profile is for another server
    }


def _stripe_sandbox(kept: StackSecrets, ports: Ports) -> dict[str, str]:
    return {
        "STRIPE_API_KEY": kept.stripe_api_key,
        "STRIPE_WEBHOOK_SECRET": kept.stripe_webhook_secret,
        "STRIPE_API_BASE": f"{ports.gateways_url}/stripe",
    }


def _twilio_sandbox(kept: StackSecrets, ports: Ports) -> dict[str, str]:
    return {
        "TWILIO_ACCOUNT_SID": kept.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": kept.twilio_auth_token,
        "TWILIO_FROM_NUMBER": SANDBOX_NUMBER,
        "TWILIO_API_BASE": f"{ports.gateways_url}/twilio",
    }


def _mail_sandbox(ports: Ports) -> dict[str, str]:
    return {"SMTP_HOST": HOST, "SMTP_PORT": str(ports.smtp), "SMTP_STARTTLS": "false"}


def _beside_proxies(given: Mapping[str, str]) -> dict[str, str]:
    """The stack's own addresses are never asked of a proxy."""
    others = given.get("no_proxy") or given.get("NO_PROXY") or ""
    unproxied = ",".join(filter(None, [others, HOST, "localhost"]))
    return {"NO_PROXY": unproxied, "no_proxy": unproxied}


def _check_stripe(given: Mapping[str, str], ports: Ports) -> None:
    key = given.get("STRIPE_API_KEY", "")
    if "_live_" in key:
        raise StartFailed("STRIPE_API_KEY is a live key; this stack takes test keys only (sk_test_…).")
    if key and not given.get("STRIPE_WEBHOOK_SECRET"):
        raise StartFailed(
            "STRIPE_API_KEY is set, STRIPE_WEBHOOK_SECRET is not; take it from `stripe listen --forward-to "
            f"{ports.api_url}/webhooks/stripe`, or unset STRIPE_API_KEY to use the sandbox."
        )
