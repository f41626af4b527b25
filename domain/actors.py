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
    # Members of a rollout's programme: domain/rollout/people.py Function has the same values.
    CEO_COO = "ceo_coo"
    CFO = "cfo"
    CHIEF_DENTAL_OFFICER = "chief_dental_officer"
    VP_OPERATIONS = "vp_operations"
    GENERAL_COUNSEL = "general_counsel"
    BOARD = "board"
    IT_LEAD = "it_lead"
    COMPLIANCE = "compliance"
    PROJECT_MANAGER = "project_manager"
    REGIONAL_MANAGER = "regional_manager"
    OFFICE_MANAGER = "office_manager"
    CHAMPION = "champion"
    BACKUP_CHAMPION = "backup_champion"
    PROVIDER = "provider"
    FRONT_DESK = "front_desk"
    VENDOR_ACCOUNT_MANAGER = "vendor_account_manager"
    VENDOR_TECHNICAL_SPECIALIST = "vendor_technical_specialist"
    VENDOR_CUSTOMER_SUCCESS = "vendor_customer_success"
    VENDOR_SUPPORT = "vendor_support"


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
