"""What people do in a wave."""

from __future__ import annotations

from domain.actors import Actor
from domain.model import Value
from domain.rollout.phases import WavePhase
from domain.rollout.wave.policy import Artefact


class CheckIn(Value):
    """A champion's quarter of an hour with the central team (W-07, W-08)."""

    actor: Actor
    location_id: str
    note_id: str | None = None
    """Of the record that holds what was said."""


class FileArtefact(Value):
    actor: Actor
    artefact: Artefact
    evidence_id: str
    """Of the record that holds it."""


class AcknowledgeEscalation(Value):
    actor: Actor
    clock: str


class WaveReceipt(Value):
    sequence: int
    phase: WavePhase
    evidence_hash: str | None = None
    """Of the gate's evidence, while an evaluation is open."""
