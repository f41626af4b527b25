"""Ordering an eConsult: the draft, the order, and what is said about them."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.problem_model import Problem
from api.values import EXAMPLE_ID, RecordId, Time
from domain.econsult.linter import Finding
from domain.econsult.submission import Purpose

LongText = Annotated[str, StringConstraints(max_length=100_000)]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

_DRAFT: dict[str, Any] = {
    "visit_id": EXAMPLE_ID,
    "specialty_code": "207N00000X",
    "purpose": "second_opinion",
    "question": "Would you biopsy this lesion now, or treat it as seborrheic dermatitis first?",
    "history": "54-year-old woman with a scaly plaque of the scalp for six weeks. Working diagnosis seborrheic "
    "dermatitis, psoriasis considered. Ketoconazole shampoo tried for 3 weeks without relief. Medications: "
    "lisinopril 10 mg daily. No known drug allergies.",
    "note_ids": [EXAMPLE_ID],
    "attachment_ids": [],
}
_EXPECTATIONS: dict[str, Any] = {
    "acknowledged": True,
    "acknowledged_by": "patient",
    "acknowledged_at": "2026-03-02T16:20:00Z",
}
FINDING: dict[str, Any] = {
    "code": "history.no_allergies",
    "severity": "advice",
    "field": "history",
    "message": "No allergies are mentioned.",
    "hint": "List known allergies, or say that there are none.",
}


class DraftEConsult(BaseModel):
    """What is handed to the specialist. Texts name nobody: the linter looks for identifiers (E-04, E-24)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_DRAFT]})

    visit_id: RecordId
    specialty_code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,20}$")]
    purpose: Purpose
    question: LongText = Field(repr=False, description="One specific question.")
    history: LongText = Field(repr=False, description="History, findings, treatment, medications, allergies.")
    note_ids: list[RecordId] = Field(default_factory=list, max_length=50)
    attachment_ids: list[RecordId] = Field(default_factory=list, max_length=50)


class Expectations(BaseModel):
    """The patient knows that this is written input to their clinician, not a visit with a specialist (E-18)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXPECTATIONS]})

    acknowledged: bool
    acknowledged_by: Reference = Field(description="`patient`, `guardian`, or an id; never a name.")
    acknowledged_at: Time


class NewEConsult(DraftEConsult):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{**_DRAFT, "patient_expectations": _EXPECTATIONS}]}
    )

    patient_expectations: Expectations | None = Field(default=None, description="Needed; 422 without.")

    def fingerprint(self) -> str:
        """Differs when anything in the request does."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class LintResult(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"orderable": True, "findings": [FINDING]}]})

    orderable: bool = Field(description="No finding is an error.")
    findings: list[Finding]


class SubmissionProblem(Problem):
    """The problem answer to an order that the linter blocks."""

    findings: list[Finding] = Field(description="With code submission.blocked: every finding, errors first.")
