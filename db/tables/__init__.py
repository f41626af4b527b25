"""Every table. Free text and contact data are encrypted; ids are UUIDv7 in text form and never tell anything."""

from db.tables.base import new_id
from db.tables.cadences import CadenceReport
from db.tables.calls import CallAttempt
from db.tables.cases import CaseState, LostStep, OutboxNotice, Timeline
from db.tables.comms import LocationComms
from db.tables.econsults import AssignmentRow, CoordinationTask, Document, EConsult, Message
from db.tables.money import LedgerEntryRow, LedgerPosting, Rate, RateRequestRow, RefundRequestRow, WebhookEvent
from db.tables.people import Clinician, Patient, Specialist
from db.tables.readiness import ReadinessEntry
from db.tables.rollouts import RolloutEvidence, RolloutLocation, RolloutMember, RolloutProgram, RolloutSetting
from db.tables.roster import RosterAbsence, RosterGap, RosterShift, Staff
from db.tables.standards import ClinicianLicence, ConductReportRow, CredentialEventRow
from db.tables.telemetry import (
    ConfidenceAnswer,
    MessageIncident,
    RolloutBaseline,
    RolloutIssue,
    TelemetryBatch,
    TelemetryMetric,
    TelemetryOutage,
    TelemetryReport,
    TelemetryShare,
)
from db.tables.threads import MessageThreadRow, ThreadMessage
from db.tables.visits import Attachment, Disclosure, NoShow, Note, Visit

__all__ = [
    "AssignmentRow",
    "Attachment",
    "CadenceReport",
    "CallAttempt",
    "CaseState",
    "Clinician",
    "ClinicianLicence",
    "ConductReportRow",
    "ConfidenceAnswer",
    "CoordinationTask",
    "CredentialEventRow",
    "Disclosure",
    "Document",
    "EConsult",
    "LedgerEntryRow",
    "LedgerPosting",
    "LocationComms",
    "LostStep",
    "Message",
    "MessageIncident",
    "MessageThreadRow",
    "NoShow",
    "Note",
    "OutboxNotice",
    "Patient",
    "Rate",
    "RateRequestRow",
    "ReadinessEntry",
    "RefundRequestRow",
    "RolloutBaseline",
    "RolloutEvidence",
    "RolloutIssue",
    "RolloutLocation",
    "RolloutMember",
    "RolloutProgram",
    "RolloutSetting",
    "RosterAbsence",
    "RosterGap",
    "RosterShift",
    "Specialist",
    "Staff",
    "TelemetryBatch",
    "TelemetryMetric",
    "TelemetryOutage",
    "TelemetryReport",
    "TelemetryShare",
    "ThreadMessage",
    "Timeline",
    "Visit",
    "WebhookEvent",
    "new_id",
]
