"""The care records' routes alone, over a real database with the demo's people in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlmodel import col, select

from api.auth import token_verifier
from api.dependencies import Services
from api.middleware import install_middleware
from api.problems import install_problem_handlers
from api.routes import attachments, clinicians, guide, notes, patients, specialists, specialties, visits
from cases import Cases
from config import Settings
from crypto import Keyring
from db.session import Database
from db.tables import Disclosure
from domain import policy
from domain.access import Role
from embedded.issuer import DevelopmentIssuer
from embedded.seed import seed
from links import PaymentLinks

ISSUER = "http://api.test/dev"
ROUTERS = (
    attachments.router,
    clinicians.router,
    guide.router,
    notes.router,
    patients.router,
    specialists.router,
    specialties.router,
    visits.router,
)


@dataclass
class House:
    """The API as callers see it, and the database behind it."""

    app: FastAPI
    database: Database
    as_: Callable[..., httpx.AsyncClient]
    """A client with a token: `as_("clinician-demo", Role.CLINICIAN)`."""

    @property
    def clinician(self) -> httpx.AsyncClient:
        return self.as_("clinician-demo", Role.CLINICIAN)

    @property
    def other_clinician(self) -> httpx.AsyncClient:
        return self.as_("clinician-other", Role.CLINICIAN)

    @property
    def patient(self) -> httpx.AsyncClient:
        return self.as_("patient-demo", Role.PATIENT)

    @property
    def other_patient(self) -> httpx.AsyncClient:
        return self.as_("patient-other", Role.PATIENT)

    @property
    def specialist(self) -> httpx.AsyncClient:
        return self.as_("specialist-demo", Role.SPECIALIST)

    @property
    def operations(self) -> httpx.AsyncClient:
        return self.as_("ops-1", Role.OPERATIONS)

    @property
    def administrator(self) -> httpx.AsyncClient:
        return self.as_("admin-1", Role.ADMINISTRATOR)

    async def disclosures(self) -> list[tuple[str, str, str, str | None]]:
        """Role, person, what and eConsult of each, in order."""
        async with self.database.transaction() as session:
            found = (await session.exec(select(Disclosure).order_by(col(Disclosure.id)))).all()
        return [(one.role, one.person_id, one.what, one.econsult_id) for one in found]

    async def stored_bytes(self, table: str, row_id: str) -> bytes:
        """All of a row, as it lies in the database."""
        async with self.database.transaction() as session:
            connection = await session.connection()
            # `table` is written in the test itself.
            rows = await connection.execute(text(f"select * from {table} where id = :id"), {"id": row_id})
            row = rows.one()
        return b"|".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)


@pytest.fixture
async def house(database: Database, keyring: Keyring, tmp_path: Path) -> AsyncIterator[House]:
    await seed(database)
    settings = Settings(oidc_issuer=ISSUER, oidc_jwks_url=f"{ISSUER}/jwks.json")
    issuer = DevelopmentIssuer(embedded=True, state_dir=tmp_path, issuer=ISSUER, audience="carewave")
    app = FastAPI()
    install_problem_handlers(app)
    install_middleware(app, max_body_bytes=settings.max_body_bytes)
    for router in (issuer.router(), *ROUTERS):
        app.include_router(router)
    app.state.services = Services(
        settings=settings,
        database=database,
        cases=cast("Cases", None),
        links=PaymentLinks(keyring, settings.public_url),
        policy=policy.load(),
    )
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test")
    app.state.token_verifier = token_verifier(settings, http)

    def client(subject: str, *roles: Role) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {issuer.token(subject, roles)}"}
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api.test", headers=headers)

    async with http:
        yield House(app, database, client)


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"]
