"""How acts on a location flow: who acts there, what they write, what the location shows afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends
from sqlmodel import col, select
from temporalio.workflow import UpdateMethodMultiParam

from api.acting import acts_of_request
from api.rollout_acting import Member, RolloutActs
from db.tables import CaseState, RolloutLocation, RolloutProgram
from domain import names
from domain.actors import Actor
from domain.errors import Refused
from domain.model import Value
from domain.rollout.integration.policy import IntegrationPolicy
from domain.rollout.integration.state import IntegrationState
from domain.rollout.people import Function
from domain.rollout.program import PracticeSystem
from domain.rollout.training.policy import TrainingPolicy
from domain.rollout.training.state import TrainingState

Asked = TypeVar("Asked", bound=Value)


class Preparation(Value):
    """What the routes of preparation show of a location's snapshot."""

    practice_system: PracticeSystem
    integration: IntegrationState
    training: TrainingState


class Pinned(NamedTuple):
    """Of the programme's policy, as it was started with."""

    integration: IntegrationPolicy
    training: TrainingPolicy


@dataclass(frozen=True)
class Place:
    """A location that somebody acts on."""

    act: LocationActs
    who: Member
    row: RolloutLocation

    @property
    def case_id(self) -> str:
        return names.location_case(self.row.program_id, self.row.location_id)

    def actor(self, functions: Iterable[Function]) -> Actor:
        """Raises `Forbidden` (`rollout.function_missing`)."""
        return self.who.actor(self.row.program_id, functions, region=self.row.region, location_id=self.row.location_id)

    async def ask(self, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked) -> None:
        """Raises what `Cases.ask` raises."""
        await self.act.update(self.case_id, self.who, update, asked)

    @asynccontextmanager
    async def evidence(self, about: str, text: str | None) -> AsyncIterator[str | None]:
        """Id of what the caller wrote, kept before the act; None when they wrote nothing."""
        if text is None:
            yield None
            return
        async with self.act.evidence(self.row.program_id, self.row.location_id, about, text, self.who) as kept:
            yield kept

    async def preparation(self) -> Preparation:
        """Raises `Refused` (`location.not_opened`) before the first step of the location's process."""
        async with self.act.services.database.transaction() as session:
            case = await session.get(CaseState, self.case_id)
        if case is None:
            raise Refused("location.not_opened", "the location's process has not taken its first step yet")
        return Preparation.model_validate(case.snapshot)

    async def policy(self) -> Pinned:
        return await self.act.policy(self.row.program_id)


class LocationActs(RolloutActs):
    """One act on a location."""

    async def at(self, location_id: str, who: Member) -> Place:
        """Raises `NotFound` (`location.unknown`) for what is not the caller's."""
        return Place(self, who, await self.location(location_id, who))

    async def policy(self, program_id: str) -> Pinned:
        policy = col(RolloutProgram.order)["policy"]
        sections = select(policy["integration"], policy["training"]).where(col(RolloutProgram.id) == program_id)
        async with self.services.database.transaction() as session:
            integration, training = (await session.exec(sections)).one()
        return Pinned(IntegrationPolicy.model_validate(integration), TrainingPolicy.model_validate(training))


LocationActsOfRequest = Annotated[LocationActs, Depends(acts_of_request(LocationActs))]
