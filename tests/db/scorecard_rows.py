"""Visits, threads and eConsults as their steps left them, for the scorecard to count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.contracts import RecordStepInput, Snapshot, StepDetail
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import Clinician, Patient, Visit, new_id
from domain import names, policy, threads
from domain.actors import SYSTEM, Actor
from domain.clock import Clock, ClockPolicy, Outcome, acknowledge, arm, end, fire
from domain.econsult.state import EConsultState
from domain.econsult.states import Stage
from domain.econsult.view import snapshot as econsult_snapshot
from domain.threads import REPLY, ThreadKind, ThreadOrder, ThreadSource, ThreadState, WriteMessage
from domain.visit.state import VisitOrder, VisitState
from domain.visit.states import Obligation, VisitStage
from domain.visit.view import VisitSnapshot
from domain.visit.view import snapshot as visit_snapshot
from tests.domain.builders import an_order

POLICY = policy.load()
MONDAY = datetime(2026, 3, 2, 15, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OPERATIONS = Actor(role="operations", id="operations-1")


def run(
    rules: ClockPolicy,
    armed_at: datetime,
    took: timedelta | None = None,
    outcome: Outcome = Outcome.MET,
    *,
    until: timedelta = timedelta(),
    acknowledged: bool = False,
) -> Clock:
    """A clock that ended after so long; or one that has run until so long after its arming, and runs on."""
    clock = fire(arm(rules, armed_at), armed_at + (until if took is None else took))[0]
    if acknowledged:
        clock = acknowledge(clock, armed_at + until, OPERATIONS)
    return clock if took is None else end(clock, armed_at + took, outcome, OPERATIONS)


def join_clock(starts_at: datetime, joined: timedelta | None, until: timedelta = timedelta()) -> Clock:
    """By the time after the start; one that nobody ended was looked at so long after the start."""
    lead = POLICY.visit.join_lead
    took = None if joined is None else lead + joined
    return run(POLICY.visit.join, starts_at - lead, took, until=lead + until)


def visit_view(
    starts_at: datetime, stage: VisitStage, *, joined: timedelta, owed: dict[Obligation, Clock]
) -> VisitSnapshot:
    """Of a visit that was held, with the clocks of what was owed."""
    clocks = {"join": join_clock(starts_at, joined)} | {str(name): clock for name, clock in owed.items()}
    state = VisitState(starts_at=starts_at, stage=stage, clinician_joined_at=starts_at + joined, clocks=clocks)
    return visit_snapshot(an_order_of_visit(new_id(), starts_at), state)


def thread_view(clock: Clock) -> threads.ThreadSnapshot:
    at = clock.ended_at or clock.armed_at
    state = ThreadState(opened_at=at, last_message_at=at, clocks={REPLY: clock})
    return threads.snapshot(an_order_of_thread(new_id()), state)


def an_order_of_visit(
    visit_id: str, starts_at: datetime, clinician_id: str = "clinician-1", patient_id: str = "patient-1"
) -> VisitOrder:
    return VisitOrder(
        visit_id=visit_id,
        patient_id=patient_id,
        clinician_id=clinician_id,
        starts_at=starts_at,
        duration_minutes=15,
        policy=POLICY.visit,
        scheduled_by=OPERATIONS,
    )


def an_order_of_thread(clinician_id: str, source: ThreadSource = ThreadSource.PATIENT) -> ThreadOrder:
    return ThreadOrder(
        thread_id=new_id(),
        kind=ThreadKind.PATIENT if source is ThreadSource.PATIENT else ThreadKind.SUPPORT,
        source=source,
        clinician_id=clinician_id,
        opening=WriteMessage(actor=OPERATIONS, message_id="m"),
        policy=POLICY.message_thread,
    )


@dataclass
class Practice:
    database: Database
    clinician_id: str = field(default_factory=new_id)
    patient_id: str = field(default_factory=new_id)

    async def open(self) -> None:
        zone = "America/Chicago"
        clinician = Clinician(
            id=self.clinician_id, subject=new_id(), name="C", email="c@example.com", time_zone=zone, licence_states=[]
        )
        patient = Patient(
            id=self.patient_id, name="P", email="p@example.com", birth_date="1980", state="IL", time_zone=zone
        )
        async with self.database.transaction() as session:
            session.add_all([clinician, patient])

    async def visit(
        self,
        starts_at: datetime,
        stage: VisitStage,
        *,
        joined: timedelta | None = None,
        ended_after: timedelta | None = None,
        clocks: dict[str, Clock] | None = None,
        moved_from: VisitState | None = None,
        **state: Any,
    ) -> None:
        """`joined` and `ended_after` are after the start. `moved_from`: how it stood before it got this time."""
        visit_id = new_id()
        order = an_order_of_visit(visit_id, starts_at, self.clinician_id, self.patient_id)
        now = VisitState(
            starts_at=starts_at,
            stage=stage,
            clinician_joined_at=None if joined is None else starts_at + joined,
            ended_at=None if ended_after is None else starts_at + ended_after,
            clocks=clocks if clocks is not None else {"join": join_clock(starts_at, joined)},
            **state,
        )
        async with self.database.transaction() as session:
            session.add(
                Visit(
                    id=visit_id,
                    patient_id=self.patient_id,
                    clinician_id=self.clinician_id,
                    scheduled_start=starts_at,
                    duration_minutes=15,
                )
            )
        steps = [("clock_milestone", moved_from), ("visit_rescheduled", now)] if moved_from else [("visit_closed", now)]
        for sequence, (event, then) in enumerate(steps, start=1):
            view = visit_snapshot(order, then.model_copy(update={"sequence": sequence}))
            await self._record(names.visit_case(visit_id), event, then.starts_at + sequence * DAY, view)

    async def thread(self, *clocks: Clock, source: ThreadSource = ThreadSource.PATIENT) -> None:
        """One clock after the other; each was ended by a step of its own, the last one perhaps not."""
        order = an_order_of_thread(self.clinician_id, source)
        for sequence, clock in enumerate(clocks, start=1):
            at = clock.ended_at or clock.armed_at
            state = ThreadState(sequence=sequence, opened_at=at, last_message_at=at, clocks={REPLY: clock})
            event = "reply_sent" if clock.ended_at else "message_received"
            await self._record(names.message_thread_case(order.thread_id), event, at, threads.snapshot(order, state))

    async def econsult(self, *information: Clock) -> None:
        order = an_order().model_copy(update={"econsult_id": new_id(), "clinician_id": self.clinician_id})
        for sequence, clock in enumerate(information, start=1):
            state = EConsultState(
                stage=Stage.WITH_SPECIALIST,
                sequence=sequence,
                ordered_at=clock.armed_at,
                clocks={"information": clock, "turnaround": run(POLICY.econsult.turnaround, clock.armed_at)},
            )
            at = clock.ended_at or clock.armed_at
            view = econsult_snapshot(order, state, at)
            await self._record(names.econsult_case(order.econsult_id), "information_provided", at, view)

    async def _record(self, case_id: str, event: str, at: datetime, view: Snapshot) -> None:
        await SqlCaseRecords(self.database).record(
            RecordStepInput(
                case_id=case_id,
                process=view.process,
                sequence=view.sequence,
                event=event,
                at=at,
                actor=SYSTEM,
                detail=StepDetail(),
                snapshot=view,
            )
        )
