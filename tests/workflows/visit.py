"""One visit under test, with everybody who acts in it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from db.tables import CallAttempt, NoShow, Note, Visit, new_id
from domain import names, policy
from domain.actors import Actor
from domain.case import Explanation
from domain.clock.times import FOREVER
from domain.error_details import from_details
from domain.errors import Refused
from domain.visit import acts
from domain.visit.policy import VisitPolicy
from domain.visit.state import VisitOrder
from domain.visit.states import NoteStatus, Obligation, VisitKind, VisitType
from domain.visit.view import VisitSnapshot
from domain.visit_calls import CallEvent, CallOutcome
from embedded.twilio_sandbox.calls import Answer
from tests.workflows.consult import OPERATIONS, SUPPORT, People
from tests.workflows.sighting import CaseSighting
from workflows.visit.workflow import Visit as Workflow

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ORDERS = (Obligation.PRESCRIPTIONS, Obligation.LABS, Obligation.IMAGING)


async def refused(asked: Awaitable[object]) -> Refused:
    """Why it was."""
    with pytest.raises((Refused, WorkflowUpdateFailedError)) as caught:
        await asked
    error = caught.value
    if isinstance(error, Refused):
        return error
    cause = error.__cause__
    assert isinstance(cause, ApplicationError)
    found = from_details(cause.type or "", cause.message, cause.details[0])
    assert isinstance(found, Refused)
    return found


@dataclass
class Appointment(CaseSighting):
    """What people do. Minutes and hours are counted from the start of the visit."""

    people: People
    _: KW_ONLY
    visit_id: str = field(default_factory=new_id)
    duration_minutes: int = 15
    visit_type: VisitType = VisitType.GENERAL
    econsult_id: str | None = None
    policy: VisitPolicy = field(default_factory=lambda: policy.load().visit)
    starts_at: datetime = FOREVER

    @property
    def case_id(self) -> str:
        return names.visit_case(self.visit_id)

    @property
    def clinician(self) -> Actor:
        return Actor(role="clinician", id=self.people.clinician.id)

    @property
    def patient(self) -> Actor:
        return Actor(role="patient", id=self.people.patient.id)

    @property
    def order(self) -> VisitOrder:
        return VisitOrder(
            visit_id=self.visit_id,
            patient_id=self.people.patient.id,
            clinician_id=self.people.clinician.id,
            kind=VisitKind.ECONSULT_FOLLOW_UP if self.econsult_id else VisitKind.STANDARD,
            visit_type=self.visit_type,
            econsult_id=self.econsult_id,
            starts_at=self.starts_at,
            duration_minutes=self.duration_minutes,
            policy=self.policy,
            scheduled_by=SUPPORT,
        )

    # -- what people do

    async def place(self, ahead: timedelta = 3 * HOUR) -> None:
        """Schedule it so long ahead."""
        await self.insert_order(ahead)
        await self.start()

    async def insert_order(self, ahead: timedelta = 3 * HOUR) -> None:
        self.starts_at = await self.now() + ahead
        async with self.world.database.transaction() as session:
            session.add(
                Visit(
                    id=self.visit_id,
                    patient_id=self.people.patient.id,
                    clinician_id=self.people.clinician.id,
                    scheduled_start=self.starts_at,
                    duration_minutes=self.duration_minutes,
                    order=self.order.model_dump(mode="json"),
                )
            )

    async def start(self) -> None:
        await self.world.cases.start_visit(self.order)
        await self.status()

    async def to(self, after: timedelta) -> None:
        """Let time pass until so long after the start of the visit, or before it; what is due then is done."""
        await self.world.advance(self.starts_at + after + SECOND - await self.now())

    async def join(self, actor: Actor | None = None, update_id: str | None = None) -> acts.VisitReceipt:
        return await self.act(Workflow.clinician_joined, acts.Act(actor=actor or self.clinician), update_id)

    async def patient_joins(self, update_id: str | None = None) -> acts.VisitReceipt:
        return await self.act(Workflow.patient_joined, acts.Act(actor=self.patient), update_id)

    async def both_join(self) -> None:
        await self.join()
        await self.patient_joins()

    async def held(self) -> None:
        """Everybody comes in time, and the visit is completed when it was to end."""
        await self.to(-MINUTE)
        await self.both_join()
        await self.to(self.duration_minutes * MINUTE)
        await self.complete()

    async def call(
        self, answer: Answer = Answer.NO_ANSWER, attempt_id: str | None = None, update_id: str | None = None
    ) -> str:
        """Call the patient and let the telephone ring to its end; the attempt's id."""
        attempt = attempt_id or new_id()
        await self.world.synchronise()
        self.world.twilio.default_answer = answer
        request = acts.CallPatient(actor=self.clinician, attempt_id=attempt)
        await self.act(Workflow.call_patient, request, update_id)
        await self.world.synchronise()
        await self.dealt_with()
        return attempt

    async def dealt_with(self) -> None:
        """Wait until every signal so far was dealt with: the workflow comes to this act, and refuses it, after them."""
        with contextlib.suppress(WorkflowUpdateFailedError, Refused):
            await self.acknowledge("none")

    async def reported(self, attempt_id: str, outcome: CallOutcome | None, minute: int = 1) -> bool:
        """The telephone company reports a call of that minute; whether there is a visit to hear it."""
        event = CallEvent(
            event_id=new_id(),
            visit_id=self.visit_id,
            attempt_id=attempt_id,
            call_sid="CA1",
            status="completed",
            outcome=outcome,
            occurred_at=self.starts_at + minute * MINUTE,
        )
        return await self.world.cases.report_call(self.visit_id, event)

    async def flag(self, update_id: str | None = None) -> acts.VisitReceipt:
        return await self.act(Workflow.flag_no_show, acts.Act(actor=self.clinician), update_id)

    async def flagged(self) -> None:
        """Wait, call twice, and flag."""
        await self.to(-MINUTE)
        await self.join()
        for minute in (1, 3):
            await self.to(minute * MINUTE)
            await self.call()
        await self.to(6 * MINUTE)
        await self.flag()

    async def dispute(self, update_id: str | None = None) -> acts.VisitReceipt:
        return await self.act(Workflow.dispute_no_show, acts.Act(actor=self.patient), update_id)

    async def decide(self, *, uphold: bool, update_id: str | None = None) -> acts.VisitReceipt:
        return await self.act(Workflow.decide_dispute, acts.DecideDispute(actor=SUPPORT, uphold=uphold), update_id)

    async def reschedule(self, after: timedelta, update_id: str | None = None) -> acts.VisitReceipt:
        """To so long after the time that it has now."""
        request = acts.Reschedule(actor=SUPPORT, starts_at=self.starts_at + after)
        receipt = await self.act(Workflow.reschedule, request, update_id)
        self.starts_at = request.starts_at
        return receipt

    async def cancel(self, actor: Actor | None = None, update_id: str | None = None) -> acts.VisitReceipt:
        request = acts.CancelVisit(actor=actor or self.patient, reason="patient_request")
        return await self.act(Workflow.cancel, request, update_id)

    async def complete(self, update_id: str | None = None) -> acts.VisitReceipt:
        return await self.act(Workflow.complete, acts.Act(actor=self.clinician), update_id)

    async def settle(
        self, *obligations: Obligation, needed: bool = True, update_id: str | None = None
    ) -> acts.VisitReceipt:
        for obligation in obligations:
            request = acts.SettleObligation(
                actor=self.clinician,
                obligation=obligation,
                needed=needed,
                reference_id=f"{obligation}-1" if needed else None,
            )
            receipt = await self.act(Workflow.settle_obligation, request, update_id)
        return receipt

    async def waive(self, obligation: Obligation, update_id: str | None = None) -> acts.VisitReceipt:
        request = acts.WaiveObligation(actor=OPERATIONS, obligation=obligation, reason="entered_elsewhere")
        return await self.act(Workflow.waive_obligation, request, update_id)

    async def write_note(self, status: NoteStatus = NoteStatus.COMPLETE) -> str:
        """Store a note, as the API does before the act, and save it; its id."""
        async with self.world.database.transaction() as session:
            note = Note(visit_id=self.visit_id, author_id=self.clinician.id, status=status, body="A marked note.")
            session.add(note)
        await self.save_note(note.id, status)
        return note.id

    async def save_note(self, note_id: str, status: NoteStatus, update_id: str | None = None) -> acts.VisitReceipt:
        request = acts.SaveNote(actor=self.clinician, note_id=note_id, status=status)
        return await self.act(Workflow.save_note, request, update_id)

    async def excuse(self, update_id: str | None = None) -> acts.VisitReceipt:
        return await self.act(
            Workflow.excuse_absence, acts.ExcuseAbsence(actor=OPERATIONS, reason="illness"), update_id
        )

    async def acknowledge(
        self, clock: str, actor: Actor = OPERATIONS, update_id: str | None = None
    ) -> acts.VisitReceipt:
        return await self.act(
            Workflow.acknowledge_escalation, acts.AcknowledgeEscalation(actor=actor, clock=clock), update_id
        )

    async def act(self, update: Any, request: acts.Act, update_id: str | None = None) -> acts.VisitReceipt:
        receipt: acts.VisitReceipt = await self.world.cases.ask(self.case_id, update, request, update_id or new_id())
        return receipt

    # -- what can be seen

    async def now(self) -> datetime:
        return await self.world.env.get_current_time()

    async def status(self) -> VisitSnapshot:
        """From the workflow; asking also waits until it has done what it had to do."""
        return await self.world.cases.visit_status(self.visit_id)

    async def recorded(self) -> VisitSnapshot:
        return VisitSnapshot.model_validate((await self.row()).snapshot)

    async def explained(self, clock: str) -> Explanation:
        found = await self.world.cases.explain_visit(self.visit_id)
        return next(each for each in found if each.clock.name == clock)

    async def told(self) -> list[tuple[str, str, int]]:
        """Audience and template of every letter, and in which minute after the start it was called for."""
        return sorted(
            (
                (row.audience, row.template, round((row.queued_at - self.starts_at) / MINUTE))
                for row in await self.letters()
            ),
            key=lambda letter: (letter[2], letter[0]),
        )

    async def milestones(self) -> list[tuple[str, str, int, bool]]:
        """Clock and milestone, what it was, the minute in which it was due, and whether it was detected late."""
        return [
            (
                step.detail["subject"],
                step.detail["code"],
                round((datetime.fromisoformat(step.detail["due"]) - self.starts_at) / MINUTE),
                step.detail.get("detected_late", False),
            )
            for step in await self.steps()
            if "due" in step.detail and "code" in step.detail
        ]

    async def visit_row(self) -> Visit:
        async with self.world.database.transaction() as session:
            return await session.get_one(Visit, self.visit_id)

    async def no_show(self) -> NoShow | None:
        async with self.world.database.transaction() as session:
            return await session.get(NoShow, self.visit_id)

    async def note(self, note_id: str) -> Note:
        async with self.world.database.transaction() as session:
            return await session.get_one(Note, note_id)

    async def attempts(self) -> list[CallAttempt]:
        async with self.world.database.transaction() as session:
            found = select(CallAttempt).where(CallAttempt.visit_id == self.visit_id)
            return list((await session.exec(found.order_by(col(CallAttempt.requested_at)))).all())
