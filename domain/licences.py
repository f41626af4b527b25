"""A clinician's licence in one state: what is done to it and where it stands (K-01 to K-03, decision 11)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field

from domain.actors import Actor, Notice
from domain.case import CaseProgress, CaseSnapshot, WaitsFor, progress
from domain.clock import ClockPolicy, Milestone, MilestoneKind
from domain.errors import Refused
from domain.model import Value


class LicenceStatus(StrEnum):
    ACTIVE = "ACTIVE"
    WAIVED = "WAIVED"  # a waiver stands in for a renewal
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"  # for good: a new licence is another one


class LicenceEvent(StrEnum):
    RECORDED = "licence_recorded"
    RENEWED = "licence_renewed"
    EXPIRED = "licence_expired"
    WAIVED = "licence_waived"
    WAIVER_ENDED = "waiver_ended"
    SUSPENDED = "licence_suspended"
    REINSTATED = "licence_reinstated"
    REVOKED = "licence_revoked"


class LossReason(StrEnum):
    """Why a licence is suspended or revoked."""

    BOARD_ACTION = "board_action"
    REPORTED_BY_CLINICIAN = "reported_by_clinician"
    REVIEW_OUTCOME = "review_outcome"
    INVESTIGATION = "investigation"
    OTHER = "other"


class Reminder(Value):
    name: str
    before: timedelta
    notices: tuple[Notice, ...] = ()


class ExpiryPolicy(Value):
    """What a clock does before a date that is known in advance, and at it."""

    name: str
    reminders: tuple[Reminder, ...]
    end: str
    """Name of the last milestone."""
    notices: tuple[Notice, ...] = ()


class LicencePolicy(Value):
    version: str
    expiry: ExpiryPolicy
    waiver: ExpiryPolicy
    history_limit: int = Field(ge=20)
    """Events of one run's history, after which a fresh run goes on with the licence."""


class LicenceAct(Value):
    actor: Actor


class RenewLicence(LicenceAct):
    """The last day, and its end where the state is: time zones are reckoned outside the workflow."""

    expires_on: date
    expires_at: datetime


class WaiveLicence(LicenceAct):
    waived_until: date
    waived_until_at: datetime


class EndLicence(LicenceAct):
    """Suspend or revoke."""

    reason: LossReason


class ReportedLoss(Value):
    """What a credential event says of a licence; known by the event's id."""

    event_id: str
    actor: Actor
    loss: Literal["suspended", "expired"]
    reason: LossReason = LossReason.REPORTED_BY_CLINICIAN


class LicenceReceipt(Value):
    sequence: int
    status: LicenceStatus


class LicenceState(CaseProgress):
    expires_on: date | None = None
    """None while nobody knows."""
    expires_at: datetime | None = None
    lapsed: bool = False
    waived_until: date | None = None
    waived_until_at: datetime | None = None
    suspended: LossReason | None = None
    revoked: LossReason | None = None
    seen: tuple[str, ...] = ()
    """Ids of the latest acts: Temporal forgets them when a fresh run begins."""

    @property
    def status(self) -> LicenceStatus:
        if self.revoked:
            return LicenceStatus.REVOKED
        if self.suspended:
            return LicenceStatus.SUSPENDED
        if self.waived_until_at:
            return LicenceStatus.WAIVED
        return LicenceStatus.EXPIRED if self.lapsed else LicenceStatus.ACTIVE


class LicenceOrder(Value):
    """The workflow's input. The licence's number stays in the database."""

    licence_id: str
    clinician_id: str
    licence_state: str
    """Postal code."""
    expires_on: date | None = None
    expires_at: datetime | None = None
    recorded_by: Actor
    policy: LicencePolicy
    carried: LicenceState | None = None
    """Of a fresh run: where the one before left off."""


class LicenceSnapshot(CaseSnapshot):
    process: Literal["Licence"] = "Licence"
    licence_id: str
    clinician_id: str
    licence_state: str
    status: LicenceStatus
    expires_on: date | None
    expires_at: datetime | None
    waived_until: date | None
    waived_until_at: datetime | None
    reason: LossReason | None


def expiry_clock(policy: ExpiryPolicy, armed_at: datetime, ends_at: datetime) -> ClockPolicy:
    """The policy of a clock that runs towards `ends_at`.

    What was due before it was armed lies in its past: it fires at once, and only the latest of it is told.
    """
    ahead = ends_at - armed_at
    reminders = sorted(policy.reminders, key=lambda reminder: -reminder.before)
    return ClockPolicy(
        name=policy.name,
        milestones=(
            *(
                Milestone(name=r.name, kind=MilestoneKind.REMIND, after=ahead - r.before, notices=r.notices)
                for r in reminders
            ),
            Milestone(name=policy.end, kind=MilestoneKind.END, after=ahead, notices=policy.notices),
        ),
    )


def may_renew(state: LicenceState, expires_at: datetime, now: datetime) -> None:
    _not_revoked(state)
    if expires_at <= now:
        raise Refused("licence.date_past", "a renewal reaches into the future")


def may_waive(state: LicenceState, until_at: datetime, now: datetime) -> None:
    """A waiver stands in for a renewal; it does not lift a suspension."""
    _not_revoked(state)
    if state.suspended:
        raise Refused("licence.suspended", "the licence is suspended", missing=("licence.reinstated",))
    if until_at <= now:
        raise Refused("licence.date_past", "a waiver reaches into the future")


def may_suspend(state: LicenceState) -> None:
    _not_revoked(state)
    if state.suspended:
        raise Refused("licence.already_suspended", "the licence is suspended already")


def may_reinstate(state: LicenceState) -> None:
    _not_revoked(state)
    if not state.suspended:
        raise Refused("licence.not_suspended", "the licence is not suspended")


def may_revoke(state: LicenceState) -> None:
    _not_revoked(state)


def renew(state: LicenceState, asked: RenewLicence) -> None:
    state.expires_on, state.expires_at, state.lapsed = asked.expires_on, asked.expires_at, False
    drop_waiver(state)


def waive(state: LicenceState, asked: WaiveLicence) -> None:
    state.waived_until, state.waived_until_at = asked.waived_until, asked.waived_until_at


def drop_waiver(state: LicenceState) -> None:
    state.waived_until = state.waived_until_at = None


def is_news(state: LicenceState, loss: ReportedLoss) -> bool:
    """Whether a reported loss changes anything."""
    if state.revoked:
        return False
    return not state.suspended if loss.loss == "suspended" else not state.lapsed


def _not_revoked(state: LicenceState) -> None:
    if state.revoked:
        raise Refused("licence.revoked", "the licence was revoked for good")


def snapshot(order: LicenceOrder, state: LicenceState) -> LicenceSnapshot:
    return LicenceSnapshot(
        business_state=state.status,
        policy_version=order.policy.version,
        waits_for=_waits_for(state),
        **progress(state),
        licence_id=order.licence_id,
        clinician_id=order.clinician_id,
        licence_state=order.licence_state,
        status=state.status,
        expires_on=state.expires_on,
        expires_at=state.expires_at,
        waived_until=state.waived_until,
        waived_until_at=state.waived_until_at,
        reason=state.revoked or state.suspended,
    )


def _waits_for(state: LicenceState) -> tuple[WaitsFor, ...]:
    if state.status is LicenceStatus.SUSPENDED:
        return (WaitsFor(who="operations", what="a reinstatement or a revocation"),)
    if state.status is LicenceStatus.EXPIRED:
        return (WaitsFor(who="clinician", what="a renewal"),)
    if state.status is LicenceStatus.ACTIVE and state.expires_on is None:
        return (WaitsFor(who="operations", what="the date of expiry"),)
    return ()
