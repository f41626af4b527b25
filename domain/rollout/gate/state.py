"""What people do at a gate, and how far it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.actors import Actor
from domain.model import Value
from domain.rollout.gate.results import Result, Verdict
from domain.rollout.gate.snapshot import EvidenceSnapshot
from domain.rollout.people import Function


class Advice(StrEnum):
    """Of the Chief Dental Officer and the IT Lead."""

    GO = "go"
    NO_GO = "no_go"
    NO_INPUT = "no_input"
    """It did not come in time (decision 33)."""


class Decision(StrEnum):
    GO = "go"
    NO_GO = "no_go"
    EXPIRED = "expired"
    """Nobody decided in time: it is evaluated anew."""


class GiveInput(Value):
    actor: Actor
    advice: Advice
    note_id: str | None = None
    """Of the record that holds what they wrote."""


class DecideGate(Value):
    actor: Actor
    known_as: tuple[str, ...] = ()
    """Every id of that person, by which they may have submitted evidence."""
    wave: int
    evidence_hash: str
    """What they saw when they decided."""
    decision: Decision
    reason_id: str | None = None
    """Of the record that holds the reason."""
    override_id: str | None = None
    """Of the record that says why it is a go although the evidence is inconclusive."""


class CollectEvidence(Value):
    actor: Actor


class GateInput(Value):
    advice: Advice
    at: datetime
    by: Actor
    note_id: str | None = None
    evidence_hash: str
    """Of the evidence at that time."""


class GateDecision(Value):
    """One for each evaluation: the record of what was decided, by whom, and on what."""

    attempt: int
    decision: Decision
    at: datetime
    by: Actor
    evidence_hash: str
    result: Result
    """Of the evidence as a whole."""
    failing: tuple[str, ...] = ()
    inconclusive: tuple[str, ...] = ()
    """Codes such as `uptime:loc-3`."""
    reason_id: str | None = None
    override_id: str | None = None
    inputs: dict[Function, GateInput] = Field(default_factory=dict)


class Gate(Value):
    """An evaluation that nobody has decided yet."""

    attempt: int
    """The first is 1."""
    opened_at: datetime
    inputs_due: datetime
    snapshot: EvidenceSnapshot
    verdicts: tuple[Verdict, ...]
    inputs: dict[Function, GateInput] = Field(default_factory=dict)
