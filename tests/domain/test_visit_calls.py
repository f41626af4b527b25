"""When a call counts, and what it came to in whatever order it is reported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from domain import text_deliveries
from domain.visit_calls import CallEvent, CallOutcome, counts_as_attempt, later, settled

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANSWERED, NO_ANSWER, BUSY, FAILED, MACHINE, CANCELED = CallOutcome


def event(outcome: CallOutcome | None, occurred_at: datetime = NOON) -> CallEvent:
    return CallEvent(
        event_id="CA2:completed:3",
        visit_id="v-1",
        attempt_id="a-1",
        call_sid="CA1",
        status="completed",
        outcome=outcome,
        occurred_at=occurred_at,
    )


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (ANSWERED, True),
        (NO_ANSWER, True),
        (BUSY, True),
        (MACHINE, True),
        (FAILED, False),
        (CANCELED, False),
        (None, False),
    ],
)
def test_counts_when_the_patient_was_really_rung(outcome: CallOutcome | None, *, counts: bool) -> None:
    assert counts_as_attempt(event(outcome)) is counts


@pytest.mark.parametrize(
    ("known", "told", "result"),
    [
        (None, None, None),
        (None, ANSWERED, ANSWERED),
        (ANSWERED, None, ANSWERED),
        (ANSWERED, MACHINE, MACHINE),
        (MACHINE, ANSWERED, MACHINE),
        (None, MACHINE, MACHINE),
        (MACHINE, None, MACHINE),
        (NO_ANSWER, MACHINE, NO_ANSWER),
        (BUSY, FAILED, BUSY),
        (NO_ANSWER, CANCELED, NO_ANSWER),
    ],
)
def test_what_a_call_came_to(known: CallOutcome | None, told: CallOutcome | None, result: CallOutcome | None) -> None:
    assert settled(known, told) is result


@pytest.mark.parametrize(
    ("known", "told", "result"),
    [
        ("requested", "queued", "queued"),
        ("initiated", "ringing", "ringing"),
        ("in-progress", "ringing", "in-progress"),
        ("completed", "ringing", "completed"),
        ("ringing", "no-answer", "no-answer"),
        ("no-answer", "completed", "no-answer"),
        ("queued", "clinician-busy", "clinician-busy"),
    ],
)
def test_a_call_never_goes_back(known: str, told: str, result: str) -> None:
    assert later(known, told) == result


@pytest.mark.parametrize(
    ("known", "told", "result"),
    [
        (None, "queued", "queued"),
        ("queued", "sent", "sent"),
        ("delivered", "sent", "delivered"),
        ("sent", "undelivered", "undelivered"),
        ("delivered", "undelivered", "delivered"),
    ],
)
def test_a_text_never_goes_back(known: str | None, told: str, result: str) -> None:
    assert text_deliveries.later(known, told) == result


@pytest.mark.parametrize("moment", [datetime(2026, 3, 2, 12), NOON.astimezone(timezone(timedelta(hours=1)))])  # noqa: DTZ001
def test_an_event_happens_in_utc(moment: datetime) -> None:
    with pytest.raises(ValidationError):
        event(None, moment)
