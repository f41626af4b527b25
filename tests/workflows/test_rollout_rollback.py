"""Rollbacks through their lives: made safe in time, resolved, re-enabled in stages, or taken back (X-05 to X-08)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, CancelledError

from crypto import Keyring
from db.session import Database
from domain.actors import Actor
from domain.clock import SlaState
from domain.error_details import from_details
from domain.errors import CarewaveError, Forbidden, NotFound, Refused
from domain.names import TaskQueue
from domain.rollout.news import IssueClass
from domain.rollout.people import Function
from domain.rollout.phases import RollbackPhase
from embedded.rehearsal import Rehearsal, rehearse
from tests.workflows.rollback import (
    CHAMPION,
    HOUR,
    IT_LEAD,
    MINUTE,
    OFFICE_MANAGER,
    STEPS,
    VENDOR,
    RolledBack,
    person,
    player,
)

MOST_EVENTS = 180
"""In the history of a rollback that goes well."""
FIRST_FOUR = ("central_contacted", "manual_workflows", "vendor_notified")
NEXT_THREE = ("analysis_started", "messages_verified", "staff_notified")


@pytest.fixture
async def world(database: Database, keyring: Keyring) -> AsyncIterator[Rehearsal]:
    async with rehearse(database, keyring=keyring, queues=(TaskQueue.ROLLOUTS,)) as rehearsal, player(rehearsal):
        yield rehearsal


@pytest.fixture
async def rollback(world: Rehearsal) -> RolledBack:
    """It has just begun."""
    begun = RolledBack(world)
    await begun.begin()
    return begun


async def refused(asked: Awaitable[object]) -> CarewaveError:
    with pytest.raises((CarewaveError, WorkflowUpdateFailedError)) as caught:
        await asked
    if isinstance(caught.value, CarewaveError):
        return caught.value
    cause = caught.value.__cause__
    assert isinstance(cause, ApplicationError)
    found = from_details(cause.type or "", cause.message, cause.details[0])
    assert found is not None
    return found


async def test_is_made_safe_and_re_enabled_in_stages(rollback: RolledBack) -> None:
    await rollback.to(30 * MINUTE)
    assert (await rollback.acknowledge(*FIRST_FOUR)).phase is RollbackPhase.SHORT_TERM
    await rollback.to(5 * HOUR)
    assert (await rollback.acknowledge(*NEXT_THREE)).phase is RollbackPhase.AWAITING_FIX
    await rollback.to(10 * HOUR)
    assert (await rollback.provide()).phase is RollbackPhase.AWAITING_FIX
    assert (await rollback.validate()).phase is RollbackPhase.FIX_VALIDATED
    assert (await rollback.confirm()).phase is RollbackPhase.ROOT_CAUSE_CONFIRMED
    for hour, percent in ((10, 25), (35, 50), (60, 100)):
        await rollback.to(hour * HOUR)
        receipt = await rollback.re_enable()
        assert (receipt.phase, receipt.enabled_percent) == (RollbackPhase.RE_ENABLING, percent)
    await rollback.to(109 * HOUR)

    assert await rollback.has_ended()
    view = await rollback.recorded()
    assert (view.phase, view.enabled_percent, view.sla_state) == (RollbackPhase.RESOLVED, 100, SlaState.ON_TIME)
    assert view.waits_for == ()
    assert not [clock for clock in view.clocks if clock.running]
    assert all(step.done and not step.late for step in view.steps)
    assert await rollback.heard() == [
        ("ROLLBACK_IMMEDIATE", 0),
        ("ROLLBACK_SHORT_TERM", 0),
        ("ROLLBACK_AWAITING_FIX", 0),
        ("ROLLBACK_FIX_VALIDATED", 0),
        ("ROLLBACK_ROOT_CAUSE_CONFIRMED", 0),
        ("ROLLBACK_RE_ENABLING", 25),
        ("ROLLBACK_RE_ENABLING", 50),
        ("ROLLBACK_RE_ENABLING", 100),
        ("ROLLBACK_RESOLVED", 100),
    ]
    history = await rollback.handle.fetch_history()
    assert len(history.events) <= MOST_EVENTS


async def test_the_system_acknowledges_that_sending_is_off(rollback: RolledBack) -> None:
    view = await rollback.status()
    off = next(step for step in view.steps if step.step_id == "communications_disabled")
    assert off.done is not None
    assert (off.done.at, off.done.by.role, off.late) == (view.disabled_at, "system", False)
    assert [step.due - rollback.triggered_at for step in view.steps] == [2 * HOUR] * 4 + [24 * HOUR] * 3
    assert view.waits_for[0].who == Function.CHAMPION
    assert ("vendor_support", "rollout_rollback_begun", 0) in await rollback.told()


# -- the ladders


async def test_late_steps_escalate_to_the_it_lead_and_the_vice_president(rollback: RolledBack) -> None:
    await rollback.acknowledge("central_contacted")
    await rollback.to(HOUR)
    warned = [(who, minute) for who, what, minute in await rollback.told() if what == "rollout_rollback_due"]
    assert set(warned) == {("champion", 60), ("backup_champion", 60), ("office_manager", 60), ("it_lead", 60)}
    await rollback.to(2 * HOUR - 2 * MINUTE)
    assert (await rollback.status()).sla_state is SlaState.AT_RISK
    await rollback.to(3 * HOUR)
    late = {(who, minute) for who, what, minute in await rollback.told() if what == "rollout_rollback_late"}
    assert late == {
        ("it_lead", 120),
        ("regional_manager", 120),
        ("vp_operations", 150),
        ("vendor_account_manager", 150),
    }
    view = await rollback.recorded()
    assert view.sla_state is SlaState.BREACHED
    assert {step.step_id for step in view.steps if step.late} == {"manual_workflows", "vendor_notified"}

    await rollback.take_on("immediate")
    await rollback.to(10 * HOUR)
    assert len([1 for _, what, _ in await rollback.told() if what == "rollout_rollback_late"]) == 4
    await rollback.acknowledge("manual_workflows", "vendor_notified")
    done = {step.step_id: step.late for step in (await rollback.recorded()).steps}
    assert (done["manual_workflows"], done["central_contacted"]) == (True, False)


async def test_only_those_with_steps_to_take_are_reminded(rollback: RolledBack) -> None:
    await rollback.acknowledge("central_contacted", "manual_workflows")
    await rollback.to(HOUR)
    assert [who for who, what, _ in await rollback.told() if what == "rollout_rollback_due"] == ["it_lead"]


async def test_the_short_term_steps_escalate_after_a_day(rollback: RolledBack) -> None:
    await rollback.acknowledge(*FIRST_FOUR)
    await rollback.to(27 * HOUR)
    found = [(who, minute) for who, what, minute in await rollback.told() if what == "rollout_rollback_late"]
    assert set(found) == {
        ("it_lead", 1440),
        ("regional_manager", 1440),
        ("vp_operations", 1560),
        ("vendor_account_manager", 1560),
    }
    await rollback.acknowledge(*NEXT_THREE)
    await rollback.to(48 * HOUR)
    assert len([1 for _, what, _ in await rollback.told() if what == "rollout_rollback_late"]) == 4


async def test_the_clocks_count_from_the_trigger(world: Rehearsal) -> None:
    late = RolledBack(world)
    await late.begin(ago=3 * HOUR)
    await late.happened("clock_milestone")
    view = await late.recorded()
    assert view.sla_state is SlaState.BREACHED
    immediate = next(clock for clock in view.clocks if clock.name == "immediate")
    assert immediate.breached_at == late.triggered_at + 2 * HOUR
    steps = [step for step in await late.steps() if step.event == "clock_milestone"]
    assert all(step.detail["detected_late"] for step in steps)


async def test_steps_are_taken_in_their_order_by_their_owners(rollback: RolledBack) -> None:
    early = await refused(rollback.acknowledge("vendor_notified"))
    assert isinstance(early, Refused)
    assert (early.code, early.missing) == (
        "rollback.step_too_early",
        ("step:central_contacted", "step:manual_workflows"),
    )
    assert (await refused(rollback.acknowledge("central_contacted", by=VENDOR))).code == "rollback.not_the_owner"
    system = await refused(rollback.acknowledge("communications_disabled", by=IT_LEAD))
    assert isinstance(system, Forbidden)
    unknown = await refused(rollback.acknowledge("dance", by=IT_LEAD))
    assert isinstance(unknown, NotFound)
    assert unknown.code == "rollback.step_unknown"
    await rollback.acknowledge("staff_notified")  # the later three need no order


async def test_the_first_of_two_acknowledgements_stands(rollback: RolledBack) -> None:
    first, second = await asyncio.gather(
        rollback.acknowledge("central_contacted", by=CHAMPION),
        rollback.acknowledge("central_contacted", by=person(Function.BACKUP_CHAMPION)),
    )
    assert first.sequence == second.sequence
    assert (await rollback.events()).count("rollback_step_acknowledged") == 1


async def test_an_administrator_stands_in_for_central_operations_only(rollback: RolledBack) -> None:
    administrator = Actor(role="system_admin", id="member-admin")
    await rollback.acknowledge("analysis_started", by=administrator)
    assert isinstance(await refused(rollback.acknowledge("staff_notified", by=administrator)), Forbidden)


# -- the resolution


async def test_nothing_is_re_enabled_until_the_root_cause_is_confirmed(rollback: RolledBack) -> None:
    """X-07.4: each refusal says what is missing."""
    steps = tuple(f"step:{step}" for step in STEPS)
    expected = (*steps, "fix", "fix_validated", "root_cause_confirmed")
    assert await missing(rollback) == expected
    await rollback.made_safe()
    assert await missing(rollback) == expected[-3:]
    await rollback.provide()
    assert await missing(rollback) == expected[-2:]
    early = await refused(rollback.confirm())
    assert isinstance(early, Refused)
    assert (early.code, early.missing) == ("rollback.fix_not_validated", ("fix_validated",))
    await rollback.validate()
    assert await missing(rollback) == expected[-1:]
    await rollback.confirm()
    assert (await rollback.re_enable()).enabled_percent == 25


async def missing(rollback: RolledBack) -> tuple[str, ...]:
    refusal = await refused(rollback.re_enable())
    assert isinstance(refusal, Refused)
    assert refusal.code == "rollback.not_to_be_re_enabled"
    assert (await rollback.status()).missing == refusal.missing
    return refusal.missing


async def test_a_root_cause_does_not_make_up_for_a_step_not_taken(rollback: RolledBack) -> None:
    await rollback.acknowledge(*FIRST_FOUR, "analysis_started", "staff_notified")
    await rollback.cleared()
    assert await missing(rollback) == ("step:messages_verified",)


async def test_a_fix_that_fails_its_test_is_awaited_anew(rollback: RolledBack) -> None:
    await rollback.made_safe()
    await rollback.provide()
    await rollback.validate(passed=False)
    view = await rollback.status()
    assert (view.phase, view.missing[0], view.waits_for[0].what) == (
        RollbackPhase.AWAITING_FIX,
        "fix",
        "a fix or a workaround",
    )
    assert ("vendor_support", "rollout_fix_rejected") in await rollback.notices()
    again = await refused(rollback.validate())
    assert again.code == "rollback.no_fix"
    await rollback.provide(by=IT_LEAD)
    await rollback.validate()
    fixed = (await rollback.status()).fix
    assert fixed is not None
    assert (fixed.number, fixed.passed, fixed.provided.by) == (2, True, IT_LEAD)
    assert (await refused(rollback.provide())).code == "rollback.fix_validated"


async def test_each_act_of_the_resolution_has_its_people(rollback: RolledBack) -> None:
    await rollback.made_safe()
    assert isinstance(await refused(rollback.provide(by=OFFICE_MANAGER)), Forbidden)
    await rollback.provide()
    assert isinstance(await refused(rollback.validate(by=VENDOR)), Forbidden)
    await rollback.validate()
    assert isinstance(await refused(rollback.confirm(by=VENDOR)), Forbidden)
    await rollback.confirm()
    assert isinstance(await refused(rollback.re_enable(by=CHAMPION)), Forbidden)


async def test_whoever_the_resolution_waits_for_is_reminded(rollback: RolledBack) -> None:
    await rollback.made_safe()
    await rollback.to(73 * HOUR)
    wanted = {(who, minute) for who, what, minute in await rollback.told() if what == "rollout_fix_wanted"}
    assert wanted == {
        ("vendor_support", 1440),
        ("vendor_technical_specialist", 1440),
        ("vendor_account_manager", 4320),
        ("vp_operations", 4320),
    }
    assert (await rollback.recorded()).sla_state is not SlaState.BREACHED
    await rollback.provide()
    await rollback.to(98 * HOUR)
    tested = [minute for who, what, minute in await rollback.told() if what == "rollout_fix_untested"]
    assert tested == [4380, 5820]


async def test_a_stage_is_watched_before_the_next_begins(rollback: RolledBack) -> None:
    await rollback.made_safe()
    await rollback.cleared()
    await rollback.re_enable()
    begun = await rollback.now()
    early = await refused(rollback.re_enable())
    assert isinstance(early, Refused)
    assert early.missing == ("stage_watched",)
    assert early.earliest is not None
    assert abs(early.earliest - (begun + 24 * HOUR)) < timedelta(seconds=5)
    view = await rollback.status()
    assert (view.watched_until, view.waits_for[0].who) == (early.earliest, "system")
    await rollback.to(24 * HOUR + MINUTE)
    assert (await rollback.events())[-1] == "re_enabling_stage_watched"
    assert ("it_lead", "rollout_stage_ready") in await rollback.notices()
    assert (await rollback.re_enable()).enabled_percent == 50


# -- the trouble comes back


async def test_a_relapse_takes_the_re_enabling_back_and_begins_anew(rollback: RolledBack) -> None:
    await rollback.made_safe()
    await rollback.cleared()
    await rollback.re_enable()
    await rollback.to(25 * HOUR)
    await rollback.re_enable()
    await rollback.to(30 * HOUR)
    await rollback.relapse()
    await rollback.happened("rollback_relapsed")
    view = await rollback.status()
    assert (view.phase, view.round, view.enabled_percent) == (RollbackPhase.IMMEDIATE, 2, 0)
    assert view.missing[-3:] == ("fix", "fix_validated", "root_cause_confirmed")
    assert (await rollback.heard())[-2:] == [("ROLLBACK_RE_ENABLING", 50), ("ROLLBACK_IMMEDIATE", 0)]
    assert [step.step_id for step in view.steps if step.done] == ["communications_disabled"]
    await rollback.to(32 * HOUR + MINUTE)
    late = [(who, minute) for who, what, minute in await rollback.told() if what == "rollout_rollback_late"]
    assert ("it_lead", 32 * 60) in late

    await rollback.made_safe()
    await rollback.cleared()
    for hour in (33, 58, 83):
        await rollback.to(hour * HOUR)
        await rollback.re_enable()
    await rollback.to(132 * HOUR)
    assert await rollback.has_ended()
    assert (await rollback.recorded()).phase is RollbackPhase.RESOLVED


async def test_old_and_repeated_news_of_a_relapse_change_nothing(rollback: RolledBack) -> None:
    await rollback.made_safe()
    await rollback.cleared()
    await rollback.re_enable()
    await rollback.relapse(sequence=7)
    await rollback.happened("rollback_relapsed")
    await rollback.made_safe()
    await rollback.cleared()
    await rollback.re_enable()
    await rollback.relapse(sequence=7)
    await rollback.relapse(sequence=6)
    await refused(rollback.take_on("none"))  # comes after the signals
    assert (await rollback.status()).enabled_percent == 25
    assert (await rollback.events()).count("rollback_relapsed") == 1


async def test_another_class_of_issue_voids_what_was_confirmed(rollback: RolledBack) -> None:
    await rollback.made_safe()
    await rollback.cleared()
    await rollback.relapse(IssueClass.SYNC_FAILURE, sequence=3)
    await rollback.happened("rollback_issue_added")
    assert (await rollback.status()).phase is RollbackPhase.ROOT_CAUSE_CONFIRMED
    await rollback.relapse(IssueClass.WRONG_MESSAGE, sequence=4)
    await rollback.happened("rollback_issue_added", times=2)
    view = await rollback.status()
    assert (view.phase, view.round) == (RollbackPhase.AWAITING_FIX, 1)
    assert view.issues == (IssueClass.SYNC_FAILURE, IssueClass.WRONG_MESSAGE)
    assert view.waits_for[0].what == "testing the fix in the test environment"
    assert (await rollback.heard())[-1] == ("ROLLBACK_AWAITING_FIX", 0)
    await rollback.validate()
    await rollback.confirm()
    assert (await rollback.re_enable()).enabled_percent == 25


async def test_a_relapse_right_before_the_end_is_not_lost(rollback: RolledBack) -> None:
    await rollback.made_safe()
    await rollback.cleared()
    for hour in (0, 25, 50):
        await rollback.to(hour * HOUR)
        await rollback.re_enable()
    await rollback.to(97 * HOUR)
    await rollback.relapse()
    await rollback.happened("rollback_relapsed")
    await rollback.to(99 * HOUR)
    assert (await rollback.status()).phase is RollbackPhase.IMMEDIATE


# -- duplicates and ends


async def test_an_act_that_is_repeated_with_its_id_happens_once(rollback: RolledBack) -> None:
    await rollback.made_safe()
    first = await rollback.provide(update_id="same")
    assert await rollback.provide(update_id="same") == first
    await rollback.validate()
    await rollback.confirm()
    again = await rollback.confirm()
    assert again.sequence == (await rollback.status()).sequence
    begun = await asyncio.gather(rollback.re_enable(update_id="stage"), rollback.re_enable(update_id="stage"))
    assert begun[0] == begun[1]
    events = await rollback.events()
    assert [events.count(event) for event in ("fix_provided", "root_cause_confirmed", "re_enabling_stage_begun")] == [
        1,
        1,
        1,
    ]


async def test_only_what_is_late_is_taken_on_and_by_whom_it_concerns(rollback: RolledBack) -> None:
    assert (await refused(rollback.take_on("immediate"))).code == "escalation.none"
    await rollback.to(2 * HOUR + MINUTE)
    assert isinstance(await refused(rollback.take_on("immediate", by=VENDOR)), Forbidden)
    await rollback.take_on("immediate", by=IT_LEAD)
    sequence = (await rollback.status()).sequence
    assert (await rollback.take_on("immediate")).sequence == sequence


@pytest.mark.parametrize("re_enabling", [False, True])
async def test_an_operators_cancel_leaves_communication_off_and_is_recorded(
    rollback: RolledBack, *, re_enabling: bool
) -> None:
    if re_enabling:
        await rollback.made_safe()
        await rollback.cleared()
        await rollback.re_enable()
    await rollback.handle.cancel()
    with pytest.raises(WorkflowFailureError) as ended:
        await rollback.handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    view = await rollback.recorded()
    assert (view.phase, view.enabled_percent, view.waits_for) == (RollbackPhase.CANCELLED, 0, ())
    assert (await rollback.steps())[-1].actor_role == "operations"
    assert (await rollback.heard())[-1] == ("ROLLBACK_CANCELLED", 0)
    assert ("regional_manager", "rollout_rollback_cancelled") in await rollback.notices()


async def test_what_is_over_is_not_acted_on(rollback: RolledBack) -> None:
    await rollback.handle.cancel()
    await rollback.happened("rollback_cancelled")
    assert (await refused(rollback.provide())).code in {"rollback.over", "case.not_running"}


async def test_every_second_of_its_clocks_is_explained(rollback: RolledBack) -> None:
    await rollback.to(3 * HOUR)
    found = await rollback.world.cases.explain(rollback.case_id)
    immediate = next(one for one in found if one.clock.name == "immediate")
    assert sum((one.end - one.start for one in immediate.stretches), timedelta()) >= 2.5 * HOUR
