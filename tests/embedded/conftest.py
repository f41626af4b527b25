"""Programs that start a server of the embedded stack and wait to be killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_parent() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Run Python code in a parent of its own; it prints one line when ready, and is killed in the end."""
    with contextlib.ExitStack() as cleanup:

        def run(code: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", code]
            parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            cleanup.callback(parent.wait)
            cleanup.callback(parent.kill)
            return parent

        yield run


def processes_on(marker: Path) -> list[psutil.Process]:
    """Processes, zombies apart, whose command line or working directory mentions the path."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(marker) in " ".join([*process.cmdline(), process.cwd()]):
                found.append(process)
    return found


def gone(marker: Path, seconds: float = 5) -> bool:
    """Whether no process mentions the path any more, at the latest after `seconds`."""
    deadline = time.monotonic() + seconds
    while processes_on(marker):
        if time.monotonic() > deadline:
            return False
        psutil.wait_procs(processes_on(marker), timeout=0.05)
    return True
