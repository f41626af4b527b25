"""Who is told how things stand, and how often (A-03)."""

from __future__ import annotations

from domain.model import Value


class CadencePolicy(Value):
    pass
