"""The whole of Carewave as child processes: started in order, watched, and stopped in the reverse order."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from embedded.announcement import Addresses, announce
from embedded.configuration import Ports, StackSecrets, load_or_create_secrets, stack_environment
from embedded.postgres import EmbeddedPostgres
from embedded.process import HOST, Child, StartFailed, claim_port, start_child, wait_until
from embedded.temporal_servers import DevServer
from environment import enter, write_environment

DATABASE = "carewave"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCH_SECONDS = 0.25
START_SECONDS = 120
KEPT = ("env", "gateways", "issuer-key.json", "logs", "postgres", "secrets.json", "temporal")
"""What the state directory holds, beside the lock."""


@dataclass(frozen=True)
class Options:
    state_dir: Path
    ports: Ports
    fresh: bool = False


def run(options: Options, console: Console) -> None:
    """Run the stack until SIGINT, SIGTERM or SIGHUP.

    Raises `PortTaken` and `StartFailed`, also when one of its processes ends by itself. This process takes on the
    environment of the stack, and starts its children from the main thread.
    """
    for number in STOP_SIGNALS:
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    with _alone(options.state_dir), contextlib.ExitStack() as running:
        stack = Stack(options, console, running)
        try:
            stack.start()
            announce(console, stack.addresses())
            stack.watch()
        except KeyboardInterrupt:
            console.print("\nStopping …")
        finally:
            # Once is enough: a second Ctrl-C must not leave half of it running.
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)


class Stack:
    def __init__(self, options: Options, console: Console, running: contextlib.ExitStack) -> None:
        self._options = options
        self._ports = options.ports
        self._console = console
        self._running = running
        self._children: list[Child] = []
        self._given = dict(os.environ)
        self._own_database = not self._given.get("DATABASE_URL")
        self._own_temporal = not self._given.get("TEMPORAL_ADDRESS")

    def start(self) -> None:
        self._claim_ports()
        self._make_room()
        kept = load_or_create_secrets(self._options.state_dir)
        environment = stack_environment(kept, self._ports, self._given)
        enter(environment)
        gateways = self._start_gateways()
        # Takes a second or more, for which nobody should wait to hear of a port that is taken.
        from embedded import preparation  # noqa: PLC0415

        with self._step("PostgreSQL"):
            environment["DATABASE_URL"] = self._database_url()
        enter(environment)
        write_environment(self._options.state_dir / "env", environment)
        with self._step("Temporal"):
            self._start_temporal(kept, preparation.search_attribute_types())
        with self._step("Database schema and demo people"):
            preparation.prepare_records()
        # Both take their time to start: let them do so at once.
        worker = self._start("Worker", sys.executable, "-m", "cli", "worker")
        api = self._start("API", sys.executable, "-m", "embedded.api")
        with self._step("Sandboxes"):
            wait_until(lambda: _answers(self._ports.gateways, "/outbox.json"), gateways, START_SECONDS)
        with self._step("API"):
            wait_until(lambda: _answers(self._ports.api, "/readyz"), api, START_SECONDS)
        with self._step("Worker"):
            preparation.wait_until_working(worker, START_SECONDS)

    def watch(self) -> None:
        """Return never; raise `StartFailed` once a process has ended."""
        while True:
            for child in self._children:
                if not child.running:
                    raise StartFailed(
                        f"{child.name} ended, so everything was stopped; {child.log} ends with:\n{child.last_words()}",
                        "embedded.child_ended",
                    )
            time.sleep(WATCH_SECONDS)

    def addresses(self) -> Addresses:
        return Addresses(
            ports=self._ports,
            state_dir=self._options.state_dir,
            temporal_ui=self._own_temporal,
            stripe_sandbox=os.environ.get("STRIPE_API_BASE", "").startswith(self._ports.gateways_url),
            mail_sandbox=os.environ.get("SMTP_PORT") == str(self._ports.smtp),
        )

    def _make_room(self) -> None:
        if not self._options.fresh:
            return
        if not (self._own_database and self._own_temporal):
            raise StartFailed(
                "--fresh empties our own servers only; with DATABASE_URL or TEMPORAL_ADDRESS, do without."
            )
        for name in KEPT:
            path = self._options.state_dir / name
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    def _claim_ports(self) -> None:
        """Say what is taken before anything is started. The two servers claim theirs once more."""
        ports = self._ports
        claim_port("API", ports.api, "--api-port")
        claim_port("Sandboxes", ports.gateways, "--gateways-port")
        claim_port("Mail sandbox", ports.smtp, "--smtp-port")
        if self._own_database:
            claim_port("PostgreSQL", ports.postgres, "--postgres-port")
        if self._own_temporal:
            claim_port("Temporal", ports.temporal, "--temporal-port")
            claim_port("Temporal UI", ports.temporal_ui, "--temporal-ui-port")

    def _start_gateways(self) -> Child:
        flags = ("--port", str(self._ports.gateways), "--smtp-port", str(self._ports.smtp))
        module = ("-m", "embedded.gateways", "--state-dir", str(self._options.state_dir))
        return self._start("Sandboxes", sys.executable, *module, *flags)

    def _database_url(self) -> str:
        if not self._own_database:
            return self._given["DATABASE_URL"]
        directory = self._options.state_dir / "postgres"
        server = self._running.enter_context(EmbeddedPostgres(directory, port=self._ports.postgres))
        self._children.append(server.child)
        return server.create_database(DATABASE, exist_ok=True)

    def _start_temporal(self, kept: StackSecrets, search_attributes: Mapping[str, str]) -> None:
        if not self._own_temporal:
            _run_to_end("carewave migrate --temporal", sys.executable, "-m", "cli", "migrate", "--temporal")
            return
        server = DevServer(
            self._options.state_dir / "temporal",
            port=self._ports.temporal,
            ui_port=self._ports.temporal_ui,
            search_attributes=search_attributes,
            ui_codec_endpoint=f"{self._ports.api_url}/codec/{kept.codec_access_key}",
        )
        self._children.append(self._running.enter_context(server).child)

    def _start(self, name: str, *command: str) -> Child:
        child = start_child(name, command, self._options.state_dir / "logs" / f"{name.lower()}.log")
        self._children.append(child)
        self._running.callback(child.stop)
        return child

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        with self._console.status(f"{name} …"):
            yield
        self._console.print(f"  [green]✓[/] {name} [dim]{time.monotonic() - started:.1f} s[/]")


@contextlib.contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    """Two stacks on one state would ruin it."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed(f"A stack runs on {state_dir} already; stop it, or choose another --state-dir.") from None
        yield


def _run_to_end(name: str, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StartFailed(f"{name} failed: {done.stderr.strip()}")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
