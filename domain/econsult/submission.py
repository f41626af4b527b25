"""What a clinician hands to the specialist: history, one question, and results by reference (E-04, E-12, E-24)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from domain.model import Value


class Purpose(StrEnum):
    """What the eConsult is for (E-02, E-12)."""

    SECOND_OPINION = "second_opinion"
    BRIDGE = "bridge"  # an interim plan while the patient waits for an appointment in person
    INTERPRET_RESULT = "interpret_result"
    REFERRAL_DECISION = "referral_decision"


class AttachmentKind(StrEnum):
    PHOTO = "photo"
    LAB = "lab"
    IMAGING = "imaging"
    DIAGNOSTIC = "diagnostic"  # any other test: ECG, spirometry, sleep study
    DOCUMENT = "document"


RESULTS = frozenset({AttachmentKind.LAB, AttachmentKind.IMAGING, AttachmentKind.DIAGNOSTIC})
"""Kinds that a specialist can interpret."""


class AttachmentRef(Value):
    id: str
    kind: AttachmentKind


class Submission(Value):
    """A draft or an order. `question` and `history` are free text with health data, and stay out of its repr."""

    specialty_code: str
    purpose: Purpose
    question: str = Field(default="", repr=False)
    history: str = Field(default="", repr=False)
    attachments: tuple[AttachmentRef, ...] = ()
    note_ids: tuple[str, ...] = ()
