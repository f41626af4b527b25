"""Playing the lives, and what of their histories is kept: no host names, and a fingerprint of each."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import History, HistoryEvent
from temporalio.client import WorkflowHistory

from activities.notices import NoticeDelivery
from activities.ports import Email, Letter, OutgoingNotice
from activities.sweep import SweepActivities
from crypto import Keyring
from db.outbox import SqlOutbox
from db.session import Database
from db.sweep import SqlSweep, SqlWebhookInbox
from embedded.rehearsal import Rehearsal, rehearse
from tests.replay.lives import LIVES, history_of
from tests.workflows.consult import deliver_to, invite_people

HERE = Path(__file__).parent
HISTORIES = HERE / "histories"
FINGERPRINTS = HERE / "fingerprints.json"

KEYRING = Keyring({"replay-test": b"carewave replay test key, public"})
"""The histories in this folder are sealed with it, and nothing else ever is: it is no secret."""

Fingerprint = list[str]


async def play_all(database: Database) -> dict[str, WorkflowHistory]:
    """Every life, one after the other on one clock."""
    histories: dict[str, WorkflowHistory] = {}
    async with rehearsal(database) as world:
        people = await invite_people(database)
        for name, life in LIVES.items():
            histories[name] = await history_of(world, await life(world, people))
    return histories


@asynccontextmanager
async def rehearsal(database: Database) -> AsyncIterator[Rehearsal]:
    places: list[Rehearsal] = []
    async with rehearse(database, keyring=KEYRING, deliver=deliver_to(places)) as world:
        places.append(world)
        yield world


def fingerprint(history: WorkflowHistory) -> Fingerprint:
    """What the workflow's code asked for, in order: kinds of commands with the names in them."""
    return list(_commands(history.events))


def _commands(events: Iterator[HistoryEvent] | Any) -> Iterator[str]:
    for event in events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
        if kind in _NAMES:
            yield f"{kind} {_NAMES[kind](event)}".strip()
