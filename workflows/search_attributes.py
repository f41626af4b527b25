"""Every search attribute of every process, in one place. Values are readable by anyone who sees Temporal: never PHI."""

from __future__ import annotations

from typing import Any

from temporalio.common import SearchAttributeKey

PROCESS = SearchAttributeKey.for_keyword("Process")
BUSINESS_STATE = SearchAttributeKey.for_keyword("BusinessState")
SLA_STATE = SearchAttributeKey.for_keyword("SlaState")
NEXT_DEADLINE = SearchAttributeKey.for_datetime("NextDeadline")
ESCALATION_LEVEL = SearchAttributeKey.for_int("EscalationLevel")
CLINICIAN_ID = SearchAttributeKey.for_keyword("ClinicianId")
PROGRAM_ID = SearchAttributeKey.for_keyword("ProgramId")
LOCATION_ID = SearchAttributeKey.for_keyword("LocationId")
WAVE_NUMBER = SearchAttributeKey.for_int("WaveNumber")
PAUSED_REASON = SearchAttributeKey.for_keyword("PausedReason")
POLICY_VERSION = SearchAttributeKey.for_keyword("PolicyVersion")

# A namespace on PostgreSQL or SQLite holds ten of type keyword and three of each other type.
SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (
    PROCESS,
    BUSINESS_STATE,
    SLA_STATE,
    NEXT_DEADLINE,
    ESCALATION_LEVEL,
    CLINICIAN_ID,
    PROGRAM_ID,
    LOCATION_ID,
    WAVE_NUMBER,
    PAUSED_REASON,
    POLICY_VERSION,
)
