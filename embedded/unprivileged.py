"""How to start a program that refuses to run as root, such as PostgreSQL."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded.process import StartFailed

# setpriv comes last: a change of user clears the signal that a process gets when its parent dies.
DEATH_SIGNAL = ("--pdeathsig", "INT")


@dataclass(frozen=True)
class Launcher:
    """`prefix` goes before the command; `owner` (user id) must own what the program writes."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None


def choose_launcher(program: Path, directory: Path) -> Launcher:
    """The first way to run `program` on `directory` that works; as root the directory gets the owner it needs.

    An ordinary user needs none. Root is mapped to another user in a user namespace; where those are blocked (in a
    container, as a rule) it becomes user nobody. Raises `StartFailed` when neither works.
    """
    if os.geteuid() != 0:
        return Launcher()
    for launcher in _root_launchers():
        give(directory, launcher)
        if _works(launcher, program, directory):
            return launcher
    raise StartFailed(
        f"{program.name} does not run as root, and neither unshare nor setpriv (util-linux) could start it as "
        "another user; run as an ordinary user."
    )


def give(directory: Path, launcher: Launcher) -> None:
    """Make the launcher's user the owner of the directory and everything in it."""
    if launcher.owner is None:
        return
    for path in (directory, *directory.rglob("*")):
        if path.lstat().st_uid != launcher.owner:
            os.chown(path, launcher.owner, launcher.owner, follow_symlinks=False)


def _root_launchers() -> tuple[Launcher, ...]:
    nobody = pwd.getpwnam("nobody").pw_uid  # initdb wants a user that the system knows
    namespace = ("unshare", "--user", f"--map-user={nobody}", f"--map-group={nobody}", "setpriv", *DEATH_SIGNAL)
    user = ("setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups")
    # Reaches a program and data inside a directory that is root's alone, as /root is.
    reach = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    return (
        Launcher(namespace, owner=0),
        Launcher((*user, *DEATH_SIGNAL), owner=nobody),
        Launcher((*user, *reach, *DEATH_SIGNAL), owner=nobody),
    )


def _works(launcher: Launcher, program: Path, directory: Path) -> bool:
    command = (*launcher.prefix, "sh", "-c", 'cd "$1" && test -w . && "$0" --version', str(program), str(directory))
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
