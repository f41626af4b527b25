"""Signals between processes, by name: a workflow that imported another would bring all of it into its sandbox."""

from __future__ import annotations

FOLLOW_UP_VISIT_REPORTED = "follow_up_visit_reported"
"""To an eConsult: what became of its follow-up visit. `domain.econsult.acts.FollowUpReport`."""

FOLLOW_UP_DECLINED = "follow_up_declined"
"""To a visit: the patient declined it through its eConsult. `domain.visit.acts.Act`."""
