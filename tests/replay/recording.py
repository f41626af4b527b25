"""Playing the lives, and what is kept of their histories: no names of machines, and a fingerprint of each."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from crypto import Keyring
from db.session import Database
from embedded.rehearsal import Rehearsal, rehearse
from tests.replay.lives import LIVES
from tests.replay.rollout_lives import ROLLOUT_LIVES
from tests.replay.rollout_people import theatre
from tests.replay.settling import history_of
from tests.workflows.consult import deliver_to, invite_people

HISTORIES = Path(__file__).parent / "histories"
FINGERPRINTS = Path(__file__).parent / "fingerprints.json"

KEYRING = Keyring({"replay-test": b"carewave replay test key, public"})
"""Seals the committed histories and nothing else: it is no secret."""

Fingerprint = list[str]

ALL_LIVES = (*LIVES, *ROLLOUT_LIVES)
"""By name."""


async def play_all(database: Database) -> dict[str, WorkflowHistory]:
    """Every life, one after the other on one clock; those of rollouts on another."""
    async with rehearsal(database) as world:
        people = await invite_people(database)
        histories = {name: await history_of(world, await life(world, people)) for name, life in LIVES.items()}
    async with theatre(database, KEYRING) as stage:
        rollouts = {name: await history_of(stage.world, await life(stage)) for name, life in ROLLOUT_LIVES.items()}
    return histories | rollouts


@asynccontextmanager
async def rehearsal(database: Database, max_cached_workflows: int = 1000) -> AsyncIterator[Rehearsal]:
    places: list[Rehearsal] = []
    async with rehearse(
        database,
        keyring=KEYRING,
        deliver=deliver_to(places),
        deliver_calls=_to_nobody,
        max_cached_workflows=max_cached_workflows,
    ) as world:
        places.append(world)
        yield world


async def _to_nobody(_url: str, _form: Mapping[str, str], _signature: str) -> int:
    return 202


def keep(histories: Mapping[str, WorkflowHistory]) -> None:
    """Replace what is committed."""
    HISTORIES.mkdir(exist_ok=True)
    for old in HISTORIES.glob("*.json"):
        old.unlink()
    for name, history in histories.items():
        kept = {"workflow_id": history.workflow_id, **scrubbed(history.to_json_dict())}
        (HISTORIES / f"{name}.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    fingerprints = {name: fingerprint(history) for name, history in histories.items()}
    FINGERPRINTS.write_text(json.dumps(fingerprints, indent=1) + "\n", encoding="utf-8")


def kept(name: str) -> WorkflowHistory:
    document = json.loads((HISTORIES / f"{name}.json").read_text(encoding="utf-8"))
    return WorkflowHistory.from_json(document.pop("workflow_id"), document)


def kept_fingerprints() -> dict[str, Fingerprint]:
    found: dict[str, Fingerprint] = json.loads(FINGERPRINTS.read_text(encoding="utf-8"))
    return found


def scrubbed(value: Any) -> Any:
    """Without the identities of clients and workers, which hold process and host names."""
    if isinstance(value, list):
        return [scrubbed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: "anybody" if key == "identity" else scrubbed(item) for key, item in value.items()}


def fingerprint(history: WorkflowHistory) -> Fingerprint:
    """What the workflow's code did, in order: commands and accepted updates, with the names in them."""
    return list(_commands(history.events))


def _commands(events: Iterable[HistoryEvent]) -> Iterator[str]:
    for event in events:
        if naming := _NAMING.get(event.event_type):
            kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
            yield f"{kind} {naming(event)}".strip()


def _activity(event: HistoryEvent) -> str:
    return event.activity_task_scheduled_event_attributes.activity_type.name


def _marker(event: HistoryEvent) -> str:
    """Of a local activity its type, of a patch its id."""
    marker = event.marker_recorded_event_attributes
    told = json.loads(marker.details["data"].payloads[0].data) if "data" in marker.details else {}
    return f"{marker.marker_name} {told.get('activity_type', '')}".strip()


def _update(event: HistoryEvent) -> str:
    return event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name


def _attributes(event: HistoryEvent) -> str:
    upserted = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
    return " ".join(sorted(upserted))


def _nothing(_: HistoryEvent) -> str:
    return ""


_NAMING: Mapping[int, Callable[[HistoryEvent], str]] = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: _activity,
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: _nothing,
    EventType.EVENT_TYPE_MARKER_RECORDED: _marker,
    EventType.EVENT_TYPE_TIMER_STARTED: _nothing,
    EventType.EVENT_TYPE_TIMER_CANCELED: _nothing,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: _attributes,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: _update,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: _nothing,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: _nothing,
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED: _nothing,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: _nothing,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: _nothing,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: _nothing,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: _nothing,
}
