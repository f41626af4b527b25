"""The routes for reports, ledger and rates over a real database, and cases to report on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import httpx
from fastapi import FastAPI

from activities.contracts import BookEntry, RecordStepInput, StepDetail
from api.auth import token_verifier
from api.dependencies import Services
from api.problems import install_problem_handlers
from api.routes import ledger as ledger_routes
from api.routes import rates, reports
from cases import Cases
from config import Settings
from crypto import Keyring
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import Clinician, EConsult, Patient, Visit, new_id
from domain import ledger, names, policy
from domain.access import Role
from domain.actors import SYSTEM, Actor
from domain.econsult.state import EConsultOrder, EConsultState, Outcome
from domain.econsult.states import FollowUp, Stage
from domain.econsult.view import snapshot
from domain.ledger import LedgerEntry, Price
from embedded.issuer import DevelopmentIssuer
from links import PaymentLinks

ISSUER = "http://api.test/dev"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

As: TypeAlias = Callable[..., httpx.AsyncClient]


def open_api(database: Database, keyring: Keyring, cases: Cases, state_dir: Path) -> As:
    """A maker of clients with tokens: `as_("ops-1", Role.OPERATIONS)`."""
    settings = Settings(oidc_issuer=ISSUER, oidc_jwks_url=f"{ISSUER}/jwks.json")
    issuer = DevelopmentIssuer(embedded=True, state_dir=state_dir, issuer=ISSUER, audience="carewave")
    app = FastAPI()
    install_problem_handlers(app)
    for router in (issuer.router(), reports.router, ledger_routes.router, rates.router):
        app.include_router(router)
    app.state.services = Services(
        settings=settings,
        database=database,
        cases=cases,
        links=PaymentLinks(keyring, settings.public_url),
        policy=policy.load(),
    )
    transport = httpx.ASGITransport(app)
    app.state.token_verifier = token_verifier(settings, httpx.AsyncClient(transport=transport))

    def client(subject: str, *roles: Role) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {issuer.token(subject, roles)}"}
        return httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers)

    return client


async def add_clinician(database: Database, subject: str) -> str:
    async with database.transaction() as session:
        clinician = Clinician(
            subject=subject,
            name="C",
            email=f"{subject}@example.com",
            time_zone="America/Chicago",
            licence_states=["IL"],
        )
        session.add(clinician)
    return clinician.id


async def add_answered_case(
    database: Database,
    clinician_id: str,
    *,
    at: datetime = NOON,
    follow_up: FollowUp = FollowUp.PROMPTED,
    portion_cents: int = 2000,
    outcome: tuple[bool, bool] | None = None,
    currency: str = "usd",
) -> str:
    """A paid and answered eConsult; `outcome` is (improved the care plan, avoided a visit)."""
    price = Price(network_fee_cents=12_000, clinician_portion_cents=portion_cents, currency=currency)
    econsult_id = new_id()
    order = await _place(database, econsult_id, clinician_id, price)
    case_id = names.econsult_case(econsult_id)
    entries = (
        ledger.payment(f"{case_id}:payment", price.total_cents, currency),
        ledger.earned(f"{case_id}:earned", price, price.total_cents),
    )
    improved, avoided = outcome or (False, False)
    state = EConsultState(
        stage=Stage.CLOSED if outcome else Stage.FOLLOW_UP_WINDOW,
        sequence=1,
        ordered_at=at,
        replied_at=at,
        follow_up=follow_up,
        outcome=Outcome(improved_care_plan=improved, avoided_in_person=avoided, captured_at=at) if outcome else None,
    )
    await _record(database, order, state, entries)
    return econsult_id


async def _place(database: Database, econsult_id: str, clinician_id: str, price: Price) -> EConsultOrder:
    async with database.transaction() as session:
        patient = Patient(name="M", email="m@example.com", birth_date="1980-02-03", state="IL", time_zone="UTC")
        session.add(patient)
        await session.flush()
        visit = Visit(patient_id=patient.id, clinician_id=clinician_id, scheduled_start=NOON, duration_minutes=15)
        session.add(visit)
        await session.flush()
        order = EConsultOrder(
            econsult_id=econsult_id,
            visit_id=visit.id,
            patient_id=patient.id,
            clinician_id=clinician_id,
            specialty_code="207RC0000X",
            purpose="second_opinion",
            price=price,
            policy=policy.load().econsult,
            ordered_by=Actor(role="clinician", id=clinician_id),
        )
        row = EConsult(
            id=econsult_id,
            visit_id=visit.id,
            patient_id=patient.id,
            clinician_id=clinician_id,
            idempotency_key=econsult_id,
            request_hash="",
            specialty_code=order.specialty_code,
            purpose=order.purpose,
            note_ids=[],
            attachment_ids=[],
            question="?",
            history="",
            expectations_acknowledged_by=clinician_id,
            expectations_acknowledged_at=NOON,
            **price.model_dump(),
            order=order.model_dump(mode="json"),
        )
        session.add(row)
    return order


async def _record(
    database: Database, order: EConsultOrder, state: EConsultState, entries: Iterable[LedgerEntry]
) -> None:
    step = RecordStepInput(
        case_id=names.econsult_case(order.econsult_id),
        process="EConsult",
        sequence=state.sequence,
        event="response_ready",
        at=state.ordered_at,
        actor=SYSTEM,
        detail=StepDetail(),
        snapshot=snapshot(order, state, state.ordered_at),
        effects=tuple(BookEntry(entry=entry) for entry in entries),
    )
    await SqlCaseRecords(database).record(step)
