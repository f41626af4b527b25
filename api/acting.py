"""How an act flows: what it brings is kept, the workflow decides and records the step, the records hold the answer."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Header, Request
from temporalio.client import WorkflowUpdateFailedError
from temporalio.workflow import UpdateMethodMultiParam

from api.dependencies import AppServices, Services
from db import drafts
from db.drafts import Row
from db.tables import new_id
from domain.errors import Refused

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="A request that is repeated with its key happens once.",
        examples=["4f3a9f1e-order-1"],
    ),
]


class Asking(Protocol):
    """Who asks."""

    @property
    def subject(self) -> str:
        """Of the token."""


@dataclass(frozen=True)
class Acts:
    """One act of one request, on a case of any process."""

    services: Services
    route: str
    key: str | None
    fresh: str = field(default_factory=new_id)

    def update_id(self, who: Asking) -> str:
        """The same for a request repeated by the same person with its Idempotency-Key."""
        if self.key is None:
            return self.fresh
        return hashlib.sha256("\n".join((self.key, who.subject, self.route)).encode()).hexdigest()

    def record_id(self, who: Asking, about: str = "") -> str:
        """Id of the record that this act brings, such as a text; one for each thing that it is `about`."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, self.update_id(who) + about))

    async def update(
        self, case_id: str, who: Asking, update: UpdateMethodMultiParam[[Any, Asked], Answer], asked: Asked
    ) -> Answer:
        """Ask the workflow of a case; its answer, once the step is recorded. Raises what `Cases.ask` raises."""
        return await self.services.cases.ask(case_id, update, asked, self.update_id(who))

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


A = TypeVar("A", bound=Acts)


def acts_of_request(kind: type[A]) -> Callable[..., Awaitable[A]]:
    """The dependency that makes them."""

    async def make(request: Request, services: AppServices, key: IdempotencyKey = None) -> A:
        return kind(services=services, route=f"{request.method} {request.url.path}", key=key)

    return make


ActsOfRequest = Annotated[Acts, Depends(acts_of_request(Acts))]
