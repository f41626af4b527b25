"""What the sandbox has accepted, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path

from embedded.journal import Journal
from embedded.twilio_sandbox.calls import ANSWERS, Answer, StoredCall, call_fault, play
from embedded.twilio_sandbox.delivery import Callbacks, Deliver, deliver_over_http
from embedded.twilio_sandbox.errors import TwilioError
from embedded.twilio_sandbox.texts import (
    UNDELIVERABLE_NUMBERS,
    StoredText,
    text_callback,
    text_fault,
    text_steps,
)


def utc_now() -> datetime:
    return datetime.now(UTC)


class TwilioSandbox:
    """Takes texts and calls for one account, and reports on them to the status callback that each names.

    `store` and `call_store` keep them across restarts; `deliver` takes the callbacks; `clock` is aware UTC. Failures on
    demand: `opt_out(number)`, `undeliverable[number] = code`, `answers[number]` for calls, `default_answer` for all
    other numbers, `fail_next(status, times)` for answers 429 and 5xx.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        store: Path | None = None,
        call_store: Path | None = None,
        deliver: Deliver = deliver_over_http,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.clock = clock
        self.undeliverable = dict(UNDELIVERABLE_NUMBERS)
        self.answers = dict(ANSWERS)
        self.default_answer = Answer.ANSWERED
        self._opted_out: set[str] = set()
        self._next_statuses: list[int] = []
        self._texts = Journal(StoredText, lambda text: text.sid, store)
        self._calls = Journal(StoredCall, lambda call: call.sid, call_store)
        self._callbacks = Callbacks(auth_token, deliver)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def messages(self) -> list[StoredText]:
        """All texts, oldest first."""
        return self._texts.all()

    @property
    def calls(self) -> list[StoredCall]:
        """All calls, oldest first."""
        return self._calls.all()

    def opt_out(self, number: str) -> None:
        """The person answered STOP."""
        self._opted_out.add(number)

    def opt_in(self, number: str) -> None:
        """The person answered START."""
        self._opted_out.discard(number)

    def fail_next(self, status: int, times: int = 1) -> None:
        self._next_statuses += [status] * times

    def text(self, sid: str) -> StoredText:
        found = self._texts.get(sid)
        if found is None:
            raise TwilioError(20404, 404)
        return found

    def call(self, sid: str) -> StoredCall:
        found = self._calls.get(sid)
        if found is None:
            raise TwilioError(20404, 404)
        return found

    def accept(self, text: StoredText) -> StoredText:
        """Keep a text, or raise the `TwilioError` that Twilio would answer with."""
        self._check(21610 if text.to in self._opted_out else text_fault(text))
        self._texts.put(text)
        return text

    def accept_call(self, call: StoredCall) -> StoredCall:
        """Keep a call, or raise the `TwilioError` that Twilio would answer with."""
        self._check(call_fault(call))
        self._calls.put(call)
        return call

    async def deliver(self, sid: str) -> None:
        """Move a text to its end and report each step."""
        text = self.text(sid)
        for step in text_steps(text, self.undeliverable.get(text.to)):
            self._texts.put(step)
            await self._callbacks.send(step.status_callback, text_callback(step))

    async def ring(self, sid: str) -> None:
        """Let a call take its course and report each step. A clinician picks up unless their number says otherwise."""
        call = self.call(sid)
        clinician = self.answers.get(call.to, Answer.ANSWERED)
        patient = self.answers.get(call.patient.number, self.default_answer)
        for step, callback in play(call, clinician, patient, self.clock()):
            self._calls.put(step)
            if callback:
                await self._callbacks.send(*callback)

    def start(self, course: Coroutine[None, None, None]) -> None:
        """Let a text or a call take its course beside everything else; needs a running event loop."""
        task = asyncio.create_task(course)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until everything that was started has taken its course."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _check(self, fault: int | None) -> None:
        if self._next_statuses:
            status = self._next_statuses.pop(0)
            raise TwilioError(20429 if status == 429 else 20500, status)
        if fault:
            raise TwilioError(fault)
