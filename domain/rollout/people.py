"""Who does what in a rollout (A-01 to A-03, N-07, H-06, L-03)."""

from __future__ import annotations

from enum import StrEnum


class Function(StrEnum):
    """What a member of a programme does. It decides what they may do; their scope decides where."""

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


VENDOR = (
    Function.VENDOR_ACCOUNT_MANAGER,
    Function.VENDOR_TECHNICAL_SPECIALIST,
    Function.VENDOR_CUSTOMER_SUCCESS,
    Function.VENDOR_SUPPORT,
)
"""The four contacts at the vendor (N-07); the escalation path runs from the last to the first."""

REGIONAL = frozenset({Function.REGIONAL_MANAGER})
"""Of one region each."""

LOCAL = frozenset(
    {Function.OFFICE_MANAGER, Function.CHAMPION, Function.BACKUP_CHAMPION, Function.PROVIDER, Function.FRONT_DESK}
)
"""Of one location each."""

OPERATIONS = frozenset({Function.IT_LEAD, Function.PROJECT_MANAGER})
"""Functions for which any system administrator of the programme may act."""
