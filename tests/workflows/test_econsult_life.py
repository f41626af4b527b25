"""Whole lives of an eConsult, by the clock."""

from __future__ import annotations

from datetime import timedelta

from domain.econsult.states import FollowUp, Stage
from tests.workflows.consult import Consult

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def test_closes_after_ten_days_with_everything_settled(consult: Consult) -> None:
    await consult.pay()
    await consult.accept()
    await consult.reply()
    question = await consult.ask()
    await consult.answer(question)
    visit = await consult.book(after=3 * DAY)
    await consult.world.advance(4 * DAY)
    await consult.complete_visit(visit)
    await consult.judge_outcome()
    await consult.world.advance(6 * DAY + HOUR)

    view = await consult.recorded()
    assert (view.stage, view.follow_up) == (Stage.CLOSED, FollowUp.COMPLETED)
    assert view.outcome is not None
    assert view.outcome.improved_care_plan
    assert await consult.balances() == {
        "processor_balance": 14000 - 436,
        "processor_fees": 436,
        "network_payable": -12000,
        "clinician_payable": -2000,
    }
    assert [document.version for document in await consult.documents()] == [1, 2]
    assert [(row.number, row.status) for row in await consult.assignments()] == [(1, "replied")]
    await consult.world.advance(consult.policy.money_watch)
    assert await consult.world.has_ended(consult.econsult_id)
