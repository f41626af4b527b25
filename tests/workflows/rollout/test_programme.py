"""What stands in the way of a wave, who is chased for it, and what locations hear of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crypto import Keyring
from db.session import Database
from domain.rollout.news import Clearance
from domain.rollout.people import Function
from domain.rollout.phases import LocationPhase, ProgrammePhase, WavePhase
from domain.rollout.program import Hosting, WaiverRule
from domain.rollout.programme import acts
from domain.rollout.tasks import CompleteTask, WaiveTask
from embedded.rehearsal import Rehearsal
from tests.domain.rollout.programmes import CEO, PM, VP, member
from tests.workflows.rollout.production import DAY, HOUR, Production, on_stage
from workflows.rollout.programme import Rollout

GC = member(Function.GENERAL_COUNSEL)
CFO = member(Function.CFO)


@pytest.fixture
async def world(database: Database, keyring: Keyring) -> AsyncIterator[Rehearsal]:
    async with on_stage(database, keyring) as world:
        yield world


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ("tasks", {"clearance:baa", "clearance:credentials", "clearance:consent", "clearance:compliance"}),
        ("approvals", {"clearance:approvals"}),
        ("baselines", {"clearance:pilot_baselines"}),
        ("pilot", {"pilot_approval"}),
    ],
)
async def test_wave_1_slips_by_a_week_while_something_is_missing(
    world: Rehearsal, part: str, missing: set[str]
) -> None:
    production = await Production.open(world, 10)
    if part == "tasks":
        await production.approve_all()
        await production.validate_baselines()
        await production.approve_pilot()
    else:
        await production.prepare(but=part)
    shown = await production.advance_to_wave(1, past=20 * HOUR)
    assert shown.waves[0].started_at is None
    assert set(shown.missing) == missing
    assert [(slip.wave, set(slip.causes)) for slip in shown.slips] == [(1, missing)]
    assert shown.waves[0].forecast_from == shown.waves[0].planned_from + 7 * DAY
    assert shown.phase is ProgrammePhase.PRE_IMPLEMENTATION
    # Once it is there, the wave starts on the Monday to which it slipped.
    act = {
        "approvals": production.approve_all,
        "baselines": production.validate_baselines,
        "pilot": production.approve_pilot,
    }.get(part)
    if act is None:
        return
    await act()
    started = (await production.advance_to_wave(1)).waves[0].started_at
    assert started is not None
    assert started.date() == production.order.plan.waves[0].starts_on + 7 * DAY


async def test_what_comes_on_the_monday_morning_is_in_time(world: Rehearsal) -> None:
    production = await Production.open(world, 10)
    await production.prepare(but="pilot")
    await production.advance_to_wave(1, past=10 * HOUR)
    assert (await production.status()).waves[0].started_at is None
    await production.approve_pilot()
    shown = await production.shows(lambda shown: shown.waves[0].started_at is not None)
    assert shown.slips == ()


async def test_a_slip_is_recorded_with_its_cause_and_moves_what_follows(world: Rehearsal) -> None:
    production = await Production.open(world, 24)
    await production.prepare(but="pilot")
    before = await production.status()
    shown = await production.advance_to_wave(1, past=20 * HOUR)
    assert [step.event for step in await production.steps()][-2:] == ["wave_slipped", "reforecast"]
    later = [one.forecast_from - two.forecast_from for one, two in zip(shown.waves, before.waves, strict=True)]
    assert later == [7 * DAY] * 4
    # The optimisation is compressed first; one more week is an overrun.
    shown = await production.advance_to_wave(1, past=20 * HOUR)
    assert [(one.cause, one.last_week) for one in shown.reforecasts] == [("slip:1", 20), ("slip:1", 21)]
    alerted = [audience for audience, template in await production.notices() if template == "rollout_overrun"]
    assert sorted(alerted) == ["ceo_coo", "cfo", "chief_dental_officer", "vp_operations"]
    first = (await production.plans("l-01"))[0].go_live_at
    assert first is not None
    plan = await production.until_planned("l-01", lambda plan: plan.go_live_at == first + 14 * DAY)
    assert plan.wave == 1
    assert plan.baselines_due is not None
    assert plan.baselines_due <= first + 7 * DAY


async def test_a_late_vendor_is_chased_up_to_the_project_manager(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    clock = "task:n_05"
    due = next(one.deadline for one in (await production.status()).clocks if one.name == clock)
    assert due is not None
    await world.advance(due - await production.now() + 3 * DAY + HOUR)
    fired = [step.detail["subject"] for step in await production.steps() if clock in step.detail.get("subject", "")]
    assert fired == [f"{clock}:{name}" for name in ("task_due", "task_late", "task_escalated_vendor", "task_escalated")]
    keys = [key for key in await production.notice_keys() if clock in key]
    told = [key.split(f"{clock}:")[1].split(":") for key in keys]
    assert sorted((parts[0], parts[-2]) for parts in told) == [
        ("task_due", "vendor_technical_specialist"),
        ("task_escalated", "project_manager"),
        ("task_escalated_vendor", "vendor_account_manager"),
        ("task_late", "vendor_technical_specialist"),
    ]
    shown = await production.status()
    assert {task.task_id for task in shown.tasks if task.late} >= {"n_05", "n_01", "n_02"}
    await production.ask(Rollout.acknowledge_escalation, acts.AcknowledgeEscalation(actor=PM, clock=clock))
    await world.advance(8 * DAY)
    assert [key for key in await production.notice_keys() if clock in key] == keys  # nobody is told any more
    await production.complete("n_02", "n_05")
    assert clock not in {one.name for one in (await production.status()).clocks}


async def test_the_signed_agreement_reaches_every_location(world: Rehearsal) -> None:
    production = await Production.open(world, 6)
    assert (await production.heard("l-06"))[-1].clearances == frozenset()
    await production.complete("n_02")
    news = await production.until_heard("l-06", lambda news: Clearance.BAA in news.clearances)
    assert news.clearances == {Clearance.BAA}
    assert (await production.until_heard("l-01", lambda news: Clearance.BAA in news.clearances)) == news


async def test_only_owners_and_those_in_charge_complete_tasks_and_counts_are_kept(world: Rehearsal) -> None:
    production = await Production.open(world, 6)
    await production.complete("n_02")
    ids = tuple(one.location_id for one in production.order.locations)
    export = CompleteTask(actor=PM, task_id="n_10", evidence_id="e-1", location_ids=ids[:1])
    assert await production.refused(Rollout.complete_task, export) == "task.location_count"
    many = export.model_copy(update={"location_ids": ids[:4]})
    assert await production.refused(Rollout.complete_task, many) == "task.location_count"
    stranger = export.model_copy(update={"actor": CFO, "location_ids": ids[:2]})
    assert await production.refused(Rollout.complete_task, stranger) == "rollout.function_missing"
    await production.ask(Rollout.complete_task, export.model_copy(update={"location_ids": ids[:3]}))
    assert await production.refused(Rollout.complete_task, export) == "task.over"
    too_early = CompleteTask(actor=VP, task_id="z_04_refinement", evidence_id="e-1")
    assert await production.refused(Rollout.complete_task, too_early) == "task.too_early"
    critical = WaiveTask(actor=VP, task_id="n_01", reason="later")
    assert await production.refused(Rollout.waive_task, critical) == "task.critical"
    await production.ask(Rollout.waive_task, WaiveTask(actor=VP, task_id="h_08", reason="no_such_system"))
    shown = await production.status()
    assert {task.task_id: task.status for task in shown.tasks}["h_08"] == "waived"


async def test_a_rejection_blocks_until_the_same_function_approves(world: Rehearsal) -> None:
    production = await Production.open(world, 6)
    await production.approve_all()
    assert Clearance.APPROVALS in (await production.status()).clearances
    assert "approval:cfo" not in {clock.name for clock in (await production.status()).clocks}
    await production.ask(Rollout.reject, acts.DecideApproval(actor=CFO, note_id="note-1"))
    shown = await production.status()
    assert Clearance.APPROVALS not in shown.clearances
    assert "approval:cfo" in {clock.name for clock in shown.clocks}
    await production.until_heard("l-01", lambda news: not news.clearances)
    assert await production.refused(Rollout.approve, acts.DecideApproval(actor=PM)) == "approval.not_an_approver"
    await production.ask(Rollout.approve, acts.DecideApproval(actor=CFO))
    assert Clearance.APPROVALS in (await production.status()).clearances
    told = [notice for notice in await production.notices() if notice[1] == "rollout_approval_rejected"]
    assert told == [("project_manager", "rollout_approval_rejected"), ("vp_operations", "rollout_approval_rejected")]


async def test_the_board_approves_when_the_spend_is_material(world: Rehearsal) -> None:
    production = await Production.open(world, 4, spend_cents=50_000_000)
    await production.approve_all(but="board")
    assert Clearance.APPROVALS not in (await production.status()).clearances
    await production.ask(Rollout.approve, acts.DecideApproval(actor=member(Function.BOARD)))
    assert Clearance.APPROVALS in (await production.status()).clearances


async def test_silent_approvers_are_reminded_and_escalated(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    await production.approve_all(but=Function.CHIEF_DENTAL_OFFICER)
    await world.advance(17 * DAY)
    steps = [step.detail.get("subject", "") for step in await production.steps()]
    assert [one.split(":")[-1] for one in steps if one.startswith("approval:")] == [
        "approval_wanted",
        "approval_due",
        "approval_late",
        "approval_escalated",
    ]


async def test_nobody_goes_live_once_a_point_of_compliance_fails(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    await production.complete_all()
    await production.attest_all(but="p_03")
    assert Clearance.COMPLIANCE not in (await production.status()).clearances
    it = member(Function.IT_LEAD)
    asked = acts.AttestCompliance(actor=it, point_id="p_03", passed=True)
    assert await production.refused(Rollout.attest_compliance, asked) == "compliance.evidence_missing"
    stranger = asked.model_copy(update={"actor": CFO, "evidence_id": "e-1"})
    assert await production.refused(Rollout.attest_compliance, stranger) == "compliance.not_the_owner"
    await production.attest("p_03", it)
    await production.until_heard("l-04", lambda news: Clearance.COMPLIANCE in news.clearances)
    await production.attest("p_02", it, passed=False)
    await production.until_heard("l-04", lambda news: Clearance.COMPLIANCE not in news.clearances)


async def test_stakeholders_hear_of_the_selection_once(world: Rehearsal) -> None:
    production = await Production.open(world, 10)
    await production.approve_pilot()
    asked = acts.MoveLocation(actor=VP, location_id="l-03", to_wave=None, reason="renovation")
    await production.ask(Rollout.move_location, asked)
    assert not (await production.status()).pilot_approved  # it was another selection
    await production.approve_pilot()
    assert (await production.status()).pilot_approved
    told = [notice for notice in await production.notices() if "stakeholders" in notice[1]]
    assert sorted(told) == [
        ("it_lead", "rollout_stakeholders_it"),
        ("office_manager", "rollout_stakeholders_office"),
        ("provider", "rollout_stakeholders_provider"),
        ("regional_manager", "rollout_stakeholders_regional"),
    ]


async def test_a_decision_on_hosting_is_on_record(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    assert (await production.status()).hosting.hosting is Hosting.CENTRALIZED
    asked = acts.DecideHosting(actor=CEO, hosting=Hosting.LOCATION_LEVEL)
    await production.ask(Rollout.decide_hosting, asked)
    shown = await production.status()
    assert (shown.hosting.hosting, shown.hosting.by) == (Hosting.LOCATION_LEVEL, CEO)
    assert {task.task_id: task.status for task in shown.tasks}["h_01"] == "done"


async def test_a_waiver_is_on_record_once(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    asked = acts.GrantWaiver(actor=VP, rule=WaiverRule.PILOT_REGIONS, reason="one_region")
    await production.ask(Rollout.grant_waiver, asked)
    await production.ask(Rollout.grant_waiver, asked)
    assert [waiver.rule for waiver in (await production.status()).waivers] == [WaiverRule.PILOT_REGIONS]
    assert (await production.events()).count("waiver_granted") == 1


async def test_an_act_is_done_once_for_its_id_and_old_news_change_nothing(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    asked = production.completion(next(s for s in production.order.policy.programme.tasks if s.task_id == "n_06"))
    first = await production.ask(Rollout.complete_task, asked, "act-1")
    assert await production.ask(Rollout.complete_task, asked, "act-1") == first
    news = await production.location("l-01", LocationPhase.PREPARING, deployed=False)
    await production.location("l-01")
    await production.shows(lambda shown: shown.locations[0].deployed)
    await production.signal("location_reported", news)
    await production.complete("n_02")
    assert (await production.status()).locations[0].phase is LocationPhase.LIVE
    await production.wave(1, WavePhase.CLOSED, closed_at=await production.now())  # was never started
    await production.complete("n_03")
    assert (await production.status()).waves[0].closed_at is None


async def test_a_cancelled_programme_lets_everybody_go(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    nobody = acts.CancelProgramme(actor=PM, reason="budget")
    assert await production.refused(Rollout.cancel_program, nobody) == "rollout.function_missing"
    await production.ask(Rollout.cancel_program, acts.CancelProgramme(actor=CEO, reason="budget"))
    assert await production.has_ended()
    assert (await production.row()).snapshot["phase"] == ProgrammePhase.CANCELLED
    assert (await production.until_heard("l-04", lambda news: news.ended)).ended


async def test_an_execution_cancelled_by_an_operator_ends_in_order(world: Rehearsal) -> None:
    production = await Production.open(world, 4)
    await world.client.get_workflow_handle(production.case_id).cancel()
    assert await production.has_ended()
    row = (await production.row()).snapshot
    assert (row["phase"], row["cancel_reason"]) == (ProgrammePhase.CANCELLED, "execution_cancelled")
    assert (await production.until_heard("l-01", lambda news: news.ended)).ended
