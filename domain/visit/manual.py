"""To go: acts on visits without a process."""

from __future__ import annotations

from enum import StrEnum

from domain.errors import Refused
from domain.visit.states import VisitKind, VisitStatus


class VisitAct(StrEnum):
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"


_MOVES = {
    VisitAct.START: (VisitStatus.SCHEDULED, VisitStatus.IN_PROGRESS),
    VisitAct.COMPLETE: (VisitStatus.IN_PROGRESS, VisitStatus.COMPLETED),
    VisitAct.CANCEL: (VisitStatus.SCHEDULED, VisitStatus.CANCELLED),
}


def next_status(kind: str, status: str, act: VisitAct) -> VisitStatus:
    """Where an act leads; one that was done before leads nowhere else.

    Raises `Refused`: `visit.follow_up_of_econsult`, `visit.not_scheduled`, `visit.not_in_progress`.
    """
    if kind == VisitKind.ECONSULT_FOLLOW_UP and act is not VisitAct.START:
        # The eConsult waits for this visit, so it is the one to be told.
        raise Refused("visit.follow_up_of_econsult", "complete or decline this visit through its eConsult")
    needed, reached = _MOVES[act]
    if status not in {needed, reached}:
        raise Refused(f"visit.not_{needed}", f"the visit is {status}", missing=(f"visit.{needed}",))
    return reached
