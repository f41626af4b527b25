"""`make bench`: what one eConsult costs, beside a bare Temporal workflow with as many acts and records.

Both run on the same in-memory dev server, in alternating rounds. Processor time is the median of what this process
uses: worker, client, driver and sandbox gateways, without the servers. Events, state transitions and bytes are exact:
they come from the server's own description of the execution. Then the at-risk board and the scorecard: see
benchmarks/at_risk.py and benchmarks/scorecard.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks import at_risk, econsult, scorecard
from benchmarks.bare import ACTS, Bare, record
from crypto import Keyring, generate_key
from db.migrate import migrate
from db.session import Database
from db.types import vault
from embedded.postgres import EmbeddedPostgres
from embedded.rehearsal import Rehearsal, real_time
from embedded.temporal_servers import DevServer
from leaving import leave
from temporal_client import data_converter, register_search_attributes
from tests.workflows.consult import Consult, deliver_to, invite_people
from worker import BUILD, build_workers

ROUNDS = 4
EACH = 6
BARE_QUEUE = "bare"


@dataclass(frozen=True)
class Cost:
    """Of one execution."""

    events: int
    state_transitions: int
    history_bytes: int
    processor_ms: float


async def measure(client: Client, run_one: Callable[[], Awaitable[str]]) -> Cost:
    """Run some, one after the other; the medians, and the counters of the last one."""
    processors = []
    workflow_id = ""
    for _ in range(EACH):
        started = time.process_time()
        workflow_id = await run_one()
        processors.append((time.process_time() - started) * 1000)
    asked = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    info = (await client.workflow_service.describe_workflow_execution(asked)).workflow_execution_info
    return Cost(
        events=info.history_length,
        state_transitions=info.state_transition_count,
        history_bytes=info.history_size_bytes,
        processor_ms=round(statistics.median(processors), 1),
    )


async def run(postgres_url: str, address: str) -> dict[str, list[Cost]]:
    ring = Keyring.parse(generate_key("bench"))
    vault.open(ring)
    client = await Client.connect(address, data_converter=data_converter(ring))
    await register_search_attributes(client)
    database = Database(postgres_url)
    bare_worker = Worker(client, task_queue=BARE_QUEUE, workflows=[Bare], activities=[record], build_id=BUILD)
    costs: dict[str, list[Cost]] = {"econsult": [], "bare": []}
    places: list[Rehearsal] = []
    async with real_time(client, database, ring, deliver_to(places)) as world:
        places.append(world)
        template = Consult(world, await invite_people(database), econsult.quick_policy())
        async with build_workers(client, world.adapters, graceful_shutdown=timedelta(0)), bare_worker:
            await econsult.live(template)
            for number in range(ROUNDS):
                print(f"round {number + 1} of {ROUNDS} ...", flush=True)
                pairs = [("econsult", lambda: econsult.live(template)), ("bare", lambda: Bare.live(client, BARE_QUEUE))]
                for name, run_one in pairs if number % 2 == 0 else reversed(pairs):
                    costs[name].append(await measure(client, run_one))
    await database.close()
    return costs


def show(costs: dict[str, list[Cost]]) -> None:
    middle = {name: _median(rounds) for name, rounds in costs.items()}
    print(f"\n{'':22}{'eConsult':>12}{'bare':>12}{'ratio':>8}")
    for field in ("events", "state_transitions", "history_bytes", "processor_ms"):
        ours, floor = middle["econsult"][field], middle["bare"][field]
        print(f"{field.replace('_', ' '):22}{ours:12.0f}{floor:12.0f}{ours / floor:8.2f}")
    print(f"\nThe bare workflow takes {ACTS} updates, each with one local activity that does nothing.")
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    print(
        json.dumps(
            {"machine": machine, "rounds": {name: [asdict(c) for c in rounds] for name, rounds in costs.items()}}
        )
    )


def _median(rounds: list[Cost]) -> dict[str, float]:
    return {name: statistics.median(asdict(cost)[name] for cost in rounds) for name in asdict(rounds[0])}


def main() -> int:
    with EmbeddedPostgres(ephemeral=True) as postgres, DevServer() as server:
        url = postgres.create_database("bench")
        migrate(url)
        show(asyncio.run(run(url, server.address)))
        at_risk.run(postgres)
        scorecard.run_in(postgres)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    leave(status)
