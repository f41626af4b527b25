"""A dev server with a worker process beside it that is started anew whenever it dies."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess

from tests.crash import worker_process
from tests.crash.worker_process import WorkerSettings

GIVE_UP = timedelta(seconds=1)
"""After this long the server gives a dead worker's task to another one."""


@asynccontextmanager
async def restarted_workers(settings: WorkerSettings) -> AsyncIterator[list[int]]:
    """Keep one worker process alive, whatever becomes of it; yields the exit codes of the dead."""
    context: ForkServerContext = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([worker_process.__name__])
    deaths: list[int] = []
    started: list[ForkServerProcess] = []
    stopping = asyncio.Event()

    async def supervise() -> None:
        while not stopping.is_set():
            process = context.Process(target=worker_process.run, args=(settings,), daemon=True)
            started.append(process)
            await asyncio.to_thread(process.start)  # the first one waits for the imports
            await asyncio.to_thread(process.join)
            deaths.append(process.exitcode or 0)

    supervisor = asyncio.create_task(supervise())
    try:
        yield deaths
    finally:
        stopping.set()
        while not supervisor.done():
            if started[-1].is_alive():
                started[-1].kill()
            await asyncio.sleep(0.02)
