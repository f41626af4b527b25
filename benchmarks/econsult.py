"""The happy path of an eConsult, act by act, straight through the Temporal client."""

from __future__ import annotations

from datetime import timedelta

from domain import names, policy
from domain.clock import Milestone, MilestoneKind
from domain.policy import EConsultPolicy
from tests.workflows.consult import Consult

WINDOW = timedelta(seconds=1)
"""Long enough for the acts inside it."""


def quick_policy() -> EConsultPolicy:
    """The ten days pass in a second, and nothing is watched for afterwards."""
    built_in = policy.load().econsult
    end = Milestone(name="window_closed", kind=MilestoneKind.END, after=WINDOW)
    window = built_in.follow_up_window.model_copy(update={"milestones": (end,)})
    return built_in.model_copy(update={"follow_up_window": window, "money_watch": timedelta(milliseconds=1)})


async def live(template: Consult) -> str:
    """A whole life; the workflow's id."""
    consult = template.another()
    await consult.place()
    await consult.pay()
    await consult.happened("fee_booked")
    await consult.accept()
    await consult.reply()
    visit = await consult.book(after=timedelta(hours=1))
    await consult.answer(await consult.ask())
    await consult.complete_visit(visit)
    await consult.judge_outcome()
    if not await consult.world.has_ended(consult.case_id):
        raise RuntimeError("the eConsult did not come to its end")
    return names.econsult_case(consult.econsult_id)
