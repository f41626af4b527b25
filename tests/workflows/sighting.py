"""What can be seen of one eConsult under test, in the workflow and in the database."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import KW_ONLY, dataclass, field

from sqlmodel import select

from db.tables import AssignmentRow, CaseState, Document, LedgerEntryRow, LedgerPosting, OutboxNotice, Timeline, new_id
from domain import names
from domain.econsult.view import EConsultSnapshot
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal


@dataclass
class Sighting:
    world: Rehearsal
    _: KW_ONLY
    econsult_id: str = field(default_factory=new_id)

    async def status(self) -> EConsultSnapshot:
        """From the workflow; asking also waits until it has done what it had to do."""
        return await self.world.cases.econsult_status(self.econsult_id)

    async def recorded(self) -> EConsultSnapshot:
        """From the database."""
        async with self.world.database.transaction() as session:
            row = await session.get_one(CaseState, names.econsult_case(self.econsult_id))
            return EConsultSnapshot.model_validate(row.snapshot)

    async def steps(self) -> list[Timeline]:
        async with self.world.database.transaction() as session:
            found = select(Timeline).where(Timeline.case_id == names.econsult_case(self.econsult_id))
            return sorted((await session.exec(found)).all(), key=lambda step: step.sequence)

    async def events(self) -> list[str]:
        return [step.event for step in await self.steps()]

    async def happened(self, event: str, times: int = 1) -> list[str]:
        """Wait, without letting time pass, for work that runs in the background."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (events := await self.events()).count(event) < times:
                await self.world.synchronise()
                await asyncio.sleep(POLL_SECONDS)
        return events

    async def notices(self) -> list[tuple[str, str]]:
        """Audience and template of every letter, in the order of the steps."""
        async with self.world.database.transaction() as session:
            found = select(OutboxNotice).where(OutboxNotice.case_id == names.econsult_case(self.econsult_id))
            rows = sorted((await session.exec(found)).all(), key=lambda row: row.queued_at)
            return [(row.audience, row.template) for row in rows]

    async def notice_keys(self) -> list[str]:
        async with self.world.database.transaction() as session:
            found = select(OutboxNotice.key).where(OutboxNotice.case_id == names.econsult_case(self.econsult_id))
            return list((await session.exec(found)).all())

    async def balances(self) -> dict[str, int]:
        """Cents per account; every entry is checked to balance."""
        async with self.world.database.transaction() as session:
            found = (
                select(LedgerPosting)
                .join(LedgerEntryRow)
                .where(LedgerEntryRow.case_id == names.econsult_case(self.econsult_id))
            )
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
