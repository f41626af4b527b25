"""Which act is allowed when. Each rule raises `Refused` with a stable code and what is missing, or returns nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.access import Role
from domain.clock import Outcome
from domain.errors import Refused
from domain.visit.policy import VisitPolicy
from domain.visit.state import VisitOrder, VisitState
from domain.visit.states import BEFORE, Fulfilment, NoteStatus, Obligation, VisitStage, VisitStatus

JOINABLE = BEFORE | {VisitStage.IN_PROGRESS}


def may_schedule(policy: VisitPolicy, starts_at: datetime, now: datetime) -> None:
    if starts_at < now:
        raise Refused("visit.in_the_past", "a visit is scheduled for the future", earliest=now)
    if starts_at > now + policy.horizon:
        raise Refused("visit.too_far_ahead", "visits are scheduled at most so far ahead")


def may_reschedule(state: VisitState, policy: VisitPolicy, starts_at: datetime, now: datetime) -> None:
    """Only while nobody is there: a visit that has begun is completed, cancelled or flagged."""
    if state.stage is not VisitStage.SCHEDULED and state.stage is not VisitStage.CLINICIAN_LATE:
        raise Refused("visit.not_scheduled", f"the visit is {state.stage}", missing=("visit.scheduled",))
    may_schedule(policy, starts_at, now)


def may_join(state: VisitState, policy: VisitPolicy, now: datetime) -> None:
    """Not days ahead: who joins is there for the visit."""
    if state.stage not in JOINABLE:
        raise Refused("visit.over", f"the visit is {state.stage}")
    opens = state.starts_at - policy.join_earliest
    if now < opens:
        raise Refused("visit.too_early", "the visit is not open yet", earliest=opens)


def may_cancel(state: VisitState, order: VisitOrder, role: str, now: datetime) -> None:
    """A clinician who waits for the patient does not cancel before the minimum wait is over (V-09)."""
    if state.stage not in BEFORE:
        raise Refused("visit.not_scheduled", f"the visit is {state.stage}", missing=("visit.scheduled",))
    over = wait_is_over_at(state, order)
    if role == Role.CLINICIAN and over is not None and now < over:
        raise Refused(
            "visit.wait_not_over", "the patient still has time", missing=("visit.minimum_wait",), earliest=over
        )


def wait_is_over_at(state: VisitState, order: VisitOrder) -> datetime | None:
    """When the clinician has waited long enough (V-05, V-06, decision 05); None while the clinician is not there."""
    begun = state.waited_from
    return begun + order.policy.minimum_wait(order.duration_minutes) if begun else None


def may_call_patient(state: VisitState, now: datetime) -> None:
    """V-07: by the clinician who is there, from the start of the visit on (decision 06)."""
    if state.stage not in BEFORE:
        raise Refused("visit.over", f"the visit is {state.stage}")
    if state.clinician_joined_at is None:
        raise Refused("visit.clinician_absent", "join the visit first", missing=("visit.clinician_joined",))
    if now < state.starts_at:
        raise Refused("visit.not_begun", "the visit has not begun", earliest=state.starts_at)


def may_flag_no_show(state: VisitState, order: VisitOrder, now: datetime) -> None:
    """V-08: waited long enough, called twice, and the patient has not joined.

    `missing` lists every precondition that is not met; `earliest` is when they could all be.
    """
    if state.patient_joined_at is not None:
        raise Refused("visit.patient_joined", "the patient joined: it is no no-show")
    if state.stage not in BEFORE:
        raise Refused("visit.over", f"the visit is {state.stage}")
    policy = order.policy
    attempts = state.attempts(policy.call_spacing)
    wanting = policy.call_attempts - len(attempts)
    over = wait_is_over_at(state, order)
    missing = [
        code
        for code, absent in (
            ("visit.clinician_joined", over is None),
            ("visit.minimum_wait", over is None or now < over),
            ("visit.call_attempts", wanting > 0),
        )
        if absent
    ]
    if missing:
        raise Refused(
            "visit.no_show_unproven",
            f"a no-show needs {policy.call_attempts} calls and the full wait",
            missing=tuple(missing),
            earliest=_earliest_flag(state, order, now, attempts, wanting),
        )


def _earliest_flag(
    state: VisitState, order: VisitOrder, now: datetime, attempts: list[datetime], wanting: int
) -> datetime:
    """If the clinician joins now at the latest and calls as soon as calls count."""
    policy = order.policy
    joined = state.clinician_joined_at or now
    waited = max(state.starts_at, joined) + policy.minimum_wait(order.duration_minutes)
    if wanting <= 0:
        return waited
    first_call = max(now, state.starts_at, attempts[-1] + policy.call_spacing if attempts else now)
    return max(waited, first_call + (wanting - 1) * policy.call_spacing)


def may_complete(state: VisitState, now: datetime) -> None:
    if state.stage is not VisitStage.IN_PROGRESS:
        raise Refused("visit.not_in_progress", f"the visit is {state.stage}", missing=("visit.in_progress",))
    if now < state.starts_at:
        raise Refused("visit.not_begun", "the visit has not begun", earliest=state.starts_at)


def may_dispute_no_show(state: VisitState, until: datetime | None, now: datetime) -> None:
    if state.stage is not VisitStage.PATIENT_NO_SHOW:
        raise Refused("no_show.none", f"the visit is {state.stage}")
    if state.dispute is not None:
        raise Refused("no_show.already_disputed", "this no-show was disputed before")
    if until is None or now >= until:
        raise Refused("no_show.final", "the time to dispute it is over")


def may_decide_dispute(state: VisitState) -> None:
    if state.dispute is None or state.dispute.upheld is not None:
        raise Refused("no_show.not_disputed", "no dispute waits for a decision")


def may_settle(state: VisitState, obligation: Obligation) -> None:
    """V-10, V-11. Also late: then the clock was breached, and what was owed is there all the same."""
    if obligation is Obligation.NOTE:
        raise Refused(
            "note.platform_note_needed", "write the note here: a note elsewhere does not stand in for it (V-14)"
        )
    _still_owed(state, obligation)


def may_waive(state: VisitState, obligation: Obligation) -> None:
    _still_owed(state, obligation)


def _still_owed(state: VisitState, obligation: Obligation) -> None:
    if state.completed_at is None:
        raise Refused("visit.not_completed", f"the visit is {state.stage}", missing=("visit.completed",))
    if obligation in state.settled:
        raise Refused("obligation.settled", "this was settled before")


def may_save_note(state: VisitState) -> None:
    """From the moment the visit is in progress; a complete note stays as it is."""
    if state.stage in BEFORE or (state.completed_at is None and state.stage is not VisitStage.IN_PROGRESS):
        raise Refused("visit.not_begun", f"the visit is {state.stage}", missing=("visit.in_progress",))


def may_note(status: str) -> None:
    """The same by the record of a visit whose process is over, or that never had one."""
    if status == VisitStatus.CANCELLED:
        raise Refused("visit.cancelled", "there is nothing to note of a cancelled visit")
    if status == VisitStatus.NO_SHOW:
        raise Refused("visit.not_held", "there is nothing to note of a visit that the patient did not come to")
    if status == VisitStatus.SCHEDULED:
        raise Refused("visit.not_begun", "the visit has not begun", missing=("visit.in_progress",))


def note_suffices(order: VisitOrder, status: NoteStatus) -> bool:
    """Whether this note satisfies the clock (decision 08); a draft always does where a draft is asked for."""
    return status is NoteStatus.COMPLETE or order.policy.note_requires[order.visit_type] is NoteStatus.DRAFT


def may_excuse(state: VisitState, policy: VisitPolicy) -> None:
    """Decision 03: an excused absence stays on record and is shown apart."""
    if not was_missed(state, policy.join_allowance):
        raise Refused("visit.attended", "the clinician was on time")
    if state.excused_by is not None:
        raise Refused("visit.already_excused", "this absence was excused before")


def was_missed(state: VisitState, allowance: timedelta) -> bool:
    """Whether the clinician was late, did not come, or called the visit off (V-02).

    Who joined in time attended, whatever became of the visit. Who gives up on a clinician that is late already does
    not make the miss undone.
    """
    allowed = state.starts_at + allowance
    if state.clinician_joined_at is not None:
        return state.clinician_joined_at > allowed
    if state.stage is not VisitStage.CANCELLED:
        return state.stage in (VisitStage.CLINICIAN_NO_SHOW, VisitStage.CLINICIAN_LATE)
    by_clinician = state.ended_by is not None and state.ended_by.role == Role.CLINICIAN
    return by_clinician or (state.ended_at is not None and state.ended_at > allowed)


def has_breach(state: VisitState) -> bool:
    """Whether anything owed after the visit was late or never came, and was not waived (V-13)."""
    if any(settled.how is Fulfilment.BREACHED for settled in state.settled.values()):
        return True
    owed = (state.clocks[each] for each in Obligation if each in state.clocks)
    return any(clock.breached_at is not None and clock.outcome is not Outcome.WAIVED for clock in owed)
