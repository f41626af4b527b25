"""Requests and answers about the roster."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, PlainSerializer, WithJsonSchema
from pydantic.config import JsonDict

from api.values import EXAMPLE_ID, Line, PhoneNumber, RecordId, Time, TokenSubject
from domain.roster import STAFF, Reason

_MINUTE = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_REMOVABLE = frozenset({"subject", "phone", "quiet_from", "quiet_until"})


def _minute(value: Any) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.fullmatch(_MINUTE, value):
        raise ValueError("The time must be HH:MM.")
    return time.fromisoformat(value)


LocalTime = Annotated[
    time,
    BeforeValidator(_minute),
    PlainSerializer(lambda value: value.strftime("%H:%M"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _MINUTE, "examples": ["22:00"]}),
]
"""What a clock where the person lives shows, to the minute."""
ZoneName = Annotated[str, Field(max_length=60, description="IANA name.", examples=["America/Denver"])]
StaffAudience = Annotated[str, Field(max_length=40, description=f"One of {', '.join(STAFF)}.", examples=[STAFF[-1]])]
Weekday = Annotated[int, Field(ge=1, le=7)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2100, 12, 31))]

_STAFF: JsonDict = {
    "subject": "oidc|operations-1",
    "name": "Remy Achterberg",
    "email": "remy.achterberg@example.com",
    "phone": "+12025550161",
    "time_zone": "America/New_York",
    "quiet_from": "22:00",
    "quiet_until": "06:00",
    "active": True,
}
_SHIFT: JsonDict = {
    "staff_id": EXAMPLE_ID,
    "audience": "operations",
    "weekdays": [1, 2, 3, 4, 5],
    "starts": "07:00",
    "ends": "19:00",
    "valid_from": "2026-03-02",
    "valid_until": None,
}
_ABSENCE: JsonDict = {
    "staff_id": EXAMPLE_ID,
    "absent_from": "2026-07-01T04:00:00Z",
    "absent_until": "2026-07-08T04:00:00Z",
}


def _example(*examples: JsonDict) -> JsonDict:
    return {"examples": list(examples)}


class NewStaff(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra=_example(_STAFF))

    subject: TokenSubject | None = None
    name: Line
    email: EmailStr
    phone: PhoneNumber | None = None
    time_zone: ZoneName
    quiet_from: LocalTime | None = Field(
        default=None, description="In quiet hours a person is told only while nobody else is on shift."
    )
    quiet_until: LocalTime | None = None
    active: bool = True


class StaffChange(BaseModel):
    """What is left out stays; null removes a subject, a telephone number or quiet hours."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra=_example({"quiet_from": "22:00", "quiet_until": "06:00"})
    )

    subject: TokenSubject | None = None
    name: Line | None = None
    email: EmailStr | None = None
    phone: PhoneNumber | None = None
    time_zone: ZoneName | None = None
    quiet_from: LocalTime | None = None
    quiet_until: LocalTime | None = None
    active: bool | None = None

    def changes(self) -> dict[str, object]:
        given = self.model_dump(exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None or name in _REMOVABLE}


class StaffView(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example({"id": EXAMPLE_ID, **_STAFF, "created_at": "2026-03-02T09:00:00Z"}),
    )

    id: str
    subject: str | None
    name: str
    email: str
    phone: str | None
    time_zone: str
    quiet_from: LocalTime | None
    quiet_until: LocalTime | None
    active: bool
    created_at: datetime


class NewShift(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra=_example(_SHIFT))

    staff_id: RecordId
    audience: StaffAudience
    weekdays: list[Weekday] = Field(
        min_length=1, max_length=7, description="On which the shift begins; 1 is Monday, 7 is Sunday."
    )
    starts: LocalTime
    ends: LocalTime
    valid_from: Day
    valid_until: Day | None = Field(default=None, description="The last day on which the shift begins.")


class ShiftView(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example({"id": EXAMPLE_ID, **_SHIFT, "created_at": "2026-03-02T09:00:00Z"}),
    )

    id: str
    staff_id: str
    audience: str
    weekdays: list[int]
    starts: LocalTime
    ends: LocalTime
    valid_from: date
    valid_until: date | None
    created_at: datetime


class NewAbsence(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra=_example(_ABSENCE))

    staff_id: RecordId
    absent_from: Time
    absent_until: Time


class AbsenceView(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example({"id": EXAMPLE_ID, **_ABSENCE, "created_at": "2026-03-02T09:00:00Z"}),
    )

    id: str
    staff_id: str
    absent_from: datetime
    absent_until: datetime
    created_at: datetime


class Told(BaseModel):
    staff_id: str
    name: str


class NotTold(Told):
    reason: Reason = Field(
        description="off: not on shift; absent; quiet: in quiet hours, and somebody else is on shift; inactive."
    )


class OnDuty(BaseModel):
    model_config = ConfigDict(
        json_schema_extra=_example(
            {
                "audience": "operations",
                "at": "2026-03-02T15:00:00Z",
                "in_use": True,
                "gap": False,
                "fallback": False,
                "tell": [{"staff_id": EXAMPLE_ID, "name": "Remy Achterberg"}],
                "skipped": [],
            }
        )
    )

    audience: str
    at: datetime
    in_use: bool = Field(description="Whether the audience has a roster that has begun.")
    gap: bool = Field(description="There is a roster, and nobody in it at that time. A notice would note this down.")
    fallback: bool = Field(description="The audience's own address would be told.")
    tell: list[Told]
    skipped: list[NotTold]


class GapView(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example(
            {
                "id": EXAMPLE_ID,
                "notice_key": f"econsult:{EXAMPLE_ID}:notice:7:provider_success:reply_late",
                "case_id": f"econsult:{EXAMPLE_ID}",
                "audience": "provider_success",
                "at": "2026-03-07T09:00:00Z",
            }
        ),
    )

    id: str
    notice_key: str
    case_id: str
    audience: str
    at: datetime = Field(description="Business time of the step that told of something.")
