"""Incidents with messages, issues and the answers of champions, each with who said so and when."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import ConfidenceAnswer, MessageIncident, RolloutIssue
from domain.actors import Actor
from domain.errors import Invalid, NotFound, Refused
from domain.rollout.telemetry import CRITICAL, IssueKind
from domain.rollout.triggers import IncidentKind

Kept = TypeVar("Kept", MessageIncident, RolloutIssue, ConfidenceAnswer)


async def keep(session: AsyncSession, row: Kept) -> Kept:
    """Write it, or answer what an earlier try of the same request wrote.

    Raises `Invalid` (`request.idempotency_key_reused`) when that try said something else.
    """
    table = type(row)
    await session.exec(insert(table).values(row.model_dump(exclude={"created_at"})).on_conflict_do_nothing())
    kept = await session.get_one(table, row.id)
    said = {"location_id", "kind", "description", "severity", "score", "member_id", "occurred_at"}
    if kept.model_dump(include=said) != row.model_dump(include=said):
        raise Invalid("request.idempotency_key_reused", "this Idempotency-Key was used for another request")
    return kept


async def confirm(
    session: AsyncSession, location_id: str, incident_id: str, actor: Actor, now: datetime
) -> MessageIncident:
    """Say that the message was wrong; the first to say so is kept. Raises `NotFound` (`incident.unknown`).

    A message to the wrong patient is a breach of privacy: an issue of severity 1 until somebody resolves it.
    """
    row = await session.get(MessageIncident, incident_id, with_for_update=True)
    if row is None or row.location_id != location_id:
        raise NotFound("incident.unknown", "there is no such incident at this location")
    if row.confirmed_at is None:
        row.confirmed_role, row.confirmed_by, row.confirmed_at = actor.role, actor.id, now
        if row.kind == IncidentKind.WRONG_PATIENT:
            session.add(
                RolloutIssue(
                    id=row.id,
                    location_id=location_id,
                    severity=CRITICAL,
                    kind=IssueKind.PRIVACY,
                    description=row.description,
                    opened_role=actor.role,
                    opened_by=actor.id,
                    opened_at=now,
                )
            )
    return row


async def resolve(session: AsyncSession, location_id: str, issue_id: str, actor: Actor, now: datetime) -> RolloutIssue:
    """Raises `NotFound` (`issue.unknown`), `Refused` (`issue.resolved`)."""
    row = await session.get(RolloutIssue, issue_id, with_for_update=True)
    if row is None or row.location_id != location_id:
        raise NotFound("issue.unknown", "there is no such issue at this location")
    if row.resolved_at is not None:
        raise Refused("issue.resolved", "the issue was resolved before")
    row.resolved_role, row.resolved_by, row.resolved_at = actor.role, actor.id, now
    return row


async def incidents(
    session: AsyncSession, location_id: str, *, before: str | None, limit: int
) -> list[MessageIncident]:
    """Newest first."""
    statement = select(MessageIncident).where(col(MessageIncident.location_id) == location_id)
    if before is not None:
        statement = statement.where(col(MessageIncident.id) < before)
    return list((await session.exec(statement.order_by(col(MessageIncident.id).desc()).limit(limit))).all())


async def issues(
    session: AsyncSession, location_id: str, *, open_only: bool, before: str | None, limit: int
) -> list[RolloutIssue]:
    """Newest first."""
    statement = select(RolloutIssue).where(col(RolloutIssue.location_id) == location_id)
    if open_only:
        statement = statement.where(col(RolloutIssue.resolved_at).is_(None))
    if before is not None:
        statement = statement.where(col(RolloutIssue.id) < before)
    return list((await session.exec(statement.order_by(col(RolloutIssue.id).desc()).limit(limit))).all())
