"""Connecting the practice system, its history, and the nine cases (I, C, D, P-12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from activities.contracts import StepDetail
from activities.rollout_contracts import ValidationInput
from activities.validation import ValidationActivities
from domain.actors import SYSTEM, Actor
from domain.rollout.integration import acts, migration
from domain.rollout.integration import rules as integration
from domain.rollout.integration.policy import Machine
from domain.rollout.integration.state import IntegrationState
from domain.rollout.integration.validation import ValidationReport, all_passed
from domain.rollout.location import rules
from domain.rollout.location.acts import LocationReceipt
from domain.rollout.location.state import LocationEvent
from domain.rollout.tasks import Party
from domain.rollout.triggers import TelemetryNews
from workflows.case import refusals
from workflows.options import validation
from workflows.rollout.location.monitors import MonitorTrack

Change = Callable[[IntegrationState, datetime], IntegrationState]


class IntegrationTrack(MonitorTrack):
    @property
    def _machine(self) -> Machine:
        return self.order.integration.machine(rules.practice_system(self.order, self.state).name)

    @workflow.update
    async def start_integration(self, request: acts.StartIntegration) -> LocationReceipt:
        """Not before the agreement and the credentials are there (N-02, N-05), nor before its wave's turn."""
        return await self._integrate(
            request.actor,
            "start",
            lambda: self._may_start(request),
            lambda state, now: integration.start(state, request, now),
        )

    @start_integration.validator
    def _start_integration_allowed(self, request: acts.StartIntegration) -> None:
        with refusals():
            self.check(lambda: self._may_start(request))

    def _may_start(self, request: acts.StartIntegration) -> None:
        integration.may_start(
            self.state.integration,
            self.order.integration,
            rules.practice_system(self.order, self.state),
            self.state.news.clearances,
            self.state.planned.integration_from,
            request,
            workflow.now(),
        )

    @workflow.update
    async def complete_integration_step(self, request: acts.CompleteIntegrationStep) -> LocationReceipt:
        return await self._integrate(
            request.actor,
            request.step_id,
            lambda: integration.may_complete_step(self.state.integration, self._machine, request),
            lambda state, now: integration.complete_step(state, self._machine, request, now),
        )

    @complete_integration_step.validator
    def _complete_integration_step_allowed(self, request: acts.CompleteIntegrationStep) -> None:
        with refusals():
            self.check(lambda: integration.may_complete_step(self.state.integration, self._machine, request))

    @workflow.update
    async def record_sample(self, request: acts.RecordSample) -> LocationReceipt:
        return await self._integrate(
            request.actor,
            request.step_id,
            lambda: integration.may_record_sample(self.state.integration, self._machine, request),
            lambda state, now: integration.record_sample(state, self._machine, request, now),
        )

    @record_sample.validator
    def _record_sample_allowed(self, request: acts.RecordSample) -> None:
        with refusals():
            self.check(lambda: integration.may_record_sample(self.state.integration, self._machine, request))

    @workflow.update
    async def sign_off(self, request: acts.SignOff) -> LocationReceipt:
        return await self._integrate(
            request.actor,
            request.step_id,
            lambda: integration.may_sign_off(self.state.integration, self._machine, request),
            lambda state, now: integration.sign_off(state, self._machine, request, now),
        )

    @sign_off.validator
    def _sign_off_allowed(self, request: acts.SignOff) -> None:
        with refusals():
            self.check(lambda: integration.may_sign_off(self.state.integration, self._machine, request))

    @workflow.update
    async def run_validation(self, request: acts.RunValidation) -> LocationReceipt:
        """Answers at once; what comes of the nine cases is a step of its own."""
        async with self.asked():
            if not self.is_known():
                self._may_run_validation()
                self.state.integration = integration.start_validation(self.state.integration, request)
                detail = StepDetail(subject=f"validation:{self.state.integration.validation_runs}")
                await self.act(LocationEvent.INTEGRATION_CHANGED, request.actor, detail)
                self.start(self._validate(self.state.integration.validation_runs))
            return self.receipt()

    @run_validation.validator
    def _run_validation_allowed(self, request: acts.RunValidation) -> None:
        with refusals():
            self.check(self._may_run_validation)

    def _may_run_validation(self) -> None:
        integration.may_run_validation(self.state.integration, rules.open_test_tasks(self.order, self.state))

    async def _validate(self, run: int) -> None:
        asked = ValidationInput(
            key=self.key("validation", run),
            program_id=self.order.program_id,
            location_id=self.location_id,
            practice_system=rules.practice_system(self.order, self.state).name,
            policy=self.order.integration.validation,
        )
        found: ValidationReport | str
        try:
            found = await workflow.execute_activity_method(
                ValidationActivities.run_validation,
                asked,
                summary="run the nine validation cases",
                **validation(self.order.integration.validation_patience),
            )
        except ActivityError as error:
            found = _code(error)
        async with self.turn():
            await self._validation_ended(run, found)

    async def _validation_ended(self, run: int, found: ValidationReport | str) -> None:
        """With a report, or with the code of why there is none."""
        state, policy = self.state.integration, self.order.integration.validation
        if isinstance(found, str):
            self.state.integration, code = integration.validation_failed(state, found), found
        else:
            self.state.integration = integration.validated(state, found)
            code = "passed" if all_passed(policy, found) else "failed"
        await self.write(LocationEvent.VALIDATION_ENDED, detail=StepDetail(subject=f"validation:{run}", code=code))

    @workflow.update
    async def decide_migration(self, request: acts.DecideMigration) -> LocationReceipt:
        return await self._integrate(
            request.actor,
            "migration",
            lambda: migration.may_decide(self.state.integration),
            lambda state, _: migration.decide(state, request),
        )

    @decide_migration.validator
    def _decide_migration_allowed(self, request: acts.DecideMigration) -> None:
        with refusals():
            self.check(lambda: migration.may_decide(self.state.integration))

    @workflow.update
    async def advance_migration(self, request: acts.AdvanceMigration) -> LocationReceipt:
        return await self._integrate(
            request.actor,
            request.to,
            lambda: migration.may_advance(self.state.integration, request, workflow.now()),
            lambda state, now: migration.advance(state, request, now),
        )

    @advance_migration.validator
    def _advance_migration_allowed(self, request: acts.AdvanceMigration) -> None:
        with refusals():
            self.check(lambda: migration.may_advance(self.state.integration, request, workflow.now()))

    @workflow.update
    async def record_quality(self, request: acts.RecordQuality) -> LocationReceipt:
        policy = self.order.integration.migration
        return await self._integrate(
            request.actor,
            "quality",
            lambda: migration.may_record_quality(self.state.integration),
            lambda state, now: migration.record_quality(state, policy, request, now),
        )

    @record_quality.validator
    def _record_quality_allowed(self, request: acts.RecordQuality) -> None:
        with refusals():
            self.check(lambda: migration.may_record_quality(self.state.integration))

    @workflow.update
    async def schedule_import(self, request: acts.ScheduleImport) -> LocationReceipt:
        return await self._integrate(
            request.actor,
            "import",
            lambda: migration.may_schedule(self.state.integration, request, workflow.now()),
            lambda state, now: migration.schedule(state, request, now),
        )

    @schedule_import.validator
    def _schedule_import_allowed(self, request: acts.ScheduleImport) -> None:
        with refusals():
            self.check(lambda: migration.may_schedule(self.state.integration, request, workflow.now()))

    async def hear_of_integration(self, news: TelemetryNews) -> None:
        if self.state.integration.started_at is None:
            return
        step = integration.monitored_step(self.state.integration, self._machine)
        since = self.state.integration.step(step.step_id).monitored_since if step else None
        if step is None or since is None or not rules.shows_sync_failure(news, self.order.triggers, since):
            return
        self.state.integration = integration.monitor_failed(self.state.integration, self._machine, workflow.now())
        self.clocks.arm(self.order.integration.monitor)
        restarts = self.state.integration.step(step.step_id).restarts
        detail = StepDetail(subject=f"{step.step_id}:restart:{restarts}", code="sync_failure")
        await self.write(LocationEvent.INTEGRATION_CHANGED, detail=detail)

    async def on_integration_watched(self) -> None:
        self.state.integration = integration.monitor_ended(self.state.integration, self._machine, workflow.now())
        self._set_integration_clocks(SYSTEM)
        await self.write(LocationEvent.INTEGRATION_CHANGED, detail=StepDetail(code="watched"))

    async def _integrate(self, actor: Actor, subject: str, may: Callable[[], None], change: Change) -> LocationReceipt:
        async with self.asked():
            if self.is_known():
                return self.receipt()
            may()
            self.state.integration = change(self.state.integration, workflow.now())
            self._set_integration_clocks(actor)
            detail = StepDetail(subject=f"{subject}:{self.state.sequence + 1}")
            return await self.act(LocationEvent.INTEGRATION_CHANGED, actor, detail)

    def _set_integration_clocks(self, by: Actor) -> None:
        """The watch, and the vendor's step that everything waits for."""
        state, machine = self.state.integration, self._machine
        watch = self.order.integration.monitor
        if integration.monitored_step(state, machine) is not None and not self._runs(watch.name):
            self.clocks.arm(watch)
        step = integration.next_step(state, machine) if state.started_at else None
        waits_for = step.step_id if step and step.party is Party.VENDOR else None
        if waits_for != self.state.vendor_step:
            self.clocks.meet(self.policy.integration_step.name, by)
            self.state.vendor_step = waits_for
            if waits_for is not None:
                self.clocks.arm(self.policy.integration_step)

    def _runs(self, clock: str) -> bool:
        known = self.state.clocks.get(clock)
        return known is not None and known.outcome is None and not self.clocks.has_run_out(clock)


def _code(error: ActivityError) -> str:
    cause = error.cause
    return (isinstance(cause, ApplicationError) and cause.type) or "validation.unavailable"
