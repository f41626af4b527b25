"""Taking telemetry: kept first, then told to the location; what cannot be told now is told by the sweep."""

from __future__ import annotations

from datetime import datetime

import structlog
from fastapi.exceptions import RequestValidationError
from temporalio.service import RPCError

from api.dependencies import Services
from api.rollout_acting import Member
from db import telemetry
from db.tables import RolloutLocation
from domain.access import Role
from domain.actors import Actor
from domain.errors import Forbidden
from domain.rollout.baseline import BaselinePolicy
from domain.rollout.people import VENDOR, Function
from domain.rollout.telemetry import MACHINES, Batch, Source, findings

CENTRAL = (Function.IT_LEAD, Function.PROJECT_MANAGER)
CHAMPIONS = (Function.CHAMPION, Function.BACKUP_CHAMPION, Function.OFFICE_MANAGER)
SUBMITTERS = (*CENTRAL, *VENDOR, *CHAMPIONS, Function.REGIONAL_MANAGER)

log = structlog.get_logger(__name__)


def submitter(who: Member, location: RolloutLocation, batch: Batch) -> Actor:
    """Raises `Forbidden` (`rollout.function_missing`, `telemetry.source_not_yours`).

    Figures of machines come from the vendor and from central IT alone, attestations from those who know the staff.
    """
    actor = who.actor(location.program_id, SUBMITTERS, region=location.region, location_id=location.location_id)
    sources = {entry.source for entry in batch.entries}
    by_machine = who.role in {Role.VENDOR, Role.SYSTEM_ADMIN}
    if (sources & MACHINES and not by_machine) or (
        Source.CHAMPION_ATTESTATION in sources and actor.role not in CHAMPIONS
    ):
        raise Forbidden("telemetry.source_not_yours", "this source is reported by others; say hand_entered instead")
    return actor


def check(batch: Batch, now: datetime, policy: BaselinePolicy) -> None:
    """Raises RequestValidationError with everything that is wrong; each `type` is a stable code."""
    if found := findings(batch, now, policy):
        raise RequestValidationError(
            [{"loc": ("body", "entries", one.entry), "type": one.code, "msg": "", "input": None} for one in found]
        )


async def deliver(services: Services, report_id: str) -> None:
    """Tell the location. What cannot be told now stays undelivered, and the sweep tries again."""
    async with services.database.transaction() as session:
        report = await telemetry.pending(session, report_id)
    if report is None:
        return
    told = False
    try:
        told = await services.cases.report_telemetry(report.program_id, report.location_id, report.news)
    except (RPCError, RuntimeError) as error:
        # A lazy client's first connection fails with a RuntimeError.
        log.warning("telemetry_delivery_put_off", report_id=report_id, error=type(error).__name__)
    async with services.database.transaction() as session:
        await telemetry.tried(session, report_id, delivered=told)
