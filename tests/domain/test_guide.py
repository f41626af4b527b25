"""What people are told before they order or pay."""

from __future__ import annotations

import pytest

from domain.econsult.guide import PURPOSES, faq, money
from domain.econsult.submission import Purpose


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [(14_000, "usd", "$140"), (14_005, "usd", "$140.05"), (1_234_567, "usd", "$12,345.67"), (900, "eur", "9 EUR")],
)
def test_writes_money_as_people_do(cents: int, currency: str, text: str) -> None:
    assert money(cents, currency) == text


def test_describes_every_purpose() -> None:
    assert {purpose.code for purpose in PURPOSES} == set(Purpose)


def test_answers_with_the_price_and_contact_it_is_given() -> None:
    answers = " ".join(entry.answer for entry in faq("$165.50", "help@example.com"))
    assert "$165.50" in answers
    assert "help@example.com" in answers
    assert "$140" not in answers
    assert "{" not in answers
