"""The whole house under test: everybody acts over HTTP, time passes when a test says so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from temporalio.worker import Interceptor

from activities.ports import TextMessage, TextReceipt
from db.session import Database
from domain.access import Role
from embedded import seed
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS
from embedded.stage import Stage, stage
from embedded.stripe_sandbox.app import create_app as stripe_app
from tests.shared_app import shared_app

ACKNOWLEDGED = {"acknowledged": True, "acknowledged_by": "patient", "acknowledged_at": "2026-03-02T16:15:00Z"}


class Person(NamedTuple):
    """Whose token goes with a request."""

    subject: str
    role: Role


CLINICIAN = Person("clinician-demo", Role.CLINICIAN)
OTHER_CLINICIAN = Person("clinician-other", Role.CLINICIAN)
PATIENT = Person("patient-demo", Role.PATIENT)
OTHER_PATIENT = Person("patient-other", Role.PATIENT)
DERMATOLOGISTS = {
    seed.DERMATOLOGIST: Person("specialist-dermatology", Role.SPECIALIST),
    seed.SECOND_DERMATOLOGIST: Person("specialist-dermatology-2", Role.SPECIALIST),
}
CARDIOLOGIST = Person("specialist-demo", Role.SPECIALIST)
SUPPORT = Person("support-1", Role.SUPPORT)
OPERATIONS = Person("operations-1", Role.OPERATIONS)
ADMINISTRATOR = Person("administrator-1", Role.ADMINISTRATOR)


@dataclass
class Texts:
    """The port `Texting`: keeps every text."""

    sent: list[TextMessage] = field(default_factory=list)

    async def send(self, message: TextMessage) -> TextReceipt:
        self.sent.append(message)
        return TextReceipt(message_sid=f"SM{len(self.sent)}", status="queued")


@dataclass
class House:
    stage: Stage
    texts: Texts
    processor: httpx.AsyncClient
    """A browser at the payment processor's pages."""
    refusals: list[httpx.Response] = field(default_factory=list)
    """Every answer with an error."""

    async def ask(self, person: Person, method: str, path: str, **request: Any) -> httpx.Response:
        """Any request, whatever comes of it; webhooks have arrived and letters are out afterwards."""
        answer = await self.stage.call(person.subject, person.role, method, path, **request)
        if answer.is_error:
            self.refusals.append(answer)
        return answer

    async def read(self, person: Person, path: str) -> Any:
        answer = await self.ask(person, "GET", path)
        assert answer.is_success, answer.text
        return answer.json()

    async def post(self, person: Person, path: str, *, key: str | None = None, **body: Any) -> dict[str, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.ask(person, "POST", path, json=body, headers=headers)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def refused(self, person: Person, method: str, path: str, **request: Any) -> tuple[int, str]:
        """Status and code of a refusal."""
        answer = await self.ask(person, method, path, **request)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return answer.status_code, answer.json()["code"]

    async def reaches(self, econsult_id: str, state: str) -> dict[str, Any]:
        """Wait, without letting time pass, until the case is there; the clinician's view of it."""
        return await self.shows(CLINICIAN, f"/econsults/{econsult_id}", state=state)

    async def shows(self, person: Person, path: str, **fields: Any) -> dict[str, Any]:
        """Wait, without letting time pass, until what is read there has these values."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                view: dict[str, Any] = await self.read(person, path)
                if fields.items() <= view.items():
                    return view
                await asyncio.sleep(POLL_SECONDS)

    async def happened(self, econsult_id: str, event: str) -> None:
        """Wait, without letting time pass, for work that runs in the background."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if event in await self.events(econsult_id):
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def events(self, econsult_id: str) -> list[str]:
        steps = await self.read(OPERATIONS, f"/econsults/{econsult_id}/timeline?limit=200")
        return [step["event"] for step in steps["items"]]

    async def specialist(self, econsult_id: str) -> Person:
        """Who has the case."""
        view = await self.reaches(econsult_id, "WITH_SPECIALIST")
        return DERMATOLOGISTS[view["assignments"][-1]["specialist_id"]]

    def payment_link(self, address: str) -> str:
        """Out of the newest letter to that address."""
        found = re.search(r"http\S+/pay/\S+", self.stage.letterbox.latest_to(address).text)
        assert found, "no payment link"
        return found.group()

    async def pay(self, address: str) -> httpx.Response:
        """Follow the link in the letter to the processor's page and pay there; the page one comes back to."""
        opened = await self.stage.http.post(self.payment_link(address))
        assert opened.status_code == 303, opened.text
        paid = await self.processor.post(opened.headers["location"], data={"act": "pay"})
        assert paid.status_code == 303, paid.text
        await self.stage.settle()
        return await self.stage.http.get(paid.headers["location"])

    async def advance(self, duration: timedelta) -> None:
        await self.stage.advance(duration)


@asynccontextmanager
async def open_house(
    database: Database, keys: str, state_dir: Path, *, interceptors: tuple[Interceptor, ...] = ()
) -> AsyncIterator[House]:
    """With the seed's people in it. `keys` is `id:base64`."""
    texts = Texts()
    async with stage(database, keys, state_dir, texting=texts, interceptors=interceptors, make_app=shared_app) as place:
        await seed.seed(database)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(stripe_app(place.rehearsal.stripe))) as processor:
            yield House(place, texts, processor)
