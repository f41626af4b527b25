"""Requests and answers about the members of a programme."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, EmailStr, Field

from api.schemas.rollouts import SLUG, FunctionName, example
from api.values import EXAMPLE_ID, Line, PhoneNumber, RecordId, TimeZone, TokenSubject
from db.provisioning import Listed
from domain.rollout.people import Function

_PERSON: dict[str, Any] = {
    "name": "Remy Achterberg",
    "email": "remy.achterberg@example.com",
    "phone": "+12025550161",
    "subject": "oidc|remy",
    "time_zone": "America/Chicago",
}


class NewPerson(BaseModel):
    model_config = example(_PERSON)

    name: Line
    email: EmailStr
    phone: PhoneNumber | None = None
    subject: TokenSubject | None = None
    time_zone: TimeZone


class PersonChange(BaseModel):
    """What is left out stays."""

    model_config = example({"email": "remy@example.com"})

    name: Line | None = None
    email: EmailStr | None = None
    phone: PhoneNumber | None = None
    subject: TokenSubject | None = None
    time_zone: TimeZone | None = None


class NewMember(BaseModel):
    model_config = example({"function": "champion", "location_id": "downtown", "person": _PERSON})

    function: FunctionName
    region: str | None = Field(default=None, pattern=SLUG, description="Of a regional function.")
    location_id: str | None = Field(default=None, pattern=SLUG, description="Of a local function.")
    staff_id: RecordId | None = Field(default=None, description="Somebody who is in the programme already.")
    person: NewPerson | None = Field(default=None, description="Somebody new. Either this or `staff_id`.")


class MemberChange(BaseModel):
    """What is left out stays. A change of function or place ends this membership and begins another one."""

    model_config = example({"function": "office_manager"})

    function: FunctionName | None = None
    region: str | None = Field(default=None, pattern=SLUG)
    location_id: str | None = Field(default=None, pattern=SLUG)
    active: bool | None = None
    person: PersonChange | None = Field(default=None, description="By a system administrator.")

    @property
    def moves(self) -> bool:
        return bool({"function", "region", "location_id"} & self.model_fields_set)


class MemberView(BaseModel):
    member_id: str = Field(examples=[EXAMPLE_ID])
    staff_id: str
    function: Function
    region: str | None
    location_id: str | None
    active: bool
    name: str
    email: str
    phone: str | None
    signs_in: bool = Field(description="A subject of tokens is known.")
    changed_at: datetime
    created_at: datetime


class Credential(BaseModel):
    """One line of the audit of credentials (H-09)."""

    function: Function
    region: str | None
    location_id: str | None
    member_id: str
    staff_id: str
    name: str
    active: bool
    signs_in: bool
    since: datetime
    changed_at: datetime
    changed_by: str = Field(description="Subject of the token.")


def member_view(listed: Listed) -> MemberView:
    member, person = listed
    return MemberView(
        member_id=member.id,
        staff_id=member.staff_id,
        function=Function(member.function),
        region=member.region,
        location_id=member.location_id,
        active=member.active and person.active,
        name=person.name,
        email=person.email,
        phone=person.phone,
        signs_in=person.subject is not None,
        changed_at=member.changed_at,
        created_at=member.created_at,
    )


def credential(listed: Listed) -> Credential:
    member, person = listed
    return Credential(
        function=Function(member.function),
        region=member.region,
        location_id=member.location_id,
        member_id=member.id,
        staff_id=member.staff_id,
        name=person.name,
        active=member.active and person.active,
        signs_in=person.subject is not None,
        since=member.created_at,
        changed_at=member.changed_at,
        changed_by=member.changed_by,
    )
