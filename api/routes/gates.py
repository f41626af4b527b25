"""The gate behind a wave: evidence, input, decision (spec/rollout.md, process G)."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter

from api.problems import responses
from api.rollout_acting import CENTRAL_ROLES, Member, RolloutActsOfRequest, member
from api.schemas.rollouts import ProgramId, WaveNumber
from api.schemas.waves import NewGateDecision, NewGateInput, WaveGate
from api.wave_acting import acted_wave
from domain.access import Role
from domain.rollout.gate.state import CollectEvidence, DecideGate, GiveInput
from domain.rollout.people import Function
from workflows.rollout.wave import Wave

router = APIRouter(prefix="/rollouts/{program_id}/waves/{number}/gate", tags=["rollouts"])

Central = Annotated[Member, member(*CENTRAL_ROLES)]
Executive = Annotated[Member, member(Role.EXECUTIVE)]
PROBLEMS = responses(401, 403, 404, 409, 422, 503)

COLLECTORS = (Function.PROJECT_MANAGER, Function.VP_OPERATIONS, Function.IT_LEAD, Function.CHIEF_DENTAL_OFFICER)
ADVISERS = (Function.CHIEF_DENTAL_OFFICER, Function.IT_LEAD)


@router.get("", summary="Criteria, evidence, inputs and decisions", responses=responses(401, 403, 404, 422))
async def read_gate(program_id: ProgramId, number: WaveNumber, act: RolloutActsOfRequest, who: Central) -> WaveGate:
    """Each criterion with its evidence, source and age, and in numbers what would make it pass (GG-01 to GG-09).

    404 `programme.unknown`, `wave.unknown`.
    """
    await act.whole(program_id, who)
    return await (await acted_wave(program_id, number, act, who)).gate()


@router.post("/evidence", summary="Collect the evidence anew", responses=PROBLEMS)
async def collect_evidence(
    program_id: ProgramId, number: WaveNumber, act: RolloutActsOfRequest, who: Central
) -> WaveGate:
    """Up to now. A decision about the earlier evidence is refused from here on. 404 `wave.unknown`; 409
    `gate.not_open`.
    """
    wave = await acted_wave(program_id, number, act, who)
    await wave.ask(Wave.collect_evidence, CollectEvidence(actor=wave.actor(*COLLECTORS)))
    return await wave.gate()


@router.post("/inputs", summary="Give input to the decision", responses=PROBLEMS)
async def give_input(
    program_id: ProgramId, number: WaveNumber, body: NewGateInput, act: RolloutActsOfRequest, who: Central
) -> WaveGate:
    """By the Chief Dental Officer and the IT Lead (GG-08); the latest of each counts.

    403 `rollout.function_missing`, `gate.adviser_only`; 404 `wave.unknown`; 409 `gate.not_open`.
    """
    wave = await acted_wave(program_id, number, act, who)
    actor = wave.actor(*ADVISERS)
    async with AsyncExitStack() as stack:
        note_id = await wave.kept(stack, "gate_input", body.note)
        await wave.ask(Wave.gate_input, GiveInput(actor=actor, advice=body.advice, note_id=note_id))
    return await wave.gate()


@router.post("/decision", summary="Decide go or no-go", responses=PROBLEMS)
async def decide(
    program_id: ProgramId, number: WaveNumber, body: NewGateDecision, act: RolloutActsOfRequest, who: Executive
) -> WaveGate:
    """By the VP of Operations only, who has submitted none of the evidence, and on the evidence of this hash (GG-08,
    decision 33). A no-go adds a week, after which the gate opens again.

    403 `rollout.function_missing`, `gate.decider_submitted_evidence`; 404 `wave.unknown`; 409 `gate.not_open`,
    `gate.evidence_changed` (what is shown then is the new), `gate.input_awaited` until when, `gate.criteria_failed`,
    `gate.override_needed`, `wave.on_hold`.
    """
    wave = await acted_wave(program_id, number, act, who)
    actor = wave.actor(Function.VP_OPERATIONS)
    async with AsyncExitStack() as stack:
        asked = DecideGate(
            actor=actor,
            known_as=wave.known_as,
            wave=number,
            evidence_hash=body.evidence_hash,
            decision=body.decision,
            reason_id=await wave.kept(stack, "gate_decision", body.reason),
            override_id=await wave.kept(stack, "gate_override", body.override_reason),
        )
        await wave.ask(Wave.decide_gate, asked)
    return await wave.gate()
