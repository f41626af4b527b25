"""The outbox: claiming due notices, one transaction each, and finding out who reads them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.ports import Delivery, DeliveryStatus, OutgoingNotice
from db.session import Database
from db.tables import (
    CadenceReport,
    CaseState,
    Clinician,
    OutboxNotice,
    Patient,
    RolloutLocation,
    RolloutProgram,
    Specialist,
    Staff,
    Visit,
)
from domain import names
from domain.actors import Audience
from domain.econsult.state import FollowUpVisit
from domain.errors import CarewaveError
from domain.ledger import Price
from domain.model import Value
from domain.notices import wait_after
from domain.rollout.cadences import Report, in_words
from domain.roster import OF_A_PROGRAMME
from domain.text_deliveries import UNDELIVERED, TextReport, later

OPTED_OUT = "text.opted_out"
UNDELIVERED_TEXT = "text.undelivered"


class SqlOutbox:
    """The port `Outbox`. `staff` maps each audience of staff to its address."""

    def __init__(self, database: Database, staff: Mapping[Audience, str]) -> None:
        self._database = database
        self._staff = dict(staff)

    async def deliver_next(self, send: Callable[[OutgoingNotice], Awaitable[Delivery]]) -> Delivery | None:
        """Claim, send, mark. A row that another worker holds is passed over."""
        async with self._database.transaction() as session:
            row = await _claim(session)
            if row is None:
                return None
            try:
                notice = await self._address(session, row)
            except CarewaveError as error:  # such as contact data whose key is not at hand
                delivery = Delivery(status=DeliveryStatus.RETRY, code=error.code)
            else:
                delivery = await send(notice)
            await _mark(session, row, delivery)
            return delivery

    async def _address(self, session: AsyncSession, row: OutboxNotice) -> OutgoingNotice:
        facts = await _facts(session, row.case_id)
        reader = await self._reader(session, row, facts)
        visit = facts.follow_up_visit
        program, location = RolloutProgram, RolloutLocation
        program_name = select(program.name).where(col(program.id) == facts.program_id)
        location_name = select(location.name).where(col(location.location_id) == facts.location_id)
        return OutgoingNotice(
            key=row.key,
            case_id=row.case_id,
            template=row.template,
            to_patient=row.audience == Audience.PATIENT,
            **reader.model_dump(),
            econsult_id=facts.econsult_id,
            link_number=row.link_number,
            price_cents=facts.price.total_cents if facts.price else None,
            portion_cents=facts.portion_cents,
            currency=facts.price.currency if facts.price else "usd",
            link_expires_at=facts.link_expires_at,
            window_ends_at=facts.window_ends_at,
            visit_starts_at=visit.starts_at if visit else facts.starts_at,
            licence_state=facts.licence_state,
            licence_day=facts.expires_on,
            waiver_day=facts.waived_until,
            program_name=(await session.exec(program_name)).one_or_none() if facts.program_id else None,
            location_name=(await session.exec(location_name)).one_or_none() if facts.location_id else None,
            wave=facts.wave,
            report=await _report(session, row.report_id),
        )

    async def _reader(self, session: AsyncSession, row: OutboxNotice, facts: _Facts) -> _Reader:
        audience = Audience(row.audience)
        if audience is Audience.PATIENT and facts.patient_id:
            patient = await session.get(Patient, facts.patient_id)
            return _Reader.model_validate(patient) if patient else _Reader()
        if audience is Audience.CLINICIAN and facts.clinician_id:
            clinician = await session.get(Clinician, facts.clinician_id)
            return _Reader.model_validate(clinician) if clinician else _Reader()
        if audience is Audience.SPECIALIST and row.specialist_id:
            specialist = await session.get(Specialist, row.specialist_id)
            return _Reader.model_validate(specialist) if specialist else _Reader()
        if row.staff_id:
            person = await session.get(Staff, row.staff_id)
            if person and person.active:  # who has left since is not told any more
                return _Reader.model_validate(person)
        # A programme's members have no address in common.
        return _Reader(email=self._staff.get(Audience.OPERATIONS if audience in OF_A_PROGRAMME else audience))


class _Reader(Value, from_attributes=True):
    email: str | None = None
    phone: str | None = None
    time_zone: str = "UTC"


class _Facts(Value):
    """What letters may say of a case, from its snapshot. The price is the one pinned with the order (E-33)."""

    econsult_id: str | None = None
    patient_id: str | None = None
    clinician_id: str | None = None
    price: Price | None = None
    portion_cents: int | None = None
    link_expires_at: datetime | None = None
    window_ends_at: datetime | None = None
    follow_up_visit: FollowUpVisit | None = None
    starts_at: datetime | None = None
    """Of a visit."""
    licence_state: str | None = None
    expires_on: date | None = None
    """Of a licence."""
    waived_until: date | None = None
    program_id: str | None = None
    location_id: str | None = None
    wave: int | None = None


async def queue_for_patient(session: AsyncSession, case_id: str, identity: str, template: str, at: datetime) -> None:
    """What a step of this identity would tell the patient: once, whoever comes first."""
    row = {
        "key": names.operation_key(case_id, "notice", identity, Audience.PATIENT, template),
        "case_id": case_id,
        "audience": Audience.PATIENT,
        "template": template,
        "queued_at": at,
        "status": "pending",
        "attempts": 0,
    }
    await session.exec(insert(OutboxNotice).values(row).on_conflict_do_nothing())


async def failed(session: AsyncSession, *, after: str | None, limit: int) -> list[OutboxNotice]:
    """Notices given up on, newest case first. A text that its reader had opted out of is not one."""
    statement = (
        select(OutboxNotice)
        .where(
            col(OutboxNotice.status) == "failed",
            func.coalesce(col(OutboxNotice.error_code), "") != OPTED_OUT,
        )
        .order_by(col(OutboxNotice.key).desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(col(OutboxNotice.key) < after)
    return list((await session.exec(statement)).all())


async def record_delivery(session: AsyncSession, report: TextReport) -> bool:
    """Note what became of a text; False for a notice that is not ours. A repeat changes nothing.

    A report waits for the worker that is just sending the notice. If that one lost Twilio's answer, the report is it:
    the text went out and is not sent again. Of a text that went out twice only the newer copy counts.
    """
    row = await session.get(OutboxNotice, report.notice_key, with_for_update=True)
    if row is None:
        return False
    if row.provider_id not in (None, report.message_sid):
        return True
    row.provider_id = report.message_sid
    row.delivery_status = later(row.delivery_status, report.status)
    if row.delivery_status in UNDELIVERED:
        row.status, row.error_code = "failed", UNDELIVERED_TEXT
        row.delivery_error = row.delivery_error or report.error_code
    elif row.status == "pending":
        row.status, row.sent_at, row.error_code = "sent", datetime.now(UTC), None
    return True


async def _report(session: AsyncSession, report_id: str | None) -> str | None:
    """The figures of a regular report, as lines."""
    found = await session.get(CadenceReport, report_id) if report_id else None
    return in_words(Report.model_validate(found.content)) if found else None


async def _claim(session: AsyncSession) -> OutboxNotice | None:
    statement = (
        select(OutboxNotice)
        .where(col(OutboxNotice.status) == "pending", col(OutboxNotice.not_before) <= func.now())
        .order_by(col(OutboxNotice.not_before), col(OutboxNotice.queued_at), col(OutboxNotice.key))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await session.exec(statement)).one_or_none()


async def _facts(session: AsyncSession, case_id: str) -> _Facts:
    case = await session.get(CaseState, case_id)
    if case is not None:
        return _Facts.model_validate(case.snapshot)
    visit = await session.get(Visit, case_id.removeprefix(names.visit_case("")))  # one of before there was a process
    return _Facts(patient_id=visit.patient_id, starts_at=visit.scheduled_start) if visit else _Facts()


async def _mark(session: AsyncSession, row: OutboxNotice, delivery: Delivery) -> None:
    attempts = row.attempts + 1
    values: dict[str, object] = {"attempts": attempts, "error_code": delivery.code, "provider_id": delivery.provider_id}
    wait = wait_after(attempts)
    if delivery.status is DeliveryStatus.SENT:
        values |= {"status": "sent", "sent_at": datetime.now(UTC)}
    elif delivery.status is DeliveryStatus.FAILED or wait is None:
        values |= {"status": "failed"}
    else:
        values |= {"not_before": func.clock_timestamp() + wait}
    await session.exec(update(OutboxNotice).where(col(OutboxNotice.key) == row.key).values(values))
    for template in delivery.also:
        await _queue_beside(session, row, template)


async def _queue_beside(session: AsyncSession, row: OutboxNotice, template: str) -> None:
    beside = {
        **row.model_dump(include={"case_id", "audience", "specialist_id", "staff_id", "link_number", "queued_at"}),
        "key": f"{row.key}:{template}",
        "template": template,
        "status": "pending",
        "attempts": 0,
    }
    await session.exec(insert(OutboxNotice).values(beside).on_conflict_do_nothing())
