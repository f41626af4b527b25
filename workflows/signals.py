"""Signals between processes, by name: a workflow that imported another would bring all of it into its sandbox."""

from __future__ import annotations

FOLLOW_UP_VISIT_REPORTED = "follow_up_visit_reported"
"""To an eConsult: what became of its follow-up visit. `domain.econsult.acts.FollowUpReport`."""

LOSS_REPORTED = "loss_reported"
"""To a licence: it was suspended or has expired, says a review. `domain.licences.ReportedLoss`."""

FOLLOW_UP_DECLINED = "follow_up_declined"
"""To a visit: the patient declined it through its eConsult. `domain.visit.acts.Act`."""

PROGRAMME_REPORTED = "programme_reported"
"""To waves and locations: what the programme grants, and what holds it. `domain.rollout.news.ProgrammeNews`."""

WAVE_PLANNED = "wave_planned"
"""To a location: the wave it is in now. `domain.rollout.news.WavePlanned`."""

GO_LIVE_DUE = "go_live_due"
"""To a location: its launch has come. `domain.rollout.news.GoLiveDue`."""

LOCATION_REPORTED = "location_reported"
"""To the programme and to the wave: how a location stands. `domain.rollout.news.LocationNews`."""

WAVE_REPORTED = "wave_reported"
"""To the programme: how a wave stands. `domain.rollout.news.WaveNews`."""

ROLLBACK_REPORTED = "rollback_reported"
"""To a location: how its rollback stands. `domain.rollout.news.RollbackNews`."""

TELEMETRY_REPORTED = "telemetry_reported"
"""To a location: what a stored batch of telemetry says. `domain.rollout.triggers.TelemetryNews`."""

RELAPSED = "relapsed"
"""To a rollback: its trouble is back, or there is more of it. `domain.rollout.news.Relapse`."""
