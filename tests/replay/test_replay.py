"""Executions that run today can go on with the code of tomorrow."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from difflib import unified_diff

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from crypto import Keyring
from db.session import Database
from db.types import vault
from domain.names import Process
from embedded.rehearsal import Rehearsal
from temporal_client import EncryptionCodec, data_converter
from tests.payloads import payloads_in
from tests.replay.lives import answered_and_followed_up
from tests.replay.recording import (
    ALL_LIVES,
    HISTORIES,
    KEYRING,
    Fingerprint,
    fingerprint,
    kept,
    kept_fingerprints,
    play_all,
    rehearsal,
)
from tests.replay.settling import history_of
from tests.replay.tampered import SleepsFirst, SleepsFirstInNewExecutions
from tests.workflows.consult import invite_people
from worker import BUILD, WORKFLOWS, sandbox

WHAT_TO_DO = (
    'An execution that runs now cannot go on with this code. Gate the change with workflow.patched("what-changed"); '
    "or, when no execution of the old code runs anywhere, record anew: python -m tests.replay.record"
)
NAMES_A_MACHINE = re.compile(r"\d+@[\w.-]+|\bFile |/(home|root|usr|work|tmp|Users)/")
LONGEST = "answered_and_followed_up"


@pytest.fixture
async def replay_database(database: Database, keyring: Keyring) -> AsyncIterator[Database]:
    """The lives are played with the key of the histories, all other tests with their own."""
    yield database
    vault.open(keyring)


def replayer(*workflows: type) -> Replayer:
    return Replayer(
        workflows=workflows, workflow_runner=sandbox(), data_converter=data_converter(KEYRING), build_id=BUILD
    )


ALL = tuple(workflow for served in WORKFLOWS.values() for workflow in served)


@pytest.mark.parametrize("name", ALL_LIVES)
async def test_replays_what_ran_before(name: str) -> None:
    result = await replayer(*ALL).replay_workflow(kept(name), raise_on_replay_failure=False)
    if result.replay_failure:
        pytest.fail(f"{name}: {result.replay_failure}\n{WHAT_TO_DO}")


async def test_asks_for_the_same_as_ever(replay_database: Database) -> None:
    """A replay does not notice commands that the code would issue beyond the end of a history; this does."""
    committed = kept_fingerprints()
    played = await play_all(replay_database)
    changes = [_changes(name, committed.get(name, []), fingerprint(history)) for name, history in played.items()]
    if any(changes):
        pytest.fail("\n".join([*filter(None, changes), WHAT_TO_DO]))


async def test_lives_the_same_when_nothing_stays_in_memory(replay_database: Database) -> None:
    """Without a cache each step replays all that came before it."""
    async with rehearsal(replay_database, max_cached_workflows=0) as world:
        assert await _fresh(world) == kept_fingerprints()[LONGEST]


async def test_an_ungated_edit_is_caught() -> None:
    with pytest.raises(NondeterminismError):
        await replayer(SleepsFirst).replay_workflow(kept(LONGEST))


async def test_a_gated_edit_passes() -> None:
    await replayer(SleepsFirstInNewExecutions).replay_workflow(kept(LONGEST))


def test_a_changed_fingerprint_is_told_with_what_changed() -> None:
    told = _changes("a_life", ["timer_started", "timer_canceled"], ["timer_started"])
    assert "a_life" in told
    assert "-timer_canceled" in told
    assert not _changes("a_life", ["timer_started"], ["timer_started"])


def test_every_workflow_and_every_life_is_kept() -> None:
    assert {path.stem for path in HISTORIES.glob("*.json")} == set(ALL_LIVES) == set(kept_fingerprints())
    assert {_type_of(kept(name)) for name in ALL_LIVES} == set(Process)


@pytest.mark.parametrize("name", ALL_LIVES)
def test_fingerprints_are_those_of_the_histories(name: str) -> None:
    assert fingerprint(kept(name)) == kept_fingerprints()[name]


@pytest.mark.parametrize("name", ALL_LIVES)
async def test_histories_name_no_machine(name: str) -> None:
    sealed = [payload for event in kept(name).events for payload in payloads_in(event)]
    opened = [payload.data.decode() for payload in await EncryptionCodec(KEYRING).decode(sealed)]
    assert opened
    for text in ((HISTORIES / f"{name}.json").read_text(encoding="utf-8"), *opened):
        assert not NAMES_A_MACHINE.search(text)


def _changes(name: str, before: Fingerprint, after: Fingerprint) -> str:
    return "\n".join(unified_diff(before, after, f"{name}, committed", f"{name}, now", lineterm=""))


async def _fresh(world: Rehearsal) -> Fingerprint:
    people = await invite_people(world.database)
    return fingerprint(await history_of(world, await answered_and_followed_up(world, people)))


def _type_of(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name
