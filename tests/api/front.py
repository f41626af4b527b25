"""The whole API over a real database, with cases that record steps as the workflow does but hold no workflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI
from sqlmodel import col, select
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities.contracts import (
    AcceptMessage,
    Effect,
    RecordStepInput,
    SaveAssignment,
    SaveNote,
    SetVisitStatus,
    StepDetail,
)
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import CaseState, Disclosure
from domain import names
from domain.access import Role
from domain.actors import SYSTEM, Actor
from domain.case import CaseSnapshot, Explanation, explain
from domain.clock import arm
from domain.econsult.acts import CheckoutOpened, Receipt
from domain.econsult.payment_events import PaymentEvent
from domain.econsult.state import Assignment, EConsultOrder, EConsultState, Payment
from domain.econsult.states import AssignmentStatus, Event, Stage
from domain.econsult.view import EConsultSnapshot, snapshot
from domain.error_details import to_details
from domain.errors import CarewaveError, Refused
from domain.names import Process
from domain.rollout.orders import RolloutOrder
from domain.rollout.snapshot import RolloutCaseSnapshot
from domain.rollout.triggers import TelemetryNews
from domain.visit.acts import SaveNote as SaveNoteAct
from domain.visit.acts import VisitReceipt
from domain.visit.state import VisitOrder, VisitState
from domain.visit.states import VisitEvent
from domain.visit.view import VisitSnapshot
from domain.visit.view import snapshot as visit_snapshot
from domain.visit_calls import CallEvent
from embedded import seed
from links import PaymentLinks

NOW = datetime(2026, 3, 2, 16, 20, tzinfo=UTC)
Shown = TypeVar("Shown", bound=CaseSnapshot)
CHECKOUT_URL = "https://checkout.example/c/1"

DRAFT: dict[str, Any] = {
    "visit_id": seed.VISIT_COMPLETED,
    "specialty_code": seed.DERMATOLOGY,
    "purpose": "second_opinion",
    "question": "Would you scrape this patch first, or treat it as tinea?",
    "history": "45-year-old man with an annular, scaly patch of the forearm for six weeks. Working diagnosis tinea "
    "corporis, nummular eczema considered. Hydrocortisone 1 % tried for two weeks without relief. "
    "Medications: none. No known drug allergies.",
    "note_ids": [seed.NOTE_COMPLETED],
    "attachment_ids": [seed.PHOTO],
}
ORDER: dict[str, Any] = {
    **DRAFT,
    "patient_expectations": {
        "acknowledged": True,
        "acknowledged_by": "patient",
        "acknowledged_at": "2026-03-02T16:15:00Z",
    },
}


def refused_by_workflow(error: CarewaveError) -> WorkflowUpdateFailedError:
    return WorkflowUpdateFailedError(ApplicationError(error.detail, to_details(error), type=error.code))


@dataclass
class FakeCases:
    """The methods of `Cases`. Acts are written down; `refusal` refuses them, `outage` fails everything."""

    database: Database
    orders: dict[str, EConsultOrder] = field(default_factory=dict)
    states: dict[str, EConsultState] = field(default_factory=dict)
    visit_orders: dict[str, VisitOrder] = field(default_factory=dict)
    visits: dict[str, VisitState] = field(default_factory=dict)
    rollouts: dict[str, RolloutOrder] = field(default_factory=dict)
    acts: list[tuple[str, str, Any, str]] = field(default_factory=list)
    """Id of the eConsult or visit, update, what was asked, update id."""
    payments: list[tuple[str, PaymentEvent]] = field(default_factory=list)
    calls: list[tuple[str, CallEvent]] = field(default_factory=list)
    telemetry: list[tuple[str, TelemetryNews]] = field(default_factory=list)
    starts: int = 0
    records_first_step: bool = True
    refusal: Exception | None = None
    outage: Exception | None = None
    running: bool = True
    serving: bool = True

    @property
    def client(self) -> Any:
        async def check_health(timeout: timedelta) -> bool:  # noqa: ASYNC109  # Temporal's own name
            return self.serving

        return SimpleNamespace(service_client=SimpleNamespace(check_health=check_health))

    async def start_econsult(self, order: EConsultOrder) -> None:
        if self.outage:
            raise self.outage
        self.starts += 1
        if order.econsult_id in self.orders:
            return
        self.orders[order.econsult_id] = order
        state = EConsultState(ordered_at=NOW, link_expires_at=NOW + timedelta(days=7))
        state.clocks["payment"] = arm(order.policy.payment, NOW)
        self.states[order.econsult_id] = state
        if self.records_first_step:
            await self.record(order.econsult_id, Event.ORDERED, order.ordered_by)

    async def start_visit(self, order: VisitOrder) -> None:
        if self.outage:
            raise self.outage
        self.starts += 1
        if order.visit_id not in self.visit_orders:
            self.visit_orders[order.visit_id] = order
            self.visits[order.visit_id] = VisitState(starts_at=order.starts_at)
            await self.record_visit(order.visit_id, VisitEvent.SCHEDULED, order.scheduled_by)

    async def start_rollout(self, order: RolloutOrder) -> None:
        if self.outage:
            raise self.outage
        self.starts += 1
        self.rollouts.setdefault(order.program_id, order)

    async def status(self, case_id: str, kind: type[Shown]) -> Shown:
        """Of the processes that have the queries in common: as they were last recorded."""
        if self.outage:
            raise self.outage
        async with self.database.transaction() as session:
            case = await session.get(CaseState, case_id)
        if case is None:
            raise Refused("case.not_running", "the case is over, or has not begun")
        return kind.model_validate(case.snapshot)

    async def explain(self, case_id: str) -> list[Explanation]:
        await self.status(case_id, RolloutCaseSnapshot)
        return []

    async def visit_status(self, visit_id: str) -> VisitSnapshot:
        state = self._visit(visit_id)
        return visit_snapshot(self.visit_orders[visit_id], state)

    async def explain_visit(self, visit_id: str) -> list[Explanation]:
        return list(explain(self._visit(visit_id).clocks, NOW))

    def _visit(self, visit_id: str) -> VisitState:
        if visit_id not in self.visits:
            raise Refused("case.not_running", "the case is over, or has not begun")
        return self.visits[visit_id]

    async def ask(self, case_id: str, update: Callable[..., Any], asked: Any, update_id: str) -> Any:
        process, _, id_ = case_id.partition(":")
        self.acts.append((id_, update.__name__, asked, update_id))
        if self.refusal or self.outage:
            raise self.refusal or self.outage or AssertionError
        return await (self.act_on_visit if process == "visit" else self.act)(id_, update, asked)

    async def act_on_visit(self, visit_id: str, update: Callable[..., Any], asked: Any) -> VisitReceipt:
        state = self._visit(visit_id)
        saved = isinstance(asked, SaveNoteAct)
        effects = (SaveNote(note_id=asked.note_id, status=asked.status),) if saved else ()
        await self.record_visit(visit_id, update.__name__, asked.actor, *effects)
        return VisitReceipt(sequence=state.sequence, stage=state.stage)

    async def act(self, econsult_id: str, update: Callable[..., Any], asked: Any) -> Any:
        if update.__name__ == "open_checkout":
            return CheckoutOpened(url=CHECKOUT_URL)
        effects: list[Effect] = []
        if hasattr(asked, "message_id"):
            effects.append(AcceptMessage(message_id=asked.message_id))
        if update.__name__ == "book_follow_up_visit":
            effects.append(SetVisitStatus(visit_id=asked.visit_id, status="scheduled"))
        await self.record(econsult_id, update.__name__, asked.actor, *effects)
        state = self.states[econsult_id]
        return Receipt(sequence=state.sequence, stage=state.stage)

    async def report_payment(self, econsult_id: str, event: PaymentEvent) -> bool:
        if self.outage:
            raise self.outage
        if self.running:
            self.payments.append((econsult_id, event))
        return self.running

    async def report_call(self, visit_id: str, event: CallEvent) -> bool:
        if self.outage:
            raise self.outage
        if self.running:
            self.calls.append((visit_id, event))
        return self.running

    async def report_telemetry(self, program_id: str, location_id: str, news: TelemetryNews) -> bool:
        if self.outage:
            raise self.outage
        if self.running:
            self.telemetry.append((names.location_case(program_id, location_id), news))
        return self.running

    async def econsult_status(self, econsult_id: str) -> EConsultSnapshot:
        if self.outage:
            raise self.outage
        return snapshot(self.orders[econsult_id], self.states[econsult_id], datetime.now(UTC))

    async def explain_econsult(self, econsult_id: str) -> list[Explanation]:
        if self.outage:
            raise self.outage
        return []

    async def record(self, econsult_id: str, event: str, actor: Actor = SYSTEM, *effects: Effect) -> None:
        """Record a step as the case stands now."""
        state = self.states[econsult_id]
        state.sequence += 1
        await SqlCaseRecords(self.database).record(
            RecordStepInput(
                case_id=names.econsult_case(econsult_id),
                process=Process.ECONSULT,
                sequence=state.sequence,
                event=event,
                at=NOW + timedelta(minutes=state.sequence),
                actor=actor,
                detail=StepDetail(),
                snapshot=snapshot(self.orders[econsult_id], state, datetime.now(UTC)),
                effects=effects,
            )
        )

    async def record_visit(self, visit_id: str, event: str, actor: Actor, *effects: Effect) -> None:
        state = self.visits[visit_id]
        state.sequence += 1
        await SqlCaseRecords(self.database).record(
            RecordStepInput(
                case_id=names.visit_case(visit_id),
                process=Process.VISIT,
                sequence=state.sequence,
                event=event,
                at=NOW + timedelta(minutes=state.sequence),
                actor=actor,
                detail=StepDetail(),
                snapshot=visit_snapshot(self.visit_orders[visit_id], state),
                effects=effects,
            )
        )

    async def paid(self, econsult_id: str, payment_id: str = "pi_1") -> None:
        state = self.states[econsult_id]
        total = self.orders[econsult_id].price.total_cents
        state.payments[payment_id] = Payment(
            payment_id=payment_id, session_id="cs_1", amount_cents=total, currency="usd", at=NOW
        )
        state.stage = Stage.PAID
        await self.record(econsult_id, Event.PAID)

    async def assigned(
        self, econsult_id: str, specialist_id: str, status: AssignmentStatus = AssignmentStatus.OFFERED
    ) -> Assignment:
        """Give the case to a specialist; whoever had it has declined."""
        state = self.states[econsult_id]
        effects: list[Effect] = []
        if state.assignments:
            state.assignments[-1] = state.assignments[-1].model_copy(update={"status": AssignmentStatus.DECLINED})
            effects.append(SaveAssignment(assignment=state.assignments[-1]))
        number = len(state.assignments) + 1
        current = Assignment(
            assignment_id=f"{econsult_id}-{number}", specialist_id=specialist_id, number=number, status=status, at=NOW
        )
        state.assignments.append(current)
        state.stage = Stage.WITH_SPECIALIST
        await self.record(econsult_id, Event.ASSIGNED, SYSTEM, *effects, SaveAssignment(assignment=current))
        return current


@dataclass
class Front:
    """The API as callers see it, and what lies behind it."""

    app: FastAPI
    database: Database
    cases: FakeCases
    links: PaymentLinks
    as_: Callable[..., httpx.AsyncClient]
    anybody: httpx.AsyncClient
    """Without a token."""

    def __post_init__(self) -> None:
        self.clinician = self.as_("clinician-demo", Role.CLINICIAN)
        self.other_clinician = self.as_("clinician-other", Role.CLINICIAN)
        self.patient = self.as_("patient-demo", Role.PATIENT)
        self.other_patient = self.as_("patient-other", Role.PATIENT)
        self.specialist = self.as_("specialist-dermatology", Role.SPECIALIST)
        self.other_specialist = self.as_("specialist-dermatology-2", Role.SPECIALIST)
        self.support = self.as_("support-1", Role.SUPPORT)
        self.operations = self.as_("ops-1", Role.OPERATIONS)
        self.administrator = self.as_("admin-1", Role.ADMINISTRATOR)

    async def order(self, key: str = "order-1", **changes: Any) -> str:
        """Id of a fresh order of the demo clinician."""
        response = await self.clinician.post("/econsults", json=ORDER | changes, headers={"Idempotency-Key": key})
        assert response.status_code == 201, response.text
        return str(response.json()["id"])

    async def with_specialist(self, specialist_id: str = seed.DERMATOLOGIST) -> str:
        econsult_id = await self.order()
        await self.cases.paid(econsult_id)
        await self.cases.assigned(econsult_id, specialist_id)
        return econsult_id

    async def disclosures(self) -> list[tuple[str, str, str, str | None]]:
        """Role, person, what and eConsult of each, in order."""
        async with self.database.transaction() as session:
            found = (await session.exec(select(Disclosure).order_by(col(Disclosure.id)))).all()
        return [(one.role, one.person_id, one.what, one.econsult_id) for one in found]


def problem(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["code"]
