"""How visits are scheduled, and how acts on them flow."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from fastapi import Depends
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.workflow import UpdateMethodMultiParam

from api.acting import Acts, acts_of_request
from api.callers import Caller
from api.dependencies import Services
from api.schemas.visits import NewVisit, VisitView, visit_view
from db import licences, people, visits
from db.econsults import ALL
from db.tables import Clinician, Patient, Visit
from db.visits import VisitCase
from domain import names
from domain.access import Role
from domain.actors import Actor
from domain.errors import Forbidden, Invalid
from domain.visit import rules
from domain.visit.acts import Act
from domain.visit.state import VisitOrder

Asked = TypeVar("Asked", bound=Act)


class VisitActs(Acts):
    """One act on a visit."""

    async def find(self, visit_id: str, who: Caller) -> VisitCase:
        """Raises `NotFound` (`visit.unknown`) for what is not the caller's."""
        async with self.services.database.transaction() as session:
            return await visits.get(session, visit_id, who.scope)

    async def ask(
        self, case: VisitCase, who: Caller, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked
    ) -> VisitView:
        """Ask the workflow, and show the visit as its step left it. Raises what `Cases.ask` raises."""
        await self.update(names.visit_case(case.visit.id), who, update, asked)
        return await self.view(case.visit.id, who)

    async def view(self, visit_id: str, who: Caller) -> VisitView:
        async with self.services.database.transaction() as session:
            case = await visits.get(session, visit_id, ALL)
        return visit_view(case, who.role(case))


VisitActsOfRequest = Annotated[VisitActs, Depends(acts_of_request(VisitActs))]


def row(order: VisitOrder, **more: Any) -> Visit:
    """The record of a visit, with its workflow's input pinned."""
    fields = {"patient_id", "clinician_id", "kind", "visit_type", "econsult_id", "duration_minutes"}
    return Visit(
        id=order.visit_id,
        scheduled_start=order.starts_at,
        order=order.model_dump(mode="json"),
        **order.model_dump(include=fields),
        **more,
    )


async def schedule(session: AsyncSession, act: VisitActs, who: Caller, new: NewVisit) -> Visit:
    """Keep the visit with its order; the one kept before with this key stays as it is. Raises as the route says."""
    if act.key is None:
        raise Invalid("request.idempotency_key_missing", "scheduling a visit needs an Idempotency-Key header")
    scheduled_by = _scheduler(who, new)
    order = VisitOrder(
        visit_id=act.record_id(who),
        clinician_id=new.clinician_id or scheduled_by.id,
        policy=act.services.policy.visit,
        scheduled_by=scheduled_by,
        **new.model_dump(exclude={"clinician_id"}),
    )
    if await visits.find_visit(session, order.visit_id) is None:
        await _check(session, act.services, order)
    return await visits.place(session, row(order))


def _scheduler(who: Caller, new: NewVisit) -> Actor:
    """The clinician of the visit, or staff, who names one."""
    own = who.scope.clinician_id
    if own is not None and new.clinician_id in {None, own}:
        return Actor(role=Role.CLINICIAN, id=own)
    if who.staff is None:
        raise Forbidden("visit.of_another_clinician", "a clinician schedules only their own visits")
    if new.clinician_id is None:
        raise Invalid("visit.clinician_missing", "name the clinician of the visit")
    return Actor(role=who.staff, id=who.subject)


async def _check(session: AsyncSession, services: Services, order: VisitOrder) -> None:
    await people.get(session, Clinician, order.clinician_id)
    patient = await people.get(session, Patient, order.patient_id)
    by_staff = order.scheduled_by.role != Role.CLINICIAN
    if not by_staff and not await visits.has_visit(session, order.clinician_id, patient.id):
        raise Forbidden("visit.patient_not_yours", "staff schedules a clinician's first visit with a patient")
    now = services.clock()
    await licences.check_standing(session, order.clinician_id, patient.state, now)
    rules.may_schedule(order.policy, order.starts_at, now)
