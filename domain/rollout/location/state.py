"""The state of a Location workflow."""

from __future__ import annotations

from domain.case import CaseProgress


class LocationState(CaseProgress):
    pass
