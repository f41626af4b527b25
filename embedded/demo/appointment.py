"""One visit of the demo, seen from outside: everything goes through the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from embedded import seed
from embedded.demo.people import CLINICIAN, PATIENT, Person, ask
from embedded.stage import Stage


@dataclass
class Appointment:
    stage: Stage
    visit_id: str
    remarks: list[str] = field(default_factory=list)
    """What the timeline does not show, such as what was refused."""

    @property
    def path(self) -> str:
        return f"/visits/{self.visit_id}"

    @classmethod
    async def schedule(cls, stage: Stage, key: str, *, ahead: timedelta, minutes: int = 15) -> Appointment:
        starts_at = stage.rehearsal.clock.now + ahead
        body = {"patient_id": seed.PATIENT, "starts_at": starts_at.isoformat(), "duration_minutes": minutes}
        placed = await ask(stage, CLINICIAN, "POST", "/visits", json=body, headers={"Idempotency-Key": key})
        appointment = cls(stage, placed["id"])
        await appointment.reaches("SCHEDULED")
        return appointment

    async def act(self, person: Person, path: str, **body: Any) -> dict[str, Any]:
        return await ask(self.stage, person, "POST", f"{self.path}{path}", json=body or None)

    async def refused(self, person: Person, path: str) -> None:
        """Try what is not allowed yet, and keep what was said."""
        answer = await self.stage.call(person.subject, person.role, "POST", f"{self.path}{path}")
        problem = answer.json()
        if answer.status_code != 409:
            raise RuntimeError(f"{path} was not refused: {answer.status_code}")
        missing = ", ".join(problem.get("missing", []))
        earliest = f"; possible from {problem['earliest'][11:19]} UTC" if problem.get("earliest") else ""
        self.remarks.append(f"{path[1:]} refused, {problem['code']}: missing {missing}{earliest}")

    async def read(self, path: str = "", person: Person = CLINICIAN) -> Any:
        return await ask(self.stage, person, "GET", f"{self.path}{path}")

    async def reaches(self, state: str) -> dict[str, Any]:
        """Wait, without letting time pass, until the visit is there."""
        for _ in range(400):
            view: dict[str, Any] = await self.read()
            if view["state"] == state:
                return view
        raise RuntimeError(f"the visit is {view['state']}, not {state}")

    async def until(self, **after_start: float) -> None:
        """Let time pass until so long after the start, before it when negative."""
        starts_at = datetime.fromisoformat((await self.read())["starts_at"])
        await self.stage.advance(starts_at + timedelta(**after_start) - self.stage.rehearsal.clock.now)

    async def both_join(self) -> None:
        await self.act(PATIENT, "/patient-joined")
        await self.act(CLINICIAN, "/clinician-joined")

    async def nothing_to_order(self) -> None:
        for obligation in ("prescriptions", "labs", "imaging"):
            await self.act(CLINICIAN, f"/obligations/{obligation}", needed=False)

    async def write_note(self) -> None:
        await self.act(CLINICIAN, "/notes", status="complete", body="Doing well. Continue as agreed.")
