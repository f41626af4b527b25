"""The embedded PostgreSQL keeps its state and leaves no process."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from embedded import unprivileged
from embedded.postgres import EmbeddedPostgres, binary
from embedded.process import HOST, PortTaken, StartFailed
from embedded.unprivileged import choose_launcher
from tests.embedded.conftest import gone, processes_on

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root is turned into another user")


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_copies_a_database_from_a_template(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.create_database("template")) as connection:
        connection.execute("CREATE TABLE visit AS SELECT 7 AS id")
    copy = postgres.create_database("copy", template="template")
    assert value(copy, "SELECT id FROM visit") == 7


def test_creates_a_database_again_only_where_told(postgres: EmbeddedPostgres) -> None:
    url = postgres.create_database("again")
    assert postgres.create_database("again", exist_ok=True) == url
    with pytest.raises(psycopg.errors.DuplicateDatabase):
        postgres.create_database("again")


def test_drops_a_database_in_use(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.create_database("busy")):
        postgres.drop_database("busy")
    postgres.drop_database("busy")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres.url("busy"))


def test_asks_for_the_password(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url("postgres"), password="wrong")


def test_keeps_values_out_of_its_log(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.create_database("private"), autocommit=True) as connection:
        connection.execute("CREATE TABLE patient (name text PRIMARY KEY)")
        connection.execute("INSERT INTO patient VALUES ('Marked-Name')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO patient VALUES ('Marked-Name')")
    log = postgres.child.log.read_text()
    assert "duplicate key" in log
    assert "Marked-Name" not in log


def test_keeps_its_state_over_a_restart_and_a_kill(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    with EmbeddedPostgres(folder) as first, psycopg.connect(first.create_database("kept")) as connection:
        connection.execute("CREATE TABLE visit AS SELECT 1 AS id")
    with EmbeddedPostgres(folder) as second:
        with psycopg.connect(second.url("kept")) as connection:
            connection.execute("INSERT INTO visit VALUES (2)")
        os.kill(second.child.pid, signal.SIGKILL)
        second.child.wait(5)
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")  # its process id now belongs to another
    with EmbeddedPostgres(folder) as third:
        assert value(third.url("kept"), "SELECT count(*) FROM visit") == 2
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_parent_leaves_no_postgres(tmp_path: Path, run_parent: Callable[[str], subprocess.Popen[str]]) -> None:
    parent = run_parent(f"""
import time
from pathlib import Path
from embedded.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path({str(tmp_path)!r}) / "postgres"):
    print("ready", flush=True)
    time.sleep(600)
""")
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    assert processes_on(tmp_path)
    parent.kill()
    assert gone(tmp_path)


def test_names_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(PortTaken, match=f"PostgreSQL: port {port} is taken.*--postgres-port"),
            EmbeddedPostgres(tmp_path / "postgres", port=port),
        ):
            pass


def test_refuses_data_whose_password_is_lost(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(StartFailed, match="password is missing"), EmbeddedPostgres(tmp_path):
        pass


@needs_root
def test_becomes_nobody_where_user_namespaces_are_blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = unprivileged.Launcher(("false",), owner=0)
    others = unprivileged._root_launchers()[1:]
    monkeypatch.setattr(unprivileged, "_root_launchers", lambda: (blocked, *others))
    launcher = choose_launcher(binary("postgres"), tmp_path)
    assert launcher in others
    assert tmp_path.stat().st_uid == launcher.owner != 0


@needs_root
def test_says_so_when_root_cannot_become_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "_root_launchers", lambda: (unprivileged.Launcher(("missing-program",), 0),))
    with pytest.raises(StartFailed, match="ordinary user"):
        choose_launcher(binary("postgres"), tmp_path)
