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
    # Of a rollout (H-06): what they are there, and where, is said by the members of each programme.
    SYSTEM_ADMIN = "system_admin"
    REGIONAL_ADMIN = "regional_admin"
    LOCATION_ADMIN = "location_admin"
    STANDARD_USER = "standard_user"
    READ_ONLY = "read_only"
    EXECUTIVE = "executive"
    VENDOR = "vendor"


@dataclass(frozen=True)
class Principal:
    """An authenticated caller. `subject` is the identity provider's opaque id of the person."""

    subject: str
    roles: frozenset[Role] = field(default_factory=frozenset)

    def has(self, *roles: Role) -> bool:
        """Whether the caller holds any of the roles."""
        return not self.roles.isdisjoint(roles)
