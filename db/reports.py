"""What operations and clinicians read across cases: money owed, outcomes, the ledger, what could not be delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CaseState, LedgerEntryRow, LedgerPosting, WebhookEvent
from domain.econsult.states import FollowUp
from domain.ledger import Account
from domain.model import Value
from domain.names import Process

SETTLED = (FollowUp.COMPLETED, FollowUp.DECLINED)
"""With these the clinician owes the patient no follow-up visit any more (decision 15)."""


class FollowUpOwed(Value):
    """An answered case whose included visit is still owed."""

    econsult_id: str
    clinician_id: str
    patient_id: str
    follow_up: str
    portion_cents: int
    currency: str
    owed_since: datetime


class StatementEntry(Value):
    entry_key: str
    econsult_id: str
    at: datetime
    kind: str
    amount_cents: int
    """Positive: owed to the clinician."""
    follow_up_owed: bool


class OutcomeCounts(Value):
    answered: int
    captured: int
    improved_care_plan: int
    avoided_in_person: int


class Balance(Value):
    account: str
    currency: str
    amount_cents: int
    """Debits positive, credits negative."""


class PostedEntry(Value):
    key: str
    kind: str
    currency: str
    at: datetime
    postings: tuple[tuple[str, int], ...]
    """Account and cents; debits positive, credits negative."""


_snapshot = col(CaseState.snapshot)
_answered = and_(col(CaseState.process) == Process.ECONSULT, _snapshot["replied_at"].astext.is_not(None))
_owed = _snapshot["follow_up"].astext.not_in(SETTLED)


async def follow_up_owed(session: AsyncSession, *, after: str | None, limit: int | None) -> list[FollowUpOwed]:
    """Up to `limit` cases with ids after `after`, oldest first; all of them for None."""
    statement = select(CaseState.snapshot).where(_answered, _owed).order_by(col(CaseState.case_id)).limit(limit)
    if after is not None:
        statement = statement.where(_snapshot["econsult_id"].astext > after)
    return [
        FollowUpOwed(
            **{name: case[name] for name in ("econsult_id", "clinician_id", "patient_id", "follow_up")},
            portion_cents=case["price"]["clinician_portion_cents"],
            currency=case["price"]["currency"],
            owed_since=case["replied_at"],
        )
        for case in (await session.exec(statement)).all()
    ]


async def follow_up_owed_total(session: AsyncSession) -> dict[str, int]:
    """Cents owed for follow-up visits still to come, by currency."""
    price = _snapshot["price"]
    currency = price["currency"].astext
    statement = (
        select(currency, func.sum(price["clinician_portion_cents"].as_integer()))
        .where(_answered, _owed)
        .group_by(currency)
    )
    return {str(code): int(cents) for code, cents in (await session.exec(statement)).all()}


async def owed_before(session: AsyncSession, clinician_id: str, currency: str, before: datetime) -> int:
    """What was owed to the clinician at that time, in cents."""
    statement = (
        select(func.coalesce(func.sum(-col(LedgerPosting.amount_cents)), 0))
        .join(LedgerEntryRow, col(LedgerEntryRow.key) == col(LedgerPosting.entry_key))
        .where(*_of_clinician(clinician_id, currency), col(LedgerEntryRow.at) < before)
    )
    return int((await session.exec(statement)).one())


async def statement_entries(
    session: AsyncSession, clinician_id: str, currency: str, start: datetime, end: datetime
) -> list[StatementEntry]:
    """What changed the clinician's balance from `start` until before `end`, in order."""
    statement = (
        select(LedgerEntryRow, LedgerPosting.amount_cents, CaseState.snapshot)
        .join(LedgerPosting, col(LedgerPosting.entry_key) == col(LedgerEntryRow.key))
        .join(CaseState, col(CaseState.case_id) == col(LedgerEntryRow.case_id))
        .where(
            *_of_clinician(clinician_id, currency),
            col(LedgerEntryRow.at) >= start,
            col(LedgerEntryRow.at) < end,
        )
        .order_by(col(LedgerEntryRow.at), col(LedgerEntryRow.key))
    )
    return [
        StatementEntry(
            entry_key=entry.key,
            econsult_id=case["econsult_id"],
            at=entry.at,
            kind=entry.kind,
            amount_cents=-cents,
            follow_up_owed=case["follow_up"] not in SETTLED,
        )
        for entry, cents, case in (await session.exec(statement)).all()
    ]


async def outcomes(session: AsyncSession) -> OutcomeCounts:
    """How many eConsults were answered, and what clinicians said of them (E-09)."""
    outcome = _snapshot["outcome"]
    statement = select(
        func.count(),
        func.count().filter(outcome["captured_at"].astext.is_not(None)),
        func.count().filter(outcome["improved_care_plan"].astext == "true"),
        func.count().filter(outcome["avoided_in_person"].astext == "true"),
    ).where(_answered)
    answered, captured, improved, avoided = (await session.exec(statement)).one()
    return OutcomeCounts(answered=answered, captured=captured, improved_care_plan=improved, avoided_in_person=avoided)


async def entries_of_case(session: AsyncSession, case_id: str) -> list[PostedEntry]:
    """The ledger of one case, in order."""
    statement = (
        select(LedgerEntryRow, LedgerPosting)
        .join(LedgerPosting, col(LedgerPosting.entry_key) == col(LedgerEntryRow.key))
        .where(col(LedgerEntryRow.case_id) == case_id)
        .order_by(col(LedgerEntryRow.at), col(LedgerEntryRow.key), col(LedgerPosting.amount_cents).desc())
    )
    entries: dict[str, LedgerEntryRow] = {}
    postings: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for entry, posting in (await session.exec(statement)).all():
        entries[entry.key] = entry
        postings[entry.key].append((posting.account, posting.amount_cents))
    return [
        PostedEntry(key=key, kind=row.kind, currency=row.currency, at=row.at, postings=tuple(postings[key]))
        for key, row in entries.items()
    ]


async def balances(session: AsyncSession) -> list[Balance]:
    """The whole ledger, a total for each account and currency."""
    account, currency = col(LedgerPosting.account), col(LedgerEntryRow.currency)
    statement = (
        select(account, currency, func.sum(col(LedgerPosting.amount_cents)))
        .join(LedgerEntryRow, col(LedgerEntryRow.key) == col(LedgerPosting.entry_key))
        .group_by(account, currency)
        .order_by(currency, account)
    )
    return [
        Balance(account=name, currency=code, amount_cents=int(cents))
        for name, code, cents in (await session.exec(statement)).all()
    ]


async def unbalanced_entries(session: AsyncSession) -> list[str]:
    """Keys of entries that do not sum to zero. The database refuses such; this is the check that it does."""
    statement = (
        select(LedgerPosting.entry_key)
        .group_by(col(LedgerPosting.entry_key))
        .having(func.sum(col(LedgerPosting.amount_cents)) != 0)
        .limit(100)
    )
    return list((await session.exec(statement)).all())


async def webhooks(
    session: AsyncSession, statuses: Sequence[str], *, before: datetime | None, limit: int
) -> list[WebhookEvent]:
    """Up to `limit` stored events in one of these states, received before that time, newest first."""
    statement = (
        select(WebhookEvent)
        .where(col(WebhookEvent.status).in_(statuses))
        .order_by(col(WebhookEvent.received_at).desc(), col(WebhookEvent.event_id))
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(col(WebhookEvent.received_at) < before)
    return list((await session.exec(statement)).all())


def _of_clinician(clinician_id: str, currency: str) -> tuple[ColumnElement[bool], ...]:
    return (
        col(LedgerEntryRow.clinician_id) == clinician_id,
        col(LedgerEntryRow.currency) == currency,
        col(LedgerPosting.account) == Account.CLINICIAN_PAYABLE,
    )
