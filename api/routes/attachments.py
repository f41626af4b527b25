"""Photos and diagnostics of a patient. Whatever is shown is recorded (G-03)."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Response, UploadFile
from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.formparsers import MultiPartParser

from api.auth import require
from api.dependencies import AppServices
from api.people import actor_of, carer_or_self, persons_of
from api.problems import responses
from api.values import Line, RecordId
from db import attachments, people
from db.attachments import AttachmentInfo
from db.disclosures import disclose
from db.tables import Attachment, Patient, Specialist
from domain.access import Principal, Role
from domain.attachment_files import EXTENSIONS, MAX_BYTES, checked_media_type
from domain.econsult.submission import AttachmentKind

router = APIRouter(tags=["attachments"])

# What patients send never touches a temporary file; the body limit bounds the memory that it takes.
MultiPartParser.spool_max_size = sys.maxsize

Reader = Annotated[Principal, require(Role.CLINICIAN, Role.PATIENT, Role.SPECIALIST)]

_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file as it was uploaded",
        "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in EXTENSIONS},
    }
}


class AttachmentView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    patient_id: str
    uploaded_by: str
    kind: AttachmentKind
    media_type: str
    title: str
    size_bytes: int
    created_at: datetime


@router.post(
    "/patients/{patient_id}/attachments",
    status_code=201,
    summary="Upload a file",
    responses=responses(400, 401, 403, 404, 413, 422),
)
async def upload_attachment(
    patient_id: RecordId,
    kind: Annotated[AttachmentKind, Form()],
    title: Annotated[Line, Form()],
    file: Annotated[UploadFile, File(description=f"At most {MAX_BYTES} bytes: {', '.join(EXTENSIONS)}.")],
    services: AppServices,
    principal: Annotated[Principal, require(Role.CLINICIAN, Role.PATIENT)],
) -> AttachmentView:
    """By the patient, or a clinician who has a visit with them.

    422 `attachment.media_type_refused`, `attachment.empty`, `attachment.too_large`, `attachment.content_mismatch`.
    """
    content = await file.read(MAX_BYTES + 1)
    media_type = checked_media_type(file.content_type, content)
    async with services.database.transaction() as session:
        uploader = await carer_or_self(session, principal, patient_id)
        if uploader is None:
            raise people.unknown(Patient)
        row = Attachment(
            patient_id=patient_id,
            uploaded_by=uploader.id,
            kind=kind,
            media_type=media_type,
            title=title,
            content=content,
            size_bytes=len(content),
        )
        info = await attachments.add(session, row)
        await disclose(session, patient_id, uploader.role, uploader.id, f"attachment:{info.id}")
        return AttachmentView.model_validate(info)


@router.get("/attachments/{attachment_id}", summary="What an attachment is", responses=responses(401, 403, 404, 422))
async def read_attachment(attachment_id: RecordId, services: AppServices, principal: Reader) -> AttachmentView:
    """For the patient, a clinician who has a visit with them, and the specialist of an eConsult that refers to it."""
    async with services.database.transaction() as session:
        return AttachmentView.model_validate(await _shown(session, principal, attachment_id, "attachment"))


@router.get(
    "/attachments/{attachment_id}/content",
    summary="The file",
    response_class=Response,
    responses=_FILES | responses(401, 403, 404, 422),
)
async def download_attachment(attachment_id: RecordId, services: AppServices, principal: Reader) -> Response:
    """For those who may read what it is."""
    async with services.database.transaction() as session:
        info = await _shown(session, principal, attachment_id, "attachment.content")
        content = await attachments.get_content(session, info.id)
    headers = {
        # Named by its id: titles are about patients, and file names end up in logs.
        "Content-Disposition": f'attachment; filename="{info.id}.{EXTENSIONS[info.media_type]}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=info.media_type, headers=headers)


async def _shown(session: AsyncSession, principal: Principal, attachment_id: str, what: str) -> AttachmentInfo:
    """The attachment, once it is on record that the caller sees it. Raises `NotFound` (`attachment.unknown`)."""
    info = await attachments.get_info(session, attachment_id)
    econsult_id = None
    reader = await carer_or_self(session, principal, info.patient_id)
    if reader is None:
        persons = await persons_of(session, principal)
        specialist = next((person for person in persons if isinstance(person, Specialist)), None)
        if specialist is not None:
            econsult_id = await attachments.case_for_specialist(session, info.id, specialist.id)
        if econsult_id is None:
            raise attachments.unknown()
        reader = actor_of(principal, specialist)
    await disclose(session, info.patient_id, reader.role, reader.id, f"{what}:{info.id}", econsult_id=econsult_id)
    return info
