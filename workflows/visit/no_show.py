"""The patient does not come: calls, evidence, the flag, and the patient's say (V-04 to V-09)."""

from __future__ import annotations

from temporalio import workflow

from activities.calls import CallActivities
from activities.contracts import PlaceCallInput, RecordNoShow, StepDetail, VoidNoShow
from domain.actors import Actor, Audience
from domain.econsult.acts import FollowUpNews
from domain.visit import acts, rules
from domain.visit.state import Call, Dispute
from domain.visit.states import BEFORE, VisitEvent, VisitStage
from domain.visit_calls import CallEvent, settled
from workflows.case import refusals, tell
from workflows.options import WHILE_SOMEBODY_WAITS
from workflows.visit.attendance import AttendanceTrack

DISPUTABLE = "disputable"
DISPUTE_DECISION = "dispute_decision"
TELEPHONE = Actor(role="system", id="telephone")


class NoShowTrack(AttendanceTrack):
    @workflow.update
    async def call_patient(self, request: acts.CallPatient) -> acts.VisitReceipt:
        """Ring the clinician, then the patient; what comes of it is reported (V-07)."""
        async with self.asked():
            if request.attempt_id in self.state.calls:
                return self.receipt()
            rules.may_call_patient(self.state, workflow.now())
            placed_at = workflow.now()
            await workflow.execute_activity_method(
                CallActivities.place_call,
                PlaceCallInput(
                    key=self.key("call", request.attempt_id),
                    visit_id=self.order.visit_id,
                    attempt_id=request.attempt_id,
                    requested_at=placed_at,
                ),
                summary="call the patient",
                **WHILE_SOMEBODY_WAITS,
            )
            self.state.calls[request.attempt_id] = Call(attempt_id=request.attempt_id, at=placed_at)
            return await self.record(VisitEvent.CALL_PLACED, request.actor, StepDetail(subject=request.attempt_id))

    @call_patient.validator
    def _call_patient_allowed(self, request: acts.CallPatient) -> None:
        with refusals():
            rules.may_call_patient(self.state, workflow.now())

    @workflow.signal
    async def call_reported(self, event: CallEvent) -> None:
        """How a call ended. One whose placing was lost with a worker counts as well: it did ring."""
        async with self.turn():
            known = self.state.calls.get(event.attempt_id)
            call = known or Call(attempt_id=event.attempt_id, at=event.occurred_at)
            outcome = settled(call.outcome, event.outcome)
            if outcome == call.outcome or self.state.stage not in BEFORE:
                return
            self.state.calls[event.attempt_id] = call.model_copy(update={"outcome": outcome})
            detail = StepDetail(subject=event.attempt_id, code=outcome)
            await self.record(VisitEvent.CALL_ENDED, TELEPHONE, detail)

    @workflow.update
    async def flag_no_show(self, request: acts.Act) -> acts.VisitReceipt:
        """Only with evidence (V-08); the patient hears of it and may dispute it."""
        async with self.asked():
            rules.may_flag_no_show(self.state, self.order, workflow.now())
            self.end(VisitStage.PATIENT_NO_SHOW, request.actor, "patient_no_show")
            self.clocks.arm(self.policy.disputable)
            self.tell_econsult(FollowUpNews.NOT_HELD)
            return await self.record(
                VisitEvent.PATIENT_NO_SHOW,
                request.actor,
                effects=(RecordNoShow(visit_id=self.order.visit_id, patient_id=self.order.patient_id),),
                notices=(tell(Audience.PATIENT, "no_show_recorded"),),
            )

    @flag_no_show.validator
    def _flag_no_show_allowed(self, request: acts.Act) -> None:
        with refusals():
            rules.may_flag_no_show(self.state, self.order, workflow.now())

    @workflow.update
    async def dispute_no_show(self, request: acts.Act) -> acts.VisitReceipt:
        """The patient says that it was none; support decides."""
        async with self.asked():
            self._may_dispute()
            self.state.dispute = Dispute(opened_at=workflow.now(), opened_by=request.actor)
            self.clocks.arm(self.policy.dispute_decision)
            told = (tell(Audience.SUPPORT, "no_show_disputed"), tell(Audience.CLINICIAN, "no_show_disputed_clinician"))
            return await self.record(VisitEvent.NO_SHOW_DISPUTED, request.actor, notices=told)

    @dispute_no_show.validator
    def _dispute_allowed(self, request: acts.Act) -> None:
        with refusals():
            self._may_dispute()

    def _may_dispute(self) -> None:
        rules.may_dispute_no_show(self.state, self.clocks.deadline(DISPUTABLE), workflow.now())

    @workflow.update
    async def decide_dispute(self, request: acts.DecideDispute) -> acts.VisitReceipt:
        """Support upholds the no-show, or finds that it was none and undoes its consequences."""
        async with self.asked():
            rules.may_decide_dispute(self.state)
            assert self.state.dispute is not None
            self.state.dispute = self.state.dispute.model_copy(
                update={"upheld": request.uphold, "decided_by": request.actor}
            )
            self.clocks.meet(DISPUTE_DECISION, request.actor)
            self.clocks.cancel(DISPUTABLE, "decided")
            if request.uphold:
                told = (tell(Audience.PATIENT, "no_show_upheld"),)
                return await self.record(VisitEvent.NO_SHOW_UPHELD, request.actor, notices=told)
            self.state.stage = VisitStage.CANCELLED
            self.state.end_reason = "no_show_overturned"
            return await self.record(
                VisitEvent.NO_SHOW_OVERTURNED,
                request.actor,
                effects=(VoidNoShow(visit_id=self.order.visit_id),),
                notices=(
                    tell(Audience.PATIENT, "no_show_overturned"),
                    tell(Audience.CLINICIAN, "no_show_overturned_clinician"),
                ),
            )

    @decide_dispute.validator
    def _decide_dispute_allowed(self, request: acts.DecideDispute) -> None:
        with refusals():
            rules.may_decide_dispute(self.state)

    async def no_show_is_final(self) -> None:
        """Until the time to dispute it is over, and a dispute is decided."""
        await workflow.wait_condition(self._nothing_to_say_any_more)

    def _nothing_to_say_any_more(self) -> bool:
        dispute = self.state.dispute
        return self.clocks.has_run_out(DISPUTABLE) if dispute is None else dispute.upheld is not None
