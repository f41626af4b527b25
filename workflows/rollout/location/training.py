"""Champions, their certification, the training of the staff, adoption (L)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from temporalio import workflow

from activities.contracts import StepDetail
from domain.actors import SYSTEM, Actor
from domain.clock import Fired
from domain.rollout.location.acts import LocationReceipt
from domain.rollout.location.state import LocationEvent
from domain.rollout.training import acts, champions
from domain.rollout.training import rules as training
from domain.rollout.training.state import TrainingState
from workflows.case import refusals
from workflows.rollout.location.integration import IntegrationTrack

Change = Callable[[TrainingState, datetime], TrainingState]


class TrainingTrack(IntegrationTrack):
    @property
    def _is_live(self) -> bool:
        return self.state.live_at is not None

    @workflow.update
    async def nominate_champion(self, request: acts.NominateChampion) -> LocationReceipt:
        return await self._train(
            request.actor,
            f"champion:{request.slot}",
            lambda: champions.may_nominate(self.state.training, self.order.training, request),
            lambda state, now: champions.nominate(state, self.order.training, request, now),
        )

    @nominate_champion.validator
    def _nominate_champion_allowed(self, request: acts.NominateChampion) -> None:
        with refusals():
            self.check(lambda: champions.may_nominate(self.state.training, self.order.training, request))

    @workflow.update
    async def replace_champion(self, request: acts.ReplaceChampion) -> LocationReceipt:
        return await self._train(
            request.actor,
            f"champion:{request.slot}",
            lambda: champions.may_replace(self.state.training, request),
            lambda state, now: champions.replace(state, request, now),
        )

    @replace_champion.validator
    def _replace_champion_allowed(self, request: acts.ReplaceChampion) -> None:
        with refusals():
            self.check(lambda: champions.may_replace(self.state.training, request))

    @workflow.update
    async def record_certification_step(self, request: acts.RecordCertificationStep) -> LocationReceipt:
        return await self._train(
            request.actor,
            f"certification:{request.slot}:{request.step}",
            lambda: champions.may_certify(self.state.training, self.order.training, request),
            lambda state, now: champions.certify(state, request, now),
        )

    @record_certification_step.validator
    def _record_certification_step_allowed(self, request: acts.RecordCertificationStep) -> None:
        with refusals():
            self.check(lambda: champions.may_certify(self.state.training, self.order.training, request))

    @workflow.update
    async def record_quiz(self, request: acts.RecordQuiz) -> LocationReceipt:
        return await self._train(
            request.actor,
            f"quiz:{request.slot}",
            lambda: champions.may_record_quiz(self.state.training, self.order.training, request),
            lambda state, now: champions.record_quiz(state, self.order.training, request, now),
        )

    @record_quiz.validator
    def _record_quiz_allowed(self, request: acts.RecordQuiz) -> None:
        with refusals():
            self.check(lambda: champions.may_record_quiz(self.state.training, self.order.training, request))

    @workflow.update
    async def record_training(self, request: acts.RecordTraining) -> LocationReceipt:
        return await self._train(
            request.actor,
            f"group:{request.group}",
            lambda: training.may_record_training(self.state.training, self.order.training, request),
            lambda state, now: training.record_training(state, request, now),
        )

    @record_training.validator
    def _record_training_allowed(self, request: acts.RecordTraining) -> None:
        with refusals():
            self.check(lambda: training.may_record_training(self.state.training, self.order.training, request))

    @workflow.update
    async def register_new_hire(self, request: acts.RegisterNewHire) -> LocationReceipt:
        """From their first day on they have a week to be trained (L-04)."""

        def register(state: TrainingState, now: datetime) -> TrainingState:
            after = training.register_new_hire(state, request, now)
            self.clocks.arm(training.new_hire_clock(self.order.training, after.new_hires[request.hire_id], now))
            return after

        return await self._train(
            request.actor,
            f"hire:{request.hire_id}",
            lambda: training.may_register_new_hire(self.state.training, self.order.training, request),
            register,
        )

    @register_new_hire.validator
    def _register_new_hire_allowed(self, request: acts.RegisterNewHire) -> None:
        with refusals():
            self.check(lambda: training.may_register_new_hire(self.state.training, self.order.training, request))

    @workflow.update
    async def train_new_hire(self, request: acts.TrainNewHire) -> LocationReceipt:
        def train(state: TrainingState, now: datetime) -> TrainingState:
            self.clocks.meet(training.clock_of(self.order.training, request.hire_id), request.actor)
            return training.train_new_hire(state, request, now)

        return await self._train(
            request.actor, f"hire:{request.hire_id}", lambda: self._may_train_new_hire(request), train
        )

    @train_new_hire.validator
    def _train_new_hire_allowed(self, request: acts.TrainNewHire) -> None:
        with refusals():
            self.check(lambda: self._may_train_new_hire(request))

    def _may_train_new_hire(self, request: acts.TrainNewHire) -> None:
        training.may_train_new_hire(self.state.training, self.order.training, request, workflow.now())

    @workflow.update
    async def report_adoption(self, request: acts.ReportAdoption) -> LocationReceipt:
        """The next one is due in a week (L-04)."""

        def report(state: TrainingState, now: datetime) -> TrainingState:
            self.clocks.arm(self.order.training.adoption_report)
            return training.report_adoption(state, request, now)

        return await self._train(
            request.actor,
            "adoption",
            lambda: training.may_report_adoption(self.state.training, request, live=self._is_live),
            report,
        )

    @report_adoption.validator
    def _report_adoption_allowed(self, request: acts.ReportAdoption) -> None:
        with refusals():
            self.check(lambda: training.may_report_adoption(self.state.training, request, live=self._is_live))

    @workflow.update
    async def attest_adoption(self, request: acts.AttestAdoption) -> LocationReceipt:
        return await self._train(
            request.actor,
            "attestation",
            lambda: training.may_attest_adoption(self.state.training, request, live=self._is_live),
            lambda state, now: training.attest_adoption(state, request, now),
        )

    @attest_adoption.validator
    def _attest_adoption_allowed(self, request: acts.AttestAdoption) -> None:
        with refusals():
            self.check(lambda: training.may_attest_adoption(self.state.training, request, live=self._is_live))

    async def on_training_milestone(self, clock: str, fired: Fired) -> None:
        """A champion who stays silent gives way to the backup (L-03)."""
        policy = self.order.training
        if clock != policy.adoption_report.name or fired.name != policy.takeover:
            return
        after = champions.take_over(self.state.training, workflow.now())
        if after != self.state.training:
            self.state.training = after
            detail = StepDetail(subject=f"takeover:{len(after.takeovers)}", code="champion.silent")
            await self.write(LocationEvent.TRAINING_CHANGED, SYSTEM, detail)

    async def _train(self, actor: Actor, subject: str, may: Callable[[], None], change: Change) -> LocationReceipt:
        async with self.asked():
            if self.is_known():
                return self.receipt()
            may()
            self.state.training = change(self.state.training, workflow.now())
            detail = StepDetail(subject=f"{subject}:{self.state.sequence + 1}")
            return await self.act(LocationEvent.TRAINING_CHANGED, actor, detail)
