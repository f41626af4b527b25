"""One thread of messages under test, with those who take part in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlmodel import col, select
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

from db.tables import MessageThreadRow, OutboxNotice, ThreadMessage, Timeline, new_id
from domain import names, policy
from domain import thread_rules as rules
from domain.actors import Actor
from domain.threads import (
    REPLY,
    AcknowledgeThread,
    ThreadAct,
    ThreadKind,
    ThreadOrder,
    ThreadPolicy,
    ThreadReceipt,
    ThreadSnapshot,
    ThreadSource,
    WaiveReason,
    WaiveReply,
    WriteMessage,
)
from embedded.rehearsal import Rehearsal
from tests.workflows.consult import OPERATIONS, SUPPORT, People
from workflows.message_thread import MessageThread

MINUTE = timedelta(minutes=1)


@dataclass
class Thread:
    world: Rehearsal
    people: People
    source: ThreadSource = ThreadSource.PATIENT
    policy: ThreadPolicy = field(default_factory=lambda: policy.load().message_thread)
    thread_id: str = field(default_factory=new_id)

    @property
    def case_id(self) -> str:
        return names.message_thread_case(self.thread_id)

    @property
    def clinician(self) -> Actor:
        return Actor(role="clinician", id=self.people.clinician.id)

    @property
    def writer(self) -> Actor:
        """Who writes to the clinician."""
        return Actor(role="patient", id=self.people.patient.id) if self.source is ThreadSource.PATIENT else SUPPORT

    def order(self, message_id: str, after_sequence: int = 0, by: Actor | None = None) -> ThreadOrder:
        own = self.source is ThreadSource.PATIENT
        return ThreadOrder(
            thread_id=self.thread_id,
            kind=ThreadKind.PATIENT if own else ThreadKind.SUPPORT,
            source=self.source,
            clinician_id=self.people.clinician.id,
            patient_id=self.people.patient.id if own else None,
            opening=WriteMessage(actor=by or self.writer, message_id=message_id),
            policy=self.policy,
            after_sequence=after_sequence,
        )

    # -- what people do

    async def open(self) -> str:
        """The first message; its id."""
        message_id = new_id()
        order = self.order(message_id)
        async with self.world.database.transaction() as session:
            session.add(
                MessageThreadRow(
                    id=self.thread_id,
                    opening_key=self.thread_id,
                    opened_by=self.writer.id,
                    order=order.model_dump(mode="json"),
                    **order.model_dump(include={"kind", "source", "clinician_id", "patient_id"}),
                )
            )
            await session.flush()
            session.add(self._message(message_id, self.writer))
        await self.world.cases.start_thread(order)
        await self.status()
        return message_id

    async def start_again(self, by: Actor | None = None) -> str:
        """A message after the thread's end; its id."""
        author = by or self.writer
        message_id = await self.write(author)
        last = (await self.steps())[-1].sequence
        await self.world.cases.start_thread(self.order(message_id, last, author))
        await self.status()
        return message_id

    async def receive(self, message_id: str | None = None, update_id: str | None = None) -> ThreadReceipt:
        request = WriteMessage(actor=self.writer, message_id=message_id or await self.write(self.writer))
        return await self.act(MessageThread.receive_message, request, update_id)

    async def reply(self, message_id: str | None = None, actor: Actor | None = None) -> ThreadReceipt:
        author = actor or self.clinician
        request = WriteMessage(actor=author, message_id=message_id or await self.write(author))
        return await self.act(MessageThread.reply, request)

    async def close(self, actor: Actor | None = None) -> ThreadReceipt:
        return await self.act(MessageThread.close, ThreadAct(actor=actor or self.writer))

    async def reopen(self, actor: Actor | None = None) -> ThreadReceipt:
        return await self.act(MessageThread.reopen, ThreadAct(actor=actor or self.writer))

    async def waive(self) -> ThreadReceipt:
        request = WaiveReply(actor=OPERATIONS, reason=WaiveReason.ANSWERED_ELSEWHERE)
        return await self.act(MessageThread.waive, request)

    async def acknowledge(self, actor: Actor = OPERATIONS) -> ThreadReceipt:
        return await self.act(MessageThread.acknowledge_escalation, AcknowledgeThread(actor=actor, clock=REPLY))

    async def act(self, update: Any, request: ThreadAct, update_id: str | None = None) -> ThreadReceipt:
        receipt: ThreadReceipt = await self.world.cases.ask(self.case_id, update, request, update_id or new_id())
        return receipt

    async def write(self, author: Actor) -> str:
        """Store a text, as the API does before the act; its id."""
        message = self._message(new_id(), author)
        async with self.world.database.transaction() as session:
            session.add(message)
        return message.id

    def _message(self, message_id: str, author: Actor) -> ThreadMessage:
        return ThreadMessage(
            id=message_id,
            thread_id=self.thread_id,
            direction=rules.direction(author),
            author_role=author.role,
            author_id=author.id,
            body="A marked message.",
        )

    # -- what can be seen

    async def status(self) -> ThreadSnapshot:
        """From the workflow; asking also waits until it has done what it had to do."""
        return await self.world.cases.thread_status(self.thread_id)

    async def run_id(self) -> str:
        """Of the execution that is the latest."""
        asked = DescribeWorkflowExecutionRequest(
            namespace=self.world.client.namespace, execution=WorkflowExecution(workflow_id=self.case_id)
        )
        found = await self.world.client.workflow_service.describe_workflow_execution(asked)
        return found.workflow_execution_info.execution.run_id

    async def steps(self) -> list[Timeline]:
        async with self.world.database.transaction() as session:
            found = select(Timeline).where(Timeline.case_id == self.case_id).order_by(col(Timeline.sequence))
            return list((await session.exec(found)).all())

    async def events(self) -> list[str]:
        return [step.event for step in await self.steps()]

    async def told(self) -> list[tuple[str, str, timedelta]]:
        """Audience and template of every letter, and when after the opening it was called for, to the minute."""
        opened = (await self.steps())[0].at
        async with self.world.database.transaction() as session:
            found = select(OutboxNotice).where(OutboxNotice.case_id == self.case_id)
            rows = sorted((await session.exec(found)).all(), key=lambda row: (row.queued_at, row.audience))
            return [
                (row.audience, row.template, timedelta(minutes=round((row.queued_at - opened) / MINUTE)))
                for row in rows
            ]

    async def accepted(self) -> list[tuple[str, int | None]]:
        """Messages that are part of the thread, with their places."""
        async with self.world.database.transaction() as session:
            found = select(ThreadMessage).where(
                col(ThreadMessage.thread_id) == self.thread_id, col(ThreadMessage.accepted_at).is_not(None)
            )
            rows = (await session.exec(found.order_by(col(ThreadMessage.sequence)))).all()
            return [(row.id, row.sequence) for row in rows]
