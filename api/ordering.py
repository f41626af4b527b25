"""Placing an order: what it refers to is checked, the linter looks at it, the price is pinned (E-18 to E-26)."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from api.schemas.orders import DraftEConsult, Expectations, NewEConsult
from db import econsults, licences, people, submissions, visits
from db.tables import Clinician, EConsult, Patient, Visit
from domain.access import Role
from domain.actors import Actor
from domain.econsult.identifiers import KnownIdentifiers
from domain.econsult.linter import Finding, Severity, lint
from domain.econsult.state import EConsultOrder
from domain.econsult.submission import AttachmentKind, AttachmentRef, Submission
from domain.errors import Invalid, Refused
from domain.ledger import Price
from domain.policy import EConsultPolicy
from domain.visit.states import VisitStatus

OLD_VISIT = Finding(
    code="visit.old",
    severity=Severity.ADVICE,
    field="visit_id",
    message="The visit was a while ago.",
    hint="See that history and notes are still what they were.",
)


async def own_visit(session: AsyncSession, clinician: Clinician, visit_id: str) -> Visit:
    """Raises `NotFound` (`visit.unknown`) for a visit that is not the clinician's."""
    visit = await visits.get_visit(session, visit_id)
    if visit.clinician_id != clinician.id:
        raise visits.unknown_visit()
    return visit


def check_orderable(visit: Visit) -> None:
    """During or after a visit (E-23). Raises `Refused` (`visit.not_started`, `visit.cancelled`, `visit.not_held`)."""
    if visit.status == VisitStatus.CANCELLED:
        raise Refused("visit.cancelled", "an eConsult cannot be ordered for a cancelled visit")
    if visit.status == VisitStatus.NO_SHOW:
        raise Refused("visit.not_held", "an eConsult cannot be ordered for a visit that the patient did not come to")
    if visit.status == VisitStatus.SCHEDULED:
        raise Refused(
            "visit.not_started",
            "an eConsult is ordered during or after the visit",
            missing=("visit.in_progress",),
            earliest=visit.scheduled_start,
        )


async def check_licensed(session: AsyncSession, clinician_id: str, patient_id: str, at: datetime) -> None:
    """Raises as `licences.check_standing` does, by the patient's state."""
    patient = await people.get(session, Patient, patient_id)
    await licences.check_standing(session, clinician_id, patient.state, at)


def acknowledged(expectations: Expectations | None) -> Expectations:
    """Raises `Invalid` (`expectations.not_acknowledged`)."""
    if expectations is None or not expectations.acknowledged:
        raise Invalid(
            "expectations.not_acknowledged",
            "the patient has to know first that this is written input to their clinician, not a visit",
        )
    return expectations


async def findings(
    session: AsyncSession, visit: Visit, draft: DraftEConsult, policy: EConsultPolicy
) -> tuple[Finding, ...]:
    """What the linter says, and whether the visit is old. Raises `NotFound` (`note.unknown`, `attachment.unknown`)."""
    await submissions.check_notes(session, visit.id, draft.note_ids)
    kinds = await submissions.attachment_kinds(session, visit.patient_id, draft.attachment_ids)
    patient = await people.get(session, Patient, visit.patient_id)
    submission = Submission(
        specialty_code=draft.specialty_code,
        purpose=draft.purpose,
        question=draft.question,
        history=draft.history,
        attachments=tuple(AttachmentRef(id=id_, kind=AttachmentKind(kind)) for id_, kind in kinds.items()),
        note_ids=tuple(draft.note_ids),
    )
    old = datetime.now(UTC) - _seen_at(visit) > policy.old_visit_advice
    return (*lint(submission, _known(patient)), *((OLD_VISIT,) if old else ()))


def _seen_at(visit: Visit) -> datetime:
    return visit.completed_at or visit.started_at or visit.scheduled_start


def _known(patient: Patient) -> KnownIdentifiers:
    return KnownIdentifiers(
        name_parts=tuple(patient.name.split()),
        birth_date=date.fromisoformat(patient.birth_date),
        email=patient.email,
        phone=patient.phone,
    )


async def place(
    session: AsyncSession, clinician: Clinician, visit: Visit, new: NewEConsult, key: str, policy: EConsultPolicy
) -> EConsult:
    """Write the order with its price pinned; the one written before with this key stays as it is."""
    expectations = acknowledged(new.patient_expectations)
    portion = await econsults.portion_of(session, clinician.id, policy.clinician_portion_cents)
    order = EConsult(
        visit_id=visit.id,
        patient_id=visit.patient_id,
        clinician_id=clinician.id,
        idempotency_key=key,
        request_hash=new.fingerprint(),
        specialty_code=new.specialty_code,
        purpose=new.purpose,
        note_ids=new.note_ids,
        attachment_ids=new.attachment_ids,
        question=new.question.strip(),
        history=new.history.strip(),
        expectations_acknowledged_by=expectations.acknowledged_by,
        expectations_acknowledged_at=expectations.acknowledged_at,
        network_fee_cents=policy.network_fee_cents,
        clinician_portion_cents=portion,
        currency=policy.currency,
        order={},
    )
    order.order = _workflow_input(order, policy).model_dump(mode="json")
    return await econsults.place(session, order)


def _workflow_input(order: EConsult, policy: EConsultPolicy) -> EConsultOrder:
    return EConsultOrder(
        econsult_id=order.id,
        visit_id=order.visit_id,
        patient_id=order.patient_id,
        clinician_id=order.clinician_id,
        specialty_code=order.specialty_code,
        purpose=order.purpose,
        price=Price(
            network_fee_cents=order.network_fee_cents,
            clinician_portion_cents=order.clinician_portion_cents,
            currency=order.currency,
        ),
        policy=policy,
        ordered_by=Actor(role=Role.CLINICIAN, id=order.clinician_id),
    )
