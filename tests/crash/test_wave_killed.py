"""The worker is killed with SIGKILL in the middle of a wave, again and again; the wave comes to its gate."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.service import RPCError

from crypto import Keyring
from db.session import Database
from db.tables import CaseState, OutboxNotice, Timeline
from domain import names
from domain.names import Process, TaskQueue
from domain.rollout.gate.results import Result
from domain.rollout.gate.state import Advice, CollectEvidence, DecideGate, Decision, GiveInput
from domain.rollout.orders import WaveOrder
from domain.rollout.phases import LocationPhase, WavePhase
from domain.rollout.wave.acts import WaveReceipt
from domain.rollout.wave.policy import DayItem, DayKind
from domain.rollout.wave.view import WaveSnapshot
from embedded.rehearsal import PUBLIC_URL, STRIPE_KEY, Rehearsal, real_time
from embedded.temporal_servers import DevServer
from temporal_client import data_converter, register_search_attributes
from tests.crash.restarting import GIVE_UP, restarted_workers
from tests.crash.worker_process import WorkerSettings
from tests.domain.rollout.gates import wave_order
from tests.domain.rollout.locations import location_order, ready
from tests.workflows.wave import CDO, IT, VP
from workflows.rollout.wave import Wave

pytestmark = pytest.mark.crash

PROGRAM = "dental"
PLACES = ("loc-1", "loc-2")
WAVE = names.wave_case(PROGRAM, 1)
LAUNCH, EVALUATION = timedelta(seconds=2), timedelta(seconds=8)
"""After now: on a real server a wave of weeks takes seconds."""
DEADLY = ("wave_launch_due", "went_live", "wave_location_changed", "gate_opened", "gate_no_go")
"""Steps after which the worker dies before Temporal hears of them."""


async def test_a_wave_survives_kills_at_its_launch_and_at_its_gate(
    database: Database, database_url: str, data_keys: str, keyring: Keyring, tmp_path: Path
) -> None:
    async with _world(database, keyring) as (world, address):
        settings = WorkerSettings(
            temporal_address=address,
            database_url=database_url,
            stripe_url=PUBLIC_URL,
            stripe_key=STRIPE_KEY,
            keys=data_keys,
            public_url=PUBLIC_URL,
            marks=tmp_path,
            queues=(TaskQueue.ROLLOUTS,),
            dies_at=DEADLY,
        )
        async with restarted_workers(settings) as deaths:
            await _start(world.client)
            await _happens(database, WAVE, "gate_opened")
            await _all_live(database)
            await _decide(world)
            assert deaths == [-9] * len(DEADLY)
        await _check_wave(database)
        for place in PLACES:
            await _check_location(database, place)


@asynccontextmanager
async def _world(database: Database, keyring: Keyring) -> AsyncIterator[tuple[Rehearsal, str]]:
    async def to_nobody(_body: bytes, _signature: str) -> int:
        return 202

    with DevServer() as server:
        client = await Client.connect(server.address, data_converter=data_converter(keyring))
        await register_search_attributes(client)
        async with real_time(client, database, keyring, to_nobody) as world:
            yield world, server.address


async def _start(client: Client) -> None:
    """Two locations that have everything, and their wave."""
    now = datetime.now(UTC)
    for place in PLACES:
        order = location_order(now, location_id=place, program_id=PROGRAM)
        await client.start_workflow(
            Process.LOCATION,
            order.model_copy(update={"carried": ready(order, now)}),
            id=names.location_case(PROGRAM, place),
            task_queue=TaskQueue.ROLLOUTS,
            task_timeout=GIVE_UP,
        )
    await client.start_workflow(
        Process.WAVE, _short_wave(now), id=WAVE, task_queue=TaskQueue.ROLLOUTS, task_timeout=GIVE_UP
    )


def _short_wave(now: datetime) -> WaveOrder:
    """Its plan has a launch and an evaluation, both today, where it is about noon: no midnight comes between."""
    zone = f"Etc/GMT{now.hour - 12:+d}" if now.hour != 12 else "UTC"
    local = now.replace(tzinfo=None) + timedelta(hours=12 - now.hour)
    order = wave_order(zones=dict.fromkeys(PLACES, zone), starts_on=local.date() - timedelta(days=local.weekday()))
    weekday = (local.isoweekday(),)
    days = [
        _moved(order, DayKind.LAUNCH, weekday, (local + LAUNCH).time()),
        _moved(order, DayKind.EVALUATION, weekday, (local + EVALUATION).time()),
    ]
    rules = order.policy.model_copy(update={"pilot_days": tuple(days)})
    return order.model_copy(update={"policy": rules, "calendar": order.calendar.model_copy(update={"time_zone": zone})})


def _moved(order: WaveOrder, kind: DayKind, weekday: tuple[int, ...], at: time) -> DayItem:
    item = next(item for item in order.policy.pilot_days if item.kind is kind)
    return item.model_copy(update={"week": 1, "weekdays": weekday, "at": at})


async def _decide(world: Rehearsal) -> None:
    """Nothing was measured, so both advise against it and there is another week."""
    seen = await _ask(world, Wave.collect_evidence, CollectEvidence(actor=IT), "evidence")
    gate = (await _wave(world.database)).gate
    assert gate is not None
    assert (gate.result, gate.evidence_hash) == (Result.INCONCLUSIVE, seen.evidence_hash)
    for adviser in (CDO, IT):
        advice = GiveInput(actor=adviser, advice=Advice.NO_GO, note_id="note-1")
        await _ask(world, Wave.gate_input, advice, f"advice-{adviser.role}")
    asked = DecideGate(actor=VP, wave=1, decision=Decision.NO_GO, evidence_hash=gate.evidence_hash)
    receipt = await _ask(world, Wave.decide_gate, asked, "decision")
    assert receipt.phase is WavePhase.EXTENDED
    assert await _ask(world, Wave.decide_gate, asked, "decision") == receipt


async def _ask(world: Rehearsal, update: Any, asked: Any, key: str) -> WaveReceipt:
    """Repeated with its key while the server says that the case is not ready: after several deaths it does."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(RPCError):
                receipt: WaveReceipt = await world.cases.ask(WAVE, update, asked, key)
                return receipt
            await asyncio.sleep(0.1)


async def _check_wave(database: Database) -> None:
    steps = await _events(database, WAVE)
    once = ("wave_started", "wave_launch_due", "gate_opened", "gate_no_go")
    assert {event: steps.count(event) for event in once} == dict.fromkeys(once, 1)
    assert steps.count("gate_input_given") == 2
    shown = await _wave(database)
    assert {one.location_id for one in shown.locations if one.deployed} == set(PLACES)
    assert [one.decision for one in shown.decisions] == [Decision.NO_GO]
    async with database.transaction() as session:
        keys = (await session.exec(select(OutboxNotice.key))).all()
    assert max(Counter(keys).values()) == 1
    assert sum("rollout_gate_open" in key for key in keys) == 3


async def _check_location(database: Database, place: str) -> None:
    case_id = names.location_case(PROGRAM, place)
    steps = await _events(database, case_id)
    assert (steps.count("go_live_due"), steps.count("went_live")) == (1, 1)
    async with database.transaction() as session:
        row = await session.get_one(CaseState, case_id)
    assert row.business_state == LocationPhase.LIVE
    assert row.snapshot["comms_percent"] == 100


async def _wave(database: Database) -> WaveSnapshot:
    async with database.transaction() as session:
        return WaveSnapshot.model_validate((await session.get_one(CaseState, WAVE)).snapshot)


async def _events(database: Database, case_id: str) -> list[str]:
    """Every step is there, and none twice."""
    async with database.transaction() as session:
        found = select(Timeline).where(Timeline.case_id == case_id).order_by(col(Timeline.sequence))
        steps = list((await session.exec(found)).all())
    assert [step.sequence for step in steps] == list(range(1, len(steps) + 1))
    return [step.event for step in steps]


async def _happens(database: Database, case_id: str, event: str) -> None:
    for _ in range(1000):
        if event in await _events(database, case_id):
            return
        await asyncio.sleep(0.03)
    raise AssertionError(f"{event} did not happen: {await _events(database, case_id)}")


async def _all_live(database: Database) -> None:
    for place in PLACES:
        await _happens(database, names.location_case(PROGRAM, place), "went_live")
    for _ in range(1000):
        if all(one.deployed for one in (await _wave(database)).locations):
            return
        await asyncio.sleep(0.03)
    raise AssertionError("the wave did not hear that its locations are live")
