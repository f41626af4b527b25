"""The whole API in an event loop of its own, for callers that are not asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import assemble
from api.auth import token_verifier
from api.dependencies import Services
from cases import Cases
from config import Settings
from crypto import Keyring, generate_key
from db.session import Database
from db.tables import CoordinationTask
from domain import names, policy
from domain.access import Role
from domain.actors import SYSTEM
from domain.errors import Refused
from domain.licences import LicenceOrder
from domain.rates import DecideRate, RateRequestOrder
from domain.review import ReviewOrder
from domain.rollout.program import Programme
from domain.threads import ThreadOrder
from domain.visit.state import VisitOrder
from embedded import seed
from embedded.issuer import DevelopmentIssuer
from links import PaymentLinks
from tests.api.front import NOW, FakeCases, Front
from tests.rollout_files import file, place

BASE = "http://api.test"
ISSUER = f"{BASE}/dev"


EVENT = {
    "kind": "board_action",
    "occurred_on": "2026-03-01",
    "aware_at": "2026-03-02T09:00:00Z",
    "description": "The board opened a proceeding.",
}
PROGRAM = "bright"
REPORT = {"clinician_id": seed.CLINICIAN, "kind": "conduct", "description": "Short with me."}


class PretendedCases(FakeCases):
    """Of eConsults alone cases run; rate requests, threads of messages, licences and reports are kept."""

    async def start_rate_request(self, order: RateRequestOrder) -> None:
        pass

    async def decide_rate(self, request_id: str, decision: DecideRate, update_id: str) -> None:
        raise Refused("case.not_running", "the case is over, or has not begun")

    async def start_licence(self, order: LicenceOrder) -> None:
        pass

    async def start_review(self, order: ReviewOrder) -> None:
        pass

    async def start_thread(self, order: ThreadOrder) -> None:
        pass

    async def ask(self, case_id: str, update: Callable[..., Any], asked: Any, update_id: str) -> Any:
        if not case_id.startswith(names.econsult_case("")):
            raise Refused("case.not_running", "the case is over, or has not begun")
        return await super().ask(case_id, update, asked, update_id)


class Backstage:
    """The API over a real database and pretended cases; its lifespan makes both, in the loop that serves requests."""

    def __init__(self, database_url: str, keyring: Keyring, state_dir: Path) -> None:
        self.database_url, self.keyring = database_url, keyring
        self.settings = Settings(
            public_url=BASE,
            oidc_issuer=ISSUER,
            oidc_jwks_url=f"{ISSUER}/jwks.json",
            stripe_webhook_secret=SecretStr("whsec_test"),
            codec_keys=SecretStr(generate_key("codec")),
        )
        self.issuer = DevelopmentIssuer(
            embedded=True, state_dir=state_dir, issuer=ISSUER, audience=self.settings.oidc_audience
        )
        keys = httpx.MockTransport(lambda _: httpx.Response(200, json=self.issuer.jwks()))
        verifier = token_verifier(self.settings, httpx.AsyncClient(transport=keys))
        self.app = assemble(self.settings, verifier, lifespan=self._lifespan)
        self.cases = PretendedCases(cast("Database", None))
        self.known: dict[str, Any] = {}
        """Ids of what is there once the application has started, by the names that requests give them."""

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Starts once a test; what is there stays from one test to the next."""
        database = Database(self.database_url, pool_size=5)
        self.cases.database = database
        links = PaymentLinks(self.keyring, BASE)
        app.state.services = Services(self.settings, database, cast("Cases", self.cases), links, policy.load())
        if not self.known:
            await seed.seed(database)
            await self._furnish(Front(app, database, self.cases, links, self._client, self._client()))
        yield
        await database.close()

    def _client(self, *caller: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE, headers=self.headers(*caller))

    def headers(self, subject: str = "", *roles: Role) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.token(subject, roles)}"} if subject else {}

    async def _furnish(self, front: Front) -> None:
        econsult_id = await front.with_specialist()
        asked = await front.clinician.post(f"/clinicians/{seed.CLINICIAN}/rate-requests", json={"portion_cents": 1})
        message = {"clinician_id": seed.CLINICIAN, "body": "May I?"}
        thread = await front.patient.post("/message-threads", json=message)
        event = await front.clinician.post(f"/clinicians/{seed.CLINICIAN}/credential-events", json=EVENT)
        report = await front.patient.post("/conduct-reports", json=REPORT)
        await self.cases.start_visit(_order_of_the_visit())
        task = f"econsult:{econsult_id}:coordination"
        async with front.database.transaction() as session:
            session.add(CoordinationTask(key=task, econsult_id=econsult_id, opened_at=NOW))
        await place(front.database, Programme.model_validate(file(program_id=PROGRAM)))
        self.known = {
            "econsult_id": econsult_id,
            "patient_id": seed.PATIENT,
            "clinician_id": seed.CLINICIAN,
            "specialist_id": seed.DERMATOLOGIST,
            "visit_id": seed.VISIT_COMPLETED,
            "attachment_id": seed.PHOTO,
            "note_id": seed.NOTE_COMPLETED,
            "note_ids": [seed.NOTE_COMPLETED],
            "attachment_ids": [seed.PHOTO],
            "thread_id": thread.json()["id"],
            "request_id": asked.json()["id"],
            "licence_id": seed.LICENCE_CO,
            "event_id": event.json()["id"],
            "report_id": report.json()["id"],
            "key": task,
            "staff_id": seed.PROVIDER_SUCCESS,
            "shift_id": seed.OFFICE_SHIFT,
            "program_id": PROGRAM,
            "location_id": "l00",
            "setting": "recall.interval_months",
            "token": front.links.payment_link(econsult_id, 1).rsplit("/", 1)[-1],
        }

    def known_instead(self, sent: Any) -> Any:
        """The same with ids that exist."""
        if not isinstance(sent, dict):
            return sent
        return {name: self.known.get(name, value) for name, value in sent.items()}


def _order_of_the_visit() -> VisitOrder:
    return VisitOrder(
        visit_id=seed.VISIT_COMPLETED,
        patient_id=seed.PATIENT,
        clinician_id=seed.CLINICIAN,
        starts_at=NOW,
        duration_minutes=30,
        policy=policy.load().visit,
        scheduled_by=SYSTEM,
    )
