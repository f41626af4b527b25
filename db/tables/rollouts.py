"""Programmes of a rollout: their locations, their members, what people wrote as evidence, their settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Column, Field, SQLModel

from db.tables.base import created_at, new_id
from db.types import EncryptedJson, EncryptedText, Utc


class RolloutProgram(SQLModel, table=True):
    __tablename__ = "rollout_program"
    __table_args__ = (Index("rollout_program_unstarted", "created_at", postgresql_where=text("not started")),)

    id: str = Field(primary_key=True)
    name: str = Field(sa_column=Column(EncryptedText("rollout_program.name"), nullable=False))
    file: dict[str, Any] = Field(sa_column=Column(EncryptedJson("rollout_program.file"), nullable=False))
    """The programme file as it was accepted: a `domain.rollout.program.Programme`."""
    order: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """The workflow's input, pinned, so that a start that was lost can be repeated as it was."""
    ordered_by: str
    """Subject of the token."""
    opening_key: str = Field(unique=True)
    """The same for a request that is repeated."""
    started: bool = False
    created_at: datetime = created_at()


class RolloutLocation(SQLModel, table=True):
    __tablename__ = "rollout_location"

    location_id: str = Field(primary_key=True)
    """Unique over all programmes."""
    program_id: str = Field(foreign_key="rollout_program.id", index=True)
    region: str
    time_zone: str
    name: str = Field(sa_column=Column(EncryptedText("rollout_location.name"), nullable=False))
    facts: dict[str, Any] = Field(sa_column=Column(EncryptedJson("rollout_location.facts"), nullable=False))
    """A `domain.rollout.program.LocationFacts`, with what people wrote as reasons."""
    created_at: datetime = created_at()


class RolloutMember(SQLModel, table=True):
    """Somebody of a programme: what they do there (their function), and where. Nobody is deleted (H-07, H-09)."""

    __tablename__ = "rollout_member"
    __table_args__ = (
        Index("rollout_member_reached", "program_id", "function"),
        UniqueConstraint(
            "program_id",
            "staff_id",
            "function",
            "region",
            "location_id",
            name="rollout_member_once",
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    program_id: str = Field(foreign_key="rollout_program.id")
    staff_id: str = Field(foreign_key="staff_member.id", index=True)
    function: str
    """domain/rollout/people.py Function."""
    region: str | None = None
    """Of regional functions."""
    location_id: str | None = Field(default=None, foreign_key="rollout_location.location_id")
    """Of local functions."""
    active: bool = True
    changed_by: str
    """Subject of the token."""
    changed_at: datetime = created_at()
    created_at: datetime = created_at()


class RolloutEvidence(SQLModel, table=True):
    """What a person wrote with an act, such as a reason; kept before the act, which carries the id only."""

    __tablename__ = "rollout_evidence"

    id: str = Field(default_factory=new_id, primary_key=True)
    program_id: str = Field(foreign_key="rollout_program.id", index=True)
    location_id: str | None = Field(default=None, foreign_key="rollout_location.location_id", index=True)
    about: str
    """A stable code, such as the act or the item of a checklist."""
    body: str = Field(sa_column=Column(EncryptedText("rollout_evidence.body"), nullable=False))
    submitted_by: str
    """Id of the member, or subject of the token."""
    created_at: datetime = created_at()


class RolloutSetting(SQLModel, table=True):
    """One setting: as it is wanted, or as somebody found it in use at a location (F-00)."""

    __tablename__ = "rollout_setting"
    __table_args__ = (
        CheckConstraint("state in ('wanted', 'observed')", name="rollout_setting_state"),
        UniqueConstraint(
            "program_id", "location_id", "state", "key", name="rollout_setting_once", postgresql_nulls_not_distinct=True
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    program_id: str = Field(foreign_key="rollout_program.id")
    location_id: str | None = Field(default=None, foreign_key="rollout_location.location_id")
    """None for what is wanted centrally."""
    key: str
    state: str = "wanted"
    value: Any = Field(sa_column=Column(EncryptedJson("rollout_setting.value"), nullable=False))
    """Templates and signatures are free text."""
    changed_by: str
    changed_at: datetime = Field(sa_type=Utc)
