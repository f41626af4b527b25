"""Which SQLite pragmas help the development server that keeps its state on disk.

Runs the same small workflows against a server without pragmas and with each set of them, in alternation, and prints the
medians: `python -m benchmarks.dev_server_pragmas [--rounds 4] [--workflows 100]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import psutil
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from embedded.temporal_servers import SQLITE_PRAGMAS, DevServer

IN_FLIGHT = 16
WARM_UP = 16
TASK_QUEUE = "pragmas"

VARIANTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "WAL": ("journal_mode=WAL",),
    "WAL, synchronous=NORMAL": ("journal_mode=WAL", "synchronous=NORMAL"),
    "WAL, synchronous=OFF": ("journal_mode=WAL", "synchronous=OFF"),
    "WAL, NORMAL, cache, mmap, temp_store": (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "cache_size=-65536",
        "mmap_size=268435456",
        "temp_store=MEMORY",
    ),
    "chosen": SQLITE_PRAGMAS,
}


@activity.defn
async def answer(number: int) -> int:
    return number + 1


@workflow.defn
class OneActivity:
    @workflow.run
    async def run(self, number: int) -> int:
        return await workflow.execute_activity(answer, number, start_to_close_timeout=timedelta(seconds=30))


async def seconds_taken(address: str, workflows: int) -> float:
    """Wall-clock seconds from the first start to the last result."""
    client = await Client.connect(address)
    room = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> None:
        async with room:
            await client.execute_workflow(OneActivity.run, number, id=f"pragma-{number}", task_queue=TASK_QUEUE)

    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        client, task_queue=TASK_QUEUE, workflows=[OneActivity], activities=[answer], workflow_runner=runner
    ):
        await asyncio.gather(*(one(number) for number in range(-WARM_UP, 0)))
        begun = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(workflows)))
        return time.perf_counter() - begun


def measure(pragmas: tuple[str, ...], workflows: int) -> tuple[float, float]:
    """Wall-clock seconds of the workflows, and the processor seconds of the server."""
    with tempfile.TemporaryDirectory() as folder, DevServer(Path(folder), pragmas=pragmas) as server:
        seconds = asyncio.run(seconds_taken(server.address, workflows))
        used = psutil.Process(server.child.pid).cpu_times()
        server.child.stop(signal.SIGKILL)  # nothing to keep
        return seconds, used.user + used.system


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--workflows", type=int, default=100)
    chosen = options.parse_args()
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for number in range(1, chosen.rounds + 1):
        for name, pragmas in VARIANTS.items():
            taken[name].append(measure(pragmas, chosen.workflows))
        print(
            f"round {number}: " + ", ".join(f"{name} {runs[-1][0]:.2f} s" for name, runs in taken.items()), flush=True
        )
    baseline = statistics.median(seconds for seconds, _ in taken["none"])
    print(f"\nmedians of {chosen.rounds} rounds, {chosen.workflows} workflows, {IN_FLIGHT} in flight")
    for name, runs in taken.items():
        wall = statistics.median(seconds for seconds, _ in runs)
        processor = statistics.median(used for _, used in runs)
        print(
            f"{name:40}{wall:7.2f} s{chosen.workflows / wall:7.1f}/s  x{baseline / wall:.2f}  server cpu {processor:.2f} s"
        )
    sys.stdout.flush()
    os._exit(0)  # processes that used temporalio sometimes abort while the interpreter ends


if __name__ == "__main__":
    main()
