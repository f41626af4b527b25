"""Policy data: steps, minimum versions, samples, migration, validation cases (I, C, D, decision 38)."""

from __future__ import annotations

from domain.model import Value


class IntegrationPolicy(Value):
    pass
