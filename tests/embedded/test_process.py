"""Children end with their parent, and ports are reported by name."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedded.process import HOST, PortTaken, StartFailed, claim_port, free_port, sole_user, start_child, wait_for_port
from tests.embedded.conftest import gone, processes_on

SLEEPER = "import time; time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def test_names_the_service_and_the_setting_of_a_taken_port() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Outbox: port {port} is taken.*--outbox-port") as caught:
            claim_port("Outbox", port, "--outbox-port")
    assert caught.value.code == "embedded.port_taken"


def test_takes_a_free_port_as_asked() -> None:
    port = free_port()
    assert claim_port("Outbox", port, "--outbox-port") == port


def test_tells_the_last_words_of_a_child_that_ends_while_starting(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("from an earlier run\n")
    child = start_child("Quitter", [sys.executable, "-c", "print('no disk'); raise SystemExit(3)"], log)
    with pytest.raises(StartFailed, match="Quitter ended while starting") as caught:
        wait_for_port(free_port(), child)
    assert "no disk" in caught.value.detail
    assert "earlier" not in caught.value.detail


def test_waits_until_the_child_listens(tmp_path: Path) -> None:
    port = free_port()
    serve = f"import socket, time; s = socket.create_server(('{HOST}', {port})); time.sleep(600)"
    child = start_child("Server", [sys.executable, "-c", serve], tmp_path / "log")
    wait_for_port(port, child)
    child.stop()
    assert not child.running


def test_kills_a_child_that_ignores_the_signal(tmp_path: Path) -> None:
    child = start_child("Stubborn", [sys.executable, "-c", STUBBORN], tmp_path / "log")
    while "up" not in child.last_words():
        assert child.running
    child.stop(signal.SIGTERM, timeout=0.1)
    assert child.wait() == -signal.SIGKILL
    child.stop()


def test_starts_children_from_the_main_thread_only(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="main thread"):
        pool.submit(start_child, "Child", ["true"], tmp_path / "log").result()


def test_refuses_a_directory_that_another_server_uses(tmp_path: Path) -> None:
    refused = pytest.raises(StartFailed, match="Second already runs")
    with sole_user(tmp_path, "First"), refused, sole_user(tmp_path, "Second"):
        pass
    with sole_user(tmp_path, "Third"):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_parent_leaves_no_child(tmp_path: Path, run_parent: Callable[[str], subprocess.Popen[str]]) -> None:
    parent = run_parent(f"""
import sys, time
from pathlib import Path
from embedded.process import start_child
folder = Path({str(tmp_path)!r})
start_child("Sleeper", [sys.executable, "-c", {SLEEPER!r}, folder], folder / "log")
print("ready", flush=True)
time.sleep(600)
""")
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    assert processes_on(tmp_path)
    parent.kill()
    assert gone(tmp_path)
