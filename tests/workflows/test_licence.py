"""A licence through its life: notices in time, expiry, renewal, waiver, suspension, revocation (K-03, decision 11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from db import licences
from db.tables import new_id
from domain import policy
from domain.errors import Refused
from domain.licences import LicenceReceipt, LicenceStatus
from embedded.rehearsal import Rehearsal
from tests.workflows.standards import DAY, WatchedLicence, file_report, invite_clinician, record_licence

HOUR = timedelta(hours=1)
EXPIRED = [("clinician", "licence_expired"), ("operations", "licence_blocks"), ("provider_success", "licence_blocks")]


@pytest.fixture
async def clinician_id(world: Rehearsal) -> str:
    return await invite_clinician(world)


async def refused(licence: WatchedLicence) -> str | None:
    """The code with which the clinician is refused a patient of the state, now."""
    now = await licence.world.env.get_current_time()
    async with licence.world.database.transaction() as session:
        try:
            await licences.check_standing(session, licence.order.clinician_id, "CO", now)
        except Refused as refusal:
            return refusal.code
    return None


async def test_tells_of_its_expiry_60_30_and_7_days_before(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, 61 * DAY)
    told: list[list[tuple[str, str]]] = []
    for days in (0.5, 1, 30, 23, 6):
        before = len(await licence.notices())
        await world.advance(days * DAY)
        told.append((await licence.notices())[before:])
    expiring = ("clinician", "licence_expiring")
    assert told == [[], [expiring], [expiring], [expiring, ("provider_success", "licence_expiring_staff")], []]
    assert await refused(licence) is None
    await world.advance(DAY)
    assert (await licence.notices())[-3:] == EXPIRED
    assert await refused(licence) == "clinician.licence_expired"
    assert (await licence.row()).status == LicenceStatus.EXPIRED
    assert await licence.events() == [
        "licence_recorded",
        "expiry:expires_in_60_days",
        "expiry:expires_in_30_days",
        "expiry:expires_in_7_days",
        "licence_expired",
    ]


async def test_a_renewal_arms_the_notices_anew(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, 20 * DAY)
    await licence.happened("expiry:expires_in_30_days")
    await licence.renew(await world.env.get_current_time() + 110 * DAY)
    before = len(await licence.notices())
    await world.advance(49 * DAY)
    assert len(await licence.notices()) == before
    assert (await licence.status()).status is LicenceStatus.ACTIVE
    await world.advance(2 * DAY)
    assert (await licence.events())[-1] == "expiry:expires_in_60_days"


async def test_a_renewal_brings_an_expired_licence_back(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, DAY)
    await world.advance(2 * DAY)
    assert await refused(licence) == "clinician.licence_expired"
    await licence.renew(await world.env.get_current_time() + 400 * DAY)
    assert await refused(licence) is None
    assert (await licence.row()).expires_on == (await licence.status()).expires_on
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await licence.renew(await world.env.get_current_time() - HOUR)
    assert code(refusal.value) == "licence.date_past"


async def test_a_suspension_blocks_until_it_is_lifted(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, 200 * DAY)
    assert (await licence.suspend()).status is LicenceStatus.SUSPENDED
    assert await refused(licence) == "clinician.licence_suspended"
    assert (await licence.row()).reason == "board_action"
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await licence.suspend()
    assert code(refusal.value) == "licence.already_suspended"
    assert (await licence.reinstate()).status is LicenceStatus.ACTIVE
    assert await refused(licence) is None
    assert (await licence.row()).reason is None
    await licence.suspend()
    told = [template for _, template in await licence.notices()]
    assert (told.count("licence_suspended"), told.count("licence_reinstated")) == (2, 1)


async def test_a_licence_that_expires_while_suspended_is_expired_when_reinstated(
    world: Rehearsal, clinician_id: str
) -> None:
    licence = await record_licence(world, clinician_id, 3 * DAY)
    await licence.suspend()
    await world.advance(4 * DAY)
    assert await refused(licence) == "clinician.licence_suspended"
    assert (await licence.reinstate()).status is LicenceStatus.EXPIRED


async def test_a_waiver_stands_in_for_a_renewal_until_its_end(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, 2 * DAY)
    receipt = await licence.waive(await world.env.get_current_time() + 20 * DAY)
    assert receipt.status is LicenceStatus.WAIVED
    await world.advance(14 * DAY)
    assert await refused(licence) is None
    assert ("clinician", "waiver_ending") in await licence.notices()
    await world.advance(7 * DAY)
    assert await refused(licence) == "clinician.licence_expired"
    assert (await licence.events())[-1] == "waiver_ended"
    assert (await licence.notices())[-3:] == EXPIRED


async def test_a_revocation_ends_the_case(world: Rehearsal, clinician_id: str) -> None:
    licence = await record_licence(world, clinician_id, 200 * DAY)
    receipt = await licence.revoke()
    handle = world.client.get_workflow_handle(licence.case_id, result_type=LicenceReceipt)
    assert await handle.result() == receipt
    assert await refused(licence) == "clinician.no_licence_in_state"


async def test_after_an_outage_over_several_reminders_each_is_told_once(world: Rehearsal, clinician_id: str) -> None:
    """Recorded, and not watched until five days before the expiry."""
    licence = await record_licence(world, clinician_id, 65 * DAY, start=False)
    await world.advance(60 * DAY)
    await world.cases.start_licence(licence.order)
    await licence.happened("expiry:expires_in_7_days")
    assert await licence.notices() == [
        ("clinician", "licence_expiring"),
        ("provider_success", "licence_expiring_staff"),
    ]
    suppressed = {step.detail["subject"]: step.detail["code"] for step in (await licence.steps())[1:]}
    assert suppressed == {
        "expiry:expires_in_60_days": "stale",
        "expiry:expires_in_30_days": "stale",
        "expiry:expires_in_7_days": "remind",
    }


async def test_a_licence_that_had_expired_when_its_case_began_says_since_when(
    world: Rehearsal, clinician_id: str
) -> None:
    licence = await record_licence(world, clinician_id, 2 * DAY, start=False)
    await world.advance(4 * DAY)
    assert await refused(licence) == "clinician.licence_expired"  # before anything has noticed
    await world.cases.start_licence(licence.order)
    await licence.happened("licence_expired")
    assert await licence.notices() == EXPIRED
    last = (await licence.steps())[-1]
    assert last.detail["detected_late"]
    assert licence.order.expires_at is not None
    assert last.detail["due"] == licence.order.expires_at.isoformat().replace("+00:00", "Z")


async def test_a_licence_of_unknown_expiry_waits_for_its_date_and_blocks_nothing(
    world: Rehearsal, clinician_id: str
) -> None:
    licence = await record_licence(world, clinician_id, None)
    seen = await licence.status()
    assert ([wait.who for wait in seen.waits_for], seen.next_deadline) == (["operations"], None)
    assert await refused(licence) is None
    await licence.renew(await world.env.get_current_time() + 10 * DAY)
    await world.advance(11 * DAY)
    assert await refused(licence) == "clinician.licence_expired"


async def test_goes_on_in_a_fresh_run_and_knows_the_acts_of_the_one_before(world: Rehearsal, clinician_id: str) -> None:
    short = policy.load().licence.model_copy(update={"history_limit": 20})
    licence = await record_licence(world, clinician_id, 100 * DAY, short)
    first_run = (await world.client.get_workflow_handle(licence.case_id).describe()).run_id
    repeated = new_id()
    receipt = await licence.suspend(repeated)
    for _ in range(4):
        await licence.reinstate()
        await licence.suspend()
    await licence.status()
    assert (await world.client.get_workflow_handle(licence.case_id).describe()).run_id != first_run
    again = await licence.suspend(repeated)
    assert (again.status, again.sequence > receipt.sequence) == (LicenceStatus.SUSPENDED, True)
    assert (await licence.events()).count("licence_suspended") == 5
    await licence.reinstate()
    await world.advance(101 * DAY)
    assert (await licence.events())[-4:] == [
        "expiry:expires_in_60_days",
        "expiry:expires_in_30_days",
        "expiry:expires_in_7_days",
        "licence_expired",
    ]


@pytest.mark.parametrize(
    ("kind", "status"),
    [("license_suspended", LicenceStatus.SUSPENDED), ("license_expired", LicenceStatus.EXPIRED)],
)
async def test_a_reported_loss_takes_effect_at_once(
    world: Rehearsal, clinician_id: str, kind: str, status: LicenceStatus
) -> None:
    licence = await record_licence(world, clinician_id, 200 * DAY)
    event = await file_report(world, clinician_id, kind, licence_id=licence.order.licence_id)
    await licence.happened(f"licence_{status.lower()}")
    assert (await licence.row()).status == status
    last = (await licence.steps())[-1]
    assert (last.actor_role, last.detail["subject"]) == ("clinician", event.order.report_id)


def code(error: BaseException) -> str | None:
    cause = error.__cause__
    return cause.type if isinstance(cause, ApplicationError) else None
