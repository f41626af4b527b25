"""The embedded Temporal server keeps its state and leaves no process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from embedded import temporal_servers
from embedded.process import HOST, PortTaken, StartFailed, free_port
from embedded.temporal_servers import DevServer, dev_server_path
from tests.embedded.conftest import gone, processes_on

PROCESS = SearchAttributeKey.for_keyword("Process")
LEVEL = SearchAttributeKey.for_int("EscalationLevel")


async def test_is_ready_for_workflows_when_entered() -> None:
    with DevServer(search_attributes={"Process": "Keyword"}, time_skipping=True) as server:
        client = await Client.connect(server.address)
        attributes = TypedSearchAttributes([SearchAttributePair(PROCESS, "visit")])
        handle = await client.start_workflow("Visit", id="v", task_queue="none", search_attributes=attributes)
        assert (await handle.describe()).typed_search_attributes[PROCESS] == "visit"


async def test_keeps_every_acknowledged_start_over_a_kill_and_learns_new_attributes(tmp_path: Path) -> None:
    with DevServer(tmp_path, search_attributes={"Process": "Keyword"}) as first:
        client = await Client.connect(first.address)
        for number in range(20):
            await client.start_workflow("Visit", id=f"visit:{number}", task_queue="none")
        os.kill(first.child.pid, signal.SIGKILL)
        first.child.wait(5)
    with DevServer(tmp_path, search_attributes={"Process": "Keyword", "EscalationLevel": "Int"}) as second:
        client = await Client.connect(second.address)
        for number in range(20):
            description = await client.get_workflow_handle(f"visit:{number}").describe()
            assert description.status is WorkflowExecutionStatus.RUNNING
        attributes = TypedSearchAttributes([SearchAttributePair(LEVEL, 2)])
        await client.start_workflow("Visit", id="new", task_queue="none", search_attributes=attributes)
    with DevServer(tmp_path) as third:  # after a graceful stop
        client = await Client.connect(third.address)
        description = await client.get_workflow_handle("new").describe()
        assert description.typed_search_attributes[LEVEL] == 2
        third.child.stop(signal.SIGKILL)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_parent_leaves_no_server(tmp_path: Path, run_parent: Callable[[str], subprocess.Popen[str]]) -> None:
    parent = run_parent(f"""
import time
from pathlib import Path
from embedded.temporal_servers import DevServer
with DevServer(Path({str(tmp_path)!r})):
    print("ready", flush=True)
    time.sleep(600)
""")
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    assert processes_on(tmp_path)
    parent.kill()
    assert gone(tmp_path)


def test_names_a_taken_port_of_the_server_and_of_its_ui() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=r"Temporal: port .* --temporal-port"), DevServer(port=port):
            pass
        with pytest.raises(PortTaken, match=r"Temporal UI: port .* --temporal-ui-port"), DevServer(ui_port=port):
            pass


def test_hands_the_codec_endpoint_to_the_ui(tmp_path: Path) -> None:
    server = DevServer(tmp_path, ui_port=free_port(), ui_codec_endpoint="http://127.0.0.1:8000/codec")
    command = server._command(7233)
    assert command[command.index("--ui-codec-endpoint") + 1] == "http://127.0.0.1:8000/codec"
    assert server.ui_url == f"http://{HOST}:{server.ui_port}"


def test_finds_both_servers() -> None:
    assert dev_server_path().is_file()
    assert temporal_servers.test_server_path().is_file()


def test_says_what_to_install_when_a_server_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartFailed, match=r"carewave\[embedded\]"):
        dev_server_path()
