"""Policy data: the location's checklist and gates (T-02 to T-09, N-08 to N-12)."""

from __future__ import annotations

from domain.model import Value


class LocationPolicy(Value):
    pass
