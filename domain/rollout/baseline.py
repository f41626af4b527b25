"""Baseline metrics: definitions, collection, validation (B, decision 23)."""

from __future__ import annotations

from domain.model import Value


class BaselinePolicy(Value):
    pass
