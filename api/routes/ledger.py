"""Money: the ledger of a case, of a clinician, and of everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.auth import require
from api.callers import Caller, caller
from api.csv_answers import CSV_TOO, Format, csv_answer
from api.dependencies import AppServices
from api.problems import responses
from api.scopes import BACK_OFFICE, visible_clinician
from api.values import RecordId
from db import econsults, reports
from db.reports import Balance, PostedEntry, StatementEntry
from domain import names
from domain.access import Principal, Role

router = APIRouter(tags=["ledger"])

CASE_STAFF = (Role.SUPPORT, *BACK_OFFICE)


class PostingView(BaseModel):
    account: str = Field(examples=["clinician_payable"])
    amount_cents: int = Field(description="Debits positive, credits negative.")


class EntryView(BaseModel):
    key: str
    kind: str = Field(examples=["payment"])
    currency: str
    at: datetime
    postings: list[PostingView]


class CaseLedger(BaseModel):
    econsult_id: str
    entries: list[EntryView]
    balances: list[Balance] = Field(description="Of this case, per account and currency.")
    balanced: bool = Field(description="Every entry sums to zero.")


class LedgerBalance(BaseModel):
    accounts: list[Balance]
    sums: dict[str, int] = Field(description="Cents by currency; each must be zero.", examples=[{"usd": 0}])
    unbalanced_entries: list[str]
    balanced: bool


class PayoutStatement(BaseModel):
    """What is owed to a clinician. All amounts in cents; positive is owed to the clinician."""

    clinician_id: str
    currency: str
    start: datetime = Field(description="The first moment of the month, UTC.")
    end: datetime = Field(description="The first moment after it.")
    opening_cents: int = Field(description="Owed before the month.")
    entries: list[StatementEntry]
    accrued_cents: int = Field(description="The sum of the entries.")
    follow_up_owed_cents: int = Field(description="Of that, where the included follow-up visit is still to come.")
    settled_cents: int = Field(description="Of that, where the visit was completed or declined.")
    total_cents: int = Field(description="Opening and accrued.")


@router.get(
    "/econsults/{econsult_id}/ledger",
    summary="The ledger of an eConsult",
    responses=responses(401, 403, 404, 422),
)
async def case_ledger(
    econsult_id: RecordId,
    services: AppServices,
    who: Annotated[Caller, caller(Role.CLINICIAN, *CASE_STAFF)],
) -> CaseLedger:
    """Double entry, each posting in integer cents. For staff and the ordering clinician."""
    async with services.database.transaction() as session:
        await econsults.get(session, econsult_id, who.scope)
        entries = await reports.entries_of_case(session, names.econsult_case(econsult_id))
    return CaseLedger(
        econsult_id=econsult_id,
        entries=[_entry_view(entry) for entry in entries],
        balances=_balances(entries),
        balanced=all(sum(cents for _, cents in entry.postings) == 0 for entry in entries),
    )


@router.get(
    "/reports/ledger-balance",
    summary="The balance of the whole ledger",
    dependencies=[require(*BACK_OFFICE)],
    responses=responses(401, 403),
)
async def ledger_balance(services: AppServices) -> LedgerBalance:
    """Totals per account, and the check that each currency sums to zero."""
    async with services.database.transaction() as session:
        accounts = await reports.balances(session)
        unbalanced = await reports.unbalanced_entries(session)
    sums: Counter[str] = Counter()
    for account in accounts:
        sums[account.currency] += account.amount_cents
    balanced = not unbalanced and not any(sums.values())
    return LedgerBalance(accounts=accounts, sums=dict(sums), unbalanced_entries=unbalanced, balanced=balanced)


@router.get(
    "/clinicians/{clinician_id}/payout-statement",
    summary="What a clinician has earned in a month",
    response_model=PayoutStatement,
    responses={**responses(401, 403, 404, 422), **CSV_TOO},
)
async def payout_statement(
    clinician_id: RecordId,
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, *BACK_OFFICE)],
    month: Annotated[str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", examples=["2026-03"], description="In UTC.")],
    currency: Annotated[str, Query(pattern="^[a-z]{3}$")] = "usd",
    format: Format = "json",  # noqa: A002 - the name in the query
) -> PayoutStatement | Response:
    """For the clinician and for operations. CSV has the entries."""
    start, end = _month(month)
    async with services.database.transaction() as session:
        await visible_clinician(session, principal, clinician_id)
        opening = await reports.owed_before(session, clinician_id, currency, start)
        entries = await reports.statement_entries(session, clinician_id, currency, start, end)
    if format == "csv":
        return csv_answer(StatementEntry, entries, f"payout-{month}.csv")
    accrued = sum(entry.amount_cents for entry in entries)
    owed = sum(entry.amount_cents for entry in entries if entry.follow_up_owed)
    return PayoutStatement(
        clinician_id=clinician_id,
        currency=currency,
        start=start,
        end=end,
        opening_cents=opening,
        entries=entries,
        accrued_cents=accrued,
        follow_up_owed_cents=owed,
        settled_cents=accrued - owed,
        total_cents=opening + accrued,
    )


def _month(month: str) -> tuple[datetime, datetime]:
    year, number = map(int, month.split("-"))
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(year, number, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


def _entry_view(entry: PostedEntry) -> EntryView:
    postings = [PostingView(account=account, amount_cents=cents) for account, cents in entry.postings]
    return EntryView(key=entry.key, kind=entry.kind, currency=entry.currency, at=entry.at, postings=postings)


def _balances(entries: Iterable[PostedEntry]) -> list[Balance]:
    totals: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        for account, cents in entry.postings:
            totals[(entry.currency, account)] += cents
    return [
        Balance(account=account, currency=currency, amount_cents=cents)
        for (currency, account), cents in sorted(totals.items())
    ]
