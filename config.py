"""Every setting, read from the environment (or from files named after the variables in SECRETS_DIR).

`docs/configuration.md` is generated from this class.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Annotated

from pydantic import Field, PostgresDsn, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", strip_whitespace=True)]


class Settings(BaseSettings):
    """Settings of every Carewave process. A variable has the field's name in capitals."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, secrets_dir=os.environ.get("SECRETS_DIR") or None, env_ignore_empty=True
    )

    database_url: PostgresDsn = Field(
        default=PostgresDsn("postgresql://carewave@127.0.0.1:5432/carewave"),
        description="PostgreSQL, as a libpq URL. The embedded stack sets its own unless this is given.",
    )
    database_pool_size: int = Field(default=10, ge=1, description="Connections kept open per process.")
    data_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys for free text in the database: `id:base64` of 32 bytes, comma-separated, the first encrypts.",
    )

    temporal_address: str = Field(
        default="127.0.0.1:7233",
        description="The Temporal frontend. TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_* and profiles are read "
        "by Temporal's own environment configuration.",
    )
    codec_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Keys for Temporal payloads: `id:base64` of 32 bytes, comma-separated, the first encrypts.",
    )
    codec_cors_origins: str = Field(
        default="", description="Origins of the Temporal UI that may call the codec endpoint, comma-separated."
    )
    codec_access_key: SecretStr = Field(
        default=SecretStr(""),
        description="Of the embedded stack, which sets it: a key that opens /codec/{key}/decode to a Temporal UI that "
        "cannot send a token. Anywhere else the API refuses to start with it.",
    )
    worker_max_cached_workflows: int = Field(
        default=0, ge=0, description="Sticky cache of the worker; 0 sizes it from the memory of the machine."
    )
    worker_graceful_shutdown_seconds: int = Field(
        default=30, ge=1, description="How long a stopping worker lets running activities finish."
    )

    public_url: Url = Field(
        default="http://127.0.0.1:8000",
        description="Where patients and Twilio reach this API; payment links start with it.",
    )
    api_host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    api_port: int = Field(default=8000, ge=1, le=65535, description="Port that the API listens on.")
    max_body_bytes: int = Field(default=8_000_000, ge=1024, description="Largest request body that is read.")

    oidc_issuer: Url = Field(default="http://127.0.0.1:8000/dev", description="`iss` that tokens must carry.")
    oidc_audience: str = Field(default="carewave", description="`aud` that tokens must carry.")
    oidc_jwks_url: Url | None = Field(default=None, description="Where the issuer publishes its keys (JWKS).")
    oidc_roles_claim: str = Field(
        default="roles", description="Claim that lists roles; dots go deeper, such as realm_access.roles."
    )
    oidc_clock_skew_seconds: int = Field(default=60, ge=0, le=300, description="Tolerated clock difference.")

    stripe_api_key: SecretStr = Field(default=SecretStr(""), description="Stripe secret key.")
    stripe_webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signing secrets of the Stripe webhook endpoint, comma-separated while one is being rotated.",
    )
    stripe_api_base: Url | None = Field(default=None, description="Another Stripe server: the sandbox's.")

    twilio_account_sid: str = Field(
        default="", description="Twilio account. Empty: no texts are sent, and nobody is called."
    )
    twilio_auth_token: SecretStr = Field(default=SecretStr(""), description="Twilio auth token.")
    twilio_from_number: str = Field(default="", description="Number that texts come from, E.164.")
    twilio_voice_number: str = Field(
        default="", description="Number that calls come from, E.164. Empty: TWILIO_FROM_NUMBER."
    )
    twilio_machine_detection: bool = Field(
        default=False, description="Let Twilio tell voicemail from a person; it charges for each call."
    )
    twilio_api_base: Url | None = Field(default=None, description="Another Twilio server: the sandbox's.")

    simulated_practice_systems: bool = Field(
        default=False,
        description="Of the embedded stack, which sets it: validation cases run against simulated practice systems, "
        "which proves nothing of a real one.",
    )

    smtp_host: str = Field(default="127.0.0.1", description="Mail server.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server.")
    smtp_username: str = Field(default="", description="User at the mail server; empty for none.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password at the mail server.")
    smtp_starttls: bool = Field(default=True, description="Require STARTTLS.")
    mail_from: str = Field(default="no-reply@carewave.example", description="Sender of e-mails.")

    brand_name: str = Field(default="Sesame", description="Brand shown to people (decision 1).")
    support_contact: str = Field(
        default="doctors@sesamecare.com", description="Support contact shown to clinicians (E-38)."
    )
    submission_guide_url: Url = Field(
        default="https://example.com/econsult-submission-guide.pdf", description="Successful Submissions Guide (E-03)."
    )
    operations_email: str = Field(default="operations@carewave.example", description="Operations on call.")
    provider_success_email: str = Field(
        default="provider-success@carewave.example", description="Provider Success, for escalations."
    )
    network_desk_email: str = Field(
        default="network-desk@carewave.example", description="The specialist network's desk, for escalations."
    )
    support_email: str = Field(default="support@carewave.example", description="Customer support: refunds.")
    policy_file: str = Field(default="", description="Policy file (YAML is not read; JSON). Empty: the built-in one.")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level logged.")


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
