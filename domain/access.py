"""Who a caller is and what roles they hold. The API proves it; rules here only read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Roles as they appear in a token."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    SPECIALIST = "specialist"
    SUPPORT = "support"
    OPERATIONS = "operations"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Principal:
    """An authenticated caller. `subject` is the identity provider's opaque id of the person."""

    subject: str
    roles: frozenset[Role] = field(default_factory=frozenset)

    def has(self, *roles: Role) -> bool:
        """Whether the caller holds any of the roles."""
        return not self.roles.isdisjoint(roles)
