"""Typed inputs and results of the activities. One step of a case is one input: all its effects happen together."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from activities.rollout_contracts import SwitchComms
from domain.actors import Actor, Audience
from domain.clock import Span
from domain.econsult.state import Assignment
from domain.econsult.view import EConsultSnapshot
from domain.ledger import LedgerEntry
from domain.licences import LicenceSnapshot
from domain.model import Value
from domain.rates import RateRequestSnapshot
from domain.review import ReviewSnapshot
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.programme.view import ProgrammeSnapshot
from domain.rollout.rollback.view import RollbackSnapshot
from domain.rollout.wave.view import WaveSnapshot
from domain.threads import ThreadSnapshot
from domain.visit.states import NoteStatus, VisitStatus
from domain.visit.view import VisitSnapshot
from domain.work_calendar import WorkCalendar


class BookEntry(Value):
    """Book a ledger entry, once for its key."""

    kind: Literal["book_entry"] = "book_entry"
    entry: LedgerEntry


class AcceptMessage(Value):
    """A text that was stored before the act becomes part of the case."""

    kind: Literal["accept_message"] = "accept_message"
    message_id: str


class AcceptThreadMessage(Value):
    """A text that was stored before the act becomes part of its thread."""

    kind: Literal["accept_thread_message"] = "accept_thread_message"
    message_id: str


class PublishDocument(Value):
    """Version 1 is the specialist's reply, later versions are addenda; visible to the patient (E-16, decision 14)."""

    kind: Literal["publish_document"] = "publish_document"
    version: int
    message_id: str
    question_id: str | None = None


class SaveAssignment(Value):
    kind: Literal["save_assignment"] = "save_assignment"
    assignment: Assignment


class QueueNotice(Value):
    """Put a message into the outbox; it is sent from there, once."""

    kind: Literal["queue_notice"] = "queue_notice"
    key: str
    audience: Audience
    template: str
    specialist_id: str | None = None
    link_number: int | None = None
    region: str | None = None
    """With `location_id`, whom of a programme it reaches, where the step is about more than one place."""
    location_id: str | None = None


class SetVisitStatus(Value):
    kind: Literal["set_visit_status"] = "set_visit_status"
    visit_id: str
    status: Literal["scheduled", "completed", "cancelled"]


class SaveVisit(Value):
    """The visit's record follows its process."""

    kind: Literal["save_visit"] = "save_visit"
    visit_id: str
    status: VisitStatus
    starts_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class SaveNote(Value):
    """A note becomes part of the visit; a complete one is shared with the patient, once (V-15, V-16)."""

    kind: Literal["save_note"] = "save_note"
    note_id: str
    status: NoteStatus


class RecordNoShow(Value):
    """The patient's no-show goes on record; a repeat changes nothing."""

    kind: Literal["record_no_show"] = "record_no_show"
    visit_id: str
    patient_id: str


class VoidNoShow(Value):
    """It was none after all: the record no longer counts."""

    kind: Literal["void_no_show"] = "void_no_show"
    visit_id: str


class OpenCoordinationTask(Value):
    """In-person care was recommended: somebody helps the patient to arrange it; the fee is not credited (E-17)."""

    kind: Literal["open_coordination_task"] = "open_coordination_task"
    key: str


class SetRate(Value):
    """An approved portion, for orders placed from now on (E-22)."""

    kind: Literal["set_rate"] = "set_rate"
    clinician_id: str
    portion_cents: int
    request_id: str


class SetLicenceStatus(Value):
    """The licence's row becomes what the step's snapshot says."""

    kind: Literal["set_licence_status"] = "set_licence_status"


Effect = Annotated[
    BookEntry
    | AcceptMessage
    | AcceptThreadMessage
    | PublishDocument
    | SaveAssignment
    | QueueNotice
    | SetVisitStatus
    | SaveVisit
    | SaveNote
    | RecordNoShow
    | VoidNoShow
    | OpenCoordinationTask
    | SetRate
    | SetLicenceStatus
    | SwitchComms,
    Field(discriminator="kind"),
]

Snapshot = Annotated[
    EConsultSnapshot
    | RateRequestSnapshot
    | VisitSnapshot
    | ThreadSnapshot
    | LicenceSnapshot
    | ReviewSnapshot
    | ProgrammeSnapshot
    | WaveSnapshot
    | LocationSnapshot
    | RollbackSnapshot,
    Field(discriminator="process"),
]


class StepDetail(Value):
    """Facts of one event on the timeline; opaque ids and stable codes only."""

    subject: str | None = None
    """Id of what the event is about: a payment, an assignment, a message, a clock's milestone."""
    code: str | None = None
    amount_cents: int | None = None
    due: datetime | None = None
    detected_late: bool = False


def step_identity(event: str, detail: StepDetail) -> str:
    """What a step is about, whatever its number and time: the same business event has the same identity."""
    due = detail.due.isoformat() if detail.due else None
    return ":".join(part for part in (event, detail.subject, due) if part)


class RecordStepInput(Value):
    """One business event, the snapshot after it, and everything that happens with it. Unique on (case, sequence)."""

    case_id: str
    process: str
    sequence: int
    event: str
    at: datetime
    actor: Actor
    detail: StepDetail
    snapshot: Snapshot
    effects: tuple[Effect, ...] = ()


class OpeningHoursInput(Value):
    """The opening hours of a calendar from a moment on, until they hold so much working time."""

    calendar: WorkCalendar
    start: datetime
    enough: timedelta


class OpeningHoursResult(Value):
    hours: tuple[Span, ...]


class ChooseSpecialistInput(Value):
    econsult_id: str
    specialty_code: str
    patient_id: str
    on: date
    """The day, in business time, on which the licence must be valid."""
    state_licence_required: bool
    excluded: tuple[str, ...]
    """Specialists who had the case before."""


class ChooseSpecialistResult(Value):
    specialist_id: str | None
    """None while nobody suitable is free."""


class OpenCheckoutInput(Value):
    key: str
    econsult_id: str
    amount_cents: int
    currency: str
    link_number: int
    expires_at: datetime


class CheckoutInput(Value):
    session_id: str


class RefundInput(Value):
    key: str
    econsult_id: str
    payment_id: str
    amount_cents: int
    reason: str


class ReadFeeInput(Value):
    payment_id: str


class PlaceCallInput(Value):
    """Ring the clinician of a visit, then its patient. The numbers are read from the records."""

    key: str
    visit_id: str
    attempt_id: str
    requested_at: datetime
    """Business time."""


class PlaceCallResult(Value):
    call_sid: str


class SweepInput(Value):
    limit: int
    """Most cases, webhooks or notices in one go."""
    after: str = ""
    """Where the search for stranded cases goes on."""


class StartedCases(Value):
    """Cases whose start was lost, by id; they run now."""

    started: tuple[str, ...] = ()


class DeliveredWebhooks(Value):
    delivered: int = 0
    waiting: int = 0
    """Their case is not running yet."""
    undeliverable: int = 0


class DeliveredNotices(Value):
    sent: int = 0


class StrandedCases(Value):
    """Cases that are not over by their records and that Temporal does not run: for a person to look at."""

    checked: int = 0
    stranded: tuple[str, ...] = ()
    after: str = ""
    """The last id looked at; empty at the end of the list."""


class ReconcileReport(Value):
    """What one sweep repaired and found. `failures` names the parts that could not do their work."""

    cases: StartedCases = StartedCases()
    webhooks: DeliveredWebhooks = DeliveredWebhooks()
    notices: DeliveredNotices = DeliveredNotices()
    stranded: StrandedCases = StrandedCases()
    failures: tuple[str, ...] = ()
