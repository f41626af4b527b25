"""One eConsult under test, with everybody who acts in it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import select
from temporalio.client import WorkflowUpdateFailedError
from temporalio.workflow import UpdateMethodMultiParam

from api.webhooks import stripe_events
from cases import Answer, Asked
from db.session import Database
from db.tables import (
    CaseState,
    Clinician,
    Message,
    Patient,
    Specialist,
    Visit,
    new_id,
)
from domain import names, policy
from domain.actors import Actor
from domain.econsult import acts
from domain.econsult.state import Assignment, EConsultOrder
from domain.econsult.states import Stage
from domain.errors import Refused
from domain.ledger import Price
from domain.policy import EConsultPolicy
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, WEBHOOK_SECRET, Rehearsal
from embedded.stripe_sandbox.webhooks import Deliver
from tests.workflows.sighting import Sighting
from workflows.econsult.workflow import EConsult

CARDIOLOGY = "207RC0000X"
OPERATIONS = Actor(role="operations", id="operations-1")
SUPPORT = Actor(role="support", id="support-1")


@dataclass
class People:
    clinician: Clinician
    patient: Patient
    visit: Visit
    specialists: list[Specialist]


async def invite_people(database: Database, specialists: int = 3) -> People:
    """A clinician, a patient, their visit, and a panel of cardiologists."""
    async with database.transaction() as session:
        clinician = Clinician(
            subject=new_id(),
            name="C",
            email="c@example.com",
            phone="+12025550111",
            time_zone="America/Chicago",
            licence_states=["IL"],
        )
        patient = Patient(
            name="Marked Name",
            email="marked@example.com",
            phone="+12025550112",
            birth_date="1980-02-03",
            state="IL",
            time_zone="America/Chicago",
        )
        session.add_all([clinician, patient])
        await session.flush()
        visit = Visit(
            patient_id=patient.id,
            clinician_id=clinician.id,
            scheduled_start=datetime(2026, 3, 1, tzinfo=UTC),
            duration_minutes=15,
            status="completed",
        )
        panel = [_specialist(number) for number in range(specialists)]
        session.add_all([visit, *panel])
    return People(clinician, patient, visit, panel)


def _specialist(number: int) -> Specialist:
    return Specialist(
        id=f"00000000-0000-7000-8000-00000000000{number}",
        subject=f"specialist-{number}",
        name=f"S{number}",
        email=f"s{number}@example.com",
        specialty_codes=[CARDIOLOGY],
        licence_states=["IL"],
        licence_expires_on=date(2099, 1, 1),
        board_certified=True,
        us_based=True,
    )


def deliver_to(world: list[Rehearsal]) -> Deliver:
    """Take the processor's webhooks straight to the case. The world is filled in once it exists."""

    async def deliver(body: bytes, signature: str) -> int:
        event = stripe_events.translate(stripe_events.verify(body, signature, [WEBHOOK_SECRET], world[0].clock.now))
        if event is None:
            return 202
        econsult_id = event.case_id or await _case_of(world[0].database, event.payment_id)
        return 202 if econsult_id and await world[0].cases.report_payment(econsult_id, event) else 500

    return deliver


async def _case_of(database: Database, payment_id: str | None) -> str | None:
    async with database.transaction() as session:
        for row in (await session.exec(select(CaseState))).all():
            if any(payment["payment_id"] == payment_id for payment in row.snapshot["payments"]):
                return str(row.snapshot["econsult_id"])
    return None


@dataclass
class Consult(Sighting):
    """What people do."""

    people: People
    policy: EConsultPolicy = field(default_factory=lambda: policy.load().econsult)

    def another(self) -> Consult:
        return replace(self, econsult_id=new_id())

    @property
    def case_id(self) -> str:
        return names.econsult_case(self.econsult_id)

    @property
    def order(self) -> EConsultOrder:
        return EConsultOrder(
            econsult_id=self.econsult_id,
            visit_id=self.people.visit.id,
            patient_id=self.people.patient.id,
            clinician_id=self.people.clinician.id,
            specialty_code=CARDIOLOGY,
            purpose="second_opinion",
            price=Price(
                network_fee_cents=self.policy.network_fee_cents,
                clinician_portion_cents=self.policy.clinician_portion_cents,
            ),
            policy=self.policy,
            ordered_by=self.clinician,
        )

    @property
    def clinician(self) -> Actor:
        return Actor(role="clinician", id=self.people.clinician.id)

    @property
    def patient(self) -> Actor:
        return Actor(role="patient", id=self.people.patient.id)

    async def place(self) -> None:
        await self.insert_order()
        await self.world.cases.start_econsult(self.order)
        await self.status()

    async def insert_order(self) -> None:
        from db.tables import EConsult as Row  # noqa: PLC0415  (the workflow has the name here)

        async with self.world.database.transaction() as session:
            session.add(
                Row(
                    id=self.econsult_id,
                    visit_id=self.people.visit.id,
                    patient_id=self.people.patient.id,
                    clinician_id=self.people.clinician.id,
                    idempotency_key=self.econsult_id,
                    request_hash="",
                    specialty_code=CARDIOLOGY,
                    purpose="second_opinion",
                    note_ids=[],
                    attachment_ids=[],
                    question="Is it the marked question?",
                    history="A marked history.",
                    expectations_acknowledged_by="c",
                    expectations_acknowledged_at=datetime(2026, 3, 1, tzinfo=UTC),
                    network_fee_cents=12000,
                    clinician_portion_cents=2000,
                    currency="usd",
                    order=self.order.model_dump(mode="json"),
                )
            )

    async def open_checkout(self, link_number: int = 1) -> str:
        """Open the payment page; its session id."""
        await self.world.synchronise()
        request = acts.OpenCheckout(actor=self.patient, link_number=link_number)
        opened = await self.act(EConsult.open_checkout, request)
        return opened.url.rstrip("/").rsplit("/", 1)[-1]

    async def pay(self, session_id: str | None = None) -> str:
        """Pay, and let the webhook arrive; the payment's id."""
        session = self.world.stripe.pay(session_id or await self.open_checkout())
        await self.world.stripe.webhooks.settled()
        return str(session["payment_intent"])

    async def assigned(self) -> Assignment:
        """The assignment in force, once there is one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                assignments = (await self.status()).assignments
                if assignments and assignments[-1].status in {"offered", "accepted", "replied"}:
                    return assignments[-1]
                await asyncio.sleep(POLL_SECONDS)

    async def accept(self) -> acts.Receipt:
        assignment = await self.assigned()
        request = acts.AssignmentAct(actor=self._as(assignment), assignment_id=assignment.assignment_id)
        return await self.act(EConsult.accept_case, request)

    async def decline(self) -> acts.Receipt:
        assignment = await self.assigned()
        request = acts.DeclineCase(
            actor=self._as(assignment), assignment_id=assignment.assignment_id, reason="out_of_scope"
        )
        return await self.act(EConsult.decline_case, request)

    async def request_information(self) -> acts.Receipt:
        assignment = await self.assigned()
        request = acts.RequestInformation(
            actor=self._as(assignment),
            assignment_id=assignment.assignment_id,
            message_id=await self.write("information_request"),
        )
        return await self.act(EConsult.request_information, request)

    async def provide_information(self) -> acts.Receipt:
        request = acts.ProvideInformation(actor=self.clinician, message_id=await self.write("information"))
        return await self.act(EConsult.provide_information, request)

    async def reply(
        self, *, to: Assignment | None = None, in_person: bool = False, update_id: str | None = None
    ) -> acts.Receipt:
        assignment = to or await self.assigned()
        request = acts.Reply(
            actor=self._as(assignment),
            assignment_id=assignment.assignment_id,
            message_id=await self.write("reply"),
            in_person_recommended=in_person,
        )
        return await self.act(EConsult.reply, request, update_id)

    async def withdraw(self, question_id: str, actor: Actor | None = None) -> acts.Receipt:
        request = acts.WithdrawQuestion(actor=actor or self.clinician, question_id=question_id, reason="other")
        return await self.act(EConsult.withdraw_question, request)

    async def ask(self) -> str:
        """Ask a follow-up question; its id."""
        question_id = await self.write("question")
        request = acts.AskFollowUp(actor=self.clinician, message_id=question_id)
        await self.act(EConsult.ask_follow_up, request)
        return question_id

    async def answer(self, question_id: str) -> acts.Receipt:
        assignment = await self.assigned()
        request = acts.AnswerFollowUp(
            actor=self._as(assignment),
            assignment_id=assignment.assignment_id,
            question_id=question_id,
            message_id=await self.write("answer"),
        )
        return await self.act(EConsult.answer_follow_up, request)

    async def book(self, after: timedelta = timedelta(days=3)) -> str:
        """Book the follow-up visit; its id."""
        starts_at = await self.world.env.get_current_time() + after
        async with self.world.database.transaction() as session:
            visit = Visit(
                patient_id=self.people.patient.id,
                clinician_id=self.people.clinician.id,
                kind="econsult_follow_up",
                econsult_id=self.econsult_id,
                status="cancelled",
                scheduled_start=starts_at,
                duration_minutes=15,
            )
            session.add(visit)
        request = acts.BookFollowUpVisit(actor=self.patient, visit_id=visit.id, starts_at=starts_at)
        await self.act(EConsult.book_follow_up_visit, request)
        return visit.id

    async def complete_visit(self, visit_id: str) -> None:
        """As the visit's own process reports it."""
        await self.report_visit(visit_id, acts.FollowUpNews.HELD)

    async def report_visit(
        self, visit_id: str, news: acts.FollowUpNews, starts_at: datetime = datetime.min.replace(tzinfo=UTC)
    ) -> None:
        report = acts.FollowUpReport(visit_id=visit_id, news=news, starts_at=starts_at)
        handle = self.world.client.get_workflow_handle(self.case_id)
        await handle.signal(EConsult.follow_up_visit_reported, report)
        await self.dealt_with()

    async def decline_visit(self) -> acts.Receipt:
        request = acts.Act(actor=self.patient)
        return await self.act(EConsult.decline_follow_up_visit, request)

    async def judge_outcome(self) -> acts.Receipt:
        request = acts.CaptureOutcome(actor=self.clinician, improved_care_plan=True, avoided_in_person=True)
        return await self.act(EConsult.capture_outcome, request)

    async def cancel(self) -> acts.Receipt:
        request = acts.CancelOrder(actor=self.clinician, reason="patient_request")
        return await self.act(EConsult.cancel, request)

    async def reissue(self) -> acts.Receipt:
        request = acts.Act(actor=self.clinician)
        return await self.act(EConsult.reissue_payment_link, request)

    async def reassign(self) -> acts.Receipt:
        request = acts.CancelOrder(actor=OPERATIONS, reason="late")
        return await self.act(EConsult.reassign, request)

    async def request_refund(self) -> str:
        request_id = new_id()
        request = acts.RequestRefund(actor=self.patient, request_id=request_id)
        await self.act(EConsult.request_refund, request)
        return request_id

    async def decide_refund(self, request_id: str, amount_cents: int | None) -> acts.Receipt:
        request = acts.DecideRefund(actor=SUPPORT, request_id=request_id, amount_cents=amount_cents)
        return await self.act(EConsult.decide_refund, request)

    async def acknowledge(self, clock: str) -> acts.Receipt:
        request = acts.AcknowledgeEscalation(actor=OPERATIONS, clock=clock)
        return await self.act(EConsult.acknowledge_escalation, request)

    async def act(
        self, update: UpdateMethodMultiParam[[Any, Asked], Answer], request: Asked, update_id: str | None = None
    ) -> Answer:
        return await self.world.cases.ask(self.case_id, update, request, update_id or new_id())

    async def reaches(self, stage: Stage) -> None:
        """Wait, without letting time pass, until the case is there."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if (await self.status()).stage is stage:
                    return
                await asyncio.sleep(POLL_SECONDS)

    async def dealt_with(self) -> None:
        """Wait until every signal so far was dealt with: the workflow comes to this act, and refuses it, after them."""
        with contextlib.suppress(WorkflowUpdateFailedError, Refused):
            await self.acknowledge("none")

    async def write(self, kind: str) -> str:
        """Store a text, as the API does before the act; its id."""
        async with self.world.database.transaction() as session:
            message = Message(
                econsult_id=self.econsult_id,
                kind=kind,
                author_role="test",
                author_id="test",
                impression="Marked impression." if kind == "reply" else None,
                recommendations='["Marked recommendation."]' if kind == "reply" else None,
                body=f"Marked {kind}.",
            )
            session.add(message)
        return message.id

    def _as(self, assignment: Assignment) -> Actor:
        return Actor(role="specialist", id=assignment.specialist_id)
