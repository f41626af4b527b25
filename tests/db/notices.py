"""A case with notices in its outbox, and people who read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, select

from activities.contracts import QueueNotice, RecordStepInput, StepDetail
from db.case_records import SqlCaseRecords
from db.session import Database
from db.tables import Clinician, OutboxNotice, Patient, Specialist
from domain import names, policy
from domain.actors import SYSTEM, Actor, Audience
from domain.econsult.state import EConsultOrder, EConsultState
from domain.econsult.view import snapshot
from domain.ledger import Price

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CASE = names.econsult_case("e-1")
STAFF = {Audience.OPERATIONS: "operations@example.com", Audience.NETWORK_DESK: "desk@example.com"}


async def add_people(database: Database, phone: str | None = "+13125550100") -> None:
    async with database.transaction() as session:
        session.add_all(
            [
                Clinician(
                    id="c-1",
                    subject="c",
                    name="C",
                    email="clinician@example.com",
                    time_zone="America/Denver",
                    licence_states=["CO"],
                ),
                Patient(
                    id="p-1",
                    name="Marked Name",
                    email="patient@example.com",
                    phone=phone,
                    birth_date="1980-02-03",
                    state="CO",
                    time_zone="America/Chicago",
                ),
                Specialist(
                    id="s-1",
                    subject="s",
                    name="S",
                    email="specialist@example.com",
                    specialty_codes=[],
                    licence_states=["CO"],
                    licence_expires_on=date(2099, 1, 1),
                    board_certified=True,
                    us_based=True,
                ),
            ]
        )


async def queue(database: Database, *told: tuple[Audience, str], sequence: int = 1) -> None:
    """Record a step that tells these audiences."""
    order = EConsultOrder(
        econsult_id="e-1",
        visit_id="v-1",
        patient_id="p-1",
        clinician_id="c-1",
        specialty_code="207RC0000X",
        purpose="second_opinion",
        price=Price(network_fee_cents=12_000, clinician_portion_cents=3_500),
        policy=policy.load().econsult,
        ordered_by=Actor(role="clinician", id="c-1"),
    )
    state = EConsultState(ordered_at=NOON, sequence=sequence, link_expires_at=NOON + timedelta(days=7))
    step = RecordStepInput(
        case_id=CASE,
        process="EConsult",
        sequence=sequence,
        event="ordered",
        at=NOON,
        actor=SYSTEM,
        detail=StepDetail(),
        snapshot=snapshot(order, state, state.ordered_at),
        effects=tuple(
            QueueNotice(
                key=f"{CASE}:notice:{sequence}:{audience}:{template}",
                audience=audience,
                template=template,
                specialist_id="s-1" if audience is Audience.SPECIALIST else None,
                link_number=1,
            )
            for audience, template in told
        ),
    )
    await SqlCaseRecords(database).record(step)


async def rows(database: Database) -> list[OutboxNotice]:
    async with database.transaction() as session:
        return list((await session.exec(select(OutboxNotice).order_by(col(OutboxNotice.key)))).all())


async def row(database: Database, template: str) -> OutboxNotice:
    return next(row for row in await rows(database) if row.template == template)


async def wait_is_over(database: Database) -> None:
    """Let every notice that waits for its next attempt be due now."""
    async with database.transaction() as session:
        await session.exec(update(OutboxNotice).values(not_before=NOON))


async def was_tried(database: Database, attempts: int) -> None:
    async with database.transaction() as session:
        await session.exec(update(OutboxNotice).values(attempts=attempts))
