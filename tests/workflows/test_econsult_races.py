"""Two at once, twice the same, too early, cancelled from outside."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from crypto import Keyring
from db.session import Database
from domain import names
from domain.econsult import acts
from domain.econsult.states import Stage
from domain.errors import Refused
from embedded.rehearsal import Rehearsal, rehearse
from tests.workflows.consult import SUPPORT, Consult, deliver_to, invite_people
from tests.workflows.test_econsult_life import DAY, PAID_IN_FULL, code_of
from workflows.econsult.workflow import EConsult


async def answered(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()


async def test_two_replies_at_once_count_once(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    results = await asyncio.gather(consult.reply(), consult.reply(), return_exceptions=True)
    refused = [result for result in results if isinstance(result, WorkflowUpdateFailedError)]
    assert len(refused) == 1
    assert (await consult.events()).count("response_ready") == 1
    assert len(await consult.documents()) == 1
    assert (await consult.balances())["clinician_payable"] == -2000


async def test_the_same_act_sent_twice_happens_once_and_answers_alike(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    first = await consult.reply(update_id="same")
    second = await consult.reply(update_id="same")
    assert first == second
    assert (await consult.events()).count("response_ready") == 1


async def test_a_question_in_the_last_second_is_heard_and_one_after_it_is_not(consult: Consult) -> None:
    await answered(consult)
    ends = (await consult.status()).window_ends_at
    assert ends is not None
    now = await consult.world.env.get_current_time()
    await consult.world.advance(ends - now - timedelta(seconds=2))
    await consult.ask()
    await consult.world.advance(timedelta(seconds=3))
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.ask()
    assert code_of(refusal) == "follow_up.window_closed"


async def test_two_refund_decisions_at_once_pay_back_once(consult: Consult) -> None:
    await answered(consult)
    request = await consult.request_refund()
    results = await asyncio.gather(
        consult.decide_refund(request, 14000), consult.decide_refund(request, 14000), return_exceptions=True
    )
    assert sum(isinstance(result, WorkflowUpdateFailedError) for result in results) == 1
    await consult.happened("refunded")
    await consult.happened("fee_booked")
    assert (await consult.recorded()).payments[0].refunded_cents == 14000


async def test_declining_and_replying_at_once_leaves_one_of_them(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await asyncio.gather(consult.decline(), consult.reply(), return_exceptions=True)
    view = await consult.status()
    assert view.stage in {Stage.FOLLOW_UP_WINDOW, Stage.WITH_SPECIALIST}
    assert (view.stage is Stage.FOLLOW_UP_WINDOW) == ("response_ready" in await consult.events())


async def test_two_payers_at_once_get_one_checkout(consult: Consult) -> None:
    sessions = await asyncio.gather(consult.open_checkout(), consult.open_checkout())
    assert sessions[0] == sessions[1]
    assert (await consult.events()).count("checkout_opened") == 1


async def test_two_people_who_take_the_same_matter_on_are_one_step_and_the_first_stands(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.world.advance(timedelta(hours=49))
    await asyncio.gather(consult.acknowledge("turnaround"), consult.acknowledge("turnaround"))
    assert (await consult.events()).count("escalation_acknowledged") == 1


async def test_a_withdrawn_specialist_cannot_reply(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    late = await consult.assigned()
    await consult.world.advance(3 * DAY + timedelta(minutes=1))
    await consult.reassign()
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await consult.reply(to=late)
    assert code_of(refusal) == "assignment.not_current"


async def test_starting_an_order_twice_starts_it_once(consult: Consult) -> None:
    await consult.world.cases.start_econsult(consult.order)
    await consult.dealt_with()
    assert await consult.events() == ["ordered"]


async def test_a_case_that_is_over_is_not_started_again(consult: Consult) -> None:
    await consult.cancel()
    await consult.world.advance(consult.policy.unpaid_watch + DAY)
    assert await consult.world.has_ended(consult.case_id)
    await consult.world.cases.start_econsult(consult.order)
    assert await consult.world.has_ended(consult.case_id)


async def test_an_execution_cancelled_by_an_operator_returns_the_money(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    handle = consult.world.client.get_workflow_handle(names.econsult_case(consult.econsult_id))
    await handle.cancel()
    await consult.happened("refunded")
    assert (await consult.recorded()).stage is Stage.REFUNDED
    assert await consult.balances() == {"processor_balance": -436, "processor_fees": 436}
    assert await consult.world.has_ended(consult.case_id)


async def test_an_execution_cancelled_after_the_answer_keeps_what_was_earned(consult: Consult) -> None:
    await answered(consult)
    await consult.happened("fee_booked")
    handle = consult.world.client.get_workflow_handle(names.econsult_case(consult.econsult_id))
    await handle.cancel()
    await consult.happened("closed")
    assert await consult.balances() == PAID_IN_FULL | {"network_payable": -12000, "clinician_payable": -2000}


async def test_every_side_effect_run_twice_happens_once(database: Database, keyring: Keyring) -> None:
    """As after a crash between an activity's effect and its report."""
    places: list[Rehearsal] = []
    async with rehearse(
        database, keyring=keyring, deliver=deliver_to(places), interceptors=(RunsTwice(),)
    ) as rehearsal:
        places.append(rehearsal)
        consult = Consult(rehearsal, await invite_people(database))
        await consult.place()
        await consult.pay()
        await consult.decline()
        await consult.accept()
        await consult.reply(in_person=True)
        await consult.answer(await consult.ask())
        await consult.decide_refund(await consult.request_refund(), 4000)
        await consult.happened("refunded")
        await consult.happened("fee_booked")
        sent = await consult.notices()
        assert len(sent) == len(set(await consult.notice_keys()))
        assert await consult.balances() == {
            "processor_balance": 14000 - 436 - 4000,
            "processor_fees": 436,
            "refunds_granted": 4000,
            "network_payable": -12000,
            "clinician_payable": -2000,
        }
        assert [document.version for document in await consult.documents()] == [1, 2]
        assert [step.sequence for step in await consult.steps()] == list(range(1, len(await consult.steps()) + 1))


class RunsTwice(Interceptor):
    """Runs each activity twice and answers with the second result."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _RunsTwice(next)


class _RunsTwice(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        await super().execute_activity(input)
        return await super().execute_activity(input)


async def test_an_update_that_needs_no_worker_is_refused_when_the_case_is_over(consult: Consult) -> None:
    await consult.cancel()
    await consult.world.advance(consult.policy.unpaid_watch + DAY)
    request = acts.RequestRefund(actor=SUPPORT, request_id="r")
    with pytest.raises(Refused, match="the case is over"):
        await consult.world.cases.ask(consult.case_id, EConsult.request_refund, request, "u")
