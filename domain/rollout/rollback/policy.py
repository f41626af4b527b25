"""Policy data: ladder and resolution (X-05 to X-07)."""

from __future__ import annotations

from domain.model import Value


class RollbackPolicy(Value):
    pass
