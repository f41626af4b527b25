"""The location, in tracks: checklist, integration, training, monitors, rollbacks, launch."""

from workflows.rollout.location.workflow import Location

__all__ = ["Location"]
