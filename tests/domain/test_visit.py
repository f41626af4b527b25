"""What may be done with a visit, without any database."""

from __future__ import annotations

import itertools

import pytest

from domain.errors import Refused
from domain.visit.manual import VisitAct, next_status
from domain.visit.states import VisitKind, VisitStatus

ALLOWED = {
    ("scheduled", "start"): "in_progress",
    ("in_progress", "start"): "in_progress",
    ("in_progress", "complete"): "completed",
    ("completed", "complete"): "completed",
    ("scheduled", "cancel"): "cancelled",
    ("cancelled", "cancel"): "cancelled",
}


@pytest.mark.parametrize(("status", "act"), list(itertools.product(VisitStatus, VisitAct)))
def test_allows_each_act_only_where_it_leads_somewhere(status: VisitStatus, act: VisitAct) -> None:
    reached = ALLOWED.get((status, act))
    if reached is not None:
        assert next_status(VisitKind.STANDARD, status, act) == reached
        return
    with pytest.raises(Refused) as refusal:
        next_status(VisitKind.STANDARD, status, act)
    assert refusal.value.code in {"visit.not_scheduled", "visit.not_in_progress"}


@pytest.mark.parametrize("act", [VisitAct.COMPLETE, VisitAct.CANCEL])
def test_leaves_a_follow_up_visit_to_its_econsult(act: VisitAct) -> None:
    with pytest.raises(Refused) as refusal:
        next_status(VisitKind.ECONSULT_FOLLOW_UP, VisitStatus.IN_PROGRESS, act)
    assert refusal.value.code == "visit.follow_up_of_econsult"
