"""Waves and locations that do nothing but hear, and tell the programme what a script says."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain import names
    from domain.names import Process
    from domain.rollout.news import LocationNews, ProgrammeNews, WaveNews, WavePlanned
    from domain.rollout.orders import LocationOrder, WaveOrder
    from domain.rollout.phases import LocationPhase, WavePhase

BY_ITSELF = "by-itself"
"""Ends the policy version of a programme whose waves pass and whose locations launch without a word from the test."""
FRIDAY = timedelta(days=18, hours=15)
"""Of a wave's third week, in the afternoon."""
LAUNCH = timedelta(days=3, hours=8)


@workflow.defn(name=Process.WAVE, sandboxed=False)
class FakeWave:
    @workflow.init
    def __init__(self, order: WaveOrder) -> None:
        self.order = order
        self.news: list[ProgrammeNews] = [order.news]

    @workflow.run
    async def run(self, _: WaveOrder) -> None:
        if self.order.policy_version.endswith(BY_ITSELF):
            await self._pass()
        await workflow.wait_condition(lambda: self.news[-1].ended)

    async def _pass(self) -> None:
        await workflow.sleep(LAUNCH)
        for sequence, location_id in enumerate(self.order.planned.locations, start=10):
            news = LocationNews(
                sequence=sequence,
                location_id=location_id,
                phase=LocationPhase.LIVE,
                deployed=True,
                baseline_validated=True,
            )
            await self._programme().signal("location_reported", news)
        await workflow.sleep(FRIDAY - LAUNCH)
        closed = WaveNews(
            sequence=9, number=self.order.planned.number, phase=WavePhase.CLOSED, closed_at=workflow.now()
        )
        await self._programme().signal("wave_reported", closed)

    def _programme(self) -> workflow.ExternalWorkflowHandle[object]:
        return workflow.get_external_workflow_handle(names.rollout_case(self.order.program_id))

    @workflow.signal
    async def programme_reported(self, news: ProgrammeNews) -> None:
        self.news.append(news)

    @workflow.query
    def heard(self) -> list[ProgrammeNews]:
        return self.news

    @workflow.query
    def started_with(self) -> WaveOrder:
        return self.order


@workflow.defn(name=Process.LOCATION, sandboxed=False)
class FakeLocation:
    @workflow.init
    def __init__(self, order: LocationOrder) -> None:
        self.order = order
        self.news: list[ProgrammeNews] = [order.news]
        self.plans: list[WavePlanned] = [order.planned]

    @workflow.run
    async def run(self, _: LocationOrder) -> None:
        await workflow.wait_condition(lambda: self.news[-1].ended)

    @workflow.signal
    async def programme_reported(self, news: ProgrammeNews) -> None:
        self.news.append(news)

    @workflow.signal
    async def wave_planned(self, plan: WavePlanned) -> None:
        self.plans.append(plan)

    @workflow.query
    def heard(self) -> list[ProgrammeNews]:
        return self.news

    @workflow.query
    def planned(self) -> list[WavePlanned]:
        return self.plans
