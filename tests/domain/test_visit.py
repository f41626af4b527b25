"""What may be noted of a visit by its record alone."""

from __future__ import annotations

import pytest

from domain.errors import Refused
from domain.visit import rules
from domain.visit.states import VisitStatus


@pytest.mark.parametrize("status", [VisitStatus.IN_PROGRESS, VisitStatus.COMPLETED])
def test_notes_a_visit_that_has_begun(status: VisitStatus) -> None:
    rules.may_note(status)


@pytest.mark.parametrize(
    ("status", "code", "missing"),
    [
        (VisitStatus.SCHEDULED, "visit.not_begun", ("visit.in_progress",)),
        (VisitStatus.CANCELLED, "visit.cancelled", ()),
        (VisitStatus.NO_SHOW, "visit.not_held", ()),
    ],
)
def test_notes_nothing_of_a_visit_that_nobody_held(status: VisitStatus, code: str, missing: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as refusal:
        rules.may_note(status)
    assert (refusal.value.code, refusal.value.missing) == (code, missing)
