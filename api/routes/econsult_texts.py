"""The health data of a consult. Whoever is shown some is written down (G-03)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlmodel.ext.asyncio.session import AsyncSession

from api import fhir
from api.callers import Caller, caller
from api.dependencies import AppServices
from api.fhir import EConsultFhirView, FhirDocument
from api.problems import responses
from api.schemas.texts import (
    AttachmentLineView,
    DocumentView,
    MessageView,
    NoteLineView,
    SubmissionView,
    message_view,
)
from api.values import EXAMPLE_ID, RecordId
from db import documents, econsults, messages, submissions
from db.disclosures import disclose
from db.econsults import LIVE, Case
from db.tables import Document
from domain import specialties
from domain.access import Role
from domain.econsult.states import Stage
from domain.econsult.submission import Purpose

router = APIRouter(prefix="/econsults/{econsult_id}", tags=["econsults"], responses=responses(401, 403, 404, 422))

FHIR_JSON = "application/fhir+json"
_BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": {"resourceType": "ServiceRequest", "id": EXAMPLE_ID, "status": "active"}}],
}

Treating = Annotated[Caller, caller(Role.CLINICIAN, Role.SPECIALIST)]


class FhirResponse(JSONResponse):
    media_type = FHIR_JSON


@router.get("/submission", summary="What the specialist is given")
async def read_submission(econsult_id: RecordId, services: AppServices, who: Treating) -> SubmissionView:
    """For the treating clinician, and for the specialist who has the case."""
    async with services.database.transaction() as session:
        case = await econsults.get(session, econsult_id, who.scope, texts=True)
        order = case.order
        view = SubmissionView(
            econsult_id=order.id,
            specialty_code=order.specialty_code,
            purpose=order.purpose,
            question=order.question,
            history=order.history,
            attachments=[
                AttachmentLineView.model_validate(line)
                for line in await submissions.attachment_lines(session, order.attachment_ids)
            ],
            notes=[NoteLineView.model_validate(note) for note in await submissions.notes(session, order.note_ids)],
        )
        await _disclose(session, case, who, "econsult.submission")
    return view


@router.get("/messages", summary="What was asked and answered")
async def read_messages(econsult_id: RecordId, services: AppServices, who: Treating) -> list[MessageView]:
    """In the order in which it became part of the consult."""
    async with services.database.transaction() as session:
        case = await econsults.get(session, econsult_id, who.scope)
        thread = [message_view(message) for message in await messages.thread(session, econsult_id)]
        if thread:
            await _disclose(session, case, who, "econsult.messages")
    return thread


@router.get("/documents", summary="The consult in the patient's record")
async def read_documents(
    econsult_id: RecordId,
    services: AppServices,
    who: Annotated[Caller, caller(Role.PATIENT, Role.CLINICIAN, Role.SPECIALIST)],
) -> list[DocumentView]:
    """Oldest version first; patients see those that are visible to them (E-16)."""
    async with services.database.transaction() as session:
        case = await econsults.get(session, econsult_id, who.scope)
        found = await _documents(session, case, who)
        if found:
            await _disclose(session, case, who, "econsult.documents")
    return [DocumentView.model_validate(document) for document in found]


@router.get(
    "/fhir",
    summary="The consult as FHIR R4",
    response_class=FhirResponse,
    responses={200: {"content": {FHIR_JSON: {"schema": {"type": "object"}, "example": _BUNDLE}}}},
)
async def read_fhir(
    econsult_id: RecordId,
    services: AppServices,
    who: Annotated[Caller, caller(Role.CLINICIAN, Role.PATIENT, Role.ADMINISTRATOR)],
) -> FhirResponse:
    """A bundle of ServiceRequest, Task and DocumentReferences; administrators get it without the texts."""
    async with services.database.transaction() as session:
        case = await econsults.get(session, econsult_id, who.scope, texts=True)
        found = await _documents(session, case, who)
        await _disclose(session, case, who, "econsult.fhir")
    view = _fhir_view(case, found, who.role(case))
    return FhirResponse(fhir.bundle(view, base_url=f"{services.settings.public_url.rstrip('/')}/fhir"))


async def _documents(session: AsyncSession, case: Case, who: Caller) -> list[Document]:
    return await documents.of_econsult(session, case.order.id, visible_only=who.role(case) is Role.PATIENT)


async def _disclose(session: AsyncSession, case: Case, who: Caller, what: str) -> None:
    actor = who.actor(case)
    await disclose(session, case.order.patient_id, actor.role, actor.id, what, econsult_id=case.order.id)


def _fhir_view(case: Case, found: list[Document], role: Role) -> EConsultFhirView:
    order, snapshot = case.order, case.snapshot
    specialty = specialties.find(order.specialty_code)
    paid = [payment.at for payment in snapshot.payments if payment.reason is None] if snapshot else []
    theirs = [a.specialist_id for a in snapshot.assignments if a.status in LIVE] if snapshot else []
    return EConsultFhirView(
        econsult_id=order.id,
        patient_id=order.patient_id,
        clinician_id=order.clinician_id,
        visit_id=order.visit_id,
        specialty_code=specialty.code,
        specialty_system=specialty.code_system,
        specialty_display=specialty.name,
        purpose=Purpose(order.purpose),
        state=snapshot.stage if snapshot else Stage.AWAITING_PAYMENT,
        created_at=snapshot.ordered_at if snapshot else order.created_at,
        paid_at=paid[0] if paid else None,
        replied_at=snapshot.replied_at if snapshot else None,
        closed_at=snapshot.closed_at if snapshot else None,
        specialist_id=theirs[-1] if theirs else None,
        documents=tuple(_fhir_document(document, readable=role is not Role.ADMINISTRATOR) for document in found),
        question=order.question if role is Role.CLINICIAN else None,
        history=order.history if role is Role.CLINICIAN else None,
    )


def _fhir_document(document: Document, *, readable: bool) -> FhirDocument:
    return FhirDocument(
        id=document.econsult_id,
        version=document.version,
        title=document.title,
        created_at=document.published_at,
        content=document.content.encode() if readable else None,
    )
