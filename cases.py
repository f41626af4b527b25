"""Start, steer and ask running cases: the one place outside workflows/ that knows their types."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import SearchAttributePair as Pair
from temporalio.common import TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.types import MethodAsyncSingleParam
from temporalio.workflow import UpdateMethodMultiParam

from activities.ports import Execution, Startable
from domain import names
from domain.case import CaseSnapshot, Explanation
from domain.econsult.acts import Receipt
from domain.econsult.payment_events import PaymentEvent
from domain.econsult.state import EConsultOrder
from domain.econsult.view import EConsultSnapshot
from domain.errors import GatewayUnavailable, Refused
from domain.licences import LicenceOrder
from domain.names import CARE_QUEUE, Process, TaskQueue
from domain.rates import DecideRate, RateReceipt, RateRequestOrder
from domain.review import ReviewOrder
from domain.rollout.orders import RolloutOrder
from domain.rollout.triggers import TelemetryNews
from domain.threads import ThreadOrder, ThreadReceipt, ThreadSnapshot
from domain.visit.acts import VisitReceipt
from domain.visit.state import VisitOrder
from domain.visit.view import VisitSnapshot
from domain.visit_calls import CallEvent
from workflows import search_attributes as attributes
from workflows import signals
from workflows.econsult.workflow import EConsult
from workflows.licence import Licence
from workflows.message_thread import MessageThread
from workflows.rate_request import RateRequest
from workflows.review import ConductReport, CredentialEvent
from workflows.rollout.programme import Rollout
from workflows.visit.workflow import Visit

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Order = TypeVar(
    "Order", EConsultOrder, RateRequestOrder, ThreadOrder, LicenceOrder, ReviewOrder, VisitOrder, RolloutOrder
)
Shown = TypeVar("Shown", bound=CaseSnapshot)

ANSWER_WITHIN_SECONDS = 30


class Cases:
    def __init__(self, client: Client) -> None:
        self.client = client

    async def start(self, order: Startable) -> None:
        """Start the case of an order of whatever kind; once, however often this is called."""
        match order:
            case EConsultOrder():
                await self.start_econsult(order)
            case RateRequestOrder():
                await self.start_rate_request(order)
            case ThreadOrder():
                await self.start_thread(order)
            case LicenceOrder():
                await self.start_licence(order)
            case ReviewOrder():
                await self.start_review(order)
            case VisitOrder():
                await self.start_visit(order)
            case RolloutOrder():
                await self.start_rollout(order)

    async def start_econsult(self, order: EConsultOrder) -> None:
        """Start the workflow of an order; once, however often this is called."""
        await self._start(
            EConsult.run,
            order,
            names.econsult_case(order.econsult_id),
            summary=f"eConsult, {order.specialty_code}, {order.purpose}",
            process=Process.ECONSULT,
        )

    async def start_rate_request(self, order: RateRequestOrder) -> None:
        await self._start(
            RateRequest.run,
            order,
            names.rate_request_case(order.request_id),
            summary=f"Rate request, {order.portion_cents} cents",
            process=Process.RATE_REQUEST,
        )

    async def start_thread(self, order: ThreadOrder) -> None:
        """Start the workflow of a thread, or the next one when that is over: `after_sequence` says so."""
        await self._start(
            MessageThread.run,
            order,
            names.message_thread_case(order.thread_id),
            summary=f"Messages, {order.source}",
            process=Process.MESSAGE_THREAD,
            queue=CARE_QUEUE,
            again=order.after_sequence > 0,
        )

    async def start_visit(self, order: VisitOrder) -> None:
        await self._start(
            Visit.run,
            order,
            names.visit_case(order.visit_id),
            summary=f"Visit, {order.duration_minutes} minutes",
            process=Process.VISIT,
            queue=CARE_QUEUE,
        )

    async def visit_status(self, visit_id: str) -> VisitSnapshot:
        return await self._visit(visit_id).query(Visit.status)

    async def explain_visit(self, visit_id: str) -> list[Explanation]:
        return await self._visit(visit_id).query(Visit.explain)

    def _visit(self, visit_id: str) -> WorkflowHandle[Visit, VisitReceipt]:
        return self.client.get_workflow_handle(names.visit_case(visit_id))

    async def start_rollout(self, order: RolloutOrder) -> None:
        """The programme; it starts everything else of the rollout itself."""
        await self._start(
            Rollout.run,
            order,
            names.rollout_case(order.program_id),
            summary=f"Rollout, {len(order.locations)} locations, {len(order.plan.waves)} waves",
            process=Process.ROLLOUT,
            queue=TaskQueue.ROLLOUTS,
        )

    async def status(self, case_id: str, kind: type[Shown]) -> Shown:
        """Where a case stands, from the workflow itself: every process has the query `status`."""
        found: Shown = await self.client.get_workflow_handle(case_id).query("status", result_type=kind)
        return found

    async def explain(self, case_id: str) -> list[Explanation]:
        """Every process has the query `explain`."""
        handle = self.client.get_workflow_handle(case_id)
        found: list[Explanation] = await handle.query("explain", result_type=list[Explanation])
        return found

    async def start_licence(self, order: LicenceOrder) -> None:
        await self._start(
            Licence.run,
            order,
            names.licence_case(order.licence_id),
            summary=f"Licence in {order.licence_state}",
            process=Process.LICENCE,
            queue=CARE_QUEUE,
        )

    async def start_review(self, order: ReviewOrder) -> None:
        """The case of a credential event or a conduct report."""
        process = Process(order.process)
        credential = process is Process.CREDENTIAL_EVENT
        case_id = names.credential_event_case if credential else names.conduct_report_case
        await self._start(
            CredentialEvent.run if credential else ConductReport.run,
            order,
            case_id(order.report_id),
            summary=f"Review, {order.kind}",
            process=process,
            queue=CARE_QUEUE,
        )

    async def ask(
        self, case_id: str, update: UpdateMethodMultiParam[[Any, Asked], Answer], asked: Asked, update_id: str
    ) -> Answer:
        """Ask something of a case, such as `ask(names.econsult_case(id), EConsult.cancel, CancelOrder(...), key)`.

        The same `update_id` asks once. Raises `Refused` (`case.not_running`), `GatewayUnavailable`
        (`temporal.no_answer`) when no worker answers in time: a repeat with its key is the same act. A refusal
        by a rule comes as Temporal's WorkflowUpdateFailedError, which api/problems.py reads.
        """
        return await _answer(self.client.get_workflow_handle(case_id).execute_update(update, asked, id=update_id))

    async def decide_rate(self, request_id: str, decision: DecideRate, update_id: str) -> RateReceipt:
        handle: WorkflowHandle[RateRequest, RateReceipt] = self.client.get_workflow_handle(
            names.rate_request_case(request_id)
        )
        return await _answer(handle.execute_update(RateRequest.decide, decision, id=update_id))

    async def thread_status(self, thread_id: str) -> ThreadSnapshot:
        return await self._thread(thread_id).query(MessageThread.status)

    async def report_payment(self, econsult_id: str, event: PaymentEvent) -> bool:
        """Tell the case of a payment event. False while there is no such running case."""
        try:
            await self._econsult(econsult_id).signal(EConsult.payment_reported, event)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def report_call(self, visit_id: str, event: CallEvent) -> bool:
        """Tell the visit how a call to its patient ended. False while there is no such running visit."""
        try:
            await self.client.get_workflow_handle(names.visit_case(visit_id)).signal(Visit.call_reported, event)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def report_telemetry(self, program_id: str, location_id: str, news: TelemetryNews) -> bool:
        """Tell a location what a stored batch of telemetry says. False while there is no such running location."""
        handle = self.client.get_workflow_handle(names.location_case(program_id, location_id))
        try:
            await handle.signal(signals.TELEMETRY_REPORTED, news)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def execution(self, case_id: str) -> Execution:
        """What Temporal knows of a case's workflow; one that ended longer ago than the retention is missing."""
        try:
            found = await self.client.get_workflow_handle(case_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Execution.MISSING
            raise
        return Execution.RUNNING if found.status is WorkflowExecutionStatus.RUNNING else Execution.ENDED

    async def econsult_status(self, econsult_id: str) -> EConsultSnapshot:
        """Where the case stands, from the workflow itself."""
        return await self._econsult(econsult_id).query(EConsult.status)

    async def explain_econsult(self, econsult_id: str) -> list[Explanation]:
        return await self._econsult(econsult_id).query(EConsult.explain)

    def _econsult(self, econsult_id: str) -> WorkflowHandle[EConsult, Receipt]:
        return self.client.get_workflow_handle(names.econsult_case(econsult_id))

    def _thread(self, thread_id: str) -> WorkflowHandle[MessageThread, ThreadReceipt]:
        return self.client.get_workflow_handle(names.message_thread_case(thread_id))

    async def _start(
        self,
        run: MethodAsyncSingleParam[Any, Order, Any],
        order: Order,
        case_id: str,
        *,
        summary: str,
        process: Process,
        queue: TaskQueue = TaskQueue.ECONSULTS,
        again: bool = False,
    ) -> None:
        """Once, unless `again`: then also after an execution that is over, but never beside one that runs."""
        reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.REJECT_DUPLICATE
        try:
            await self.client.start_workflow(
                run,
                order,
                id=case_id,
                task_queue=queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=reuse,
                search_attributes=_searchable(process, order),
                static_summary=summary,
            )
        except WorkflowAlreadyStartedError:
            return  # it ran before and is over: started is started


def _searchable(process: Process, order: Startable) -> TypedSearchAttributes:
    whose = (
        Pair(attributes.PROGRAM_ID, order.program_id)
        if isinstance(order, RolloutOrder)
        else Pair(attributes.CLINICIAN_ID, order.clinician_id)
    )
    return TypedSearchAttributes(
        [Pair(attributes.PROCESS, str(process)), whose, Pair(attributes.POLICY_VERSION, order.policy.version)]
    )


async def _answer(update: Awaitable[Answer]) -> Answer:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            return await update
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise GatewayUnavailable(
            "temporal.no_answer", "no worker answered in time; repeat the request with its key"
        ) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Refused("case.not_running", "the case is over, or has not begun") from None
        raise
