"""How acts on eConsults flow."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends
from temporalio.workflow import UpdateMethodMultiParam

from api.acting import Acts, acts_of_request
from api.callers import Caller
from api.schemas.econsults import EConsultView, econsult_view
from api.schemas.texts import MessageKind
from db import econsults
from db.econsults import Case
from db.tables import Message
from domain import names
from domain.econsult.acts import Act

Asked = TypeVar("Asked", bound=Act)


class EConsultActs(Acts):
    """One act on an eConsult."""

    async def find(self, econsult_id: str, who: Caller) -> Case:
        """Raises `NotFound` (`econsult.unknown`) for what is not the caller's."""
        async with self.services.database.transaction() as session:
            return await econsults.get(session, econsult_id, who.scope)

    def text(self, case: Case, who: Caller, kind: MessageKind, body: str) -> Message:
        actor = who.actor(case)
        return Message(
            id=self.record_id(who),
            econsult_id=case.order.id,
            kind=kind,
            author_role=actor.role,
            author_id=actor.id,
            body=body,
        )

    async def ask(
        self, case: Case, who: Caller, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked
    ) -> EConsultView:
        """Ask the workflow, and show the case as its step left it. Raises what `Cases.ask` raises."""
        await self.update(names.econsult_case(case.order.id), who, update, asked)
        async with self.services.database.transaction() as session:
            # Not within the caller's scope: who declines a case no longer has it.
            after = await econsults.get(session, case.order.id)
        return econsult_view(after, self.services.clock(), money=who.sees_money(case))


EConsultActsOfRequest = Annotated[EConsultActs, Depends(acts_of_request(EConsultActs))]
