"""After the answer: ten days of questions, the included visit, the outcome (E-06, E-09, E-10, decisions 12, 14, 15)."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.contracts import AcceptMessage, PublishDocument, SetVisitStatus, StepDetail
from domain import names
from domain.actors import Actor, Audience
from domain.econsult import acts, rules
from domain.econsult.rules import answer_clock
from domain.econsult.state import FollowUpVisit, Outcome, Question
from domain.econsult.states import Event, FollowUp, Stage
from domain.visit.acts import Act as VisitAct
from workflows import signals
from workflows.case import refusals, tell
from workflows.econsult.specialist import SpecialistTrack

WINDOW = "follow_up_window"
BOOKING = "booking"


class FollowUpTrack(SpecialistTrack):
    async def follow_up_passes(self) -> None:
        """Hold the window open, then wait for what was begun in it: answers still owed, the booked visit."""
        await workflow.wait_condition(lambda: self.clocks.has_run_out(WINDOW))
        async with self.turn():
            await self._close_window()
        await workflow.wait_condition(lambda: not self.state.pending_questions)
        await self._visit_passes()

    async def _close_window(self) -> None:
        self.clocks.cancel(BOOKING, "the follow-up window is over")
        if self.state.follow_up is FollowUp.PROMPTED:
            self.state.follow_up = FollowUp.NOT_BOOKED
        self.state.stage = Stage.AWAITING_FOLLOW_UP
        await self.record(Event.FOLLOW_UP_WINDOW_CLOSED)

    async def _visit_passes(self) -> None:
        """A booked visit is waited for; one that nobody completes counts as not booked and stays owed."""
        while self.state.follow_up is FollowUp.BOOKED and self.state.follow_up_visit:
            visit = self.state.follow_up_visit
            patience = visit.starts_at + self.policy.follow_up_patience - workflow.now()
            try:
                await workflow.wait_condition(
                    lambda visit=visit: (
                        self.state.follow_up_visit != visit  # type: ignore[misc]
                        or self.state.follow_up is not FollowUp.BOOKED
                    ),
                    timeout=max(patience, timedelta()),
                    timeout_summary="waiting for the follow-up visit",
                )
            except TimeoutError:
                await self._give_the_visit_up(visit)

    async def _give_the_visit_up(self, visit: FollowUpVisit) -> None:
        async with self.turn():
            if self.state.follow_up is FollowUp.BOOKED and self.state.follow_up_visit == visit:
                await self._visit_not_held(visit)

    async def _visit_not_held(self, visit: FollowUpVisit) -> None:
        """It may still be held, or booked anew; until then it stays owed."""
        self.state.follow_up = FollowUp.NOT_BOOKED
        await self.record(
            Event.FOLLOW_UP_NOT_HELD,
            detail=StepDetail(subject=visit.visit_id, due=visit.starts_at),
            notices=(tell(Audience.CLINICIAN, "follow_up_not_held"), tell(Audience.PATIENT, "follow_up_prompt")),
        )

    @workflow.update
    async def ask_follow_up(self, request: acts.AskFollowUp) -> acts.Receipt:
        """A question to the specialist, inside the window."""
        async with self.asked():
            rules.may_ask_follow_up(self.state, workflow.now())
            question = Question(question_id=request.message_id, asked_at=workflow.now())
            self.state.questions.append(question)
            self.clocks.arm(self.policy.answer, answer_clock(question.question_id))
            return await self.record(
                Event.QUESTION_ASKED,
                request.actor,
                StepDetail(subject=question.question_id),
                effects=(AcceptMessage(message_id=question.question_id),),
                notices=(tell(Audience.SPECIALIST, "question_asked"),),
            )

    @ask_follow_up.validator
    def _ask_follow_up_allowed(self, request: acts.AskFollowUp) -> None:
        with refusals():
            rules.may_ask_follow_up(self.state, workflow.now())

    @workflow.update
    async def answer_follow_up(self, request: acts.AnswerFollowUp) -> acts.Receipt:
        """The specialist's answer becomes the next version of the document."""
        async with self.asked():
            rules.may_answer(self.state, request.assignment_id, request.question_id)
            question = rules.open_question(self.state, request.question_id)
            answered = question.model_copy(update={"answer_id": request.message_id, "answered_at": workflow.now()})
            self.state.questions[self.state.questions.index(question)] = answered
            self.state.document_version += 1
            self.clocks.meet(answer_clock(question.question_id), request.actor)
            return await self.record(
                Event.QUESTION_ANSWERED,
                request.actor,
                StepDetail(subject=question.question_id),
                effects=(
                    AcceptMessage(message_id=request.message_id),
                    PublishDocument(
                        version=self.state.document_version,
                        message_id=request.message_id,
                        question_id=question.question_id,
                    ),
                ),
                notices=(
                    tell(Audience.CLINICIAN, "question_answered"),
                    tell(Audience.PATIENT, "record_extended"),
                ),
            )

    @answer_follow_up.validator
    def _answer_follow_up_allowed(self, request: acts.AnswerFollowUp) -> None:
        with refusals():
            rules.may_answer(self.state, request.assignment_id, request.question_id)

    @workflow.update
    async def withdraw_question(self, request: acts.WithdrawQuestion) -> acts.Receipt:
        """A question that will not be answered is waited for no longer."""
        async with self.asked():
            question = rules.may_withdraw_question(self.state, request.question_id, request.actor.role)
            withdrawn = question.model_copy(update={"withdrawn_at": workflow.now()})
            self.state.questions[self.state.questions.index(question)] = withdrawn
            self.clocks.cancel(answer_clock(question.question_id), "withdrawn")
            return await self.record(
                Event.QUESTION_WITHDRAWN,
                request.actor,
                StepDetail(subject=question.question_id, code=request.reason),
                notices=(
                    tell(Audience.SPECIALIST, "question_withdrawn"),
                    tell(Audience.CLINICIAN, "question_withdrawn_clinician"),
                ),
            )

    @withdraw_question.validator
    def _withdraw_question_allowed(self, request: acts.WithdrawQuestion) -> None:
        with refusals():
            rules.may_withdraw_question(self.state, request.question_id, request.actor.role)

    @workflow.update
    async def book_follow_up_visit(self, request: acts.BookFollowUpVisit) -> acts.Receipt:
        """Book the included visit; one after the window is allowed, with a warning."""
        async with self.asked():
            rules.may_book_follow_up(self.state, self.policy, request.starts_at, workflow.now())
            late = rules.is_after_window(self.state, request.starts_at)
            self.state.follow_up = FollowUp.BOOKED
            self.state.follow_up_visit = FollowUpVisit(
                visit_id=request.visit_id, starts_at=request.starts_at, after_window=late
            )
            self.clocks.meet(BOOKING, request.actor)
            clinician = "follow_up_booked_late" if late else "follow_up_booked"
            return await self.record(
                Event.FOLLOW_UP_BOOKED,
                request.actor,
                StepDetail(
                    subject=request.visit_id,
                    code="follow_up_visit.after_window" if late else None,
                    due=request.starts_at,
                ),
                effects=(SetVisitStatus(visit_id=request.visit_id, status="scheduled"),),
                notices=(tell(Audience.PATIENT, "follow_up_confirmed"), tell(Audience.CLINICIAN, clinician)),
            )

    @book_follow_up_visit.validator
    def _book_allowed(self, request: acts.BookFollowUpVisit) -> None:
        with refusals():
            rules.may_book_follow_up(self.state, self.policy, request.starts_at, workflow.now())

    @workflow.signal
    async def follow_up_visit_reported(self, report: acts.FollowUpReport) -> None:
        """The visit was held: what was owed to the clinician is settled (decision 15). Or it was not, or is later."""
        async with self.turn():
            visit = self.state.follow_up_visit
            if visit is None or visit.visit_id != report.visit_id or self.state.follow_up not in rules.UNSETTLED:
                return
            if report.news is acts.FollowUpNews.HELD:
                self.state.follow_up = FollowUp.COMPLETED
                await self.record(Event.FOLLOW_UP_COMPLETED, detail=StepDetail(subject=visit.visit_id))
            elif report.news is acts.FollowUpNews.MOVED:
                await self._visit_moved(visit, report.starts_at)
            elif self.state.follow_up is FollowUp.BOOKED:
                await self._visit_not_held(visit)

    async def _visit_moved(self, visit: FollowUpVisit, starts_at: datetime) -> None:
        late = rules.is_after_window(self.state, starts_at)
        moved = visit.model_copy(update={"starts_at": starts_at, "after_window": late})
        self.state.follow_up, self.state.follow_up_visit = FollowUp.BOOKED, moved
        told = (tell(Audience.CLINICIAN, "follow_up_booked_late"),) if late else ()
        detail = StepDetail(
            subject=visit.visit_id, code="follow_up_visit.after_window" if late else None, due=starts_at
        )
        await self.record(Event.FOLLOW_UP_MOVED, detail=detail, notices=told)

    @workflow.update
    async def decline_follow_up_visit(self, request: acts.Act) -> acts.Receipt:
        """The patient wants no visit; a booked one is cancelled, and nothing is owed any more."""
        async with self.asked():
            rules.may_decline_follow_up(self.state)
            booked = self.state.follow_up_visit
            self.state.follow_up = FollowUp.DECLINED
            self.clocks.cancel(BOOKING, "declined")
            if booked:
                self.start(self._call_off(booked.visit_id, request.actor))
            return await self.record(
                Event.FOLLOW_UP_DECLINED,
                request.actor,
                effects=(SetVisitStatus(visit_id=booked.visit_id, status="cancelled"),) if booked else (),
                notices=(tell(Audience.CLINICIAN, "follow_up_declined"),),
            )

    @decline_follow_up_visit.validator
    def _decline_allowed(self, request: acts.Act) -> None:
        with refusals():
            rules.may_decline_follow_up(self.state)

    async def _call_off(self, visit_id: str, actor: Actor) -> None:
        handle = workflow.get_external_workflow_handle(names.visit_case(visit_id))
        try:
            await handle.signal(signals.FOLLOW_UP_DECLINED, VisitAct(actor=actor))
        except FailureError:
            workflow.logger.warning("the follow-up visit is over")

    @workflow.update
    async def capture_outcome(self, request: acts.CaptureOutcome) -> acts.Receipt:
        """Did it improve the care plan, did it spare an in-person visit; the last word counts."""
        async with self.asked():
            rules.may_capture_outcome(self.state)
            self.state.outcome = Outcome(
                improved_care_plan=request.improved_care_plan,
                avoided_in_person=request.avoided_in_person,
                captured_at=workflow.now(),
            )
            return await self.record(Event.OUTCOME_CAPTURED, request.actor)

    @capture_outcome.validator
    def _capture_outcome_allowed(self, request: acts.CaptureOutcome) -> None:
        with refusals():
            rules.may_capture_outcome(self.state)
