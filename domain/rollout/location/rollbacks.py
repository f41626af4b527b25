"""How a location's rollbacks begin, grow and end; pure. Each returns the rollback as it is then (X-01 to X-08)."""

from __future__ import annotations

from datetime import datetime

from domain.rollout.location.rules import SAFE_PHASES
from domain.rollout.location.state import Cause, LocationRollback, LocationState
from domain.rollout.news import RollbackNews
from domain.rollout.phases import OVER, RollbackPhase


def begin(state: LocationState, cause: Cause, now: datetime) -> LocationRollback:
    return _put(state, LocationRollback(number=len(state.rollbacks) + 1, cause=cause, disabled_at=now))


def is_news(rollback: LocationRollback, cause: Cause) -> bool:
    """Whether the rollback has to hear of it: more of the same is none while everything is off."""
    return rollback.phase in SAFE_PHASES or cause.issue not in rollback.issues


def add_cause(state: LocationState, rollback: LocationRollback, cause: Cause) -> LocationRollback:
    """Another trigger while it is open: whatever is on again goes off, until the rollback has taken it in."""
    changed = {
        "further": (*rollback.further, cause),
        "relapsed": rollback.relapsed or rollback.phase in SAFE_PHASES,
        "enabled_percent": 0,
    }
    return _put(state, rollback.model_copy(update=changed))


def hear(state: LocationState, news: RollbackNews, now: datetime) -> LocationRollback | None:
    """None: old news, or of a rollback that is over."""
    rollback = state.rollback
    if rollback is None or news.number != rollback.number or news.sequence <= rollback.heard:
        return None
    if rollback.relapsed and news.phase in SAFE_PHASES:
        return None  # sent before it heard of the relapse
    is_over = news.phase in OVER
    if is_over:
        state.base_percent = news.enabled_percent
    changed = {
        "phase": news.phase,
        "enabled_percent": news.enabled_percent,
        "heard": news.sequence,
        "relapsed": False,
        "over_at": now if is_over else None,
    }
    return _put(state, rollback.model_copy(update=changed))


def give_up(state: LocationState, rollback: LocationRollback, now: datetime) -> LocationRollback:
    """It was over before it could hear of the relapse."""
    return _put(state, rollback.model_copy(update={"phase": RollbackPhase.RESOLVED, "over_at": now}))


def _put(state: LocationState, rollback: LocationRollback) -> LocationRollback:
    others = (one for one in state.rollbacks if one.number != rollback.number)
    state.rollbacks = (*others, rollback)
    return rollback
