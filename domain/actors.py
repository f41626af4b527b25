"""Who does something, and who is told of it."""

from enum import StrEnum

from domain.model import Value


class Actor(Value):
    """Who acted. `id` is an opaque business id, never a name."""

    role: str
    id: str


SYSTEM = Actor(role="system", id="carewave")
OPERATOR = Actor(role="operations", id="temporal")
"""Who cancels an execution in the Temporal UI."""
PAYMENT_PROCESSOR = Actor(role="system", id="payment-processor")


class Audience(StrEnum):
    """Who is told. People of the case come from its records, the others from the configuration."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    SPECIALIST = "specialist"
    NETWORK_DESK = "network_desk"
    PROVIDER_SUCCESS = "provider_success"
    SUPPORT = "support"
    OPERATIONS = "operations"


class Channel(StrEnum):
    EMAIL = "email"
    TEXT = "text"


def channel_of(template: str) -> Channel:
    """A template whose name ends in `_text` is a text message, any other a letter."""
    return Channel.TEXT if template.endswith("_text") else Channel.EMAIL


class Notice(Value):
    """A message to send: which template to whom. The template decides the channel."""

    audience: Audience
    template: str
