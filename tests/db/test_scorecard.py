"""The scorecard in SQL: what counts, as what, and for whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db import scorecard
from db.session import Database
from domain.actors import Actor
from domain.clock import Clock, ClockPolicy, Outcome
from domain.scorecard import Attendance, OpenEscalation, Period, Scorecard, Sla, SlaCounts, SlaFigures
from domain.threads import ThreadSource
from domain.visit.state import VisitState
from domain.visit.states import Obligation, VisitStage
from tests.db.scorecard_rows import DAY, HOUR, MINUTE, MONDAY, OPERATIONS, POLICY, Practice, join_clock, run

WEEK = 7 * DAY
PERIOD = Period.of(MONDAY - HOUR, MONDAY + WEEK)
CLINICIAN = Actor(role="clinician", id="c")
PATIENT = Actor(role="patient", id="p")


@pytest.fixture
async def practice(database: Database) -> Practice:
    made = Practice(database)
    await made.open()
    return made


async def card(practice: Practice, period: Period = PERIOD) -> Scorecard:
    """The clinician's; where there is no other, everybody's is the same."""
    async with practice.database.transaction() as session:
        own = await scorecard.of_clinician(session, period, practice.clinician_id)
        assert await scorecard.overall(session, period) == own
    return own


def counts(found: Scorecard, name: Sla) -> dict[str, Any]:
    [figures] = [figures for figures in found.slas if figures.name is name]
    return figures.model_dump(exclude_defaults=True, exclude={"name", "percent_met"})


async def test_says_zero_where_there_is_nothing(practice: Practice) -> None:
    found = await card(practice)
    assert found.attendance == Attendance()
    assert found.attendance.percent_on_time is None
    assert found.slas == tuple(SlaFigures(name=name) for name in Sla)
    assert not found.open_escalations
    assert [point.week for point in found.trend] == ["2026-W10", "2026-W11"]


FATES: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    ("on time", {"stage": VisitStage.CLOSED_COMPLIANT, "joined": 5 * MINUTE}, {"attended_on_time": 1}),
    ("early", {"stage": VisitStage.COMPLETED, "joined": -10 * MINUTE}, {"attended_on_time": 1}),
    ("late", {"stage": VisitStage.CLOSED_COMPLIANT, "joined": 5 * MINUTE + timedelta(seconds=1)}, {"late": 1}),
    ("late, not there yet", {"stage": VisitStage.CLINICIAN_LATE}, {"late": 1}),
    ("never came", {"stage": VisitStage.CLINICIAN_NO_SHOW, "ended_after": 30 * MINUTE}, {"absent": 1}),
    ("no-show of the patient", {"stage": VisitStage.PATIENT_NO_SHOW, "joined": MINUTE}, {"attended_on_time": 1}),
    (
        "called off by the clinician",
        {"stage": VisitStage.CANCELLED, "ended_by": CLINICIAN, "ended_after": -DAY},
        {"called_off": 1},
    ),
    ("cancelled by the patient", {"stage": VisitStage.CANCELLED, "ended_by": PATIENT, "ended_after": -DAY}, {}),
    (
        "given up by the patient",
        {"stage": VisitStage.CANCELLED, "ended_by": PATIENT, "ended_after": 8 * MINUTE},
        {"absent": 1},
    ),
    (
        "overturned no-show",
        {
            "stage": VisitStage.CANCELLED,
            "joined": MINUTE,
            "ended_by": CLINICIAN,
            "ended_after": 20 * MINUTE,
            "end_reason": "no_show_overturned",
        },
        {"attended_on_time": 1},
    ),
    (
        "excused",
        {"stage": VisitStage.CLOSED_COMPLIANT, "joined": HOUR, "excused_by": OPERATIONS},
        {"excused": 1},
    ),
    ("to come", {"stage": VisitStage.SCHEDULED}, {}),
]


@pytest.mark.parametrize(("visit", "expected"), [each[1:] for each in FATES], ids=[each[0] for each in FATES])
async def test_counts_an_appointment_by_its_fate(
    practice: Practice, visit: dict[str, Any], expected: dict[str, int]
) -> None:
    await practice.visit(MONDAY, **visit)
    assert (await card(practice)).attendance == Attendance(**expected)


async def test_a_visit_that_was_moved_in_time_counts_once(practice: Practice) -> None:
    before = VisitState(starts_at=MONDAY, stage=VisitStage.SCHEDULED)
    await practice.visit(MONDAY + DAY, VisitStage.COMPLETED, joined=MINUTE, moved_from=before)
    assert (await card(practice)).attendance == Attendance(attended_on_time=1)


async def test_moving_a_visit_does_not_undo_that_the_clinician_was_late(practice: Practice) -> None:
    late = join_clock(MONDAY, None, until=10 * MINUTE)
    before = VisitState(starts_at=MONDAY, stage=VisitStage.CLINICIAN_LATE, clocks={"join": late})
    await practice.visit(MONDAY + DAY, VisitStage.COMPLETED, joined=MINUTE, moved_from=before)
    found = await card(practice)
    assert found.attendance == Attendance(attended_on_time=1, absent=1)
    assert counts(found, Sla.JOIN) == {
        "met": 1, "late": 1, "timed": 1, "p50_seconds": 60, "p90_seconds": 60, "p99_seconds": 60, "worst_seconds": 60
    }  # fmt: skip
    excused = before.model_copy(update={"excused_by": OPERATIONS})
    await practice.visit(MONDAY + DAY, VisitStage.SCHEDULED, moved_from=excused)
    assert (await card(practice)).attendance == Attendance(attended_on_time=1, absent=1, excused=1)


@pytest.mark.parametrize(("excused", "expected"), [(None, {"late": 1}), (OPERATIONS, {"waived": 1})])
async def test_an_excused_lateness_is_none_of_the_join_clock(
    practice: Practice, excused: Actor | None, expected: dict[str, int]
) -> None:
    await practice.visit(MONDAY, VisitStage.COMPLETED, joined=9 * MINUTE, excused_by=excused)
    timed = {} if excused else {"timed": 1}
    found = counts(await card(practice), Sla.JOIN)
    assert {name: found[name] for name in found if not name.endswith("seconds")} == expected | timed


OWED = POLICY.visit.obligations
NOTE, LABS = OWED[Obligation.NOTE], OWED[Obligation.LABS]
CLOCKS: list[tuple[str, Clock, dict[str, int]]] = [
    ("met", run(NOTE, MONDAY, 24 * HOUR - MINUTE), {"met": 1, "timed": 1}),
    ("done late", run(NOTE, MONDAY, 25 * HOUR), {"late": 1, "timed": 1}),
    ("never done", run(NOTE, MONDAY, 170 * HOUR, Outcome.CANCELLED), {"late": 1}),
    ("late and not over", run(NOTE, MONDAY, until=25 * HOUR), {"late": 1}),
    ("waived", run(NOTE, MONDAY, HOUR, Outcome.WAIVED), {"waived": 1}),
    ("waived after it was late", run(NOTE, MONDAY, 30 * HOUR, Outcome.WAIVED), {"waived": 1}),
    ("running", run(NOTE, MONDAY, until=HOUR), {"open": 1}),
    ("no longer wanted", run(NOTE, MONDAY, HOUR, Outcome.CANCELLED), {}),
]


@pytest.mark.parametrize(("clock", "expected"), [each[1:] for each in CLOCKS], ids=[each[0] for each in CLOCKS])
async def test_counts_a_clock_by_how_it_came_out(practice: Practice, clock: Clock, expected: dict[str, int]) -> None:
    await practice.visit(MONDAY, VisitStage.COMPLETED, joined=MINUTE, clocks={"note": clock})
    found = counts(await card(practice), Sla.NOTE)
    assert {name: number for name, number in found.items() if not name.endswith("seconds")} == expected


async def test_tells_the_times_that_were_taken(practice: Practice) -> None:
    for hours in (1, 2, 3, 4, 30):
        await practice.thread(run(POLICY.message_thread.reply, MONDAY, hours * HOUR))
    await practice.thread(run(POLICY.message_thread.reply, MONDAY, 99 * HOUR, Outcome.WAIVED))
    assert counts(await card(practice), Sla.PATIENT_MESSAGES) == {
        "met": 4, "late": 1, "waived": 1, "timed": 5,
        "p50_seconds": 3 * 3600, "p90_seconds": 70_560, "p99_seconds": 104_256, "worst_seconds": 30 * 3600,
    }  # fmt: skip


async def test_counts_every_message_that_waited_and_not_only_the_last(practice: Practice) -> None:
    reply = POLICY.message_thread.reply
    await practice.thread(
        run(reply, MONDAY, HOUR), run(reply, MONDAY + 2 * DAY, 30 * HOUR), run(reply, MONDAY + 5 * DAY)
    )
    await practice.thread(run(reply, MONDAY, 2 * HOUR), source=ThreadSource.PROVIDER_SUCCESS)
    found = await card(practice)
    timed = counts(found, Sla.PATIENT_MESSAGES)
    assert (timed["met"], timed["late"], timed["open"], timed["timed"]) == (1, 1, 1, 2)
    assert counts(found, Sla.SUPPORT_MESSAGES)["met"] == 1


async def test_counts_what_the_clinician_owes_an_econsult_and_not_what_the_specialist_does(practice: Practice) -> None:
    rules = POLICY.econsult.information
    await practice.econsult(run(rules, MONDAY, HOUR), run(rules, MONDAY + DAY, 80 * HOUR))
    found = await card(practice)
    assert (counts(found, Sla.ECONSULT_INFORMATION)["met"], counts(found, Sla.ECONSULT_INFORMATION)["late"]) == (1, 1)
    assert sum(figures.met + figures.late + figures.open for figures in found.slas) == 2


@pytest.mark.parametrize(("starts_at", "inside"), [(MONDAY, True), (MONDAY + WEEK, False), (MONDAY - MINUTE, False)])
async def test_the_period_takes_its_first_moment_and_not_its_last(
    practice: Practice, starts_at: datetime, inside: bool
) -> None:
    await practice.visit(starts_at, VisitStage.COMPLETED, joined=MINUTE)
    await practice.thread(run(POLICY.message_thread.reply, starts_at, HOUR))
    found = await card(practice, Period.of(MONDAY, MONDAY + WEEK))
    assert (found.attendance.scheduled, counts(found, Sla.JOIN).get("met", 0)) == (inside, inside)
    assert counts(found, Sla.PATIENT_MESSAGES).get("met", 0) == inside


async def test_a_visit_called_off_long_before_counts_in_the_week_of_its_start(practice: Practice) -> None:
    await practice.visit(MONDAY + 6 * DAY, VisitStage.CANCELLED, ended_by=CLINICIAN, ended_after=-30 * DAY)
    found = await card(practice)
    assert [point.attendance.called_off for point in found.trend] == [1, 0]


async def test_splits_the_weeks_at_midnight_between_sunday_and_monday_in_utc(practice: Practice) -> None:
    midnight = MONDAY.replace(hour=0) + WEEK
    for starts_at, joined in ((midnight - MINUTE, 9 * MINUTE), (midnight, MINUTE), (midnight + DAY, MINUTE)):
        await practice.visit(starts_at, VisitStage.COMPLETED, joined=joined)
    found = await card(practice, Period.of(MONDAY, MONDAY + 2 * WEEK))
    assert [point.attendance for point in found.trend] == [
        Attendance(late=1), Attendance(attended_on_time=2), Attendance()
    ]  # fmt: skip
    assert [point.slas[0] for point in found.trend] == [
        SlaCounts(name=Sla.JOIN, late=1), SlaCounts(name=Sla.JOIN, met=2), SlaCounts(name=Sla.JOIN)
    ]  # fmt: skip


async def test_counts_open_escalations_of_whatever_period_by_their_level(practice: Practice) -> None:
    def late(rules: ClockPolicy, until: timedelta, **more: Any) -> dict[str, Clock]:
        return {rules.name: run(rules, MONDAY - 90 * DAY, until=until, **more)}

    for clocks in (
        late(NOTE, 25 * HOUR),
        late(NOTE, 29 * HOUR),
        late(LABS, 5 * HOUR, acknowledged=True),
        late(POLICY.visit.absence, HOUR),
        late(POLICY.visit.absence, HOUR, acknowledged=True),
        late(POLICY.visit.dispute_decision, 50 * HOUR),
        {"note": run(NOTE, MONDAY, 25 * HOUR)},
        {"note": run(NOTE, MONDAY, until=HOUR)},
    ):
        await practice.visit(MONDAY - 90 * DAY, VisitStage.COMPLETED, joined=MINUTE, clocks=clocks)
    assert (await card(practice)).open_escalations == (
        OpenEscalation(level=1, unacknowledged=2, acknowledged=1),
        OpenEscalation(level=2, unacknowledged=1, acknowledged=0),
    )


async def test_keeps_clinicians_apart_and_pages_through_them(practice: Practice) -> None:
    others = [Practice(practice.database) for _ in range(2)]
    for number, each in enumerate((practice, *others), start=1):
        if each is not practice:
            await each.open()
        for _ in range(number):
            await each.visit(MONDAY, VisitStage.COMPLETED, joined=MINUTE)
    await others[0].visit(MONDAY, VisitStage.CLINICIAN_NO_SHOW)
    ids = sorted(each.clinician_id for each in (practice, *others))
    async with practice.database.transaction() as session:
        first = await scorecard.of_clinicians(session, PERIOD, after=None, limit=2)
        last = await scorecard.of_clinicians(session, PERIOD, after=ids[1], limit=2)
        everything = await scorecard.of_clinicians(session, PERIOD, after=None, limit=None)
        together = await scorecard.overall(session, PERIOD)
    assert [clinician_id for clinician_id, _ in first + last] == ids
    assert everything == first + last
    found = {clinician_id: each.attendance for clinician_id, each in everything}
    assert found[others[0].clinician_id] == Attendance(attended_on_time=2, absent=1)
    assert together.attendance == Attendance(attended_on_time=6, absent=1)


async def test_reads_a_clinicians_cases_through_an_index(practice: Practice) -> None:
    async with practice.database.transaction() as session:
        connection = await session.connection()
        await connection.execute(text("set local enable_seqscan = off"))
        plan = await connection.execute(
            text("explain select 1 from case_state where clinician_id = 'c' and updated_at >= now()")
        )
        assert "case_state_of_clinician" in "\n".join(plan.scalars())
