"""Where a visit stands (spec/care.md, process V)."""

from enum import StrEnum


class VisitKind(StrEnum):
    STANDARD = "standard"
    ECONSULT_FOLLOW_UP = "econsult_follow_up"


class VisitType(StrEnum):
    """What kind of care it is; policy asks for other notes of therapy (decision 08)."""

    GENERAL = "general"
    THERAPY = "therapy"


class VisitStatus(StrEnum):
    """The coarse status in the visit's record, which other processes read."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class VisitStage(StrEnum):
    """The business state, in the search attribute `BusinessState` and in the API."""

    SCHEDULED = "SCHEDULED"
    WAITING_FOR_CLINICIAN = "WAITING_FOR_CLINICIAN"  # the patient is there first
    WAITING_FOR_PATIENT = "WAITING_FOR_PATIENT"  # V-04
    CLINICIAN_LATE = "CLINICIAN_LATE"  # five minutes past the start (V-01)
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"  # over, and something is still owed: orders, a note
    CLOSED_COMPLIANT = "CLOSED_COMPLIANT"
    CLOSED_WITH_BREACH = "CLOSED_WITH_BREACH"
    CANCELLED = "CANCELLED"
    PATIENT_NO_SHOW = "PATIENT_NO_SHOW"
    CLINICIAN_NO_SHOW = "CLINICIAN_NO_SHOW"


BEFORE = frozenset(
    {
        VisitStage.SCHEDULED,
        VisitStage.WAITING_FOR_CLINICIAN,
        VisitStage.WAITING_FOR_PATIENT,
        VisitStage.CLINICIAN_LATE,
    }
)
"""Not both are there yet."""

CLOSED = frozenset({VisitStage.CLOSED_COMPLIANT, VisitStage.CLOSED_WITH_BREACH})

RECORD_STATUS = {
    **dict.fromkeys(BEFORE, VisitStatus.SCHEDULED),
    VisitStage.IN_PROGRESS: VisitStatus.IN_PROGRESS,
    VisitStage.COMPLETED: VisitStatus.COMPLETED,
    VisitStage.CLOSED_COMPLIANT: VisitStatus.COMPLETED,
    VisitStage.CLOSED_WITH_BREACH: VisitStatus.COMPLETED,
    VisitStage.CANCELLED: VisitStatus.CANCELLED,
    VisitStage.PATIENT_NO_SHOW: VisitStatus.NO_SHOW,
    VisitStage.CLINICIAN_NO_SHOW: VisitStatus.CANCELLED,
}


class Obligation(StrEnum):
    """What the clinician owes after a visit, and the name of its clock (V-10 to V-12)."""

    PRESCRIPTIONS = "prescriptions"
    LABS = "labs"
    IMAGING = "imaging"
    NOTE = "note"


class NoteStatus(StrEnum):
    DRAFT = "draft"
    COMPLETE = "complete"


class Fulfilment(StrEnum):
    """How an obligation was settled."""

    SUBMITTED = "submitted"
    NOT_NEEDED = "not_needed"
    WAIVED = "waived"
    BREACHED = "breached"  # recorded as never done


class VisitEvent(StrEnum):
    """What a step on the timeline says happened."""

    SCHEDULED = "visit_scheduled"
    RESCHEDULED = "visit_rescheduled"
    CLINICIAN_JOINED = "clinician_joined"
    PATIENT_JOINED = "patient_joined"
    CALL_PLACED = "call_placed"
    CALL_ENDED = "call_ended"
    COMPLETED = "visit_completed"
    CANCELLED = "visit_cancelled"
    PATIENT_NO_SHOW = "patient_no_show"
    CLINICIAN_NO_SHOW = "clinician_no_show"
    NO_SHOW_DISPUTED = "no_show_disputed"
    NO_SHOW_UPHELD = "no_show_upheld"
    NO_SHOW_OVERTURNED = "no_show_overturned"
    OBLIGATION_SETTLED = "obligation_settled"
    NOTE_SAVED = "note_saved"
    ABSENCE_EXCUSED = "absence_excused"
    CLOSED = "visit_closed"
    CLOCK_MILESTONE = "clock_milestone"
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"
