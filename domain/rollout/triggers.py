"""What makes a location roll back, and when an issue is systemic (X-01 to X-04, X-09, decisions 35 to 37)."""

from __future__ import annotations

from domain.model import Value


class TriggerPolicy(Value):
    pass
