"""The day plan of a wave as it comes to pass: sessions, launches, check-ins, documents (W-06 to W-09)."""

from __future__ import annotations

from abc import abstractmethod

from temporalio import workflow

from activities.calendars import moments
from activities.contracts import StepDetail
from activities.rollout_contracts import MomentsInput
from domain import names
from domain.actors import Audience
from domain.clock import Fired
from domain.rollout.news import GoLiveDue
from domain.rollout.wave import days, rules
from domain.rollout.wave.acts import CheckIn, FileArtefact, WaveReceipt
from domain.rollout.wave.policy import DayItem, DayKind
from domain.rollout.wave.state import CheckIns, Entry, WaveEvent
from workflows import signals
from workflows.case import CLOCK_MILESTONE, milestone_detail, refusals, tell
from workflows.options import RECORD
from workflows.rollout import children
from workflows.rollout.wave_base import WaveCase

CHECK_IN = "check_in:"
PLAN = "day_plan"


class DaysTrack(WaveCase):
    async def plan_days(self) -> None:
        """Have the days worked out that are not reached, as the plan is now."""
        reached = [each for each in self.state.agenda if each.reached_at is not None]
        known = {each.key for each in reached}
        ahead = [each for each in days.wanted(self.order, self.state) if each.key not in known]
        found = await workflow.execute_local_activity(
            moments, MomentsInput(local=tuple(each.local for each in ahead)), **RECORD
        )
        entries = [
            Entry(item_id=each.item_id, day=each.local.day, time_zone=each.local.time_zone, at=at)
            for each, at in zip(ahead, found.moments, strict=True)
        ]
        self.state.agenda = (*reached, *sorted(entries, key=lambda each: each.at))
        self.wind_the_plan()

    async def follow_the_plan(self) -> None:
        """Until the wave is over, or its history has grown long. The clock of the plan does the rest."""
        await workflow.wait_condition(self.may_rest)

    def may_rest(self) -> bool:
        info = workflow.info()
        long = info.is_continue_as_new_suggested() or info.get_current_history_length() >= self.policy.history_limit
        return self.state.over or long

    def wind_the_plan(self) -> None:
        """Set the clock of the plan to whatever comes next and is not held up; one timer serves all clocks."""
        ahead = days.next_entry(self.order, self.state, held=self.held)
        if ahead is None or self.state.over:
            self.clocks.cancel(PLAN, "nothing is ahead")
        else:
            self.clocks.arm(days.alarm(PLAN, ahead, workflow.now()))

    async def on_plan_milestone(self) -> None:
        due = days.next_entry(self.order, self.state, held=self.held)
        if due is not None and due.at <= workflow.now():
            await self._reach(due)
        self.wind_the_plan()

    async def _reach(self, entry: Entry) -> None:
        item = days.items(self.order)[entry.item_id]
        if item.kind is DayKind.LAUNCH and workflow.now() > entry.at + self.policy.launch_patience:
            await self._move_launch(entry)
            return
        days.reach(self.state, entry, entry.model_copy(update={"reached_at": workflow.now()}))
        if item.kind is DayKind.LAUNCH:
            await self._launch(entry, item)
        elif item.kind is DayKind.CHECK_IN:
            await self._ask_for_check_ins(entry, item)
        elif item.kind is DayKind.EVALUATION:
            await self.evaluate(entry)
        else:
            await self._hold_session(entry, item)

    @abstractmethod
    async def evaluate(self, entry: Entry) -> None:
        """The gate opens."""

    async def _hold_session(self, entry: Entry, item: DayItem) -> None:
        if item.kind is DayKind.DOCUMENT and item.item_id not in self.state.artefacts:
            self.clocks.arm(self.policy.document, item.item_id, entry.at)
        detail, where = _detail(entry), self._locations(entry, item)
        told = self.addressed(WaveEvent.DAY_REACHED, detail, item.notices, where)
        await self.record(WaveEvent.DAY_REACHED, detail=detail, effects=told)

    async def _launch(self, entry: Entry, item: DayItem) -> None:
        """Each location is told; it goes live when its own gates are met."""
        where = self._locations(entry, item)
        self.state.launched.update(dict.fromkeys(where, workflow.now()))
        detail = _detail(entry)
        told = self.addressed(WaveEvent.LAUNCH_DUE, detail, item.notices, where)
        await self.record(WaveEvent.LAUNCH_DUE, detail=detail, effects=told)
        news = GoLiveDue(sequence=self.state.sequence, wave=self.order.planned.number, at=workflow.now())
        for location in where:
            await children.send(names.location_case(self.order.program_id, location), signals.GO_LIVE_DUE, news)

    async def _move_launch(self, entry: Entry) -> None:
        """The day was missed, for a hold or an outage: another one, and what follows moves with it."""
        candidates = days.launch_candidates(self.order, entry.time_zone)
        found = await workflow.execute_local_activity(moments, MomentsInput(local=candidates), **RECORD)
        ahead = (one for one, at in zip(candidates, found.moments, strict=True) if at >= workflow.now())
        self.state.launch_days[entry.time_zone] = next(ahead, candidates[-1]).day
        await self.plan_days()
        told = (tell(Audience.PROJECT_MANAGER, "rollout_launch_moved"),)
        await self.record(WaveEvent.LAUNCH_MOVED, detail=_detail(entry), notices=told)

    async def _ask_for_check_ins(self, entry: Entry, item: DayItem) -> None:
        """Of every location that has gone live. One that is still due from before is missed for good."""
        where = [one for one in self._locations(entry, item) if rules.deployed(self.state, one)]
        if not where:
            return
        for location in where:
            rules.check_in_due(self.state, location, entry)
            self.clocks.arm(self.policy.check_in, CHECK_IN + location, entry.at)
        detail = _detail(entry)
        told = self.addressed(WaveEvent.CHECK_INS_DUE, detail, item.notices, where)
        await self.record(WaveEvent.CHECK_INS_DUE, detail=detail, effects=told)

    async def on_check_in_milestone(self, clock: str, fired: Fired) -> None:
        """Those of the location are told, and whoever is above them."""
        detail = milestone_detail(clock, fired)
        told = self.addressed(CLOCK_MILESTONE, detail, fired.notices, (clock.removeprefix(CHECK_IN),))
        await self.write(CLOCK_MILESTONE, detail=detail, effects=told)

    @workflow.update
    async def check_in(self, request: CheckIn) -> WaveReceipt:
        async with self.asked():
            if not self.done_before():
                rules.may_check_in(self.order, self.state, request, workflow.now())
                self.note_act()
                clock = self.state.clocks[CHECK_IN + request.location_id]
                day = self.state.check_ins.get(request.location_id, CheckIns()).day
                late = clock.breached_at is not None
                rules.check_in(self.state, request, workflow.now(), late=late)
                self.clocks.meet(CHECK_IN + request.location_id, request.actor)
                subject = f"{request.location_id}:{day}"
                detail = StepDetail(subject=subject, code="late" if late else None)
                return await self.record(WaveEvent.CHECKED_IN, request.actor, detail)
            return self.receipt()

    @check_in.validator
    def _check_in_allowed(self, request: CheckIn) -> None:
        with refusals():
            if not self.done_before():
                rules.may_check_in(self.order, self.state, request, workflow.now())

    @workflow.update
    async def file_artefact(self, request: FileArtefact) -> WaveReceipt:
        """What was learned is written down; after a go the wave closes with the last of it."""
        async with self.asked():
            if not self.done_before():
                rules.may_file(self.state)
                self.note_act()
                rules.file(self.state, request, workflow.now())
                self.clocks.meet(request.artefact, request.actor)
                detail = StepDetail(subject=request.evidence_id, code=request.artefact)
                await self.record(WaveEvent.ARTEFACT_FILED, request.actor, detail)
                await self.close_if_complete()
            return self.receipt()

    @file_artefact.validator
    def _file_artefact_allowed(self, request: FileArtefact) -> None:
        with refusals():
            if not self.done_before():
                rules.may_file(self.state)

    async def close_if_complete(self) -> None:
        if not rules.may_close(self.order, self.state):
            return
        self.state.closed_at = workflow.now()
        self.clocks.cancel_all("closed")
        told = tuple(
            tell(reader, "rollout_wave_closed") for reader in (Audience.PROJECT_MANAGER, Audience.VP_OPERATIONS)
        )
        await self.record(WaveEvent.CLOSED, notices=told)

    def _locations(self, entry: Entry, item: DayItem) -> tuple[str, ...]:
        return days.locations_in(self.order, entry.time_zone) if item.local else self.order.planned.locations


def _detail(entry: Entry) -> StepDetail:
    return StepDetail(subject=f"{entry.item_id}:{entry.time_zone}", due=entry.at)
