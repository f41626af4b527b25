"""Signals between processes, by name: a workflow that imported another would bring all of it into its sandbox."""

from __future__ import annotations

FOLLOW_UP_VISIT_REPORTED = "follow_up_visit_reported"
"""To an eConsult: what became of its follow-up visit. `domain.econsult.acts.FollowUpReport`."""

LOSS_REPORTED = "loss_reported"
"""To a licence: it was suspended or has expired, says a review. `domain.licences.ReportedLoss`."""

FOLLOW_UP_DECLINED = "follow_up_declined"
"""To a visit: the patient declined it through its eConsult. `domain.visit.acts.Act`."""
