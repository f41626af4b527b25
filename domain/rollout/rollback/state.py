"""The state of a Rollback workflow."""

from __future__ import annotations

from domain.case import CaseProgress


class RollbackState(CaseProgress):
    pass
