"""What became of a text after it was handed over."""

from __future__ import annotations

from typing import Final

from domain.model import Value

_ORDER: Final = {"accepted": 0, "scheduled": 0, "queued": 0, "sending": 1, "sent": 2}
_FINAL: Final = 3

UNDELIVERED: Final = frozenset({"undelivered", "failed"})


class TextReport(Value):
    """One status callback of a text. `error_code` is the provider's, such as 30003 for a telephone that is off."""

    event_id: str
    notice_key: str
    message_sid: str
    status: str
    error_code: str | None = None


def later(known: str | None, told: str) -> str:
    """The status that is further on. Callbacks come in any order; the first final one stays."""
    if known is None or _ORDER.get(told, _FINAL) > _ORDER.get(known, _FINAL):
        return told
    return known
