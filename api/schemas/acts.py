"""What people do with an eConsult."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api.values import Time

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
EscalatingClock = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}(:[0-9a-f-]{1,40})?$")]
RefundId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,120}$")]


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class CancelReason(StrEnum):
    PATIENT_REQUEST = "patient_request"
    CLINICIAN_REQUEST = "clinician_request"
    ORDERED_IN_ERROR = "ordered_in_error"
    NO_LONGER_NEEDED = "no_longer_needed"
    OTHER = "other"


class Cancellation(BaseModel):
    model_config = _example(reason="patient_request")

    reason: CancelReason


class DeclineReason(StrEnum):
    OUT_OF_SCOPE = "out_of_scope"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    UNAVAILABLE = "unavailable"
    INSUFFICIENT_INFORMATION = "insufficient_information"
    OTHER = "other"


class Decline(BaseModel):
    model_config = _example(reason="out_of_scope")

    reason: DeclineReason


class ReassignReason(StrEnum):
    LATE = "late"
    UNREACHABLE = "unreachable"
    OTHER = "other"


class Reassignment(BaseModel):
    model_config = _example(reason="late")

    reason: ReassignReason = ReassignReason.LATE


class InformationText(BaseModel):
    model_config = _example(body="The lesion bleeds on contact; a dermoscopy photo is attached to the record.")

    body: Text = Field(repr=False)


class QuestionText(BaseModel):
    model_config = _example(body="Should the shampoo be continued until the biopsy result is back?")

    body: Text = Field(repr=False)


class WithdrawReason(StrEnum):
    SPECIALIST_UNAVAILABLE = "specialist_unavailable"
    NO_LONGER_NEEDED = "no_longer_needed"
    OTHER = "other"


class QuestionWithdrawal(BaseModel):
    model_config = _example(reason="specialist_unavailable")

    reason: WithdrawReason


class AnswerText(BaseModel):
    model_config = _example(body="Yes, twice a week.")

    body: Text = Field(repr=False)


class SpecialistReply(BaseModel):
    """E-05."""

    model_config = _example(
        impression="Most likely seborrheic dermatitis; squamous cell carcinoma is not excluded.",
        recommendations=["Shave biopsy within two weeks.", "Continue ketoconazole shampoo twice a week."],
        body="",
        in_person_recommended=False,
    )

    impression: Text = Field(repr=False)
    recommendations: list[Text] = Field(repr=False, min_length=1, max_length=50)
    body: Annotated[str, StringConstraints(max_length=20_000)] = Field(default="", repr=False)
    in_person_recommended: bool = Field(description="Care in person is called for; its cost is separate (E-17).")


class FollowUpBooking(BaseModel):
    model_config = _example(starts_at="2026-03-06T15:00:00Z")

    starts_at: Time


class CareOutcome(BaseModel):
    """E-09."""

    model_config = _example(improved_care_plan=True, avoided_in_person=True)

    improved_care_plan: bool
    avoided_in_person: bool


class RefundReason(BaseModel):
    model_config = _example(reason="The patient was seen in person before the answer came.")

    reason: Text = Field(repr=False)


class RefundDecision(BaseModel):
    """Decision 19: a human decides."""

    model_config = _example(approve=True, amount_cents=14000)

    approve: bool
    amount_cents: int | None = Field(default=None, gt=0, le=10_000_000, description="All that is left when not given.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.approve and self.amount_cents is not None:
            raise ValueError("A rejection has no amount.")
        return self
