"""Policy data: checklists, approvals, their clocks (T, N, A, H, P)."""

from __future__ import annotations

from domain.model import Value


class ProgrammePolicy(Value):
    pass
