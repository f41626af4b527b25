"""Policy data: champions, certification, modules (L, decisions 29 and 40)."""

from __future__ import annotations

from domain.model import Value


class TrainingPolicy(Value):
    pass
