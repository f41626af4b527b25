"""The specialist track: who has the case, what they ask and answer (E-05, E-08, E-26, E-27, decision 13)."""

from __future__ import annotations

import itertools
from datetime import datetime

from temporalio import workflow

from activities.contracts import (
    AcceptMessage,
    BookEntry,
    ChooseSpecialistInput,
    Effect,
    OpenCoordinationTask,
    PublishDocument,
    SaveAssignment,
    StepDetail,
)
from activities.records import RecordActivities
from domain import ledger
from domain.actors import SYSTEM, Actor, Audience, Notice
from domain.econsult import acts, rules
from domain.econsult.state import Assignment
from domain.econsult.states import AssignmentStatus, Event, FollowUp, Stage
from workflows.case import refusals, tell
from workflows.econsult.payment import PaymentTrack
from workflows.options import RECORD

TURNAROUND = "turnaround"
INFORMATION = "information"


class SpecialistTrack(PaymentTrack):
    async def specialist_answers(self) -> bool:
        """See that a specialist has the case until one has answered; False when the case ends without an answer."""
        state = self.state
        while rules.is_unanswered(state):
            if state.assignment is None:
                await self._find_specialist()
            await workflow.wait_condition(lambda: state.assignment is None or not rules.is_unanswered(state))
        return state.replied_at is not None

    async def _find_specialist(self) -> None:
        """Look until a specialist has the case, nobody is left to ask, or the order is cancelled."""
        search = self.policy.search
        began = workflow.now()
        await self._try_to_assign(tries=0, gives_up_at=began + search.patience)
        for tries in itertools.count(1):
            try:
                await workflow.wait_condition(
                    lambda: self.state.stage is not Stage.PAID,
                    timeout=search.wait_before(tries),
                    timeout_summary="look for a specialist again",
                )
            except TimeoutError:
                await self._try_to_assign(tries=tries, gives_up_at=began + search.patience)
            if self.state.stage is not Stage.PAID:
                return

    async def _try_to_assign(self, *, tries: int, gives_up_at: datetime) -> None:
        """Assign the next suitable specialist. After so many who would not, or so long without one, give up."""
        async with self.turn():
            if self.state.stage is not Stage.PAID:
                pass  # cancelled while this waited for its turn
            elif len(self.state.assignments) >= self.policy.max_assignments:
                await self._give_up()
            elif chosen := await self._choose():
                await self._assign(chosen)
            elif workflow.now() >= gives_up_at:
                await self._give_up()
            elif tries == 0:
                detail = StepDetail(subject=f"search:{len(self.state.assignments) + 1}")
                desk = (tell(Audience.NETWORK_DESK, "no_specialist_free"),)
                await self.record(Event.NO_SPECIALIST_FREE, detail=detail, notices=desk)

    async def _choose(self) -> str | None:
        found = await workflow.execute_local_activity_method(
            RecordActivities.choose_specialist,
            ChooseSpecialistInput(
                econsult_id=self.order.econsult_id,
                specialty_code=self.order.specialty_code,
                patient_id=self.order.patient_id,
                on=workflow.now().date(),
                state_licence_required=self.policy.state_licence_required,
                excluded=tuple(assignment.specialist_id for assignment in self.state.assignments),
            ),
            **RECORD,
        )
        return found.specialist_id

    async def _assign(self, specialist_id: str) -> None:
        number = len(self.state.assignments) + 1
        assignment = Assignment(
            assignment_id=f"{self.order.econsult_id}-{number}",
            specialist_id=specialist_id,
            number=number,
            status=AssignmentStatus.OFFERED,
            at=workflow.now(),
        )
        self.state.assignments.append(assignment)
        self.state.stage = Stage.WITH_SPECIALIST
        await self.record(
            Event.ASSIGNED,
            SYSTEM,
            StepDetail(subject=assignment.assignment_id),
            effects=(SaveAssignment(assignment=assignment),),
            notices=(tell(Audience.SPECIALIST, "case_offered"), tell(Audience.PATIENT, "with_specialist")),
        )

    async def _give_up(self) -> None:
        """Nobody would take the case: the patient has the money back without asking (decision 19)."""
        self.state.stage = Stage.SPECIALIST_UNAVAILABLE
        self.clocks.cancel_all("no specialist took the case")
        if payment := self.state.accepted_payment:
            self.refund_by_itself(payment.payment_id)
        told = (
            tell(Audience.PATIENT, "specialist_unavailable"),
            tell(Audience.CLINICIAN, "specialist_unavailable_clinician"),
            tell(Audience.NETWORK_DESK, "specialist_unavailable_desk"),
        )
        await self.record(Event.SPECIALIST_UNAVAILABLE, notices=told)

    @workflow.update
    async def accept_case(self, request: acts.AssignmentAct) -> acts.Receipt:
        async with self.asked():
            rules.may_accept(self.state, request.assignment_id)
            saved = self.set_assignment(AssignmentStatus.ACCEPTED)
            return await self.record(
                Event.ACCEPTED,
                request.actor,
                StepDetail(subject=request.assignment_id),
                effects=(saved,),
                notices=(tell(Audience.PATIENT, "specialist_accepted"),),
            )

    @accept_case.validator
    def _accept_case_allowed(self, request: acts.AssignmentAct) -> None:
        with refusals():
            rules.may_accept(self.state, request.assignment_id)

    @workflow.update
    async def decline_case(self, request: acts.DeclineCase) -> acts.Receipt:
        async with self.asked():
            rules.may_decline(self.state, request.assignment_id)
            saved = self.set_assignment(AssignmentStatus.DECLINED, request.reason)
            told = (tell(Audience.PATIENT, "another_specialist"),)
            return await self._back_to_the_network(Event.DECLINED, request.actor, request.reason, saved, told)

    @decline_case.validator
    def _decline_case_allowed(self, request: acts.DeclineCase) -> None:
        with refusals():
            rules.may_decline(self.state, request.assignment_id)

    @workflow.update
    async def reassign(self, request: acts.CancelOrder) -> acts.Receipt:
        """Operations take a late case from its specialist; run() finds another one."""
        async with self.asked():
            rules.may_reassign(self.state, self.policy, workflow.now())
            saved = self.set_assignment(AssignmentStatus.WITHDRAWN, request.reason)
            told = (tell(Audience.PATIENT, "another_specialist"), tell(Audience.SPECIALIST, "case_withdrawn"))
            return await self._back_to_the_network(Event.WITHDRAWN, request.actor, request.reason, saved, told)

    @reassign.validator
    def _reassign_allowed(self, request: acts.CancelOrder) -> None:
        with refusals():
            rules.may_reassign(self.state, self.policy, workflow.now())

    async def _back_to_the_network(
        self, event: Event, actor: Actor, reason: str, saved: SaveAssignment, told: tuple[Notice, ...]
    ) -> acts.Receipt:
        """The turnaround clock runs on: to the patient it is still the same wait."""
        self.state.stage = Stage.PAID
        self.clocks.resume(TURNAROUND)
        self.clocks.cancel(INFORMATION, "another specialist")
        detail = StepDetail(subject=saved.assignment.assignment_id, code=reason)
        return await self.record(event, actor, detail, effects=(saved,), notices=told)

    @workflow.update
    async def request_information(self, request: acts.RequestInformation) -> acts.Receipt:
        """The specialist needs more; the turnaround clock pauses until the clinician has answered."""
        async with self.asked():
            rules.may_request_information(self.state, request.assignment_id)
            self.state.stage = Stage.INFO_REQUESTED
            self.clocks.pause(TURNAROUND, "waiting for information from the clinician")
            self.clocks.arm(self.policy.information)
            return await self.record(
                Event.INFORMATION_REQUESTED,
                request.actor,
                StepDetail(subject=request.message_id),
                effects=(AcceptMessage(message_id=request.message_id),),
                notices=(
                    tell(Audience.CLINICIAN, "information_requested"),
                    tell(Audience.PATIENT, "information_awaited"),
                ),
            )

    @request_information.validator
    def _request_information_allowed(self, request: acts.RequestInformation) -> None:
        with refusals():
            rules.may_request_information(self.state, request.assignment_id)

    @workflow.update
    async def provide_information(self, request: acts.ProvideInformation) -> acts.Receipt:
        async with self.asked():
            rules.may_provide_information(self.state)
            self.state.stage = Stage.WITH_SPECIALIST
            self.clocks.meet(INFORMATION, request.actor)
            self.clocks.resume(TURNAROUND)
            return await self.record(
                Event.INFORMATION_PROVIDED,
                request.actor,
                StepDetail(subject=request.message_id),
                effects=(AcceptMessage(message_id=request.message_id),),
                notices=(
                    tell(Audience.SPECIALIST, "information_provided"),
                    tell(Audience.PATIENT, "information_passed_on"),
                ),
            )

    @provide_information.validator
    def _provide_information_allowed(self, request: acts.ProvideInformation) -> None:
        with refusals():
            rules.may_provide_information(self.state)

    @workflow.update
    async def reply(self, request: acts.Reply) -> acts.Receipt:
        """The answer: into the patient's record, earned, told to clinician and patient; the follow-up begins."""
        async with self.asked():
            rules.may_reply(self.state, request.assignment_id)
            delivered = self._delivery(request)
            self.clocks.meet(TURNAROUND, request.actor)
            self.clocks.cancel(INFORMATION, "answered without it")
            self.state.stage = Stage.RESPONSE_READY
            self.state.replied_at = workflow.now()
            self.state.in_person_recommended = request.in_person_recommended
            self.state.document_version = 1
            self.state.follow_up = FollowUp.PROMPTED
            told = (
                tell(Audience.CLINICIAN, "response_ready"),
                tell(Audience.PATIENT, "result_available"),
                tell(Audience.PATIENT, "follow_up_prompt"),
            )
            detail = StepDetail(subject=request.message_id)
            await self.record(Event.RESPONSE_READY, request.actor, detail, effects=delivered, notices=told)
            return await self.open_follow_up()

    @reply.validator
    def _reply_allowed(self, request: acts.Reply) -> None:
        with refusals():
            rules.may_reply(self.state, request.assignment_id)

    async def open_follow_up(self) -> acts.Receipt:
        """Ten days for questions (E-06), and a prompt to book the visit that reviews the answer (E-10)."""
        self.state.stage = Stage.FOLLOW_UP_WINDOW
        self.clocks.arm(self.policy.follow_up_window)
        self.clocks.arm(self.policy.booking)
        return await self.record(Event.FOLLOW_UP_WINDOW_OPENED)

    def _delivery(self, reply: acts.Reply) -> list[Effect]:
        """What a reply brings about. Made before it counts as given: until then the deposit is the patient's."""
        payment = self.state.accepted_payment
        deposit_cents = self.state.deposit_of(payment.payment_id) if payment else 0
        effects: list[Effect] = [
            AcceptMessage(message_id=reply.message_id),
            PublishDocument(version=1, message_id=reply.message_id),
            self.set_assignment(AssignmentStatus.REPLIED),
            BookEntry(entry=ledger.earned(self.key("earned"), self.order.price, deposit_cents)),
        ]
        if reply.in_person_recommended:
            effects.append(OpenCoordinationTask(key=self.key("coordination")))
        return effects
