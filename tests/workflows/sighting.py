"""What can be seen of a case under test, in the workflow and in the database."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import KW_ONLY, dataclass, field

from sqlmodel import col, select

from db.tables import AssignmentRow, CaseState, Document, LedgerEntryRow, LedgerPosting, OutboxNotice, Timeline, new_id
from domain import names
from domain.econsult.view import EConsultSnapshot
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal


@dataclass
class CaseSighting(ABC):
    """Of any case."""

    world: Rehearsal

    @property
    @abstractmethod
    def case_id(self) -> str: ...

    async def row(self) -> CaseState:
        """The latest step, from the database."""
        async with self.world.database.transaction() as session:
            return await session.get_one(CaseState, self.case_id)

    async def steps(self) -> list[Timeline]:
        async with self.world.database.transaction() as session:
            found = select(Timeline).where(Timeline.case_id == self.case_id).order_by(col(Timeline.sequence))
            return list((await session.exec(found)).all())

    async def events(self) -> list[str]:
        return [step.event for step in await self.steps()]

    async def happened(self, event: str, times: int = 1) -> list[str]:
        """Wait, without letting time pass, for work that runs in the background."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (events := await self.events()).count(event) < times:
                await self.world.synchronise()
                await asyncio.sleep(POLL_SECONDS)
        return events

    async def letters(self) -> list[OutboxNotice]:
        """In the order of the steps."""
        async with self.world.database.transaction() as session:
            found = select(OutboxNotice).where(OutboxNotice.case_id == self.case_id)
            return sorted((await session.exec(found)).all(), key=lambda row: row.queued_at)

    async def notices(self) -> list[tuple[str, str]]:
        """Audience and template of every letter, in the order of the steps."""
        return [(row.audience, row.template) for row in await self.letters()]

    async def notice_keys(self) -> list[str]:
        return [row.key for row in await self.letters()]

    async def histories(self) -> list[tuple[int, int]]:
        """Events and bytes of each execution, the latest first."""
        found: list[tuple[int, int]] = []
        run_id: str | None = None
        while run_id is not None or not found:
            handle = self.world.client.get_workflow_handle(self.case_id, run_id=run_id)
            history = await handle.fetch_history()
            found.append((len(history.events), sum(event.ByteSize() for event in history.events)))
            started = history.events[0].workflow_execution_started_event_attributes
            run_id = started.continued_execution_run_id or None
        return found

    async def has_ended(self) -> bool:
        return await self.world.has_ended(self.case_id)


@dataclass
class Sighting(CaseSighting):
    """Of an eConsult."""

    _: KW_ONLY
    econsult_id: str = field(default_factory=new_id)

    @property
    def case_id(self) -> str:
        return names.econsult_case(self.econsult_id)

    async def status(self) -> EConsultSnapshot:
        """From the workflow; asking also waits until it has done what it had to do."""
        return await self.world.cases.econsult_status(self.econsult_id)

    async def recorded(self) -> EConsultSnapshot:
        return EConsultSnapshot.model_validate((await self.row()).snapshot)

    async def balances(self) -> dict[str, int]:
        """Cents per account; every entry is checked to balance."""
        async with self.world.database.transaction() as session:
            found = select(LedgerPosting).join(LedgerEntryRow).where(LedgerEntryRow.case_id == self.case_id)
            totals: Counter[str] = Counter()
            for posting in (await session.exec(found)).all():
                totals[posting.account] += posting.amount_cents
        assert sum(totals.values()) == 0
        return {account: cents for account, cents in totals.items() if cents}

    async def documents(self) -> list[Document]:
        async with self.world.database.transaction() as session:
            found = select(Document).where(Document.econsult_id == self.econsult_id)
            return sorted((await session.exec(found)).all(), key=lambda document: document.version)

    async def assignments(self) -> list[AssignmentRow]:
        async with self.world.database.transaction() as session:
            found = select(AssignmentRow).where(AssignmentRow.econsult_id == self.econsult_id)
            return sorted((await session.exec(found)).all(), key=lambda row: row.number)
