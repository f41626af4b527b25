"""Readiness of a location: five factors, a composite, a band (S)."""

from __future__ import annotations

from domain.model import Value


class ReadinessPolicy(Value):
    pass
