"""What people ask of a running visit: the typed input of each update. Texts stay in the database; ids travel."""

from __future__ import annotations

from datetime import datetime

from domain.actors import Actor
from domain.model import Value
from domain.visit.states import NoteStatus, Obligation, VisitStage


class Act(Value):
    """An act that needs nothing but its actor."""

    actor: Actor


class Reschedule(Act):
    starts_at: datetime


class CancelVisit(Act):
    reason: str
    """A stable code such as `patient_request`."""


class CallPatient(Act):
    attempt_id: str


class SettleObligation(Act):
    """The orders were submitted, or there are none to submit."""

    obligation: Obligation
    needed: bool
    reference_id: str | None = None
    """Opaque id of what was submitted."""


class WaiveObligation(Act):
    obligation: Obligation
    reason: str


class SaveNote(Act):
    note_id: str
    status: NoteStatus


class DecideDispute(Act):
    uphold: bool
    """True: it was a no-show. False: it was none, and its consequences are undone."""


class ExcuseAbsence(Act):
    reason: str


class AcknowledgeEscalation(Act):
    clock: str


class VisitReceipt(Value):
    """What an act answers, once its step is recorded."""

    sequence: int
    stage: VisitStage
