"""How credential events and conduct reports flow: kept with their words, then reviewed by a case."""

from __future__ import annotations

from typing import Any

from temporalio.workflow import UpdateMethodMultiParam

from api.acting import Acts
from api.callers import Caller
from api.dependencies import Services
from api.schemas.standards import NewTriage
from api.starting import started
from db import people, reviews, roster
from db.reviews import Report, Reported
from db.tables import Clinician, CredentialEventRow
from domain import names
from domain.access import Role
from domain.actors import Actor
from domain.errors import Forbidden, Refused
from domain.review import (
    AcknowledgeReview,
    Resolve,
    ReviewAct,
    ReviewOrder,
    ReviewPolicy,
    ReviewProcess,
    ReviewSnapshot,
    ReviewStage,
    Triage,
)
from workflows.review import Review


def reporter(who: Caller) -> Actor:
    """The person, before their role of staff."""
    people_of = (
        (Role.CLINICIAN, who.scope.clinician_id),
        (Role.PATIENT, who.scope.patient_id),
        (who.staff, who.subject),
    )
    return next(Actor(role=role.value, id=id_) for role, id_ in people_of if role and id_)


def order_of(report: Report, policy: ReviewPolicy) -> dict[str, Any]:
    credential = isinstance(report, CredentialEventRow)
    process: ReviewProcess = "CredentialEvent" if credential else "ConductReport"
    order = ReviewOrder(
        process=process,
        report_id=report.id,
        clinician_id=report.clinician_id,
        kind=report.kind,
        licence_id=getattr(report, "licence_id", None),
        reported_by=Actor(role=report.reported_by_role, id=report.reported_by),
        reported_at=report.reported_at,
        aware_at=getattr(report, "aware_at", None),
        policy=policy,
    )
    return order.model_dump(mode="json")


async def file(services: Services, report: Report) -> Reported[Report]:
    """Keep the report and start its case, once.

    Raises `Invalid` (`request.idempotency_key_reused`) when an earlier try said something else.
    """
    kind = type(report)
    async with services.database.transaction() as session:
        kept = await reviews.keep(session, report)
    if not kept.started:
        starting = services.cases.start_review(ReviewOrder.model_validate(kept.order))
        if await started(starting, case_id(kept), "review_start_put_off"):
            async with services.database.transaction() as session:
                await reviews.mark_started(session, kind, kept.id)
    async with services.database.transaction() as session:
        return await reviews.get(session, kind, kept.id)


def case_id(report: Report) -> str:
    if isinstance(report, CredentialEventRow):
        return names.credential_event_case(report.id)
    return names.conduct_report_case(report.id)


async def own_clinician_id(services: Services, who: Caller) -> str | None:
    """Of the clinician who calls, in whatever role."""
    async with services.database.transaction() as session:
        own = await people.find_by_subject(session, Clinician, who.subject)
    return own.id if own else None


async def reviewed(services: Services, kind: type[Report], report_id: str, who: Caller) -> Reported[Report]:
    """The report, for somebody who may decide about it. Raises `NotFound`, `Forbidden` (`review.own_case`)."""
    async with services.database.transaction() as session:
        found = await reviews.get(session, kind, report_id)
    if found.report.clinician_id == await own_clinician_id(services, who):
        raise Forbidden("review.own_case", "nobody reviews what is reported about themselves")
    return found


async def triage(act: Acts, who: Caller, report: Report, body: NewTriage) -> Reported[Report]:
    """Raises `NotFound` (`staff.unknown`)."""
    if body.assigned_to:
        async with act.services.database.transaction() as session:
            await roster.get_staff(session, body.assigned_to)
    asked = Triage(actor=reporter(who), severity=body.severity, assigned_to=body.assigned_to or who.subject)
    return await ask(act, who, report, Review.triage, asked)


async def resolve(
    act: Acts, who: Caller, found: Reported[Report], outcome: str, licence_ids: tuple[str, ...] = ()
) -> Reported[Report]:
    """Raises `Refused` (`review.already_resolved`), unless the same person repeats the same outcome."""
    seen = found.snapshot
    actor = reporter(who)
    if seen and seen.stage is ReviewStage.RESOLVED:
        if (seen.outcome, seen.resolved_by) != (outcome, actor):
            raise Refused("review.already_resolved", "the report is resolved")
        return found
    asked = Resolve(actor=actor, outcome=outcome, licence_ids=licence_ids)
    return await ask(act, who, found.report, Review.resolve, asked)


async def acknowledge(act: Acts, who: Caller, report: Report, clock: str) -> Reported[Report]:
    asked = AcknowledgeReview(actor=reporter(who), clock=clock)
    return await ask(act, who, report, Review.acknowledge_escalation, asked)


async def ask(
    act: Acts, who: Caller, report: Report, update: UpdateMethodMultiParam[[Any, Any], Any], asked: ReviewAct
) -> Reported[Report]:
    await act.update(case_id(report), who, update, asked)
    async with act.services.database.transaction() as session:
        return await reviews.get(session, type(report), report.id)


def reported_by(report: Report) -> Actor:
    return Actor(role=report.reported_by_role, id=report.reported_by)


def progress(seen: ReviewSnapshot | None) -> dict[str, Any]:
    """Fields of a ReviewView, for those who may know all."""
    return {
        "stage": seen.stage if seen else ReviewStage.REPORTED,
        "severity": seen.severity if seen else None,
        "assigned_to": seen.assigned_to if seen else None,
        "outcome": seen.outcome if seen else None,
        "resolved_at": seen.resolved_at if seen else None,
        "escalation_level": seen.escalation_level if seen else 0,
        "clocks": list(seen.clocks) if seen else [],
    }
