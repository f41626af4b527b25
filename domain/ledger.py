"""Double-entry bookkeeping of an eConsult, in integer cents. Debits are positive, credits negative; each sums to zero.

Accounts: what the processor holds for us (`processor_balance`), what we hold for the patient (`patient_deposits`) until
the specialist has answered, what is then owed to the network and to the clinician, and what fees, refunds and disputes
cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Self

from pydantic import model_validator

from domain.errors import Invalid
from domain.model import Value


class Account(StrEnum):
    PROCESSOR_BALANCE = "processor_balance"
    PATIENT_DEPOSITS = "patient_deposits"
    PROCESSOR_FEES = "processor_fees"
    NETWORK_PAYABLE = "network_payable"
    CLINICIAN_PAYABLE = "clinician_payable"
    REFUNDS_GRANTED = "refunds_granted"
    DISPUTED_FUNDS = "disputed_funds"
    DISPUTE_LOSSES = "dispute_losses"


class EntryKind(StrEnum):
    PAYMENT = "payment"
    PROCESSOR_FEE = "processor_fee"
    EARNED = "earned"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"


class Posting(Value):
    account: Account
    amount_cents: int


class LedgerEntry(Value):
    """One balanced entry. `key` is unique for ever: the same entry is booked once."""

    key: str
    kind: EntryKind
    currency: str
    postings: tuple[Posting, ...]

    @model_validator(mode="after")
    def _balanced(self) -> Self:
        if sum(posting.amount_cents for posting in self.postings) != 0:
            raise ValueError("ledger.unbalanced: debits and credits differ")
        return self


class Price(Value):
    """The patient's price, split to the cent and pinned when the order is placed (E-15, E-20, E-21)."""

    network_fee_cents: int
    clinician_portion_cents: int
    currency: str = "usd"

    @property
    def total_cents(self) -> int:
        return self.network_fee_cents + self.clinician_portion_cents


def move(key: str, kind: EntryKind, currency: str, amount_cents: int, debit: Account, credit: Account) -> LedgerEntry:
    """An entry between two accounts. Raises `Invalid` (`ledger.amount_invalid`) unless the amount is positive."""
    if amount_cents <= 0:
        raise Invalid("ledger.amount_invalid", "an entry needs a positive amount of cents")
    postings = (
        Posting(account=debit, amount_cents=amount_cents),
        Posting(account=credit, amount_cents=-amount_cents),
    )
    return LedgerEntry(key=key, kind=kind, currency=currency, postings=postings)


def payment(key: str, amount_cents: int, currency: str) -> LedgerEntry:
    return move(key, EntryKind.PAYMENT, currency, amount_cents, Account.PROCESSOR_BALANCE, Account.PATIENT_DEPOSITS)


def processor_fee(key: str, amount_cents: int, currency: str) -> LedgerEntry:
    """The processor's fee is the platform's cost: network and clinician get their parts whole."""
    return move(
        key,
        EntryKind.PROCESSOR_FEE,
        currency,
        amount_cents,
        Account.PROCESSOR_FEES,
        Account.PROCESSOR_BALANCE,
    )


def earned(key: str, price: Price, deposit_cents: int) -> LedgerEntry:
    """The specialist has answered: the deposit becomes what is owed to network and clinician (decision 15).

    `deposit_cents` is what is still held. What went back to the patient before the answer is owed all the same, at the
    platform's cost.
    """
    from_deposit = min(price.total_cents, max(deposit_cents, 0))
    parts = (
        (Account.PATIENT_DEPOSITS, from_deposit),
        (Account.REFUNDS_GRANTED, price.total_cents - from_deposit),
        (Account.NETWORK_PAYABLE, -price.network_fee_cents),
        (Account.CLINICIAN_PAYABLE, -price.clinician_portion_cents),
    )
    return LedgerEntry(key=key, kind=EntryKind.EARNED, currency=price.currency, postings=_postings(parts))


def refund(key: str, amount_cents: int, currency: str, deposit_cents: int) -> LedgerEntry:
    """Money back to the patient: out of the deposit as far as one is still held, the rest at the platform's cost."""
    from_deposit = min(amount_cents, max(deposit_cents, 0))
    if amount_cents <= 0:
        raise Invalid("ledger.amount_invalid", "a refund needs a positive amount of cents")
    parts = (
        (Account.PATIENT_DEPOSITS, from_deposit),
        (Account.REFUNDS_GRANTED, amount_cents - from_deposit),
        (Account.PROCESSOR_BALANCE, -amount_cents),
    )
    return LedgerEntry(key=key, kind=EntryKind.REFUND, currency=currency, postings=_postings(parts))


def refund_returned(key: str, amount_cents: int, currency: str, deposit_cents: int) -> LedgerEntry:
    """A refund came back to us: into the deposit as far as one is held again, else the platform's cost is undone.

    `deposit_cents` is what is held for the patient from now on.
    """
    if amount_cents <= 0:
        raise Invalid("ledger.amount_invalid", "a refund needs a positive amount of cents")
    to_deposit = min(amount_cents, max(deposit_cents, 0))
    parts = (
        (Account.PROCESSOR_BALANCE, amount_cents),
        (Account.PATIENT_DEPOSITS, -to_deposit),
        (Account.REFUNDS_GRANTED, to_deposit - amount_cents),
    )
    return LedgerEntry(key=key, kind=EntryKind.REFUND_RETURNED, currency=currency, postings=_postings(parts))


def dispute_opened(key: str, amount_cents: int, currency: str) -> LedgerEntry:
    """The processor takes a disputed payment back until the dispute is decided."""
    return move(
        key,
        EntryKind.DISPUTE_OPENED,
        currency,
        amount_cents,
        Account.DISPUTED_FUNDS,
        Account.PROCESSOR_BALANCE,
    )


def dispute_won(key: str, amount_cents: int, currency: str) -> LedgerEntry:
    return move(key, EntryKind.DISPUTE_WON, currency, amount_cents, Account.PROCESSOR_BALANCE, Account.DISPUTED_FUNDS)


def dispute_lost(key: str, amount_cents: int, currency: str) -> LedgerEntry:
    return move(key, EntryKind.DISPUTE_LOST, currency, amount_cents, Account.DISPUTE_LOSSES, Account.DISPUTED_FUNDS)


def _postings(parts: Iterable[tuple[Account, int]]) -> tuple[Posting, ...]:
    return tuple(Posting(account=account, amount_cents=cents) for account, cents in parts if cents)
