"""The gate behind a wave: it opens, people advise, one person decides on evidence that is still true (GG)."""

from __future__ import annotations

from temporalio import workflow

from activities.calendars import business_days, moments
from activities.contracts import StepDetail
from activities.gates import GateActivities
from activities.rollout_contracts import BusinessDaysInput, CollectEvidenceInput, MomentsInput
from domain.actors import SYSTEM, Actor, Audience
from domain.rollout.gate import rules as gates
from domain.rollout.gate.judging import judge, overall
from domain.rollout.gate.results import Verdict
from domain.rollout.gate.snapshot import EvidenceSnapshot, Period, take
from domain.rollout.gate.state import CollectEvidence, DecideGate, Decision, Gate, GiveInput
from domain.rollout.wave import days
from domain.rollout.wave.acts import WaveReceipt
from domain.rollout.wave.state import Entry, WaveEvent
from workflows.case import refusals, tell
from workflows.options import EVENTUALLY, RECORD, WHILE_SOMEBODY_WAITS, ActivityOptions
from workflows.rollout.wave_days import DaysTrack

INPUTS = "gate_inputs"
DECISION = "gate_decision"

_ASKED = (Audience.VP_OPERATIONS, Audience.CHIEF_DENTAL_OFFICER, Audience.IT_LEAD)
_CONCERNED = (Audience.VP_OPERATIONS, Audience.PROJECT_MANAGER, Audience.IT_LEAD, Audience.REGIONAL_MANAGER)


class GateTrack(DaysTrack):
    async def evaluate(self, entry: Entry) -> None:
        policy = self.order.gate
        snapshot = await self._collect(self._period(), EVENTUALLY)
        first_day = max(entry.day, workflow.now().date())
        found = await workflow.execute_local_activity(
            business_days,
            BusinessDaysInput(
                starts_on=first_day, calendar=self.order.calendar, numbers=(policy.input_business_days + 1,)
            ),
            **RECORD,
        )
        self.state.attempts += 1
        self.state.gate = Gate(
            attempt=self.state.attempts,
            opened_at=workflow.now(),
            inputs_due=found.ends[0],
            snapshot=snapshot,
            verdicts=self._judged(snapshot),
        )
        self.clocks.arm_for(policy.inputs, found.ends[0] - policy.inputs.deadline)
        self.clocks.arm(policy.decision)
        told = [tell(reader, "rollout_gate_open") for reader in _ASKED]
        await self.record(WaveEvent.GATE_OPENED, detail=self._gate_detail(), notices=told)

    @workflow.update
    async def gate_input(self, request: GiveInput) -> WaveReceipt:
        async with self.asked():
            if not self.done_before():
                gates.may_advise(self.state.gate, self.order.gate, request)
                self.note_act()
                self.state.gate = gates.advise(gates.open_gate(self.state.gate), request, workflow.now())
                if not gates.advisers_missing(self.state.gate, self.order.gate):
                    self.clocks.meet(INPUTS, request.actor)
                detail = StepDetail(subject=f"{request.actor.role}:{request.note_id}", code=request.advice)
                await self.record(WaveEvent.GATE_INPUT, request.actor, detail)
            return self.receipt()

    @gate_input.validator
    def _gate_input_allowed(self, request: GiveInput) -> None:
        with refusals():
            if not self.done_before():
                gates.may_advise(self.state.gate, self.order.gate, request)

    @workflow.update
    async def collect_evidence(self, request: CollectEvidence) -> WaveReceipt:
        """The evidence as it is by now. A decision about the earlier one is refused from here on."""
        async with self.asked():
            if not self.done_before():
                gates.open_gate(self.state.gate)
                self._show(await self._collect(self._period(), WHILE_SOMEBODY_WAITS))
                self.note_act()
                await self.record(WaveEvent.GATE_REFRESHED, request.actor, self._gate_detail())
            return self.receipt()

    @collect_evidence.validator
    def _collect_evidence_allowed(self, request: CollectEvidence) -> None:
        with refusals():
            if not self.done_before():
                gates.open_gate(self.state.gate)

    @workflow.update
    async def decide_gate(self, request: DecideGate) -> WaveReceipt:
        """Bound to the evidence that was seen: where it is another one by now, that is shown and nothing is decided."""
        async with self.asked():
            if not self.done_before():
                self._may_decide(request)
                await self._evidence_still_holds()
                self._may_decide(request)
                self.note_act()
                if request.decision is Decision.GO:
                    await self._pass(request)
                else:
                    await self._evaluate_again(Decision.NO_GO, request.actor, request)
            return self.receipt()

    @decide_gate.validator
    def _decide_gate_allowed(self, request: DecideGate) -> None:
        with refusals():
            if not self.done_before():
                self._may_decide(request)

    def _may_decide(self, request: DecideGate) -> None:
        number = self.order.planned.number
        gates.may_decide(self.state.gate, self.order.gate, request, wave=number, held=self.held)

    async def _evidence_still_holds(self) -> None:
        """Of the same period. Other evidence is recorded, so that people see what they would decide on now."""
        gate = gates.open_gate(self.state.gate)
        found = await self._collect(gate.snapshot.period, WHILE_SOMEBODY_WAITS)
        if found.hash != gate.snapshot.hash:
            self._show(found)
            await self.record(WaveEvent.GATE_CHANGED, detail=self._gate_detail())

    async def _pass(self, request: DecideGate) -> None:
        self._decide(Decision.GO, request.actor, request)
        self.state.passed_at = workflow.now()
        self.clocks.arm(self.policy.closing)
        told = [tell(reader, "rollout_gate_go") for reader in _CONCERNED]
        detail = StepDetail(subject=request.evidence_hash, code=self.state.decisions[-1].result)
        await self.record(WaveEvent.GATE_GO, request.actor, detail, notices=told)
        await self.close_if_complete()

    async def _evaluate_again(self, decision: Decision, by: Actor, request: DecideGate | None = None) -> None:
        """A week is added, at the end of which the gate opens again (decision 33)."""
        self._decide(decision, by, request)
        self.state.incidents_since = workflow.now()
        await self._extend()
        await self.plan_days()
        no_go = decision is Decision.NO_GO
        event = WaveEvent.GATE_NO_GO if no_go else WaveEvent.GATE_EXPIRED
        template = "rollout_gate_no_go" if no_go else "rollout_gate_expired"
        decided = self.state.decisions[-1]
        detail = StepDetail(subject=f"{decided.attempt}:{decided.evidence_hash}", code=decided.result)
        await self.record(event, by, detail, notices=[tell(reader, template) for reader in _CONCERNED])

    def _decide(self, decision: Decision, by: Actor, request: DecideGate | None) -> None:
        gate = gates.open_gate(self.state.gate)
        self.state.decisions = (
            *self.state.decisions,
            gates.decided(gate, decision, workflow.now(), by, request),
        )
        self.state.gate = None
        self.clocks.cancel(INPUTS, "decided")
        self.clocks.meet(DECISION, by)

    async def _extend(self) -> None:
        """To the next day of evaluation that is still ahead."""
        candidates = days.evaluation_candidates(self.order, self.state)
        found = await workflow.execute_local_activity(moments, MomentsInput(local=candidates), **RECORD)
        passed = sum(at <= workflow.now() for at in found.moments)
        self.state.extended_weeks += passed + 1

    async def input_is_over(self) -> None:
        """Who has said nothing until now has no input, and the decision does not wait for it."""
        if self.state.gate is not None:
            self.state.gate = gates.pass_without_input(self.state.gate, self.order.gate, workflow.now())
            self.clocks.waive(INPUTS, SYSTEM, "no_input")
            await self.record(WaveEvent.GATE_NO_INPUT, detail=self._gate_detail())

    async def decision_is_over(self) -> None:
        """Nobody decided: that is no go, and the evidence is too old by now."""
        if self.state.gate is not None:
            await self._evaluate_again(Decision.EXPIRED, SYSTEM)

    def _period(self) -> Period:
        started = min(self.state.launched.values())
        return Period(
            program_id=self.order.program_id,
            wave=self.order.planned.number,
            since=started,
            until=workflow.now(),
            incidents_since=self.state.incidents_since or started,
        )

    async def _collect(self, period: Period, options: ActivityOptions) -> EvidenceSnapshot:
        asked = CollectEvidenceInput(
            locations=self.order.planned.locations, known_at=workflow.now(), **period.model_dump()
        )
        found = await workflow.execute_activity_method(GateActivities.collect_evidence, asked, **options)
        return take(period, found.evidence, workflow.now())

    def _judged(self, snapshot: EvidenceSnapshot) -> tuple[Verdict, ...]:
        criteria = self.order.gate.criteria_of(pilot=self.order.pilot)
        return judge(criteria, snapshot, self.order.planned.locations)

    def _show(self, snapshot: EvidenceSnapshot) -> None:
        gate = gates.open_gate(self.state.gate)
        self.state.gate = gate.model_copy(update={"snapshot": snapshot, "verdicts": self._judged(snapshot)})

    def _gate_detail(self) -> StepDetail:
        gate = gates.open_gate(self.state.gate)
        return StepDetail(subject=f"{gate.attempt}:{gate.snapshot.hash}", code=overall(gate.verdicts))
