"""Child processes that cannot outlive their parent, and the ports that they listen on."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from domain.errors import CarewaveError

HOST = "127.0.0.1"
POLL_SECONDS = 0.02
LOG_KEPT_BYTES = 5_000_000
PR_SET_PDEATHSIG = 1
# Loaded here, because nothing may be imported between fork and exec.
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class StartFailed(CarewaveError):
    """A server of the embedded stack could not be started. The detail says why and, where known, what to do."""

    def __init__(self, detail: str, code: str = "embedded.start_failed") -> None:
        super().__init__(code, detail)


class PortTaken(StartFailed):
    """Something else listens on the port. `setting` is the variable or flag that chooses another."""

    def __init__(self, service: str, port: int, setting: str) -> None:
        super().__init__(
            f"{service}: port {port} is taken; stop what listens there or choose another with {setting}.",
            "embedded.port_taken",
        )
        self.service = service
        self.port = port
        self.setting = setting


class Child:
    """A started process with its log."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, log_start: int) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._log_start = log_start

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, timeout: float | None = None) -> int:
        """The exit status. Raises `TimeoutError` after `timeout` seconds."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {timeout} s") from None

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM, timeout: float = 10) -> None:
        """Ask the process to end; after `timeout` seconds kill it with its children. Safe to repeat."""
        if not self.running:
            return
        self._process.send_signal(stop_signal)
        try:
            self.wait(timeout)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()

    def last_words(self, lines: int = 12) -> str:
        """The end of what this process wrote to its log."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def start_child(
    name: str, command: Sequence[str | Path], log: Path, *, death_signal: signal.Signals = signal.SIGKILL
) -> Child:
    """Start `command`, its output appended to `log`, so that it gets `death_signal` when this process dies.

    Call it from the main thread: Linux sends the signal when the *thread* that started the child ends, so another
    thread raises `RuntimeError`. The child leads its own process group and misses the terminal's Ctrl-C, so that the
    parent stops its children in order. On other systems than Linux a killed parent leaves its children running.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started from the main thread: they would end with any other")
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
        log.replace(log.with_name(log.name + ".old"))
    with log.open("ab") as output:
        log_start = output.tell()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=functools.partial(_die_with, os.getpid(), int(death_signal)),  # noqa: PLW1509 - calls prctl only
        )
    return Child(name, process, log, log_start)


def _die_with(parent: int, death_signal: int) -> None:
    """Runs in the child, between fork and exec."""
    if LIBC is None:
        return
    LIBC.prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:  # the parent died before prctl
        os._exit(1)


@contextlib.contextmanager
def sole_user(directory: Path, service: str) -> Iterator[None]:
    """Hold the directory for this process; make it if need be. Raises `StartFailed` while another process holds it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed(f"{service} already runs on {directory}; stop it, or use another directory.") from None
        yield


def free_port() -> int:
    """A loopback port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def claim_port(service: str, port: int | None, setting: str) -> int:
    """`port`, or a free one for None. Raises `PortTaken`, naming the service and the setting that changes it."""
    if port is None:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that just closed do not count
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(service, port, setting) from error
    return port


def wait_until(ready: Callable[[], bool], child: Child, timeout: float = 30) -> None:
    """Return once `ready()` holds. Raises `StartFailed` with the end of the log if the child ends or time runs out."""
    deadline = time.monotonic() + timeout
    while not ready():
        if not child.running:
            raise StartFailed(f"{child.name} ended while starting; {child.log} ends with:\n{child.last_words()}")
        if time.monotonic() > deadline:
            raise StartFailed(
                f"{child.name} is not ready after {timeout:g} s; {child.log} ends with:\n{child.last_words()}"
            )
        time.sleep(POLL_SECONDS)


def wait_for_port(port: int, child: Child, timeout: float = 30) -> None:
    """Return once something listens on the loopback port. Raises `StartFailed` as `wait_until` does."""
    wait_until(lambda: listens(port), child, timeout)


def listens(port: int) -> bool:
    """Whether a connection to the loopback port is accepted."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
