"""Everything that leaves the database, and the database as it lies on the disk."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

from google.protobuf.message import Message
from sqlalchemy import text
from sqlmodel import SQLModel
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.failure.v1 import Failure
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

from db.session import Database
from embedded.rehearsal import Rehearsal
from temporal_client import EncryptionCodec
from tests.house import House
from tests.payloads import payloads_in

Places = Mapping[str, bytes]


async def outside_the_database(house: House, log: io.StringIO, case_ids: Iterable[str]) -> Places:
    """Each place where data goes, with all that is there."""
    places = {
        "logs": log.getvalue().encode(),
        "payment processor": "\n".join(house.stage.rehearsal.stripe.store._db.iterdump()).encode(),
        "e-mails": "\n".join(f"{m.message_id} {m.subject}\n{m.text}" for m in house.stage.letterbox.letters).encode(),
        "texts": "\n".join(f"{sent.key} {sent.body}" for sent in house.texts.sent).encode(),
        "refusals": b"\n".join(str(answer.headers).encode() + answer.content for answer in house.refusals),
    }
    for case_id in case_ids:
        stored = await _stored(house.stage.rehearsal, case_id)
        places[f"Temporal, as stored, {case_id}"] = b"\n".join(part.SerializeToString() for part in stored)
    return places


async def sealed_in_temporal(rehearsal: Rehearsal, case_ids: Iterable[str]) -> Places:
    """What the encrypted payloads hold: opaque ids too, by design. Failures are left out: they quote anything."""
    places = {}
    for case_id in case_ids:
        found = [payload for part in await _stored(rehearsal, case_id) for payload in payloads_in(part, but=Failure)]
        opened = await EncryptionCodec(rehearsal.keyring).decode(found)
        places[f"Temporal, opened, {case_id}"] = b"\n".join(payload.SerializeToString() for payload in opened)
        places[f"Temporal, card, {case_id}"] = await _card(rehearsal, case_id)
    return places


async def in_the_database(database: Database) -> Places:
    """Every row of every table as PostgreSQL writes it out; bytes in hexadecimal."""
    places = {}
    async with database.transaction() as session:
        connection = await session.connection()
        for table in SQLModel.metadata.sorted_tables:
            rows = await connection.execute(text(f'select t::text from "{table.name}" t'))
            places[f"table {table.name}"] = "\n".join(rows.scalars()).encode()
    return places


async def opened_records(database: Database) -> bytes:
    """Every row of every table as the application reads it."""
    lines = []
    async with database.transaction() as session:
        connection = await session.connection()
        for table in SQLModel.metadata.sorted_tables:
            for row in await connection.execute(table.select()):
                lines += [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
    return b"\n".join(lines)


async def _stored(rehearsal: Rehearsal, case_id: str) -> list[Message]:
    """History, then what the server says of the execution: memo, search attributes, summary, pending activities."""
    asked = DescribeWorkflowExecutionRequest(
        namespace=rehearsal.client.namespace, execution=WorkflowExecution(workflow_id=case_id)
    )
    described = await rehearsal.client.workflow_service.describe_workflow_execution(asked)
    return [*(await rehearsal.client.get_workflow_handle(case_id).fetch_history()).events, described]


async def _card(rehearsal: Rehearsal, case_id: str) -> bytes:
    """What the person in the Temporal UI reads."""
    handle = rehearsal.client.get_workflow_handle(case_id)
    told: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return told.SerializeToString()
