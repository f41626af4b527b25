"""Who acts in the demo: everybody calls the API with a token of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from domain.access import Role
from embedded import seed
from embedded.stage import Stage


class Person(NamedTuple):
    subject: str
    role: Role


CLINICIAN = Person("clinician-demo", Role.CLINICIAN)
PATIENT = Person("patient-demo", Role.PATIENT)
SUPPORT = Person("support-demo", Role.SUPPORT)
OPERATIONS = Person("operations-demo", Role.OPERATIONS)
CARDIOLOGISTS = {
    seed.CARDIOLOGIST: Person("specialist-demo", Role.SPECIALIST),
    seed.SECOND_CARDIOLOGIST: Person("specialist-cardiology-2", Role.SPECIALIST),
}

ORDER: dict[str, Any] = {
    "visit_id": seed.VISIT_COMPLETED,
    "note_ids": [seed.NOTE_COMPLETED],
    "attachment_ids": [seed.LAB],
    "specialty_code": seed.CARDIOLOGY,
    "purpose": "second_opinion",
    "question": "Would you start a beta blocker now, or wait for the ambulatory monitor?",
    "history": "58-year-old man with palpitations for three weeks. Working diagnosis paroxysmal supraventricular "
    "tachycardia, atrial fibrillation considered. Vagal manoeuvres tried with some relief. Medications: lisinopril "
    "10 mg daily. No known drug allergies.",
}
EXPECTATIONS = {"acknowledged": True, "acknowledged_by": "patient"}


@dataclass
class Consult:
    """One eConsult of the demo, seen from outside: everything goes through the API."""

    stage: Stage
    econsult_id: str
    remarks: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"/econsults/{self.econsult_id}"

    @classmethod
    async def order(cls, stage: Stage, key: str) -> Consult:
        acknowledged = {**EXPECTATIONS, "acknowledged_at": stage.rehearsal.clock.now.isoformat()}
        placed = await ask(
            stage,
            CLINICIAN,
            "POST",
            "/econsults",
            json={**ORDER, "patient_expectations": acknowledged},
            headers={"Idempotency-Key": key},
        )
        consult = cls(stage, placed["id"])
        await consult.reaches("AWAITING_PAYMENT")
        return consult

    async def act(self, person: Person, path: str, **body: Any) -> dict[str, Any]:
        return await ask(self.stage, person, "POST", f"/econsults/{self.econsult_id}{path}", json=body)

    async def read(self, path: str = "", person: Person = CLINICIAN) -> Any:
        return await ask(self.stage, person, "GET", f"/econsults/{self.econsult_id}{path}")

    async def reaches(self, state: str) -> dict[str, Any]:
        """Wait, without letting time pass, until the case is there."""
        for _ in range(400):
            view: dict[str, Any] = await self.read()
            if view["state"] == state:
                return view
        raise RuntimeError(f"the eConsult is {view['state']}, not {state}")

    async def pay(self) -> None:
        """Follow the link in the newest letter, and pay on the processor's page."""
        patient = await ask(self.stage, PATIENT, "GET", "/patients/me")
        letter = self.stage.letterbox.latest_to(patient["email"])
        link = re.search(r"http\S+/pay/\S+", letter.text)
        if link is None:
            raise RuntimeError("the letter holds no payment link")
        opened = await self.stage.http.post(link.group())
        self.stage.rehearsal.stripe.pay(opened.headers["location"].rstrip("/").rsplit("/", 1)[-1])
        await self.stage.settle()
        await self.reaches("WITH_SPECIALIST")

    async def specialist(self) -> Person:
        """Who has the case now."""
        view = await self.reaches("WITH_SPECIALIST")
        return CARDIOLOGISTS[view["assignments"][-1]["specialist_id"]]

    async def reply(self, specialist: Person, *, in_person: bool = False) -> None:
        await self.act(
            specialist,
            "/reply",
            impression="Most likely atrioventricular nodal reentry tachycardia.",
            recommendations=["Start metoprolol 25 mg twice daily.", "Ambulatory monitor for 14 days."],
            in_person_recommended=in_person,
        )

    async def hold(self, visit_id: str) -> None:
        """The visit that has its time now takes place, and what it owes is settled."""
        visit = f"/visits/{visit_id}"
        await ask(self.stage, CLINICIAN, "POST", f"{visit}/clinician-joined")
        await ask(self.stage, PATIENT, "POST", f"{visit}/patient-joined")
        await self.wait(minutes=15)
        await ask(self.stage, CLINICIAN, "POST", f"{visit}/complete")
        for obligation in ("prescriptions", "labs", "imaging"):
            body = {"needed": obligation == "prescriptions"}
            await ask(self.stage, CLINICIAN, "POST", f"{visit}/obligations/{obligation}", json=body)
        note = {"status": "complete", "body": "Results reviewed together. Metoprolol is well tolerated; continue."}
        await ask(self.stage, CLINICIAN, "POST", f"{visit}/notes", json=note)

    async def wait(self, **duration: float) -> None:
        await self.stage.advance(timedelta(**duration))


async def ask(stage: Stage, person: Person, method: str, path: str, **request: Any) -> dict[str, Any]:
    answer = await stage.call(person.subject, person.role, method, path, **request)
    if answer.is_error:
        raise RuntimeError(f"{method} {path} as {person.role}: {answer.status_code} {answer.text}")
    found: dict[str, Any] = answer.json()
    return found
