"""How an act flows: its text is kept, the workflow decides and records the step, the records hold the answer."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from temporalio.client import WorkflowUpdateFailedError
from temporalio.workflow import UpdateMethodMultiParam

from api.callers import Caller
from api.dependencies import AppServices, Services
from api.schemas.econsults import EConsultView, econsult_view
from api.schemas.texts import MessageKind
from db import drafts, econsults
from db.drafts import Row
from db.econsults import Case
from db.tables import Message, new_id
from domain.econsult.acts import Act
from domain.errors import Refused

Asked = TypeVar("Asked", bound=Act)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="A request that is repeated with its key happens once.",
        examples=["4f3a9f1e-order-1"],
    ),
]


@dataclass(frozen=True)
class Acts:
    """One act of one request."""

    services: Services
    route: str
    key: str | None
    fresh: str = field(default_factory=new_id)

    def update_id(self, who: Caller) -> str:
        """The same for a request repeated by the same person with its Idempotency-Key."""
        if self.key is None:
            return self.fresh
        return hashlib.sha256("\n".join((self.key, who.subject, self.route)).encode()).hexdigest()

    def record_id(self, who: Caller) -> str:
        """Id of the record that this act brings, such as a text."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.update_id(who)))

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

    async def find(self, econsult_id: str, who: Caller) -> Case:
        """Raises `NotFound` (`econsult.unknown`) for what is not the caller's."""
        async with self.services.database.transaction() as session:
            return await econsults.get(session, econsult_id, who.scope)

    async def ask(
        self, case: Case, who: Caller, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked
    ) -> EConsultView:
        """Ask the workflow, and show the case as its step left it. Raises what `Cases.act` raises."""
        await self.services.cases.act(case.order.id, update, asked, self.update_id(who))
        async with self.services.database.transaction() as session:
            # Not within the caller's scope: who declines a case no longer has it.
            after = await econsults.get(session, case.order.id)
        return econsult_view(after, self.services.clock(), money=who.sees_money(case))

    @asynccontextmanager
    async def bringing(self, draft: Row) -> AsyncIterator[Row]:
        """Keep a row before the act; it goes again when the act is refused, and stays when the answer is unknown."""
        async with self.services.database.transaction() as session:
            written = await drafts.keep(session, draft)
        try:
            yield draft
        except (WorkflowUpdateFailedError, Refused):
            if written:
                async with self.services.database.transaction() as session:
                    await drafts.discard(session, draft)
            raise


async def _acts(request: Request, services: AppServices, key: IdempotencyKey = None) -> Acts:
    return Acts(services=services, route=f"{request.method} {request.url.path}", key=key)


ActsOfRequest = Annotated[Acts, Depends(_acts)]
