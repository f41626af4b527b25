"""What people ask of a rollback: the typed input of each update. Texts stay in the database; ids travel."""

from __future__ import annotations

from domain.actors import Actor
from domain.model import Value
from domain.rollout.phases import RollbackPhase
from domain.rollout.rollback.state import FixKind


class RollbackAct(Value):
    actor: Actor


class AcknowledgeStep(RollbackAct):
    """X-05, X-06."""

    step_id: str
    evidence_id: str | None = None


class ProvideFix(RollbackAct):
    """X-07.1."""

    kind: FixKind
    evidence_id: str


class ValidateFix(RollbackAct):
    """X-07.2: how the test in the test environment went."""

    passed: bool
    evidence_id: str


class ConfirmRootCause(RollbackAct):
    """X-07.4 [critical]: the root cause is known, and the validated fix removes it."""

    evidence_id: str


class ReEnable(RollbackAct):
    """X-07.3: the next stage."""


class AcknowledgeEscalation(RollbackAct):
    clock: str


class RollbackReceipt(Value):
    """What an act answers, once its step is recorded."""

    sequence: int
    phase: RollbackPhase
    enabled_percent: int
    missing: tuple[str, ...]
    """What the next stage of the re-enabling lacks, as stable codes."""
