"""What a step brings with it, each a write in the step's transaction and harmless when repeated."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.contracts import (
    AcceptMessage,
    AcceptThreadMessage,
    BookEntry,
    Effect,
    OpenCoordinationTask,
    PublishDocument,
    QueueNotice,
    RecordNoShow,
    RecordStepInput,
    SaveAssignment,
    SaveNote,
    SaveVisit,
    SetLicenceStatus,
    SetRate,
    SetVisitStatus,
    VoidNoShow,
)
from activities.rollout_contracts import SwitchComms
from db import licences, roster
from db.rollout_effects import switch_comms
from db.tables import (
    AssignmentRow,
    CoordinationTask,
    Document,
    LedgerEntryRow,
    LedgerPosting,
    Message,
    OutboxNotice,
    Rate,
    ThreadMessage,
    Visit,
)
from db.visit_effects import record_no_show, save_note, save_visit, void_no_show
from domain.econsult.view import EConsultSnapshot


async def apply(session: AsyncSession, step: RecordStepInput, effect: Effect) -> None:
    await _APPLY[type(effect)](session, step, effect)


def _econsult(step: RecordStepInput) -> EConsultSnapshot:
    if not isinstance(step.snapshot, EConsultSnapshot):
        raise TypeError(f"a step of {step.process} has no effects of an eConsult")
    return step.snapshot


async def _add(session: AsyncSession, table: type[SQLModel], **values: object) -> None:
    await session.exec(insert(table).values(values).on_conflict_do_nothing())


async def _book_entry(session: AsyncSession, step: RecordStepInput, effect: BookEntry) -> None:
    entry = effect.entry
    row = {
        "key": entry.key,
        "case_id": step.case_id,
        "clinician_id": _econsult(step).clinician_id,
        "kind": entry.kind,
        "currency": entry.currency,
        "at": step.at,
    }
    new = insert(LedgerEntryRow).values(row).on_conflict_do_nothing().returning(col(LedgerEntryRow.key))
    if (await session.exec(new)).first() is None:
        return  # booked before, and an entry never changes
    for posting in entry.postings:
        await _add(
            session,
            LedgerPosting,
            entry_key=entry.key,
            account=posting.account,
            amount_cents=posting.amount_cents,
        )


async def _accept_message(session: AsyncSession, step: RecordStepInput, effect: AcceptMessage) -> None:
    await session.exec(
        update(Message)
        .where(col(Message.id) == effect.message_id, col(Message.accepted_at).is_(None))
        .values(accepted_at=step.at)
    )


async def _accept_thread_message(session: AsyncSession, step: RecordStepInput, effect: AcceptThreadMessage) -> None:
    await session.exec(
        update(ThreadMessage)
        .where(col(ThreadMessage.id) == effect.message_id)
        .values(accepted_at=step.at, sequence=step.sequence)
    )


async def _publish_document(session: AsyncSession, step: RecordStepInput, effect: PublishDocument) -> None:
    case = _econsult(step)
    message = await session.get_one(Message, effect.message_id)
    question = await session.get_one(Message, effect.question_id) if effect.question_id else None
    title = "Specialist eConsult" if effect.version == 1 else f"Specialist eConsult, addendum {effect.version - 1}"
    row = {
        "id": f"{case.econsult_id}-v{effect.version}",
        "econsult_id": case.econsult_id,
        "patient_id": case.patient_id,
        "version": effect.version,
        "title": title,
        "content": _addendum(question, message) if question else _reply(message),
        "visible_to_patient": True,
        "published_at": step.at,
    }
    await session.exec(insert(Document).values(row).on_conflict_do_update(index_elements=["id"], set_=row))


def _reply(message: Message) -> str:
    recommendations = json.loads(message.recommendations or "[]")
    parts = [f"Impression\n{message.impression or ''}"]
    parts += ["Recommendations\n" + "\n".join(f"- {line}" for line in recommendations)] if recommendations else []
    parts += [message.body] if message.body else []
    if message.in_person_recommended:
        parts.append("In-person specialty care is recommended. It is scheduled and paid for separately.")
    return "\n\n".join(parts)


def _addendum(question: Message, answer: Message) -> str:
    return f"Question of the treating clinician\n{question.body}\n\nAnswer of the specialist\n{answer.body}"


async def _save_assignment(session: AsyncSession, step: RecordStepInput, effect: SaveAssignment) -> None:
    assignment = effect.assignment
    row = {
        "id": assignment.assignment_id,
        "econsult_id": _econsult(step).econsult_id,
        "specialist_id": assignment.specialist_id,
        "number": assignment.number,
        "status": assignment.status,
        "reason": assignment.reason,
        "at": assignment.at,
    }
    await session.exec(insert(AssignmentRow).values(row).on_conflict_do_update(index_elements=["id"], set_=row))


async def _queue_notice(session: AsyncSession, step: RecordStepInput, effect: QueueNotice) -> None:
    for staff_id in await roster.readers(session, step, effect):
        await _add(
            session,
            OutboxNotice,
            key=roster.notice_key(effect.key, staff_id),
            case_id=step.case_id,
            audience=effect.audience,
            template=effect.template,
            specialist_id=effect.specialist_id,
            staff_id=staff_id,
            link_number=effect.link_number,
            queued_at=step.at,
            status="pending",
            attempts=0,
        )


async def _set_visit_status(session: AsyncSession, step: RecordStepInput, effect: SetVisitStatus) -> None:
    values: dict[str, object] = {"status": effect.status}
    if effect.status == "completed":
        values["completed_at"] = step.at
    await session.exec(update(Visit).where(col(Visit.id) == effect.visit_id).values(values))


async def _open_coordination_task(session: AsyncSession, step: RecordStepInput, effect: OpenCoordinationTask) -> None:
    await _add(
        session,
        CoordinationTask,
        key=effect.key,
        econsult_id=_econsult(step).econsult_id,
        reason="specialist_recommended_in_person",
        fee_credited=False,
        opened_at=step.at,
    )


async def _set_rate(session: AsyncSession, step: RecordStepInput, effect: SetRate) -> None:
    await _add(
        session,
        Rate,
        request_id=effect.request_id,
        clinician_id=effect.clinician_id,
        portion_cents=effect.portion_cents,
        effective_from=step.at,
    )


_APPLY: dict[type[Any], Callable[[AsyncSession, RecordStepInput, Any], Awaitable[None]]] = {
    BookEntry: _book_entry,
    AcceptMessage: _accept_message,
    AcceptThreadMessage: _accept_thread_message,
    PublishDocument: _publish_document,
    SaveAssignment: _save_assignment,
    QueueNotice: _queue_notice,
    SetVisitStatus: _set_visit_status,
    SaveVisit: save_visit,
    SaveNote: save_note,
    RecordNoShow: record_no_show,
    VoidNoShow: void_no_show,
    OpenCoordinationTask: _open_coordination_task,
    SetRate: _set_rate,
    SetLicenceStatus: licences.apply_status,
    SwitchComms: switch_comms,
}
