"""The lives that the demo plays."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

from embedded.demo import visits
from embedded.demo.people import CLINICIAN, OPERATIONS, PATIENT, SUPPORT, Consult
from embedded.stage import Stage


class Played(Protocol):
    """A case after its story, to be read over the API."""

    @property
    def stage(self) -> Stage: ...

    @property
    def path(self) -> str: ...

    @property
    def remarks(self) -> Sequence[str]: ...


class Story(NamedTuple):
    title: str
    play: Callable[[Stage], Awaitable[Played]]
    ends: str
    """The state that it must end in."""


async def through_to_closing(stage: Stage) -> Consult:
    consult = await Consult.order(stage, "demo-1")
    await consult.wait(hours=3)
    await consult.pay()
    specialist = await consult.specialist()
    await consult.wait(hours=5)
    await consult.act(specialist, "/assignment/accept")
    await consult.wait(hours=9)
    await consult.reply(specialist, in_person=True)
    await consult.wait(days=1)
    starts_at = stage.rehearsal.clock.now + timedelta(days=3, hours=20)
    booked = await consult.act(PATIENT, "/follow-up-visit", starts_at=starts_at.isoformat())
    view = await consult.act(CLINICIAN, "/questions", body="Would you continue the beta blocker if he exercises?")
    await consult.wait(hours=20)
    question = view["questions"][-1]["question_id"]
    await consult.act(specialist, f"/questions/{question}/answer", body="Yes, at the same dose.")
    await consult.wait(days=3)
    await consult.hold(booked["follow_up_visit"]["visit_id"])
    await consult.act(CLINICIAN, "/outcome", improved_care_plan=True, avoided_in_person=False)
    await consult.wait(days=6)
    return consult


async def never_paid(stage: Stage) -> Consult:
    consult = await Consult.order(stage, "demo-2")
    await consult.wait(days=7, hours=1)
    return consult


async def answered_late(stage: Stage) -> Consult:
    consult = await Consult.order(stage, "demo-3")
    await consult.pay()
    specialist = await consult.specialist()
    await consult.act(specialist, "/assignment/accept")
    await consult.wait(hours=12)
    await consult.act(specialist, "/information-requests", body="Please add the latest electrocardiogram.")
    await consult.wait(hours=26)
    await consult.act(CLINICIAN, "/information", body="Sinus rhythm, normal intervals.")
    await consult.wait(hours=37)
    await consult.act(OPERATIONS, "/escalations/turnaround/acknowledge")
    await consult.wait(hours=20)
    await consult.reply(specialist)
    await consult.act(PATIENT, "/follow-up-visit/decline")
    await consult.wait(days=10, hours=1)
    return consult


async def declined_and_refunded(stage: Stage) -> Consult:
    consult = await Consult.order(stage, "demo-4")
    await consult.pay()
    await consult.act(await consult.specialist(), "/assignment/decline", reason="out_of_scope")
    second = await consult.specialist()
    await consult.act(second, "/assignment/accept")
    await consult.wait(hours=73)
    request = await consult.act(PATIENT, "/refund-requests", reason="It takes too long for me.")
    await consult.wait(hours=2)
    decided = request["money"]["refunds"][-1]["request_id"]
    await consult.act(SUPPORT, f"/refund-requests/{decided}/decision", approve=True)
    await consult.reaches("REFUNDED")
    return consult


ECONSULTS = (
    Story("Through to closing, with a question and the follow-up visit", through_to_closing, "CLOSED"),
    Story("Never paid: reminded, expired", never_paid, "PAYMENT_EXPIRED"),
    Story("Answered late: a pause, an escalation, an acknowledgement", answered_late, "CLOSED"),
    Story("Declined, reassigned, refunded", declined_and_refunded, "REFUNDED"),
)

VISITS = (
    Story("A visit that goes well", visits.goes_well, "CLOSED_COMPLIANT"),
    Story(
        "A late clinician: the patient told, escalated, acknowledged, excused",
        visits.late_clinician,
        "CLOSED_COMPLIANT",
    ),
    Story("A no-show: refused without evidence, accepted with it", visits.no_show, "PATIENT_NO_SHOW"),
    Story("A late note: the ladder climbed to an acknowledgement", visits.late_note, "CLOSED_WITH_BREACH"),
)

STORIES = ECONSULTS + VISITS
