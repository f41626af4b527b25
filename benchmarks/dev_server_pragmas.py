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
from datetime import timedelta
from pathlib import Path

import psutil
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from embedded.temporal_servers import DevServer

IN_FLIGHT = 16
WARM_UP = 16
TASK_QUEUE = "pragmas"

WAL_NORMAL = ("journal_mode=WAL", "synchronous=NORMAL")
NONE = "none"
VARIANTS: dict[str, tuple[str, ...]] = {
    NONE: (),
    "WAL": ("journal_mode=WAL",),
    "WAL, NORMAL": WAL_NORMAL,
    "WAL, NORMAL (again)": WAL_NORMAL,  # how far two measurements of the same thing differ
    "WAL, OFF": ("journal_mode=WAL", "synchronous=OFF"),
    "WAL, NORMAL, cache, mmap, temp_store": (
        *WAL_NORMAL,
        "cache_size=-65536",
        "mmap_size=268435456",
        "temp_store=MEMORY",
    ),
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--workflows", type=int, default=100)
    options = parser.parse_args()
    rounds: list[dict[str, tuple[float, float]]] = []
    names = list(VARIANTS)
    for number in range(options.rounds):
        turn = number % len(names)  # a variant's place in the order must not count
        order = names[turn:] + names[:turn]
        rounds.append({name: measure(VARIANTS[name], options.workflows) for name in order})
        print(f"round {number + 1}: " + ", ".join(f"{n} {rounds[-1][n][0]:.2f} s" for n in names), flush=True)
    print(f"\nmedians of {options.rounds} rounds, {options.workflows} workflows, {IN_FLIGHT} in flight")
    for name in names:
        print(summary(name, rounds))
    sys.stdout.flush()
    os._exit(0)  # processes that used temporalio sometimes abort while the interpreter ends


def summary(name: str, rounds: list[dict[str, tuple[float, float]]]) -> str:
    """One line: median seconds, and how many times faster than without pragmas in the same round."""
    wall = statistics.median(taken[name][0] for taken in rounds)
    processor = statistics.median(taken[name][1] for taken in rounds)
    gains = [taken[NONE][0] / taken[name][0] for taken in rounds]
    spread = f"x{statistics.median(gains):.2f} (x{min(gains):.2f} to x{max(gains):.2f})"
    return f"{name:38}{wall:6.2f} s  {spread:24}  server processor {processor:.2f} s"


if __name__ == "__main__":
    main()
