"""Requests and answers about licences, credential events and conduct reports."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.acts import Text
from api.schemas.roster import Day
from api.values import EXAMPLE_ID, Line, RecordId, State, Time
from domain.actors import Actor
from domain.case import ClockView
from domain.licences import LicenceStatus, LossReason
from domain.review import (
    ConductKind,
    ConductOutcome,
    CredentialEventKind,
    CredentialOutcome,
    ReviewStage,
    Severity,
)
from domain.standing import Block

LicenceNumber = Annotated[Line, Field(max_length=60, repr=False)]


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class NewLicence(BaseModel):
    model_config = _example(state="CO", number="DR-0012345", expires_on="2027-04-30")

    state: State
    number: LicenceNumber
    expires_on: Day = Field(description="The last day on which it counts, where the state is.")


class Renewal(BaseModel):
    model_config = _example(expires_on="2029-04-30")

    expires_on: Day


class LicenceWaiver(BaseModel):
    model_config = _example(until="2027-07-31")

    until: Day = Field(description="The last day on which the licence counts without a renewal.")


class LicenceLoss(BaseModel):
    model_config = _example(reason="board_action")

    reason: LossReason


class LicenceView(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "clinician_id": EXAMPLE_ID,
                    "state": "CO",
                    "number": "DR-0012345",
                    "status": "ACTIVE",
                    "expires_on": "2027-04-30",
                    "expires_at": "2027-05-01T06:00:00Z",
                    "waived_until": None,
                    "reason": None,
                    "watched": True,
                    "findings": [],
                }
            ]
        }
    )

    id: str
    clinician_id: str
    state: str
    number: str | None = Field(description="Null while nobody has recorded it.")
    status: LicenceStatus
    expires_on: date | None = Field(description="Null while nobody has recorded it.")
    expires_at: datetime | None = Field(description="The midnight that ends that day where the state is.")
    waived_until: date | None
    reason: LossReason | None = Field(description="Of a suspension or revocation.")
    watched: bool = Field(description="Whether notices go out before its expiry.")
    findings: list[str] = Field(description="Advice: `licence.expiry_unknown`. Blocks nothing.")


class ReassignmentView(BaseModel):
    """Something booked that the clinician may not go on with."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "visit",
                    "id": EXAMPLE_ID,
                    "patient_state": "CO",
                    "state": "scheduled",
                    "scheduled_start": "2027-05-03T16:00:00Z",
                    "code": "clinician.licence_expired",
                }
            ]
        }
    )

    kind: Literal["visit", "econsult"]
    id: str
    patient_state: str
    state: str = Field(description="Where the visit or eConsult stands.")
    scheduled_start: datetime | None = Field(description="Of a visit.")
    code: Block = Field(description="Why.")


class NewCredentialEvent(BaseModel):
    """K-02 to K-04."""

    model_config = _example(
        kind="board_action",
        occurred_on="2026-03-01",
        aware_at="2026-03-02T09:00:00-07:00",
        licence_id=None,
        description="The board opened a disciplinary proceeding about record keeping.",
    )

    kind: CredentialEventKind
    occurred_on: Day
    aware_at: Time = Field(description="When the clinician knew of it: a report is due within 24 hours (K-01).")
    licence_id: RecordId | None = Field(default=None, description="Needed for what befalls a licence (K-03).")
    description: Text = Field(repr=False)


class NewConductReport(BaseModel):
    """V-17, V-18."""

    model_config = _example(
        clinician_id=EXAMPLE_ID,
        kind="off_platform_referral",
        description="I was asked to book my next appointment at the clinician's own practice.",
    )

    clinician_id: RecordId
    kind: ConductKind
    description: Text = Field(repr=False)


class NewTriage(BaseModel):
    model_config = _example(severity="medium", assigned_to=None)

    severity: Severity
    assigned_to: RecordId | None = Field(default=None, description="A person of the staff; null for oneself.")


class CredentialResolution(BaseModel):
    model_config = _example(outcome="no_action")

    outcome: CredentialOutcome = Field(
        description="`licence_suspended` suspends the licence that the event names, `clinician_blocked` all of theirs."
    )


class ConductResolution(BaseModel):
    model_config = _example(outcome="coaching")

    outcome: ConductOutcome


class ReviewView(BaseModel):
    """Where a report stands. What the reader may not know is null."""

    id: str
    clinician_id: str = Field(description="Whom it is about.")
    stage: ReviewStage
    reported_by: Actor | None
    reported_at: datetime | None
    description: str | None = Field(repr=False)
    severity: Severity | None
    assigned_to: str | None
    outcome: str | None
    resolved_at: datetime | None
    escalation_level: int | None = Field(description="Steps of the ladder that were climbed.")
    clocks: list[ClockView]


_REVIEW: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "clinician_id": EXAMPLE_ID,
    "stage": "TRIAGED",
    "reported_by": {"role": "clinician", "id": EXAMPLE_ID},
    "reported_at": "2026-03-02T18:00:00Z",
    "severity": "medium",
    "assigned_to": "oidc|operations-1",
    "outcome": None,
    "resolved_at": None,
    "escalation_level": 0,
    "clocks": [],
}


class CredentialEventView(ReviewView):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_REVIEW,
                    "kind": "board_action",
                    "licence_id": None,
                    "occurred_on": "2026-03-01",
                    "aware_at": "2026-03-02T16:00:00Z",
                    "late_report": False,
                    "description": "The board opened a disciplinary proceeding about record keeping.",
                }
            ]
        }
    )

    kind: CredentialEventKind
    licence_id: str | None
    occurred_on: date
    aware_at: datetime
    late_report: bool = Field(description="Reported later than promptly; noted, never refused.")


class ConductReportView(ReviewView):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_REVIEW, "kind": "conduct", "description": None, "reported_by": None, "reported_at": None}]
        }
    )

    kind: ConductKind
