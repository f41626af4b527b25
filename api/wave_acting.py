"""How acts on a wave flow: who may, what they write, what they are shown afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlmodel import col, select
from temporalio.workflow import UpdateMethodMultiParam

from api.rollout_acting import Member, RolloutActs
from api.schemas.rollouts import WaveView
from api.schemas.waves import WaveGate
from db import programs
from db.tables import RolloutEvidence
from domain import names
from domain.actors import Actor
from domain.rollout.gate.state import GateDecision, GateInput
from domain.rollout.people import Function
from domain.rollout.wave.view import WaveSnapshot

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class ActedWave:
    """A wave that somebody reads or acts on."""

    program_id: str
    number: int
    act: RolloutActs
    who: Member

    @property
    def case_id(self) -> str:
        return names.wave_case(self.program_id, self.number)

    def actor(self, *functions: Function) -> Actor:
        """Raises `Forbidden` (`rollout.function_missing`)."""
        return self.who.actor(self.program_id, functions)

    @property
    def known_as(self) -> tuple[str, ...]:
        """Every id by which the caller may have submitted evidence in this programme."""
        seats = (seat.member_id for seat in self.who.memberships if seat.program_id == self.program_id)
        return (self.who.subject, *seats)

    async def kept(
        self, stack: AsyncExitStack, about: str, text: str | None, location_id: str | None = None
    ) -> str | None:
        """Id of what the caller wrote; it goes again when the act is refused."""
        if text is None:
            return None
        keeping = self.act.evidence(self.program_id, location_id, f"wave_{self.number}_{about}", text, self.who)
        return await stack.enter_async_context(keeping)

    async def ask(self, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked) -> None:
        """Raises what `Cases.ask` raises."""
        await self.act.update(self.case_id, self.who, update, asked)

    async def shown(self) -> WaveSnapshot:
        """Raises `NotFound` (`wave.unknown`)."""
        async with self.act.services.database.transaction() as session:
            found = await programs.known_case(session, self.case_id, "wave.unknown")
        return WaveSnapshot.model_validate(found.snapshot)

    async def view(self) -> WaveView:
        return WaveView(program_id=self.program_id, number=self.number, progress=await self.shown())

    async def gate(self) -> WaveGate:
        found = await self.shown()
        open_inputs = found.gate.inputs.values() if found.gate else ()
        return WaveGate(
            program_id=self.program_id,
            number=self.number,
            state=found.phase,
            evaluation_at=found.evaluation_at,
            gate=found.gate,
            decisions=list(found.decisions),
            notes=await self._notes(_written(open_inputs, found.decisions)),
        )

    async def _notes(self, ids: set[str]) -> dict[str, str]:
        statement = select(RolloutEvidence).where(
            col(RolloutEvidence.id).in_(ids), col(RolloutEvidence.program_id) == self.program_id
        )
        async with self.act.services.database.transaction() as session:
            return {row.id: row.body for row in await session.exec(statement)}


async def acted_wave(program_id: str, number: int, act: RolloutActs, who: Member) -> ActedWave:
    """Raises `NotFound` (`programme.unknown`, `wave.unknown`)."""
    await act.reach(program_id, who)
    found = ActedWave(program_id, number, act, who)
    async with act.services.database.transaction() as session:
        await programs.known_case(session, found.case_id, "wave.unknown")
    return found


def _written(inputs: Iterable[GateInput], decisions: Iterable[GateDecision]) -> set[str]:
    decisions = tuple(decisions)
    given = (*inputs, *(one for decision in decisions for one in decision.inputs.values()))
    reasons = (each for decision in decisions for each in (decision.reason_id, decision.override_id))
    return {each for each in (*(one.note_id for one in given), *reasons) if each is not None}
