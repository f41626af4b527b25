"""Lives of licences and reviews whose histories are kept."""

from __future__ import annotations

from datetime import timedelta

from domain import policy
from domain.review import Severity
from embedded.rehearsal import Rehearsal
from tests.replay.settling import settled
from tests.workflows.consult import People
from tests.workflows.standards import DAY, WatchedLicence, file_report, invite_clinician, record_licence

HOUR = timedelta(hours=1)


async def licence_expired_renewed_and_revoked(world: Rehearsal, _: People) -> str:
    licence = await record_licence(world, await invite_clinician(world), 40 * DAY)
    await settled(world, licence.case_id)
    for days in (11, 24):
        await world.advance(days * DAY)
        await settled(world, licence.case_id)
    await licence.waive(await world.env.get_current_time() + 10 * DAY)
    await world.advance(8 * DAY)
    await world.advance(4 * DAY)
    await settled(world, licence.case_id)
    await licence.renew(await world.env.get_current_time() + 90 * DAY)
    await licence.suspend()
    await world.advance(31 * DAY)
    await settled(world, licence.case_id)
    await licence.reinstate()
    await licence.revoke()
    await settled(world, licence.case_id)
    return licence.case_id


async def licence_carried_into_a_fresh_run(world: Rehearsal, _: People) -> str:
    """The history kept is that of the latest run."""
    short = policy.load().licence.model_copy(update={"history_limit": 20})
    licence = await record_licence(world, await invite_clinician(world), 20 * DAY, short)
    await settled(world, licence.case_id)
    for _round in range(2):
        await _lost_and_regained(world, licence)
    await world.advance(21 * DAY)
    await settled(world, licence.case_id)
    return licence.case_id


async def _lost_and_regained(world: Rehearsal, licence: WatchedLicence) -> None:
    await licence.suspend()
    await settled(world, licence.case_id)
    await licence.reinstate()
    await settled(world, licence.case_id)


async def suspension_reported_late_and_reviewed(world: Rehearsal, _: People) -> str:
    clinician_id = await invite_clinician(world)
    licence = await record_licence(world, clinician_id, 200 * DAY)
    event = await file_report(
        world, clinician_id, "license_suspended", known_for=30 * HOUR, licence_id=licence.order.licence_id
    )
    await licence.happened("licence_suspended")
    await settled(world, event.case_id)
    await world.advance(25 * HOUR)
    await settled(world, event.case_id)
    await event.acknowledge("triage")
    await event.triage(Severity.HIGH)
    await world.advance(5 * DAY)
    await licence.reinstate()
    await event.resolve("licence_suspended", licence.order.licence_id)
    await settled(world, event.case_id)
    await settled(world, licence.case_id)
    return event.case_id


async def conduct_resolved_after_escalations(world: Rehearsal, _: People) -> str:
    report = await file_report(world, await invite_clinician(world), "off_platform_referral", process="ConductReport")
    await settled(world, report.case_id)
    await world.advance(49 * HOUR)
    await settled(world, report.case_id)
    await report.triage(Severity.LOW)
    await world.advance(15 * DAY)
    await settled(world, report.case_id)
    await report.acknowledge("resolution")
    await report.resolve("coaching")
    await settled(world, report.case_id)
    return report.case_id


STANDARDS = (
    licence_expired_renewed_and_revoked,
    licence_carried_into_a_fresh_run,
    suspension_reported_late_and_reviewed,
    conduct_resolved_after_escalations,
)
