"""What every track of a location stands on: its order, its state, its record, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from temporalio import workflow

from activities.contracts import Effect, StepDetail
from activities.rollout_contracts import SwitchComms
from domain import names
from domain.actors import SYSTEM, Actor, Notice
from domain.rollout.location import rules, view
from domain.rollout.location.acts import LocationReceipt
from domain.rollout.location.state import LocationEvent, LocationState
from domain.rollout.news import LocationNews
from domain.rollout.orders import LocationOrder
from workflows import signals
from workflows.case import Case
from workflows.rollout import children


class LocationCase(Case):
    def __init__(self, order: LocationOrder) -> None:
        self.order = order
        self.policy = order.policy
        self.state = order.carried or LocationState(planned=order.planned, news=order.news)
        self.location_id = order.location.location_id
        super().__init__(names.location_case(order.program_id, self.location_id), self.state)

    def look(self) -> view.LocationSnapshot:
        return view.snapshot(self.order, self.state)

    def remarks(self) -> tuple[str, ...]:
        return view.remarks(self.look())

    async def write(
        self,
        event: str,
        actor: Actor = SYSTEM,
        detail: StepDetail | None = None,
        effects: Iterable[Effect] = (),
        notices: Iterable[Notice] = (),
    ) -> int:
        """With every step goes the switch of the communication, where the step changes it; then the others hear."""
        sequence = await super().write(event, actor, detail, (*effects, *self._switch()), notices)
        self.report()
        return sequence

    def _switch(self) -> tuple[SwitchComms, ...]:
        wanted = rules.wanted_percent(self.state)
        if wanted == self.state.comms_percent:
            return ()
        self.state.comms_percent = wanted
        reason = rules.comms_reason(self.state)
        return (SwitchComms(location_id=self.location_id, enabled_percent=wanted, reason=reason),)

    def report(self, *, again: bool = False) -> None:
        """To the programme and the wave, when it changes something for them or `again` was asked for."""
        news = view.news(self.order, self.state)
        if again or view.is_worth_telling(self.state, news):
            self.state.told, self.state.told_wave = news, self.state.planned.wave
            self.start(self._send(news, self.state.planned.wave))

    async def _send(self, news: LocationNews, wave: int | None) -> None:
        await children.send(names.rollout_case(self.order.program_id), signals.LOCATION_REPORTED, news)
        if wave is not None:
            await children.send(names.wave_case(self.order.program_id, wave), signals.LOCATION_REPORTED, news)

    async def act(
        self, event: LocationEvent, actor: Actor, detail: StepDetail, notices: Iterable[Notice] = ()
    ) -> LocationReceipt:
        """Record what somebody did."""
        self.remember()
        return self.receipt(await self.write(event, actor, detail, notices=notices))

    def is_known(self) -> bool:
        """Whether this very act was done in an earlier run."""
        return _act_id() in self.state.seen

    def remember(self) -> None:
        self.state.seen = (*self.state.seen, _act_id())[-self.policy.kept_ids :]

    def check(self, *may: Callable[[], None]) -> None:
        """Of an act that is not done yet: each rule raises when it does not allow it."""
        if not self.is_known():
            rules.may_act(self.state)
            for each in may:
                each()

    def receipt(self, sequence: int | None = None) -> LocationReceipt:
        rollback = self.state.rollback
        return LocationReceipt(
            sequence=sequence or self.state.sequence,
            phase=rules.phase(self.order, self.state),
            missing=rules.missing_for_go_live(self.order, self.state) if self.state.live_at is None else (),
            rollback=rollback.number if rollback else None,
        )


def _act_id() -> str:
    info = workflow.current_update_info()
    assert info is not None
    return info.id
