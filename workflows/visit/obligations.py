"""After a visit: prescriptions, orders and the note, each within its hours (V-10 to V-16)."""

from __future__ import annotations

import contextlib

from temporalio import workflow

from activities.contracts import SaveNote, StepDetail
from domain.actors import SYSTEM, Actor, Audience
from domain.econsult.acts import FollowUpNews
from domain.visit import acts, rules
from domain.visit.state import Settled
from domain.visit.states import Fulfilment, NoteStatus, Obligation, VisitEvent, VisitStage
from workflows.case import refusals, tell
from workflows.visit.attendance import WRAP_UP
from workflows.visit.no_show import NoShowTrack


class ObligationsTrack(NoShowTrack):
    @workflow.update
    async def complete(self, request: acts.Act) -> acts.VisitReceipt:
        """The visit is over; what the clinician owes has its clocks."""
        async with self.asked():
            if self.state.completed_at is not None:
                return self.receipt()
            rules.may_complete(self.state, workflow.now())
            return await self.completed(request.actor)

    @complete.validator
    def _complete_allowed(self, request: acts.Act) -> None:
        with refusals():
            if self.state.completed_at is None:
                rules.may_complete(self.state, workflow.now())

    async def completed(self, actor: Actor, code: str | None = None) -> acts.VisitReceipt:
        self.state.stage = VisitStage.COMPLETED
        self.state.completed_at = workflow.now()
        self.clocks.meet(WRAP_UP, actor)
        for obligation in Obligation:
            self.clocks.arm(self.policy.obligations[obligation])
        if self.state.note is not None and rules.note_suffices(self.order, self.state.note):
            self._settle(Obligation.NOTE, Fulfilment.SUBMITTED, actor, self.state.note_id)
        self.tell_econsult(FollowUpNews.HELD)
        return await self.record(VisitEvent.COMPLETED, actor, StepDetail(code=code))

    @workflow.update
    async def settle_obligation(self, request: acts.SettleObligation) -> acts.VisitReceipt:
        """Prescriptions or orders were submitted, or none are needed (decision 07)."""
        async with self.asked():
            rules.may_settle(self.state, request.obligation)
            how = Fulfilment.SUBMITTED if request.needed else Fulfilment.NOT_NEEDED
            self._settle(request.obligation, how, request.actor, request.reference_id)
            detail = StepDetail(subject=request.obligation, code=how)
            return await self.record(VisitEvent.OBLIGATION_SETTLED, request.actor, detail)

    @settle_obligation.validator
    def _settle_allowed(self, request: acts.SettleObligation) -> None:
        with refusals():
            rules.may_settle(self.state, request.obligation)

    @workflow.update
    async def waive_obligation(self, request: acts.WaiveObligation) -> acts.VisitReceipt:
        """Operations do without it: by whom and why stays on record."""
        async with self.asked():
            rules.may_waive(self.state, request.obligation)
            self.clocks.waive(request.obligation, request.actor, request.reason)
            self._settle(request.obligation, Fulfilment.WAIVED, request.actor, request.reason)
            detail = StepDetail(subject=request.obligation, code=Fulfilment.WAIVED)
            return await self.record(VisitEvent.OBLIGATION_SETTLED, request.actor, detail)

    @waive_obligation.validator
    def _waive_allowed(self, request: acts.WaiveObligation) -> None:
        with refusals():
            rules.may_waive(self.state, request.obligation)

    @workflow.update
    async def save_note(self, request: acts.SaveNote) -> acts.VisitReceipt:
        """A note was written here. A complete one is shared with the patient, once; a draft never is (V-15, V-16)."""
        async with self.asked():
            rules.may_save_note(self.state)
            shared = request.status is NoteStatus.COMPLETE
            if shared or self.state.note is None:
                self.state.note, self.state.note_id = request.status, request.note_id
            owed = Obligation.NOTE in self.state.owed
            if owed and rules.note_suffices(self.order, request.status):
                self._settle(Obligation.NOTE, Fulfilment.SUBMITTED, request.actor, request.note_id)
            return await self.record(
                VisitEvent.NOTE_SAVED,
                request.actor,
                StepDetail(subject=request.note_id, code=request.status),
                effects=(SaveNote(note_id=request.note_id, status=request.status),),
                notices=(tell(Audience.PATIENT, "note_shared"),) if shared else (),
            )

    @save_note.validator
    def _save_note_allowed(self, request: acts.SaveNote) -> None:
        with refusals():
            rules.may_save_note(self.state)

    def _settle(self, obligation: Obligation, how: Fulfilment, by: Actor, reference: str | None) -> None:
        self.state.settled[obligation] = Settled(how=how, at=workflow.now(), by=by, reference=reference)
        self.clocks.meet(obligation, by)

    async def obligations_end(self) -> None:
        """Wait until nothing is owed, but not for ever."""
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: not self.state.owed,
                timeout=self.policy.obligation_watch,
                timeout_summary="waiting for what the clinician owes",
            )

    async def close(self) -> None:
        """Nothing is waited for any more; what is still owed goes on record as never done (V-13)."""
        for obligation in self.state.owed:
            self.clocks.cancel(obligation, "never done")
            self._settle(obligation, Fulfilment.BREACHED, SYSTEM, None)
        if self.state.stage is VisitStage.COMPLETED:
            breached = rules.has_breach(self.state)
            self.state.stage = VisitStage.CLOSED_WITH_BREACH if breached else VisitStage.CLOSED_COMPLIANT
        self.clocks.cancel_all("closed")
        self.state.closed_at = workflow.now()
        await self.record(VisitEvent.CLOSED)
