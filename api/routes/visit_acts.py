"""What clinicians, patients and staff do with a visit. Each answers with the visit after the act."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from api.callers import Caller, caller
from api.people import STAFF
from api.problems import responses
from api.schemas.acts import EscalatingClock
from api.schemas.visits import (
    DisputeDecision,
    Excuse,
    Fulfilled,
    NewStart,
    ObligationWaiver,
    VisitCancellation,
    VisitView,
)
from api.values import RecordId
from api.visit_acting import VisitActsOfRequest
from domain.access import Role
from domain.visit import acts
from domain.visit.states import Obligation
from workflows.visit.workflow import Visit

router = APIRouter(prefix="/visits/{visit_id}", tags=["visits"], responses=responses(401, 403, 404, 409, 422, 503))

ItsClinician = Annotated[Caller, caller(Role.CLINICIAN)]
ItsPatient = Annotated[Caller, caller(Role.PATIENT)]
PatientOrSupport = Annotated[Caller, caller(Role.PATIENT, Role.SUPPORT)]
Parties = Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, *STAFF)]
Support = Annotated[Caller, caller(Role.SUPPORT)]
Operations = Annotated[Caller, caller(Role.OPERATIONS)]
Desk = Annotated[Caller, caller(Role.OPERATIONS, Role.SUPPORT)]


@router.post("/clinician-joined", summary="The clinician is there")
async def clinician_joined(visit_id: RecordId, act: VisitActsOfRequest, who: ItsClinician) -> VisitView:
    """In time or not (V-01). Done before, it changes nothing. 409 `visit.over`."""
    case = await act.find(visit_id, who)
    return await act.ask(case, who, Visit.clinician_joined, acts.Act(actor=who.actor(case)))


@router.post("/patient-joined", summary="The patient is there")
async def patient_joined(visit_id: RecordId, act: VisitActsOfRequest, who: ItsPatient) -> VisitView:
    """From now on it can be no no-show (V-09). Done before, it changes nothing. 409 `visit.over`."""
    case = await act.find(visit_id, who)
    return await act.ask(case, who, Visit.patient_joined, acts.Act(actor=who.actor(case)))


@router.post("/reschedule", summary="Move a visit")
async def reschedule(visit_id: RecordId, body: NewStart, act: VisitActsOfRequest, who: Parties) -> VisitView:
    """While nobody is there. 409 `visit.not_scheduled`, `visit.in_the_past`, `visit.too_far_ahead`."""
    case = await act.find(visit_id, who)
    asked = acts.Reschedule(actor=who.actor(case), starts_at=body.starts_at)
    return await act.ask(case, who, Visit.reschedule, asked)


@router.post("/cancel", summary="Cancel a visit")
async def cancel(visit_id: RecordId, body: VisitCancellation, act: VisitActsOfRequest, who: Parties) -> VisitView:
    """Before both are there; a clinician who waits, not before the patient's time is over (V-09).

    409 `visit.not_scheduled`; `visit.wait_not_over` with the earliest time.
    """
    case = await act.find(visit_id, who)
    asked = acts.CancelVisit(actor=who.actor(case), reason=body.reason)
    return await act.ask(case, who, Visit.cancel, asked)


@router.post("/call-patient", summary="Call the patient", responses=responses(502))
async def call_patient(visit_id: RecordId, act: VisitActsOfRequest, who: ItsClinician) -> VisitView:
    """Rings the clinician, then the patient; neither sees the other's number (V-07). `calls` tells what came of it.

    409 `visit.clinician_absent`, `visit.over`, `call.no_number`, `call.not_configured`; `visit.not_begun` with the
    earliest time. 502 `call.rejected`, `call.number_invalid`.
    """
    case = await act.find(visit_id, who)
    asked = acts.CallPatient(actor=who.actor(case), attempt_id=act.record_id(who))
    return await act.ask(case, who, Visit.call_patient, asked)


@router.post("/no-show", summary="Flag a patient's no-show")
async def flag_no_show(visit_id: RecordId, act: VisitActsOfRequest, who: ItsClinician) -> VisitView:
    """Only with evidence: the full wait, two calls, and the patient not there (V-08).

    409 `visit.patient_joined`, `visit.over`; `visit.no_show_unproven` with what is missing and the earliest time.
    """
    case = await act.find(visit_id, who)
    return await act.ask(case, who, Visit.flag_no_show, acts.Act(actor=who.actor(case)))


@router.post("/no-show/dispute", summary="Dispute a no-show")
async def dispute_no_show(visit_id: RecordId, act: VisitActsOfRequest, who: PatientOrSupport) -> VisitView:
    """Once, within seven days; support decides. 409 `no_show.none`, `no_show.already_disputed`, `no_show.final`."""
    case = await act.find(visit_id, who)
    return await act.ask(case, who, Visit.dispute_no_show, acts.Act(actor=who.actor(case)))


@router.post("/no-show/decision", summary="Decide a disputed no-show")
async def decide_dispute(visit_id: RecordId, body: DisputeDecision, act: VisitActsOfRequest, who: Support) -> VisitView:
    """A no-show that is overturned has no consequences any more. 409 `no_show.not_disputed`."""
    case = await act.find(visit_id, who)
    asked = acts.DecideDispute(actor=who.actor(case), uphold=body.uphold)
    return await act.ask(case, who, Visit.decide_dispute, asked)


@router.post("/complete", summary="Complete a visit")
async def complete(visit_id: RecordId, act: VisitActsOfRequest, who: ItsClinician) -> VisitView:
    """Now run the times for prescriptions, orders and the note. Done before, it changes nothing.

    409 `visit.not_in_progress`; `visit.not_begun` with the earliest time.
    """
    case = await act.find(visit_id, who)
    return await act.ask(case, who, Visit.complete, acts.Act(actor=who.actor(case)))


@router.post("/obligations/{obligation}", summary="Say what was submitted after a visit")
async def settle_obligation(
    visit_id: RecordId, obligation: Obligation, body: Fulfilled, act: VisitActsOfRequest, who: ItsClinician
) -> VisitView:
    """Prescriptions, labs and imaging: submitted, or none needed (V-10, V-11); late counts as late.

    The note is written here: 409 `note.platform_note_needed` (V-14). 409 `visit.not_completed`, `obligation.settled`.
    """
    case = await act.find(visit_id, who)
    asked = acts.SettleObligation(actor=who.actor(case), obligation=obligation, **body.model_dump())
    return await act.ask(case, who, Visit.settle_obligation, asked)


@router.post("/obligations/{obligation}/waive", summary="Do without what a visit owes")
async def waive_obligation(
    visit_id: RecordId, obligation: Obligation, body: ObligationWaiver, act: VisitActsOfRequest, who: Desk
) -> VisitView:
    """By whom and why stays on record. 409 `visit.not_completed`, `obligation.settled`."""
    case = await act.find(visit_id, who)
    asked = acts.WaiveObligation(actor=who.actor(case), obligation=obligation, reason=body.reason)
    return await act.ask(case, who, Visit.waive_obligation, asked)


@router.post("/excuse", summary="Excuse a clinician's absence")
async def excuse(visit_id: RecordId, body: Excuse, act: VisitActsOfRequest, who: Operations) -> VisitView:
    """It stays on record and is shown apart (decision 03). 409 `visit.attended`, `visit.already_excused`."""
    case = await act.find(visit_id, who)
    asked = acts.ExcuseAbsence(actor=who.actor(case), reason=body.reason)
    return await act.ask(case, who, Visit.excuse_absence, asked)


@router.post("/escalations/{clock}/acknowledge", summary="Take an escalated matter of a visit on")
async def acknowledge_escalation(
    visit_id: RecordId, clock: EscalatingClock, act: VisitActsOfRequest, who: Desk
) -> VisitView:
    """Its ladder is climbed no further. `clock` is a name out of `clocks`. 409 `escalation.none`."""
    case = await act.find(visit_id, who)
    asked = acts.AcknowledgeEscalation(actor=who.actor(case), clock=clock)
    return await act.ask(case, who, Visit.acknowledge_escalation, asked)
