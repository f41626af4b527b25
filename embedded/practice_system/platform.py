"""The simulated platform of a test location (the port `CommsPlatform`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from activities.rollout_ports import (
    Change,
    ChartAppointment,
    ChartStatus,
    Direction,
    LoggedMessage,
    MessageKind,
    PatientText,
    SeenPatient,
)
from domain.errors import GatewayRejected
from domain.rollout.integration.validation import ValidationPolicy, may_message
from embedded.practice_system.faults import Fault, Simulation
from embedded.practice_system.practice import SimulatedPractice

T = TypeVar("T")

REMINDERS = 3
"""Pending for each appointment: 48 h, 24 h and 2 h before it."""
SOMEBODY_ELSE = "patient-0"


@dataclass
class SimulatedPlatform:
    """Knows what the practice system had a while ago. Texts go to `sent`, and only to fictional numbers."""

    name: str
    simulation: Simulation
    practice: SimulatedPractice
    policy: ValidationPolicy
    sent: list[str] = field(default_factory=list)
    """Numbers that were written to, in order."""
    _log: list[LoggedMessage] = field(default_factory=list)
    _stopped: dict[str, datetime] = field(default_factory=dict)
    _told: dict[str, datetime] = field(default_factory=dict)
    _received: dict[str, Change] = field(default_factory=dict)
    _written: dict[str, bool] = field(default_factory=dict)

    async def appointment(self, record_id: str) -> ChartAppointment | None:
        self.simulation.answer()
        return self._known(record_id)

    async def patient(self, patient_id: str) -> SeenPatient | None:
        self.simulation.answer()
        phones = self.practice.phones.get(patient_id, [])
        known = self._arrived(phones, lambda phone: phone.since)
        if not known:
            return None
        return SeenPatient(
            patient_id=patient_id,
            phone=known[-1].number,
            texts_blocked=self._is_blocked(patient_id),
            changed_at=self.simulation.arrives(known[-1].since),
        )

    async def pending_reminders(self, record_id: str) -> int:
        self.simulation.answer()
        known = self._known(record_id)
        if known is None:
            return 0
        kept = known.status is ChartStatus.SCHEDULED or Fault.REMINDERS_LEFT in self.simulation.faults
        return REMINDERS if kept else 0

    async def remind(self, key: str, record_id: str) -> None:
        self.simulation.answer()
        known = self._known(record_id)
        if known is None:
            raise GatewayRejected("practice_system.record_unknown", "there is no such appointment")
        if Fault.REMINDER_LOST not in self.simulation.faults:
            self._write(key, record_id, known.patient_id, MessageKind.REMINDER)

    async def write_to(self, key: str, patient_id: str) -> bool:
        self.simulation.answer()
        if key not in self._written:
            self._written[key] = not self._is_blocked(patient_id)
            if self._written[key]:
                self._write(key, patient_id, patient_id, MessageKind.CONVERSATION)
        return self._written[key]

    async def receive(self, key: str, patient_id: str, text: PatientText, about: str | None = None) -> Change:
        self.simulation.answer()
        if key not in self._received:
            self._received[key] = self._take(key, patient_id, text, about)
        return self._received[key]

    async def messages(self, about: str) -> tuple[LoggedMessage, ...]:
        self.simulation.answer()
        self._send_cancellations(about)
        return tuple(message for message in self._log if message.about == about)

    async def front_desk_told_at(self, request_id: str) -> datetime | None:
        self.simulation.answer()
        told_at = self._told.get(request_id)
        return told_at if told_at is not None and told_at <= self.simulation.now else None

    def _take(self, key: str, patient_id: str, text: PatientText, about: str | None) -> Change:
        now, faults = self.simulation.now, self.simulation.faults
        received = Change(record_id=self.simulation.new_id("message"), at=now)
        if Fault.REPLIES_LOST not in faults:
            self._note(key, patient_id, patient_id, Direction.FROM_PATIENT, MessageKind.CONVERSATION)
        if text is PatientText.STOP and Fault.OPT_OUT_IGNORED not in faults:
            self._stopped[patient_id] = now
        if text is PatientText.CONFIRM and about is not None and Fault.CONFIRMATION_LOST not in faults:
            self.practice.confirm(about, self.simulation.arrives(now))
        if text is PatientText.CALLBACK and Fault.CALLBACK_LOST not in faults:
            self._told[received.record_id] = self.simulation.arrives(now)
        return received

    def _write(self, key: str, about: str, patient_id: str, kind: MessageKind) -> None:
        """A text goes out. Raises `Refused` (`test_location.real_number`): a test location reaches no person (C-04)."""
        if any(message.message_id == key for message in self._log):
            return
        number = self.practice.phones[patient_id][-1].number
        may_message(self.policy, self.name, number)
        self.sent.append(number)
        reached = SOMEBODY_ELSE if Fault.WRONG_PATIENT in self.simulation.faults else patient_id
        self._note(key, about, reached, Direction.TO_PATIENT, kind)

    def _note(self, key: str, about: str, patient_id: str, direction: Direction, kind: MessageKind) -> None:
        self._log.append(
            LoggedMessage(
                message_id=key, about=about, patient_id=patient_id, direction=direction, kind=kind, delivered=True
            )
        )

    def _send_cancellations(self, about: str) -> None:
        known = self._known(about)
        cancelled = known is not None and known.status is ChartStatus.CANCELLED
        if cancelled and known is not None and Fault.CANCELLATION_SENT in self.simulation.faults:
            self._write(f"cancellation:{about}", about, known.patient_id, MessageKind.CANCELLATION)

    def _is_blocked(self, patient_id: str) -> bool:
        return patient_id in self._stopped

    def _known(self, record_id: str) -> ChartAppointment | None:
        versions = self.practice.appointments.get(record_id, [])
        known = self._arrived(versions, lambda version: version.changed_at)
        if not known:
            return None
        return known[-1].model_copy(update={"changed_at": self.simulation.arrives(known[-1].changed_at)})

    def _arrived(self, versions: list[T], since: Callable[[T], datetime]) -> list[T]:
        """What has arrived by now; of stale records only the first version does."""
        arriving = versions[:1] if Fault.STALE in self.simulation.faults else versions
        return [version for version in arriving if self.simulation.arrives(since(version)) <= self.simulation.now]
