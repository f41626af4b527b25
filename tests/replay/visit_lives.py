"""Lives of visits whose histories are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from db.tables import new_id
from domain.visit import acts
from domain.visit.states import NoteStatus, Obligation
from domain.visit_calls import CallOutcome
from embedded.rehearsal import Rehearsal
from embedded.twilio_sandbox.calls import Answer
from tests.replay.settling import settled
from tests.workflows.consult import People
from tests.workflows.visit import DAY, HOUR, MINUTE, ORDERS, Appointment
from workflows.visit.workflow import Visit


class SettlingAppointment(Appointment):
    """Nothing is under way any more when an act returns."""

    async def start(self) -> None:
        await super().start()
        await settled(self.world, self.case_id)

    async def to(self, after: timedelta) -> None:
        await super().to(after)
        await settled(self.world, self.case_id)

    async def act(self, update: Any, request: acts.Act, update_id: str | None = None) -> acts.VisitReceipt:
        receipt = await super().act(update, request, update_id)
        await settled(self.world, self.case_id)
        return receipt

    async def call(
        self, answer: Answer = Answer.NO_ANSWER, attempt_id: str | None = None, update_id: str | None = None
    ) -> str:
        """The telephone company's own reports are not heard here: they would come as the act is still under way."""
        attempt = attempt_id or new_id()
        await self.act(Visit.call_patient, acts.CallPatient(actor=self.clinician, attempt_id=attempt), update_id)
        minute = round((await self.now() - self.starts_at) / MINUTE)
        await self.reported(attempt, CallOutcome.NO_ANSWER, minute)
        await settled(self.world, self.case_id)
        return attempt


async def visit_that_goes_well(world: Rehearsal, people: People) -> str:
    visit = SettlingAppointment(world, people)
    await visit.place(ahead=3 * DAY)
    await visit.to(-MINUTE)
    await visit.both_join()
    await visit.to(10 * MINUTE)
    note = await visit.write_note(NoteStatus.DRAFT)
    await visit.to(15 * MINUTE)
    await visit.complete()
    await visit.to(HOUR)
    await visit.settle(Obligation.PRESCRIPTIONS)
    await visit.save_note(note, NoteStatus.COMPLETE)
    await visit.settle(Obligation.LABS, Obligation.IMAGING, needed=False)
    return visit.case_id


async def no_show_disputed_and_overturned(world: Rehearsal, people: People) -> str:
    visit = SettlingAppointment(world, people)
    await visit.place()
    await visit.reschedule(2 * HOUR)
    await visit.flagged()
    await visit.to(2 * DAY)
    await visit.dispute()
    await visit.to(4 * DAY + HOUR)
    await visit.decide(uphold=False)
    return visit.case_id


async def note_late_until_somebody_takes_it_on(world: Rehearsal, people: People) -> str:
    visit = SettlingAppointment(world, people)
    await visit.place()
    await visit.held()
    await visit.settle(*ORDERS)
    await visit.to(30 * HOUR)
    await visit.acknowledge("note")
    await visit.to(3 * DAY)
    await visit.write_note()
    return visit.case_id


async def clinician_who_never_came(world: Rehearsal, people: People) -> str:
    visit = SettlingAppointment(world, people)
    await visit.place()
    await visit.to(MINUTE)
    await visit.patient_joins()
    await visit.to(4 * HOUR)
    await visit.acknowledge("absence")
    await visit.to(2 * DAY)
    await visit.excuse()
    return visit.case_id


VISITS = (
    visit_that_goes_well,
    no_show_disputed_and_overturned,
    note_late_until_somebody_takes_it_on,
    clinician_who_never_came,
)
