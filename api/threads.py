"""How messages flow: the text is kept, the thread's workflow takes it; a thread that was over begins anew."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.workflow import UpdateMethodMultiParam

from api.acting import Acts
from api.callers import Caller
from api.dependencies import Services
from api.schemas.threads import NewThread, ThreadView, thread_view
from db import people, threads, visits
from db.econsults import ALL
from db.tables import Clinician, MessageThreadRow, ThreadMessage, new_id
from db.threads import ThreadCase
from domain import names
from domain import thread_rules as rules
from domain.access import Role
from domain.actors import Actor
from domain.errors import Forbidden, Invalid, Refused
from domain.threads import Direction, ThreadAct, ThreadKind, ThreadOrder, ThreadSource, WriteMessage
from workflows.message_thread import MessageThread

Asked = TypeVar("Asked", bound=ThreadAct)


def taking_part(thread: MessageThreadRow, who: Caller) -> Actor:
    """The caller as one who takes part. Raises `Forbidden` (`thread.not_taking_part`)."""
    if thread.clinician_id == who.scope.clinician_id:
        return Actor(role=Role.CLINICIAN, id=thread.clinician_id)
    if thread.kind == ThreadKind.PATIENT and who.scope.patient_id == thread.patient_id is not None:
        return Actor(role=Role.PATIENT, id=thread.patient_id)
    if thread.kind == ThreadKind.SUPPORT and who.staff:
        return staff_actor(who)
    raise Forbidden("thread.not_taking_part", "only those who take part in a thread act in it")


def staff_actor(who: Caller) -> Actor:
    assert who.staff is not None, "the route lets staff in only"
    return Actor(role=who.staff, id=who.subject)


async def place(session: AsyncSession, services: Services, act: Acts, who: Caller, new: NewThread) -> MessageThreadRow:
    """Write the thread with its first message. Raises as the route says."""
    kind = ThreadKind.PATIENT if new.source is None else ThreadKind.SUPPORT
    actor = await _author(session, who, new, kind)
    patient_id = actor.id if kind is ThreadKind.PATIENT else None
    if new.visit_id is not None:
        visit = await visits.get_visit(session, new.visit_id)
        if visit.clinician_id != new.clinician_id or patient_id not in (None, visit.patient_id):
            raise visits.unknown_visit()
        patient_id = visit.patient_id
    thread_id = new_id()
    message = _message(new_id(), thread_id, actor, new.body)
    order = ThreadOrder(
        thread_id=thread_id,
        kind=kind,
        source=ThreadSource(new.source or ThreadSource.PATIENT),
        clinician_id=new.clinician_id,
        patient_id=patient_id,
        visit_id=new.visit_id,
        opening=WriteMessage(actor=actor, message_id=message.id),
        policy=services.policy.message_thread,
    )
    thread = MessageThreadRow(
        id=thread_id,
        opening_key=act.update_id(who),
        opened_by=actor.id,
        order=order.model_dump(mode="json"),
        **order.model_dump(mode="json", include={"kind", "source", "clinician_id", "patient_id", "visit_id"}),
    )
    return await threads.place(session, thread, message)


async def _author(session: AsyncSession, who: Caller, new: NewThread, kind: ThreadKind) -> Actor:
    if kind is ThreadKind.SUPPORT:
        if who.staff is None:
            raise Forbidden("thread.source_not_yours", "only support writes in the name of support")
        await people.get(session, Clinician, new.clinician_id)
        return staff_actor(who)
    if who.scope.patient_id is None:
        raise Invalid("thread.source_missing", "support says in whose name it writes")
    if not await visits.has_visit(session, new.clinician_id, who.scope.patient_id):
        raise Forbidden("thread.clinician_not_yours", "patients write to clinicians whom they have a visit with")
    return Actor(role=Role.PATIENT, id=who.scope.patient_id)


async def find(act: Acts, thread_id: str, who: Caller) -> ThreadCase:
    """Raises `NotFound` (`thread.unknown`) for what is not the caller's."""
    async with act.services.database.transaction() as session:
        return await threads.get(session, thread_id, who.scope)


async def write(act: Acts, case: ThreadCase, who: Caller, body: str) -> ThreadView:
    """Bring a message into the thread, once for its id, whether its workflow runs or not."""
    actor = taking_part(case.thread, who)
    message = _message(act.record_id(who), case.thread.id, actor, body)
    async with act.bringing(message):
        asked = WriteMessage(actor=actor, message_id=message.id)
        try:
            return await _deliver(act, case, who, asked)
        except Refused as refusal:
            if refusal.code != "case.not_running":
                raise
        if await _begin_anew(act.services, case.thread.id, asked):
            return await _deliver(act, case, who, asked)
    return await _view(act.services, case.thread.id)


async def ask(
    act: Acts, case: ThreadCase, who: Caller, update: UpdateMethodMultiParam[[Any, Asked], Any], asked: Asked
) -> ThreadView:
    """Ask the workflow, and show the thread as its step left it. Raises what `Cases.ask` raises."""
    await act.update(names.message_thread_case(case.thread.id), who, update, asked)
    return await _view(act.services, case.thread.id)


async def _deliver(act: Acts, case: ThreadCase, who: Caller, asked: WriteMessage) -> ThreadView:
    outbound = rules.direction(asked.actor) is Direction.OUTBOUND
    update = MessageThread.reply if outbound else MessageThread.receive_message
    return await ask(act, case, who, update, asked)


async def _begin_anew(services: Services, thread_id: str, message: WriteMessage) -> bool:
    """Start a thread whose workflow does not run; False when the message has its place in it already.

    Of several who do so at once one starts it, and the others find it running.
    """
    async with services.database.transaction() as session:
        if await threads.is_accepted(session, message.message_id):
            return False
        case = await threads.get(session, thread_id, ALL)
    order = ThreadOrder.model_validate(case.thread.order)
    if case.snapshot is not None:
        going_on = {
            "opening": message,
            "policy": services.policy.message_thread,
            "after_sequence": case.snapshot.sequence,
            "opened_at": case.snapshot.opened_at,
        }
        order = order.model_copy(update=going_on)
    await services.cases.start_thread(order)
    return True


async def _view(services: Services, thread_id: str) -> ThreadView:
    async with services.database.transaction() as session:
        return thread_view(await threads.get(session, thread_id, ALL))


def _message(message_id: str, thread_id: str, actor: Actor, body: str) -> ThreadMessage:
    return ThreadMessage(
        id=message_id,
        thread_id=thread_id,
        direction=rules.direction(actor),
        author_role=actor.role,
        author_id=actor.id,
        body=body,
    )
