"""Each validation case as the story that it is: what is done in one system, and what must then be in the other.

Evidence is plain words without patient data. Patients and appointments are made up, one of each for a case, under keys
made from the run's, so that a repeat finds those of the first time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import activity

from activities.rollout_ports import (
    Change,
    ChartAppointment,
    ChartStatus,
    Direction,
    LoggedMessage,
    MessageKind,
    PatientText,
    Twin,
)
from domain.errors import GatewayUnavailable
from domain.rollout.integration.validation import ValidationCase, ValidationPolicy, ValidationResult

T = TypeVar("T")


class CaseFailed(Exception):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Bench:
    """The twin with what a case has found so far."""

    twin: Twin
    policy: ValidationPolicy
    key: str
    case: ValidationCase | None = None
    evidence: list[str] = field(default_factory=list)
    latency: timedelta | None = None

    def of(self, case: ValidationCase) -> Bench:
        return Bench(self.twin, self.policy, f"{self.key}:{case}", case)

    def result(self, *, passed: bool, why: str | None = None) -> ValidationResult:
        assert self.case is not None
        return ValidationResult(
            case=self.case,
            passed=passed,
            latency_ms=None if self.latency is None else self.latency // timedelta(milliseconds=1),
            evidence=(*self.evidence, *([why] if why else [])),
        )

    async def do(self, act: Callable[[], Awaitable[T]]) -> T:
        """Once the system answers. Raises `GatewayUnavailable` when it does not within the limit."""
        gives_up = self.twin.now() + self.policy.latency_limit
        while True:
            activity.heartbeat(self.case)
            try:
                return await act()
            except GatewayUnavailable:
                if self.twin.now() >= gives_up:
                    raise
            await self.twin.wait(self.policy.poll_every)

    async def until(self, look: Callable[[], Awaitable[T | None]], since: datetime, otherwise: str) -> T:
        """What `look` finds within the limit from `since` on. Raises `CaseFailed` (`otherwise`)."""
        while True:
            found = await self.do(look)
            if found is not None:
                return found
            if self.twin.now() > since + self.policy.latency_limit:
                raise CaseFailed(otherwise)
            await self.twin.wait(self.policy.poll_every)

    def arrived(self, change: Change, at: datetime, what: str) -> None:
        """Raises `CaseFailed` (`too_late`) when it took too long, however soon we looked."""
        self.latency = max(at - change.at, timedelta())
        self.evidence.append(what)
        if self.latency > self.policy.latency_limit:
            raise CaseFailed("too_late")

    def require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise CaseFailed(otherwise)

    async def patient(self) -> Change:
        return await self.do(lambda: self.twin.practice.add_patient(f"{self.key}:patient", self.policy.phone))

    async def booked(self) -> tuple[Change, Change]:
        """A patient with an appointment in the practice system."""
        patient = await self.patient()
        starts_at = patient.at + self.policy.appointment_ahead
        booked = await self.do(lambda: self.twin.practice.book(f"{self.key}:book", patient.record_id, starts_at))
        self.evidence.append("booked")
        return patient, booked

    async def seen(
        self, record_id: str, patient_id: str, since: datetime, fits: Callable[[ChartAppointment], bool]
    ) -> ChartAppointment:
        """The appointment on the platform, once it fits. Raises `CaseFailed` (`not_seen`, `wrong_patient`)."""

        async def look() -> ChartAppointment | None:
            found = await self.twin.platform.appointment(record_id)
            return found if found is not None and fits(found) else None

        found = await self.until(look, since, "not_seen")
        self.require(found.patient_id == patient_id, "wrong_patient")
        return found

    async def known(self) -> tuple[Change, Change]:
        """A patient with an appointment that both systems know."""
        patient, booked = await self.booked()
        await self.seen(booked.record_id, patient.record_id, booked.at, lambda _: True)
        self.evidence.append("seen")
        return patient, booked

    async def received(self, patient: Change, text: PatientText, about: str | None = None) -> Change:
        key = f"{self.key}:{text}"
        arrived = await self.do(lambda: self.twin.platform.receive(key, patient.record_id, text, about))
        self.evidence.append(f"{text}_received")
        return arrived


async def new_appointment(bench: Bench) -> None:
    """C-05: appears within the limit."""
    patient, booked = await bench.booked()
    found = await bench.seen(booked.record_id, patient.record_id, booked.at, lambda _: True)
    bench.arrived(booked, found.changed_at, "seen")


async def appointment_modified(bench: Bench) -> None:
    """C-06: is updated within the limit."""
    patient, booked = await bench.known()
    new_start = patient.at + bench.policy.appointment_ahead + timedelta(hours=1)
    moved = await bench.do(lambda: bench.twin.practice.move(f"{bench.key}:move", booked.record_id, new_start))
    bench.evidence.append("moved")
    found = await bench.seen(
        booked.record_id, patient.record_id, moved.at, lambda appointment: appointment.starts_at == new_start
    )
    bench.arrived(moved, found.changed_at, "seen_moved")


async def appointment_cancelled(bench: Bench) -> None:
    """C-07 and decision 39: is reflected, no cancellation is sent to the patient, no reminder is left."""
    patient, booked = await bench.known()
    cancelled = await bench.do(lambda: bench.twin.practice.cancel(f"{bench.key}:cancel", booked.record_id))
    bench.evidence.append("cancelled")
    found = await bench.seen(
        booked.record_id,
        patient.record_id,
        cancelled.at,
        lambda appointment: appointment.status is ChartStatus.CANCELLED,
    )
    bench.arrived(cancelled, found.changed_at, "seen_cancelled")
    written = await bench.do(lambda: bench.twin.platform.messages(booked.record_id))
    bench.require(all(one.kind is not MessageKind.CANCELLATION for one in written), "cancellation_sent")
    left = await bench.do(lambda: bench.twin.platform.pending_reminders(booked.record_id))
    bench.require(left == 0, "reminders_left")
    bench.evidence.append("nothing_sent")


async def phone_changed(bench: Bench) -> None:
    """C-08: is updated within the limit."""
    patient = await bench.patient()
    number = bench.policy.changed_phone
    changed = await bench.do(lambda: bench.twin.practice.change_phone(f"{bench.key}:change", patient.record_id, number))
    bench.evidence.append("changed")

    async def look() -> datetime | None:
        found = await bench.twin.platform.patient(patient.record_id)
        return found.changed_at if found is not None and found.phone == number else None

    bench.arrived(changed, await bench.until(look, changed.at, "not_seen"), "seen_changed")


async def opt_out(bench: Bench) -> None:
    """C-09: a text after the opt-out is blocked."""
    patient = await _known_patient(bench)
    stopped = await bench.received(patient, PatientText.STOP)

    async def look() -> bool | None:
        found = await bench.twin.platform.patient(patient.record_id)
        return True if found is not None and found.texts_blocked else None

    await bench.until(look, stopped.at, "not_opted_out")
    bench.evidence.append("opted_out")
    went_out = await bench.do(lambda: bench.twin.platform.write_to(f"{bench.key}:text", patient.record_id))
    bench.require(not went_out, "text_went_out")
    bench.evidence.append("text_blocked")


async def reminder(bench: Bench) -> None:
    """C-10: the patient gets it, and nobody else does."""
    patient, booked = await bench.known()
    sent_at = bench.twin.now()
    await bench.do(lambda: bench.twin.platform.remind(f"{bench.key}:remind", booked.record_id))
    bench.evidence.append("sent")

    async def look() -> tuple[LoggedMessage, ...] | None:
        written = await bench.twin.platform.messages(booked.record_id)
        delivered = tuple(one for one in written if one.kind is MessageKind.REMINDER and one.delivered)
        return delivered or None

    delivered = await bench.until(look, sent_at, "not_delivered")
    bench.require(all(one.patient_id == patient.record_id for one in delivered), "wrong_patient")
    bench.evidence.append("delivered")


async def confirmation(bench: Bench) -> None:
    """C-11: it is in the practice system, read back from there."""
    patient, booked = await bench.known()
    said = await bench.received(patient, PatientText.CONFIRM, booked.record_id)

    async def look() -> ChartAppointment | None:
        found = await bench.twin.practice.read(booked.record_id)
        return found if found is not None and found.confirmed else None

    found = await bench.until(look, said.at, "not_written")
    bench.arrived(said, found.changed_at, "written")


async def callback(bench: Bench) -> None:
    """C-12: the front desk is told."""
    patient = await _known_patient(bench)
    requested = await bench.received(patient, PatientText.CALLBACK)

    async def look() -> datetime | None:
        return await bench.twin.platform.front_desk_told_at(requested.record_id)

    bench.arrived(requested, await bench.until(look, requested.at, "front_desk_not_told"), "front_desk_told")


async def conversation(bench: Bench) -> None:
    """C-13: what goes both ways is logged and accessible."""
    patient = await _known_patient(bench)
    went_out = await bench.do(lambda: bench.twin.platform.write_to(f"{bench.key}:text", patient.record_id))
    bench.require(went_out, "text_blocked")
    asked = await bench.received(patient, PatientText.QUESTION)

    async def look() -> bool | None:
        logged = await bench.twin.platform.messages(patient.record_id)
        mine = [one for one in logged if one.kind is MessageKind.CONVERSATION]
        bench.require(all(one.patient_id == patient.record_id for one in mine), "wrong_patient")
        return True if {one.direction for one in mine} == set(Direction) else None

    await bench.until(look, asked.at, "not_logged")
    bench.evidence.append("logged")


async def _known_patient(bench: Bench) -> Change:
    patient = await bench.patient()

    async def look() -> bool | None:
        return True if await bench.twin.platform.patient(patient.record_id) is not None else None

    await bench.until(look, patient.at, "not_seen")
    return patient


CASES: dict[ValidationCase, Callable[[Bench], Awaitable[None]]] = {
    ValidationCase.NEW_APPOINTMENT: new_appointment,
    ValidationCase.APPOINTMENT_MODIFIED: appointment_modified,
    ValidationCase.APPOINTMENT_CANCELLED: appointment_cancelled,
    ValidationCase.PHONE_CHANGED: phone_changed,
    ValidationCase.OPT_OUT: opt_out,
    ValidationCase.REMINDER: reminder,
    ValidationCase.CONFIRMATION: confirmation,
    ValidationCase.CALLBACK: callback,
    ValidationCase.CONVERSATION: conversation,
}
