"""A clinician's request for another portion (E-20 to E-22, decision 16)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from domain.actors import Actor
from domain.case import CaseProgress, CaseSnapshot, WaitsFor, progress
from domain.clock import ClockPolicy
from domain.errors import Refused
from domain.model import Value


class RateStage(StrEnum):
    REQUESTED = "REQUESTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class RateRequestPolicy(Value):
    version: str
    decision: ClockPolicy


class RateRequestOrder(Value):
    """The workflow's input."""

    request_id: str
    clinician_id: str
    portion_cents: int = Field(ge=0)
    requested_by: Actor
    policy: RateRequestPolicy


class DecideRate(Value):
    actor: Actor
    approve: bool


class RateReceipt(Value):
    sequence: int
    stage: RateStage


class RateRequestState(CaseProgress):
    stage: RateStage = RateStage.REQUESTED
    requested_at: datetime
    decided_at: datetime | None = None
    decided_by: Actor | None = None


class RateRequestSnapshot(CaseSnapshot):
    process: Literal["RateRequest"] = "RateRequest"
    request_id: str
    clinician_id: str
    portion_cents: int
    stage: RateStage
    requested_at: datetime
    decided_at: datetime | None
    decided_by: Actor | None


def may_decide(state: RateRequestState) -> None:
    """A request is decided once. Approval is what lets a portion fall below the default."""
    if state.stage is not RateStage.REQUESTED:
        raise Refused("rate.already_decided", f"the request is {state.stage}")


def snapshot(order: RateRequestOrder, state: RateRequestState) -> RateRequestSnapshot:
    undecided = state.stage is RateStage.REQUESTED
    return RateRequestSnapshot(
        business_state=state.stage,
        policy_version=order.policy.version,
        waits_for=(WaitsFor(who="operations", what="a decision on the rate"),) if undecided else (),
        **progress(state),
        request_id=order.request_id,
        clinician_id=order.clinician_id,
        portion_cents=order.portion_cents,
        stage=state.stage,
        requested_at=state.requested_at,
        decided_at=state.decided_at,
        decided_by=state.decided_by,
    )
