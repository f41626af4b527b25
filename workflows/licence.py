"""A clinician's licence in one state, from its record to its revocation (K-01 to K-03, decision 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from temporalio import workflow

from activities.contracts import SetLicenceStatus, StepDetail
from domain import licences as rules
from domain import names
from domain.actors import Audience, Notice
from domain.case import Explanation, explain
from domain.clock import Fired, MilestoneKind
from domain.licences import (
    EndLicence,
    LicenceAct,
    LicenceEvent,
    LicenceOrder,
    LicenceReceipt,
    LicenceSnapshot,
    LicenceState,
    LicenceStatus,
    RenewLicence,
    ReportedLoss,
    WaiveLicence,
)
from domain.names import Process
from workflows.case import Case, milestone_detail, refusals, tell

KEPT_IDS = 20


@workflow.defn(name=Process.LICENCE)
class Licence(Case):
    """Tells of the expiry in time, and ends with a revocation only. A long history is followed by a fresh run."""

    @workflow.init
    def __init__(self, order: LicenceOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.state = order.carried or LicenceState(expires_on=order.expires_on, expires_at=order.expires_at)
        super().__init__(names.licence_case(order.licence_id), self.state)

    @workflow.run
    async def run(self, _: LicenceOrder) -> LicenceReceipt:
        await self._record_licence()
        keeper = asyncio.create_task(self.clocks.keep())
        await self.beside(keeper, self._life())
        async with self.turn():
            keeper.cancel()  # while it records nothing: the next run knows only what was recorded
        await self.finish(keeper)
        if not self.state.revoked:
            workflow.continue_as_new(self.order.model_copy(update={"carried": self.state}))
        return self._receipt()

    async def _record_licence(self) -> None:
        if self.order.carried:
            self.carry_on()
            return
        self._arm_expiry()
        await self.begin(LicenceEvent.RECORDED, self.order.recorded_by)

    async def _life(self) -> None:
        """Until it is revoked, or the history has grown long."""
        await workflow.wait_condition(lambda: self.state.revoked is not None or self._history_is_long())

    def _history_is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= self.policy.history_limit

    async def on_fired(self, clock: str, fired: Fired) -> None:
        """At its end the licence has expired, or the waiver is over."""
        if fired.kind is not MilestoneKind.END:
            await super().on_fired(clock, fired)
            return
        event, notices = LicenceEvent.EXPIRED, fired.notices
        if clock == self.policy.expiry.name:
            self.state.lapsed = True
        else:
            rules.drop_waiver(self.state)
            event = LicenceEvent.WAIVER_ENDED
            notices = self.policy.expiry.notices if self.state.status is LicenceStatus.EXPIRED else ()
        await self.write(event, detail=milestone_detail(clock, fired), effects=(SetLicenceStatus(),), notices=notices)

    @workflow.update
    async def renew(self, request: RenewLicence) -> LicenceReceipt:
        """Another expiry counts from now on, also for a licence that has expired. A waiver is not needed any more."""
        async with self.asked():
            if not self._known():
                rules.may_renew(self.state, request.expires_at, workflow.now())
                rules.renew(self.state, request)
                self.clocks.cancel(self.policy.waiver.name, "renewed")
                self._arm_expiry()
                detail = StepDetail(due=request.expires_at)
                await self._act(LicenceEvent.RENEWED, request, detail, (tell(Audience.CLINICIAN, "licence_renewed"),))
            return self._receipt()

    @renew.validator
    def _renew_allowed(self, request: RenewLicence) -> None:
        with refusals():
            if not self._known():
                rules.may_renew(self.state, request.expires_at, workflow.now())

    @workflow.update
    async def waive(self, request: WaiveLicence) -> LicenceReceipt:
        """Until then the licence counts, whatever its expiry."""
        async with self.asked():
            if not self._known():
                rules.may_waive(self.state, request.waived_until_at, workflow.now())
                rules.waive(self.state, request)
                self.clocks.arm(rules.expiry_clock(self.policy.waiver, workflow.now(), request.waived_until_at))
                detail = StepDetail(due=request.waived_until_at)
                await self._act(LicenceEvent.WAIVED, request, detail, (tell(Audience.CLINICIAN, "licence_waived"),))
            return self._receipt()

    @waive.validator
    def _waive_allowed(self, request: WaiveLicence) -> None:
        with refusals():
            if not self._known():
                rules.may_waive(self.state, request.waived_until_at, workflow.now())

    @workflow.update
    async def suspend(self, request: EndLicence) -> LicenceReceipt:
        async with self.asked():
            if not self._known():
                rules.may_suspend(self.state)
                self.state.suspended = request.reason
                told = (tell(Audience.CLINICIAN, "licence_suspended"), *_staff())
                await self._act(LicenceEvent.SUSPENDED, request, StepDetail(code=request.reason), told)
            return self._receipt()

    @suspend.validator
    def _suspend_allowed(self, request: EndLicence) -> None:
        with refusals():
            if not self._known():
                rules.may_suspend(self.state)

    @workflow.update
    async def reinstate(self, request: LicenceAct) -> LicenceReceipt:
        """Lift the suspension: what the licence was before, or has become meanwhile, counts again."""
        async with self.asked():
            if not self._known():
                rules.may_reinstate(self.state)
                self.state.suspended = None
                told = (tell(Audience.CLINICIAN, "licence_reinstated"),)
                await self._act(LicenceEvent.REINSTATED, request, StepDetail(), told)
            return self._receipt()

    @reinstate.validator
    def _reinstate_allowed(self, request: LicenceAct) -> None:
        with refusals():
            if not self._known():
                rules.may_reinstate(self.state)

    @workflow.update
    async def revoke(self, request: EndLicence) -> LicenceReceipt:
        """For good: the case ends."""
        async with self.asked():
            if not self._known():
                rules.may_revoke(self.state)
                self.state.revoked = request.reason
                self.clocks.cancel_all("revoked")
                told = (tell(Audience.CLINICIAN, "licence_revoked"), *_staff())
                await self._act(LicenceEvent.REVOKED, request, StepDetail(code=request.reason), told)
            return self._receipt()

    @revoke.validator
    def _revoke_allowed(self, request: EndLicence) -> None:
        with refusals():
            if not self._known():
                rules.may_revoke(self.state)

    @workflow.signal
    async def loss_reported(self, loss: ReportedLoss) -> None:
        """A credential event takes effect at once (K-03); what the case knows already changes nothing."""
        async with self.turn():
            if not rules.is_news(self.state, loss):
                return
            detail = StepDetail(subject=loss.event_id, code=loss.reason)
            if loss.loss == "suspended":
                self.state.suspended = loss.reason
                told = (tell(Audience.CLINICIAN, "licence_suspended"), *_staff())
                await self.write(LicenceEvent.SUSPENDED, loss.actor, detail, (SetLicenceStatus(),), told)
                return
            self.state.lapsed = True
            self.clocks.cancel(self.policy.expiry.name, "reported as expired")
            notices = self.policy.expiry.notices
            await self.write(LicenceEvent.EXPIRED, loss.actor, detail, (SetLicenceStatus(),), notices)

    @workflow.query
    def status(self) -> LicenceSnapshot:
        return self.look()

    @workflow.query
    def explain(self) -> list[Explanation]:
        return list(explain(self.state.clocks, workflow.now()))

    def look(self) -> LicenceSnapshot:
        return rules.snapshot(self.order, self.state)

    def _arm_expiry(self) -> None:
        if self.state.expires_at is not None:
            self.clocks.arm(rules.expiry_clock(self.policy.expiry, workflow.now(), self.state.expires_at))

    def _known(self) -> bool:
        """Whether this very act was done in an earlier run."""
        return _act_id() in self.state.seen

    async def _act(
        self, event: LicenceEvent, request: LicenceAct, detail: StepDetail, notices: Iterable[Notice]
    ) -> None:
        """Record what somebody did. The id of the act tells it from others of its kind."""
        self.state.seen = (*self.state.seen, _act_id())[-KEPT_IDS:]
        named = detail.model_copy(update={"subject": _act_id()})
        await self.write(event, request.actor, named, (SetLicenceStatus(),), notices)

    def _receipt(self) -> LicenceReceipt:
        return LicenceReceipt(sequence=self.state.sequence, status=self.state.status)


def _act_id() -> str:
    info = workflow.current_update_info()
    assert info is not None
    return info.id


def _staff() -> tuple[Notice, ...]:
    return (tell(Audience.PROVIDER_SUCCESS, "licence_blocks"), tell(Audience.OPERATIONS, "licence_blocks"))
