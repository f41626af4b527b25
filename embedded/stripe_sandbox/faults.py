"""Failures on demand: what tests ask the sandbox to answer instead of the truth."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Fault:
    status: int
    after_executing: bool
    """True: the request is carried out and kept, and only its answer is lost."""


class Faults:
    def __init__(self) -> None:
        self._next: deque[Fault] = deque()
        self._bouncing: deque[timedelta] = deque()

    def fail_next(self, times: int = 1, *, status: int = 500, after_executing: bool = False) -> None:
        """Answer the next `times` API requests with an error of that HTTP status."""
        self._next.extend([Fault(status, after_executing)] * times)

    def take(self) -> Fault | None:
        return self._next.popleft() if self._next else None

    def bounce_refunds(self, times: int = 1, *, after: timedelta) -> None:
        """Let the next `times` refunds succeed as any other, and fail when that much time has passed."""
        self._bouncing.extend([after] * times)

    def take_bounce(self) -> timedelta | None:
        return self._bouncing.popleft() if self._bouncing else None
