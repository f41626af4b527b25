"""Whether a clinician may take on new visits and eConsults of patients in a state (K-03)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from domain.errors import Refused
from domain.licences import LicenceStatus
from domain.model import Value

EXPIRY_UNKNOWN = "licence.expiry_unknown"
"""Advice: nobody has recorded when this licence expires, so nobody is told in time."""


class HeldLicence(Value):
    licence_state: str
    """Postal code."""
    status: LicenceStatus
    expires_at: datetime | None
    """None while nobody knows."""
    waived_until_at: datetime | None = None


class Block(StrEnum):
    EXPIRED = "clinician.licence_expired"
    SUSPENDED = "clinician.licence_suspended"
    NONE_IN_STATE = "clinician.no_licence_in_state"


_MISSING = {
    Block.EXPIRED: "licence.renewed",
    Block.SUSPENDED: "licence.reinstated",
    Block.NONE_IN_STATE: "licence.recorded",
}
_DETAIL = {
    Block.EXPIRED: "the clinician's licence in the patient's state has expired",
    Block.SUSPENDED: "the clinician's licence in the patient's state is suspended",
    Block.NONE_IN_STATE: "the clinician has no licence in the patient's state",
}


def block_of(licence: HeldLicence, at: datetime) -> Block | None:
    """What this licence keeps from happening. What has run out counts as such before its case has noticed."""
    if licence.status is LicenceStatus.REVOKED:
        return Block.NONE_IN_STATE
    if licence.status is LicenceStatus.SUSPENDED:
        return Block.SUSPENDED
    if licence.waived_until_at is not None and at < licence.waived_until_at:
        return None
    ran_out = licence.expires_at is not None and licence.expires_at <= at
    return Block.EXPIRED if ran_out or licence.status is LicenceStatus.EXPIRED else None


def block(licences: Iterable[HeldLicence], state: str, at: datetime) -> Block | None:
    """Why the clinician may take on nobody in this state; None when one of their licences allows it."""
    found = {block_of(licence, at) for licence in licences if licence.licence_state == state}
    if None in found:
        return None
    return next((each for each in (Block.SUSPENDED, Block.EXPIRED) if each in found), Block.NONE_IN_STATE)


def check(licences: Iterable[HeldLicence], state: str, at: datetime) -> None:
    """Raises `Refused` with the code of the block and what would lift it."""
    found = block(licences, state, at)
    if found:
        raise Refused(found, _DETAIL[found], missing=(_MISSING[found],))


def findings(licence: HeldLicence) -> tuple[str, ...]:
    """Advice that blocks nothing."""
    unknown = licence.expires_at is None and licence.status is LicenceStatus.ACTIVE
    return (EXPIRY_UNKNOWN,) if unknown else ()
