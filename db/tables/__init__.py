"""Every table. Free text and contact data are encrypted; ids are UUIDv7 in text form and never tell anything."""

from db.tables.base import new_id
from db.tables.calls import CallAttempt
from db.tables.cases import CaseState, LostStep, OutboxNotice, Timeline
from db.tables.econsults import AssignmentRow, CoordinationTask, Document, EConsult, Message
from db.tables.money import LedgerEntryRow, LedgerPosting, Rate, RateRequestRow, RefundRequestRow, WebhookEvent
from db.tables.people import Clinician, Patient, Specialist
from db.tables.roster import RosterAbsence, RosterGap, RosterShift, Staff
from db.tables.standards import ClinicianLicence, ConductReportRow, CredentialEventRow
from db.tables.threads import MessageThreadRow, ThreadMessage
from db.tables.visits import Attachment, Disclosure, NoShow, Note, Visit

__all__ = [
    "AssignmentRow",
    "Attachment",
    "CallAttempt",
    "CaseState",
    "Clinician",
    "ClinicianLicence",
    "ConductReportRow",
    "CoordinationTask",
    "CredentialEventRow",
    "Disclosure",
    "Document",
    "EConsult",
    "LedgerEntryRow",
    "LedgerPosting",
    "LostStep",
    "Message",
    "MessageThreadRow",
    "NoShow",
    "Note",
    "OutboxNotice",
    "Patient",
    "Rate",
    "RateRequestRow",
    "RefundRequestRow",
    "RosterAbsence",
    "RosterGap",
    "RosterShift",
    "Specialist",
    "Staff",
    "ThreadMessage",
    "Timeline",
    "Visit",
    "WebhookEvent",
    "new_id",
]
