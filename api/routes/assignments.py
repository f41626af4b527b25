"""What a specialist does with the cases that are theirs (E-05, E-06)."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.callers import Caller, caller
from api.dependencies import AppServices
from api.econsult_acting import EConsultActs, EConsultActsOfRequest
from api.problems import responses
from api.schemas.acts import AnswerText, Decline, InformationText, SpecialistReply
from api.schemas.econsults import EConsultView, econsult_view
from api.values import Cursor, Limit, Page, RecordId
from db import econsults
from db.econsults import Case, Filters
from domain.access import Role
from domain.econsult import acts
from domain.econsult.state import Assignment
from domain.econsult.states import ENDED, AssignmentStatus
from workflows.econsult.workflow import EConsult

router = APIRouter(tags=["assignments"])
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

AssignedSpecialist = Annotated[Caller, caller(Role.SPECIALIST)]


class AssignmentView(BaseModel):
    assignment: Assignment
    econsult: EConsultView


@router.get("/assignments", summary="The cases I have", responses=responses(401, 403, 422))
async def list_assignments(
    services: AppServices,
    who: AssignedSpecialist,
    ended: Annotated[bool, Query(description="Also cases that are over.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[AssignmentView]:
    """Newest first; declined and withdrawn ones are not listed."""
    filters = Filters(specialist_id=who.scope.specialist_id, not_states=() if ended else tuple(ENDED))
    async with services.database.transaction() as session:
        found = await econsults.page(session, who.scope, filters, before=cursor, limit=limit + 1)
    items = [
        AssignmentView(assignment=current, econsult=econsult_view(case, services.clock(), money=False))
        for case in found[:limit]
        if (current := _current(case))
    ]
    return Page(items=items, next_cursor=found[limit - 1].order.id if len(found) > limit else None)


@router.post("/econsults/{econsult_id}/assignment/accept", summary="Accept a case", responses=PROBLEMS)
async def accept(econsult_id: RecordId, act: EConsultActsOfRequest, who: AssignedSpecialist) -> EConsultView:
    """409 `assignment.already_accepted`, `assignment.not_current`."""
    case, assignment_id = await _mine(act, econsult_id, who)
    asked = acts.AssignmentAct(actor=who.actor(case), assignment_id=assignment_id)
    return await act.ask(case, who, EConsult.accept_case, asked)


@router.post("/econsults/{econsult_id}/assignment/decline", summary="Decline a case", responses=PROBLEMS)
async def decline(
    econsult_id: RecordId, body: Decline, act: EConsultActsOfRequest, who: AssignedSpecialist
) -> EConsultView:
    """Another specialist gets it. 409 `assignment.answered`, `assignment.not_current`."""
    case, assignment_id = await _mine(act, econsult_id, who)
    asked = acts.DeclineCase(actor=who.actor(case), assignment_id=assignment_id, reason=body.reason)
    return await act.ask(case, who, EConsult.decline_case, asked)


@router.post("/econsults/{econsult_id}/information-requests", summary="Ask for more information", responses=PROBLEMS)
async def request_information(
    econsult_id: RecordId, body: InformationText, act: EConsultActsOfRequest, who: AssignedSpecialist
) -> EConsultView:
    """The turnaround clock pauses until the clinician has answered. 409 `assignment.not_accepted`."""
    case, assignment_id = await _mine(act, econsult_id, who)
    text = act.text(case, who, "information_request", body.body)
    async with act.bringing(text):
        asked = acts.RequestInformation(actor=who.actor(case), assignment_id=assignment_id, message_id=text.id)
        return await act.ask(case, who, EConsult.request_information, asked)


@router.post("/econsults/{econsult_id}/reply", summary="Answer a case", responses=PROBLEMS)
async def reply(
    econsult_id: RecordId, body: SpecialistReply, act: EConsultActsOfRequest, who: AssignedSpecialist
) -> EConsultView:
    """Goes into the patient's record. 409 `econsult.already_answered`, `assignment.not_accepted`."""
    case, assignment_id = await _mine(act, econsult_id, who)
    text = act.text(case, who, "reply", body.body)
    text.impression = body.impression
    text.recommendations = json.dumps(body.recommendations)
    text.in_person_recommended = body.in_person_recommended
    async with act.bringing(text):
        asked = acts.Reply(
            actor=who.actor(case),
            assignment_id=assignment_id,
            message_id=text.id,
            in_person_recommended=body.in_person_recommended,
        )
        return await act.ask(case, who, EConsult.reply, asked)


@router.post("/econsults/{econsult_id}/questions/{question_id}/answer", summary="Answer a question", responses=PROBLEMS)
async def answer_question(
    econsult_id: RecordId, question_id: RecordId, body: AnswerText, act: EConsultActsOfRequest, who: AssignedSpecialist
) -> EConsultView:
    """Also after the window, when it was asked in time (decision 12). 409 `follow_up.question_not_open`."""
    case, assignment_id = await _mine(act, econsult_id, who)
    text = act.text(case, who, "answer", body.body)
    text.question_id = question_id
    async with act.bringing(text):
        asked = acts.AnswerFollowUp(
            actor=who.actor(case), assignment_id=assignment_id, question_id=question_id, message_id=text.id
        )
        return await act.ask(case, who, EConsult.answer_follow_up, asked)


async def _mine(act: EConsultActs, econsult_id: str, who: Caller) -> tuple[Case, str]:
    """The case and the id of the caller's assignment. 404 unless it is theirs now."""
    async with act.services.database.transaction() as session:
        case = await econsults.get(session, econsult_id, who.scope)
        assignment = await econsults.current_assignment(session, econsult_id, who.scope.specialist_id or "")
    return case, assignment.id


def _current(case: Case) -> Assignment | None:
    """The latest assignment, when it still holds."""
    assignments = case.snapshot.assignments if case.snapshot else ()
    over = {AssignmentStatus.DECLINED, AssignmentStatus.WITHDRAWN}
    return assignments[-1] if assignments and assignments[-1].status not in over else None
