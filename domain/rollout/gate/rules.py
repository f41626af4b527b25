"""Who may do what at a gate, and when (GG-08, decisions 31 to 34)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.actors import SYSTEM, Actor
from domain.errors import Forbidden, Invalid, Refused
from domain.rollout.gate.judging import overall
from domain.rollout.gate.policy import GatePolicy
from domain.rollout.gate.results import Result, Verdict
from domain.rollout.gate.snapshot import EvidenceSnapshot
from domain.rollout.gate.state import Advice, DecideGate, Decision, Gate, GateDecision, GateInput, GiveInput
from domain.rollout.people import Function


def open_gate(gate: Gate | None) -> Gate:
    """Raises `Refused` (`gate.not_open`)."""
    if gate is None:
        raise Refused("gate.not_open", "there is no evaluation to act on now")
    return gate


def may_advise(gate: Gate | None, policy: GatePolicy, asked: GiveInput) -> None:
    """Raises `Refused` (`gate.not_open`), `Forbidden` (`gate.adviser_only`), `Invalid` (`gate.advice_invalid`)."""
    open_gate(gate)
    if asked.actor.role not in policy.advisers:
        raise Forbidden("gate.adviser_only", f"input is given by: {', '.join(policy.advisers)}")
    if asked.advice is Advice.NO_INPUT:
        raise Invalid("gate.advice_invalid", "input is go or no_go")


def advise(gate: Gate, asked: GiveInput, now: datetime) -> Gate:
    """The latest input of a function counts, also one that comes late."""
    given = GateInput(
        advice=asked.advice, at=now, by=asked.actor, note_id=asked.note_id, evidence_hash=gate.snapshot.hash
    )
    return gate.model_copy(update={"inputs": {**gate.inputs, Function(asked.actor.role): given}})


def advisers_missing(gate: Gate, policy: GatePolicy) -> tuple[Function, ...]:
    return tuple(function for function in policy.advisers if function not in gate.inputs)


def pass_without_input(gate: Gate, policy: GatePolicy, now: datetime) -> Gate:
    """Their time is up: what is missing is recorded as no input."""
    silent = GateInput(advice=Advice.NO_INPUT, at=now, by=SYSTEM, evidence_hash=gate.snapshot.hash)
    return gate.model_copy(update={"inputs": {**gate.inputs, **dict.fromkeys(advisers_missing(gate, policy), silent)}})


def may_decide(gate: Gate | None, policy: GatePolicy, asked: DecideGate, *, wave: int, held: bool) -> None:
    """Raises what is wrong first.

    `Refused`: `gate.not_open`, `gate.other_wave`, `gate.evidence_changed`, `gate.input_awaited` (until when),
    `wave.on_hold`, `gate.criteria_failed` (which), `gate.override_needed` (for which).
    `Forbidden`: `gate.decider_only`, `gate.decider_submitted_evidence`. `Invalid`: `gate.decision_invalid`.
    """
    gate = open_gate(gate)
    _check_decider(gate, policy, asked)
    if asked.decision is Decision.EXPIRED:
        raise Invalid("gate.decision_invalid", "a decision is go or no_go")
    if asked.wave != wave:
        raise Refused("gate.other_wave", "the decision is about another wave")
    if asked.evidence_hash != gate.snapshot.hash:
        raise evidence_changed(gate.snapshot)
    if missing := advisers_missing(gate, policy):
        raise Refused("gate.input_awaited", "input may still come", missing=missing, earliest=gate.inputs_due)
    if asked.decision is Decision.GO:
        _check_go(gate.verdicts, overridden=asked.override_id is not None, held=held)


def evidence_changed(now: EvidenceSnapshot) -> Refused:
    return Refused("gate.evidence_changed", f"the evidence is another one than was decided on: its hash is {now.hash}")


def decided(gate: Gate, decision: Decision, at: datetime, by: Actor, asked: DecideGate | None = None) -> GateDecision:
    """The record of the decision."""
    result = overall(gate.verdicts)
    overriding = decision is Decision.GO and result is Result.INCONCLUSIVE
    return GateDecision(
        attempt=gate.attempt,
        decision=decision,
        at=at,
        by=by,
        evidence_hash=gate.snapshot.hash,
        result=result,
        failing=codes(gate.verdicts, Result.FAIL),
        inconclusive=codes(gate.verdicts, Result.INCONCLUSIVE),
        reason_id=asked.reason_id if asked else None,
        override_id=asked.override_id if asked and overriding else None,
        inputs=gate.inputs,
    )


def codes(verdicts: Iterable[Verdict], result: Result) -> tuple[str, ...]:
    return tuple(verdict.code for verdict in verdicts if verdict.result is result)


def _check_decider(gate: Gate, policy: GatePolicy, asked: DecideGate) -> None:
    if asked.actor.role != policy.decider:
        raise Forbidden("gate.decider_only", f"a gate is decided by the {policy.decider} only")
    submitters = {each for one in gate.snapshot.evidence for each in one.people}
    if submitters & {asked.actor.id, *asked.known_as}:
        raise Forbidden("gate.decider_submitted_evidence", "who submitted evidence does not decide on it")


def _check_go(verdicts: tuple[Verdict, ...], *, overridden: bool, held: bool) -> None:
    """A human may pass what is in doubt, with a reason; nobody passes what fails."""
    if held:
        raise Refused("wave.on_hold", "nothing goes forward while the wave is on hold")
    if failing := codes(verdicts, Result.FAIL):
        raise Refused("gate.criteria_failed", "a criterion fails", missing=failing)
    doubtful = codes(verdicts, Result.INCONCLUSIVE)
    if doubtful and not overridden:
        raise Refused("gate.override_needed", "evidence is inconclusive: a go needs a reason", missing=doubtful)
