"""Make `.venv` from the locked, hashed requirements. Standard library only: it runs before anything is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"


def main() -> int:
    if sys.version_info < (3, 11):
        print(f"Carewave needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}.")
        print("Name another one with: make PYTHON=/path/to/python3.12 ...")
        return 1
    started = time.monotonic()
    steps = [
        ("making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)]),
        ("installing the installer (uv)", [str(BIN / "pip"), *_pip_quietly(), "-r", "requirements/bootstrap.txt"]),
        (
            "installing the locked requirements",
            [str(BIN / "uv"), "pip", "sync", "--quiet", "--python", str(BIN / "python"), "--require-hashes"]
            + ["requirements/dev.txt", "--link-mode", "copy", "--compile-bytecode"],
        ),
        (
            "installing carewave itself",
            [str(BIN / "uv"), "pip", "install", "--quiet", "--python", str(BIN / "python"), "--no-deps"]
            + ["--no-build-isolation", "--editable", "."],
        ),
    ]
    for number, (what, command) in enumerate(steps, start=1):
        print(f"[{number}/{len(steps)}] {what} ...", flush=True)
        if not _run(command):
            shutil.rmtree(VENV, ignore_errors=True)
            return 1
    (VENV / ".ready").touch()
    print(f"ready in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def _pip_quietly() -> list[str]:
    return ["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]


def _run(command: list[str]) -> bool:
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode != 0:
        print(f"\nThis step failed: {' '.join(command)}")
        print("If it says that ensurepip is missing, install your system's python3-venv package and run make again.")
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
