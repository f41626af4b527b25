"""What people are told of the eConsult before they order or pay for one (E-03, E-12, E-30 to E-38)."""

from __future__ import annotations

from domain.econsult.submission import Purpose
from domain.model import Value


class PurposeText(Value):
    code: Purpose
    name: str
    description: str


class Faq(Value):
    id: str
    question: str
    answer: str


PURPOSES = (
    PurposeText(
        code=Purpose.SECOND_OPINION,
        name="Second opinion",
        description="Have a differential diagnosis or a care plan checked, or refined.",
    ),
    PurposeText(
        code=Purpose.BRIDGE,
        name="Bridge to an appointment",
        description="Get an interim plan for a patient who waits for a specialist appointment in person.",
    ),
    PurposeText(
        code=Purpose.INTERPRET_RESULT,
        name="Interpret a result",
        description="Learn what a lab, imaging or diagnostic result means for this patient.",
    ),
    PurposeText(
        code=Purpose.REFERRAL_DECISION,
        name="Referral decision",
        description="Find out whether a referral is needed, and to which specialty.",
    ),
)


def money(cents: int, currency: str) -> str:
    """`$140` or `$140.50`; other currencies as `140.50 EUR`. `cents` is not negative."""
    whole, rest = divmod(cents, 100)
    amount = f"{whole:,}" if rest == 0 else f"{whole:,}.{rest:02}"
    return f"${amount}" if currency == "usd" else f"{amount} {currency.upper()}"


def faq(price: str, support: str) -> tuple[Faq, ...]:
    """The patients' usual questions. `price` is what this patient pays, `support` whom to write to."""
    return tuple(
        Faq(id=id_, question=question, answer=answer.format(price=price, support=support))
        for id_, question, answer in _FAQ
    )


_FAQ = (
    (
        "what",
        "What is an eConsult?",
        "Your clinician writes to a board-certified specialist about your case, and the specialist answers in writing. "
        "An answer usually arrives within a day or two.",
    ),
    (
        "in_person",
        "How is it different from seeing a specialist in person?",
        "It is quicker and costs less, and your own clinician stays in charge of your care. You do not meet the "
        "specialist, and it does not replace a visit in person when you need one.",
    ),
    (
        "cost",
        "What does it cost?",
        "You pay {price}. The follow-up visit in which your clinician goes through the answer with you is included.",
    ),
    (
        "in_person_needed",
        "What if I need to be seen in person?",
        "Your clinician helps you to arrange the next steps. That visit is booked and paid for separately: what you "
        "paid for the eConsult is not taken off its price.",
    ),
    (
        "how_long",
        "How long does it take?",
        "Usually a day or two. Your clinician then shares the findings with you in the follow-up visit.",
    ),
    (
        "privacy",
        "Is it HIPAA compliant?",
        "Yes. Your information reaches the specialist over a HIPAA-compliant channel only.",
    ),
    (
        "refund",
        "Can I get my money back?",
        "Please write to {support} with any question about billing. A person looks at every request.",
    ),
)
