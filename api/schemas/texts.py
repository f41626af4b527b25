"""Texts of a consult: health data, shown to those who treat and to the patient, and noted each time (G-03)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from db.tables import Message

MessageKind = Literal["information_request", "information", "reply", "question", "answer"]


class MessageView(BaseModel):
    id: str
    kind: MessageKind
    author_role: str
    author_id: str
    accepted_at: datetime
    body: str = Field(repr=False)
    impression: str | None = Field(default=None, repr=False)
    recommendations: list[str] = Field(default_factory=list, repr=False)
    in_person_recommended: bool = False
    question_id: str | None = Field(default=None, description="Of an answer: the question.")


def message_view(message: Message) -> MessageView:
    fields = message.model_dump(exclude={"recommendations"})
    return MessageView.model_validate({**fields, "recommendations": json.loads(message.recommendations or "[]")})


class DocumentView(BaseModel):
    """Version 1 is the specialist's reply, later ones are addenda (E-16, decision 14)."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    title: str
    content: str = Field(repr=False)
    visible_to_patient: bool
    published_at: datetime


class AttachmentLineView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: str
    media_type: str
    title: str = Field(repr=False)


class NoteLineView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    status: str
    body: str = Field(repr=False)
    created_at: datetime


class SubmissionView(BaseModel):
    """All that the specialist is given (E-04)."""

    econsult_id: str
    specialty_code: str
    purpose: str
    question: str = Field(repr=False)
    history: str = Field(repr=False)
    attachments: list[AttachmentLineView]
    notes: list[NoteLineView]
