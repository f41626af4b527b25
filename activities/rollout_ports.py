"""What the activities of a rollout ask of the outside world. Adapters in integrations/ and db/ implement these."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from activities.rollout_contracts import CollectEvidenceInput, CollectEvidenceResult
from domain.model import Value
from domain.rollout.cadences import Cadence
from domain.rollout.program import PracticeSystemName


class GateEvidence(Protocol):
    async def collect(self, asked: CollectEvidenceInput) -> CollectEvidenceResult:
        """The facts as they are known now. What is not known is left out."""
        ...


class CadenceReports(Protocol):
    """The regular reports of programmes."""

    async def programmes(self) -> list[str]: ...

    async def publish(self, program_id: str, cadence: Cadence, at: datetime) -> tuple[str, ...]:
        """Work out and send what is due at this time (aware); ids of what was not there already."""
        ...


class Change(Value):
    """Something that was written, in the practice system or on the platform."""

    record_id: str
    at: datetime
    """Aware UTC. Of a repeat: of the first time."""


class ChartStatus(StrEnum):
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"


class ChartAppointment(Value):
    """An appointment as one of the two systems has it."""

    record_id: str
    patient_id: str
    starts_at: datetime
    status: ChartStatus
    confirmed: bool = False
    changed_at: datetime
    """When this system learned of the latest change to it."""


class PracticeSystem(Protocol):
    """A practice system, as far as the validation cases need it.

    Every `key` is an idempotency key: the same call with the same key happens once. Raises `GatewayUnavailable`,
    `GatewayRejected`.
    """

    async def add_patient(self, key: str, phone: str) -> Change: ...

    async def change_phone(self, key: str, patient_id: str, phone: str) -> Change: ...

    async def book(self, key: str, patient_id: str, starts_at: datetime) -> Change: ...

    async def move(self, key: str, record_id: str, starts_at: datetime) -> Change: ...

    async def cancel(self, key: str, record_id: str) -> Change: ...

    async def read(self, record_id: str) -> ChartAppointment | None:
        """Read back, past every cache."""
        ...


class Direction(StrEnum):
    TO_PATIENT = "to_patient"
    FROM_PATIENT = "from_patient"


class MessageKind(StrEnum):
    REMINDER = "reminder"
    CANCELLATION = "cancellation"
    CONVERSATION = "conversation"


class LoggedMessage(Value):
    message_id: str
    about: str
    """Id of the appointment, or of the patient."""
    patient_id: str
    direction: Direction
    kind: MessageKind
    delivered: bool


class SeenPatient(Value):
    patient_id: str
    phone: str = Field(repr=False)
    texts_blocked: bool
    changed_at: datetime


class PatientText(StrEnum):
    """What a patient writes, by its meaning."""

    STOP = "stop"
    CONFIRM = "confirm"
    CALLBACK = "callback"
    QUESTION = "question"


class CommsPlatform(Protocol):
    """What the platform knows and does for the same location. As for keys and errors see `PracticeSystem`.

    It writes to nobody whose number is real while it serves a test location: `Refused` (`test_location.real_number`).
    """

    async def appointment(self, record_id: str) -> ChartAppointment | None:
        """None while it has not arrived."""
        ...

    async def patient(self, patient_id: str) -> SeenPatient | None: ...

    async def pending_reminders(self, record_id: str) -> int: ...

    async def remind(self, key: str, record_id: str) -> None:
        """Send the reminder of an appointment now."""
        ...

    async def write_to(self, key: str, patient_id: str) -> bool:
        """Send a text of a conversation. False: the patient's texts are blocked."""
        ...

    async def receive(self, key: str, patient_id: str, text: PatientText, about: str | None = None) -> Change:
        """A text arrives from the patient."""
        ...

    async def messages(self, about: str) -> tuple[LoggedMessage, ...]:
        """As staff see them."""
        ...

    async def front_desk_told_at(self, request_id: str) -> datetime | None:
        """When the front desk was told of this request of a patient."""
        ...


class Twin(Protocol):
    """A test location: a practice system with made-up patients, and the platform that serves it (C-01 to C-04)."""

    @property
    def name(self) -> str: ...

    @property
    def practice(self) -> PracticeSystem: ...

    @property
    def platform(self) -> CommsPlatform: ...

    def now(self) -> datetime:
        """By the clock of both, aware UTC."""
        ...

    async def wait(self, duration: timedelta) -> None: ...


class Twins(Protocol):
    async def twin(self, program_id: str, location_id: str, system: PracticeSystemName) -> Twin:
        """Raises `NotFound` (`test_location.unknown`)."""
        ...
