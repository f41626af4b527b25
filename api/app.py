"""The application: every router, what surrounds each request, and the OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.types import Lifespan

from api.auth import TokenVerifier
from api.codec import codec_router, install_codec_cors
from api.dependencies import Services
from api.middleware import install_middleware
from api.problems import install_problem_handlers, responses
from api.routes import (
    assignments,
    at_risk,
    attachments,
    baselines,
    clinicians,
    conduct_reports,
    coordination,
    credential_events,
    econsult_acts,
    econsult_texts,
    econsults,
    follow_up_visits,
    gates,
    guide,
    health,
    integrations,
    ledger,
    licences,
    notes,
    patients,
    payment_pages,
    programme_acts,
    rates,
    refunds,
    reports,
    rollbacks,
    rollout_cases,
    rollout_locations,
    rollout_members,
    rollout_planning,
    rollout_reports,
    rollout_settings,
    rollouts,
    roster,
    scorecards,
    specialists,
    specialties,
    telemetry,
    threads,
    training,
    twilio_webhooks,
    visit_acts,
    visits,
    waves,
    webhooks,
)
from config import Settings
from crypto import Keyring

# The guide before the eConsults: its path would also fit an id.
ROUTERS = (
    guide.router,
    econsults.router,
    econsult_acts.router,
    econsult_texts.router,
    follow_up_visits.router,
    refunds.router,
    assignments.router,
    coordination.router,
    threads.router,
    rates.router,
    reports.router,
    ledger.router,
    at_risk.router,
    roster.router,
    scorecards.router,
    clinicians.router,
    licences.router,
    credential_events.router,
    conduct_reports.router,
    patients.router,
    specialists.router,
    specialties.router,
    rollout_planning.router,
    rollouts.router,
    rollout_cases.router,
    programme_acts.router,
    waves.router,
    gates.router,
    rollout_locations.router,
    rollout_members.router,
    rollout_settings.router,
    rollbacks.router,
    integrations.router,
    training.router,
    visits.router,
    visit_acts.router,
    notes.router,
    attachments.router,
    telemetry.router,
    baselines.router,
    rollout_reports.router,
    payment_pages.router,
    webhooks.router,
    twilio_webhooks.router,
    health.router,
)

DESCRIPTION = """Orders, steers and reads the long-lived processes of a care business.

Bearer tokens (OIDC) say who calls; each operation names its roles. Errors are `application/problem+json` (RFC 9457)
with a stable `code`. Times are UTC, money is integer cents. What a request does once when repeated takes an
`Idempotency-Key` header. Lists answer `items` and `next_cursor`; give the latter as `cursor` for what follows.
"""

TAGS: list[dict[str, Any]] = [
    {"name": "econsults", "description": "Specialist eConsults, from draft to closing."},
    {"name": "assignments", "description": "What specialists do with their cases."},
    {"name": "refunds", "description": "Money back, decided by support."},
    {"name": "coordination", "description": "Arranging in-person care that a specialist recommended."},
    {"name": "payment", "description": "Where patients pay."},
    {"name": "messages", "description": "Messages to clinicians, each answered within its time."},
    {"name": "rates", "description": "Clinicians' portions."},
    {"name": "ledger", "description": "Double-entry bookkeeping, integer cents."},
    {"name": "reports", "description": "Figures for operations."},
    {"name": "roster", "description": "Who of the staff is told, and when nobody was there."},
    {"name": "scorecards", "description": "How reliably clinicians attend, and keep the times of care."},
    {"name": "at risk", "description": "What breaches next, and what has breached, over all processes."},
    {"name": "clinicians"},
    {"name": "licences", "description": "Of clinicians, with their expiry; what an expired one blocks."},
    {"name": "credential events", "description": "What clinicians must report promptly."},
    {"name": "conduct reports", "description": "How clinicians behave, reviewed to a resolution."},
    {"name": "patients"},
    {"name": "specialists", "description": "The panel."},
    {"name": "specialties", "description": "The catalogue."},
    {"name": "visits", "description": "Visits and their notes."},
    {"name": "rollouts", "description": "Programmes that bring a platform to many locations, wave by wave."},
    {"name": "integrations", "description": "Connecting a location's practice system: steps, validation, migration."},
    {"name": "locations", "description": "What a location has to do before its launch, and what of its comms is on."},
    {"name": "training", "description": "Champions, certification, role groups, new hires, adoption."},
    {"name": "rollout planning", "description": "How ready locations are, their waves, and what else could be."},
    {"name": "attachments", "description": "Photos and diagnostics of patients."},
    {"name": "telemetry", "description": "What is measured at the locations of a rollout, and the issues there."},
    {"name": "baselines", "description": "Figures from before the go-live, the same everywhere."},
    {"name": "rollout reports", "description": "Boards, evidence, figures against the baseline, the return."},
    {"name": "webhooks", "description": "What outside services report."},
    {"name": "codec", "description": "Shows encrypted payloads in the Temporal UI."},
    {"name": "health"},
]


def create_app(services: Services, verifier: TokenVerifier, *, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """The application around services that exist already. Raises as `assemble` does."""
    app = assemble(services.settings, verifier, lifespan=lifespan)
    app.state.services = services
    return app


def assemble(
    settings: Settings, verifier: TokenVerifier, *, embedded: bool = False, lifespan: Lifespan[FastAPI] | None = None
) -> FastAPI:
    """The application, whose lifespan must put `Services` into `app.state.services`.

    Raises ValueError without a Stripe webhook secret, and with a codec access key unless it is `embedded`; raises
    `crypto.keys_invalid` without codec keys.
    """
    webhooks.stripe_secrets(settings)
    app = FastAPI(
        title="Carewave",
        version="1",
        summary="Long-lived care processes on Temporal.",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
    )
    app.state.token_verifier = verifier
    install_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    keyring = Keyring.parse(settings.codec_keys.get_secret_value())
    app.include_router(codec_router(keyring, settings.codec_access_key.get_secret_value(), embedded=embedded))
    install_codec_cors(app, [origin for part in settings.codec_cors_origins.split(",") if (origin := part.strip())])
    install_middleware(app, max_body_bytes=settings.max_body_bytes)
    _document_bodies(app)
    return app


def _document_bodies(app: FastAPI) -> None:
    """Whatever takes a body may find it unreadable or too large."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        for item in document["paths"].values():
            for operation in item.values():
                if "requestBody" in operation:
                    for status, response in responses(400, 413).items():
                        operation["responses"].setdefault(str(status), response)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
