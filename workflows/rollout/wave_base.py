"""What every track of a wave stands on: its order, its state, its record, whom it tells."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from temporalio import workflow

from activities.contracts import Effect, QueueNotice, StepDetail, step_identity
from domain import names
from domain.actors import SYSTEM, Actor, Notice
from domain.rollout.news import WaveNews
from domain.rollout.orders import WaveOrder
from domain.rollout.people import LOCAL, REGIONAL
from domain.rollout.wave import days, rules, view
from domain.rollout.wave.acts import WaveReceipt
from domain.rollout.wave.state import WaveEvent, WaveState
from domain.rollout.wave.view import WaveSnapshot
from workflows import signals
from workflows.case import Case
from workflows.rollout import children


class WaveCase(Case):
    def __init__(self, order: WaveOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.state = order.carried or WaveState()
        super().__init__(names.wave_case(order.program_id, order.planned.number), self.state)

    def look(self) -> WaveSnapshot:
        return view.snapshot(self.order, self.state)

    @property
    def held(self) -> bool:
        return rules.held(self.order, self.state)

    @abstractmethod
    def wind_the_plan(self) -> None:
        """After a change: what comes next."""

    async def record(
        self,
        event: WaveEvent,
        actor: Actor = SYSTEM,
        detail: StepDetail | None = None,
        effects: Iterable[Effect] = (),
        notices: Iterable[Notice] = (),
    ) -> WaveReceipt:
        """Write the step, and tell the programme of it."""
        self.wind_the_plan()
        await self.write(event, actor, detail, effects, notices)
        await self.report()
        return self.receipt()

    def receipt(self) -> WaveReceipt:
        return WaveReceipt(
            sequence=self.state.sequence,
            phase=view.phase(self.order, self.state),
            evidence_hash=self.state.gate.snapshot.hash if self.state.gate else None,
        )

    def done_before(self) -> bool:
        """Whether this very act was done in an earlier run."""
        return _act_id() in self.state.seen

    def note_act(self) -> None:
        self.state.seen = (*self.state.seen, _act_id())[-self.policy.kept_ids :]

    def addressed(
        self, event: str, detail: StepDetail, notices: Iterable[Notice], locations: Iterable[str]
    ) -> list[QueueNotice]:
        """To those of these locations and of their regions, each once; others are told once."""
        locations = tuple(locations)
        return [
            self._addressed(step_identity(event, detail), notice, region, location)
            for notice in notices
            for region, location in self._places(notice, locations)
        ]

    def _places(self, notice: Notice, locations: tuple[str, ...]) -> list[tuple[str | None, str | None]]:
        if notice.audience.value in LOCAL:
            return [(self.order.regions[one], one) for one in locations]
        if notice.audience.value in REGIONAL:
            return [(region, None) for region in sorted({self.order.regions[one] for one in locations})]
        return [(None, None)]

    def _addressed(self, identity: str, notice: Notice, region: str | None, location: str | None) -> QueueNotice:
        return QueueNotice(
            key=self.key("notice", identity, location or region or "", notice.audience, notice.template),
            audience=notice.audience,
            template=notice.template,
            region=region,
            location_id=location,
        )

    async def report(self) -> None:
        """To the programme, where it changes how the wave stands."""
        news = WaveNews(
            sequence=self.state.sequence,
            number=self.order.planned.number,
            phase=view.phase(self.order, self.state),
            closed_at=self.state.closed_at,
            extended_weeks=self.state.extended_weeks,
            slipped_weeks=days.slipped_weeks(self.order, self.state),
        )
        known = self.state.reported
        if known is None or known.model_copy(update={"sequence": news.sequence}) != news:
            self.state.reported = news
            await children.send(names.rollout_case(self.order.program_id), signals.WAVE_REPORTED, news)


def _act_id() -> str:
    info = workflow.current_update_info()
    assert info is not None
    return info.id
