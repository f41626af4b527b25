"""What of a location's communication with patients is switched on (P-01). Asked again right before every send."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from pydantic import Field

from domain.model import Value


class Capability(StrEnum):
    REMINDERS = "reminders"
    RECALL = "recall"
    SCHEDULING = "scheduling"
    REVIEWS = "reviews"
    TWO_WAY = "two_way"


class MessageChannel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    VOICE = "voice"


class Comms(Value):
    """The switches of one location. The percentage is its process's to set, the others are settings."""

    enabled_percent: int = Field(default=0, ge=0, le=100)
    """Of its recipients, while communication is switched on again by stages."""
    capabilities: frozenset[Capability] = frozenset(Capability)
    channels: frozenset[MessageChannel] = frozenset(MessageChannel)


def may_send(comms: Comms, capability: Capability, channel: MessageChannel, recipient: str) -> bool:
    """Whether this location may send to a recipient (an opaque id). Whom a stage reaches, every later stage reaches."""
    if capability not in comms.capabilities or channel not in comms.channels:
        return False
    share = int.from_bytes(hashlib.sha256(recipient.encode()).digest()[:8]) % 100
    return share < comms.enabled_percent
