"""Double-entry bookkeeping: every entry balances, in cents, in its own currency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain import ledger
from domain.errors import Invalid
from domain.ledger import Account, EntryKind, LedgerEntry, Posting, Price
from tests.domain.builders import PRICE

Booking = Callable[[str, int, str], LedgerEntry]
BETWEEN_TWO: list[tuple[Booking, EntryKind, Account, Account]] = [
    (ledger.payment, EntryKind.PAYMENT, Account.PROCESSOR_BALANCE, Account.PATIENT_DEPOSITS),
    (ledger.processor_fee, EntryKind.PROCESSOR_FEE, Account.PROCESSOR_FEES, Account.PROCESSOR_BALANCE),
    (ledger.dispute_opened, EntryKind.DISPUTE_OPENED, Account.DISPUTED_FUNDS, Account.PROCESSOR_BALANCE),
    (ledger.dispute_won, EntryKind.DISPUTE_WON, Account.PROCESSOR_BALANCE, Account.DISPUTED_FUNDS),
    (ledger.dispute_lost, EntryKind.DISPUTE_LOST, Account.DISPUTE_LOSSES, Account.DISPUTED_FUNDS),
]


def posted(entry: LedgerEntry) -> dict[Account, int]:
    return {posting.account: posting.amount_cents for posting in entry.postings}


def balances(entries: Iterable[LedgerEntry], currency: str) -> dict[Account, int]:
    totals: Counter[Account] = Counter()
    for entry in entries:
        if entry.currency == currency:
            totals.update(posted(entry))
    return {account: cents for account, cents in totals.items() if cents}


@pytest.mark.parametrize(("book", "kind", "debit", "credit"), BETWEEN_TWO, ids=lambda value: str(value)[:20])
def test_debits_one_account_and_credits_the_other(
    book: Booking, kind: EntryKind, debit: Account, credit: Account
) -> None:
    entry = book("key-1", 14_000, "eur")
    assert (entry.key, entry.kind, entry.currency) == ("key-1", kind, "eur")
    assert posted(entry) == {debit: 14_000, credit: -14_000}


@pytest.mark.parametrize("book", [*(row[0] for row in BETWEEN_TWO), lambda k, a, c: ledger.refund(k, a, c, 14_000)])
@pytest.mark.parametrize("cents", [0, -1])
def test_refuses_an_amount_that_is_not_positive(book: Booking, cents: int) -> None:
    with pytest.raises(Invalid) as refusal:
        book("key-1", cents, "usd")
    assert refusal.value.code == "ledger.amount_invalid"


def test_refuses_an_entry_that_does_not_balance() -> None:
    lopsided = (
        Posting(account=Account.PROCESSOR_BALANCE, amount_cents=100),
        Posting(account=Account.PATIENT_DEPOSITS, amount_cents=-99),
    )
    with pytest.raises(ValidationError, match=r"ledger\.unbalanced"):
        LedgerEntry(key="key-1", kind=EntryKind.PAYMENT, currency="usd", postings=lopsided)


@pytest.mark.parametrize(
    ("deposit_cents", "from_deposit", "granted"),
    [(14_000, 14_000, 0), (11_000, 11_000, 3_000), (0, 0, 14_000), (-5, 0, 14_000), (20_000, 14_000, 0)],
)
def test_earning_takes_what_is_held_and_the_rest_is_the_platforms_cost(
    deposit_cents: int, from_deposit: int, granted: int
) -> None:
    entry = ledger.earned("key-1", PRICE, deposit_cents)
    expected = {
        Account.PATIENT_DEPOSITS: from_deposit,
        Account.REFUNDS_GRANTED: granted,
        Account.NETWORK_PAYABLE: -12_000,
        Account.CLINICIAN_PAYABLE: -2_000,
    }
    assert posted(entry) == {account: cents for account, cents in expected.items() if cents}
    assert (entry.kind, entry.currency) == (EntryKind.EARNED, "usd")


def test_a_clinician_without_a_portion_is_owed_nothing() -> None:
    entry = ledger.earned("key-1", Price(network_fee_cents=12_000, clinician_portion_cents=0), 12_000)
    assert posted(entry) == {Account.PATIENT_DEPOSITS: 12_000, Account.NETWORK_PAYABLE: -12_000}


@pytest.mark.parametrize(
    ("cents", "deposit_cents", "expected"),
    [
        (14_000, 14_000, {Account.PATIENT_DEPOSITS: 14_000}),
        (5_000, 14_000, {Account.PATIENT_DEPOSITS: 5_000}),
        (5_000, 0, {Account.REFUNDS_GRANTED: 5_000}),
        (5_000, -1, {Account.REFUNDS_GRANTED: 5_000}),
        (5_000, 2_000, {Account.PATIENT_DEPOSITS: 2_000, Account.REFUNDS_GRANTED: 3_000}),
    ],
)
def test_a_refund_comes_out_of_the_deposit_first(cents: int, deposit_cents: int, expected: dict[Account, int]) -> None:
    entry = ledger.refund("key-1", cents, "usd", deposit_cents)
    assert posted(entry) == {**expected, Account.PROCESSOR_BALANCE: -cents}


@pytest.mark.parametrize(("network", "clinician"), [(12_000, 2_000), (12_000, 4_550), (1, 0)])
def test_the_price_is_network_fee_and_portion(network: int, clinician: int) -> None:
    assert Price(network_fee_cents=network, clinician_portion_cents=clinician).total_cents == network + clinician


def test_a_whole_life_ends_with_what_is_owed_and_what_it_cost() -> None:
    entries = [
        ledger.payment("payment", 14_000, "usd"),
        ledger.processor_fee("fee", 436, "usd"),
        ledger.refund("before", 3_000, "usd", 14_000),
        ledger.earned("earned", PRICE, 11_000),
        ledger.refund("after", 1_000, "usd", 0),
        ledger.payment("twice", 9_900, "eur"),
    ]
    assert balances(entries, "usd") == {
        Account.PROCESSOR_BALANCE: 14_000 - 436 - 3_000 - 1_000,
        Account.PROCESSOR_FEES: 436,
        Account.NETWORK_PAYABLE: -12_000,
        Account.CLINICIAN_PAYABLE: -2_000,
        Account.REFUNDS_GRANTED: 4_000,
    }
    assert balances(entries, "eur") == {Account.PROCESSOR_BALANCE: 9_900, Account.PATIENT_DEPOSITS: -9_900}


cents = st.integers(1, 10_000_000)
held = st.integers(-1_000, 10_000_000)
currencies = st.sampled_from(["usd", "eur", "gbp"])
simple = st.builds(
    lambda book, amount, currency: book("key", amount, currency),
    st.sampled_from([row[0] for row in BETWEEN_TWO]),
    cents,
    currencies,
)
refunds = st.builds(ledger.refund, st.just("key"), cents, currencies, held)
prices = st.builds(
    Price, network_fee_cents=st.integers(0, 50_000), clinician_portion_cents=st.integers(0, 50_000), currency=currencies
)
earnings = st.builds(ledger.earned, st.just("key"), prices, held)


@given(st.lists(simple | refunds | earnings))
def test_any_sequence_of_entries_balances_in_each_currency(entries: list[LedgerEntry]) -> None:
    for currency in ("usd", "eur", "gbp"):
        assert sum(balances(entries, currency).values()) == 0


@given(simple | refunds | earnings)
def test_an_entry_has_no_empty_and_no_double_posting(entry: LedgerEntry) -> None:
    assert all(posting.amount_cents for posting in entry.postings)
    assert len({posting.account for posting in entry.postings}) == len(entry.postings)


@given(prices, held)
def test_earning_never_takes_more_than_is_held(price: Price, deposit_cents: int) -> None:
    taken = posted(ledger.earned("key", price, deposit_cents)).get(Account.PATIENT_DEPOSITS, 0)
    assert 0 <= taken <= max(deposit_cents, 0)


@given(cents, held)
def test_a_refund_gives_the_patient_every_cent_and_never_overdraws(amount: int, deposit_cents: int) -> None:
    accounts = posted(ledger.refund("key", amount, "usd", deposit_cents))
    assert accounts[Account.PROCESSOR_BALANCE] == -amount
    assert 0 <= accounts.get(Account.PATIENT_DEPOSITS, 0) <= max(deposit_cents, 0)


@given(simple | refunds | earnings)
def test_an_entry_survives_its_journey_as_json(entry: LedgerEntry) -> None:
    assert LedgerEntry.model_validate_json(entry.model_dump_json()) == entry
