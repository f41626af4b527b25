"""Rules of the outbox: how long a notice that could not be sent waits, when to give up, what also goes as a text."""

from __future__ import annotations

from datetime import timedelta

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
MAX_ATTEMPTS = 31
"""With these waits the last attempt comes about 24 hours after the first."""

ALSO_AS_TEXT = {
    "clinician_waiting": "clinician_waiting_text",
    "payment_reminder": "payment_reminder_text",
    "result_available": "result_available_text",
    "visit_delayed": "visit_delayed_text",
    "visit_reminder": "visit_reminder_text",
}
"""Templates of letters, and of the text message that goes to patients who gave a telephone number."""

WEBHOOK_UNDELIVERABLE = "webhook_undeliverable"
"""Template for a stored webhook that no case ever claimed: no process tells people of it."""


def wait_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None to give up."""
    if attempts >= MAX_ATTEMPTS:
        return None
    doublings = min(attempts - 1, 16)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
