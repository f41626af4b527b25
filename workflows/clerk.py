"""Records the steps of a case, and shows it to the person in the Temporal UI."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from activities.contracts import RecordStepInput
from activities.records import RecordActivities
from domain.case import CaseSnapshot, card
from domain.rollout.snapshot import RolloutCaseSnapshot
from workflows import search_attributes as attributes
from workflows.options import RECORD


class Clerk:
    """Records the steps of one case and keeps its search attributes and card current."""

    def __init__(self) -> None:
        self._shown = _carried()
        self._waited_at = workflow.now()
        self._waited = timedelta()

    @property
    def lag(self) -> timedelta:
        """How far the workflow's clock is behind: it stands still while steps are recorded within one task.

        Temporal starts a timer when that task is done. On a busy worker this may be seconds later, and the timer would
        fire as much too late.
        """
        return self._waited if self._waited_at == workflow.now() else timedelta()

    async def write(self, step: RecordStepInput, *remarks: str) -> None:
        before = self.lag
        took = await workflow.execute_local_activity_method(RecordActivities.record_step, step, **RECORD)
        self._waited_at, self._waited = workflow.now(), before + timedelta(milliseconds=took or 0)
        self._show(step.snapshot)
        workflow.set_current_details(card(step.snapshot, *remarks))

    def _show(self, view: CaseSnapshot) -> None:
        """Change only what differs, all at once: each upsert is an event in the history."""
        updates: list[SearchAttributeUpdate[Any]] = []
        values: tuple[tuple[SearchAttributeKey[Any], Any], ...] = (
            *_of_a_rollout(view),
            (attributes.BUSINESS_STATE, view.business_state),
            (attributes.SLA_STATE, str(view.sla_state)),
            (attributes.NEXT_DEADLINE, view.next_deadline),
            (attributes.ESCALATION_LEVEL, view.escalation_level),
        )
        for key, value in values:
            if self._shown.get(key.name) != value:
                updates.append(key.value_unset() if value is None else key.value_set(value))
                self._shown[key.name] = value
        if updates:
            workflow.upsert_search_attributes(updates)


def _of_a_rollout(view: CaseSnapshot) -> tuple[tuple[SearchAttributeKey[Any], Any], ...]:
    """The wave, and the oldest of the holds: one value can be searched for."""
    if not isinstance(view, RolloutCaseSnapshot):
        return ()
    reason = view.holds[0].reason if view.holds else None
    return ((attributes.PAUSED_REASON, reason), (attributes.WAVE_NUMBER, view.wave))


def _carried() -> dict[str, object]:
    """What of these an earlier run, or whoever started this one, has set."""
    known = workflow.info().typed_search_attributes
    keys: tuple[SearchAttributeKey[Any], ...] = (attributes.PAUSED_REASON, attributes.WAVE_NUMBER)
    return {key.name: known.get(key) for key in keys}
