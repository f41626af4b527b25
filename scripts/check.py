"""`make test` and `make lint`: every check, one after the other, all of them also after one has failed."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CHECKS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "types": ["mypy", "--no-error-summary"],
    "import contracts": ["lint-imports", "--no-logo"],
    "compose file": ["check-jsonschema", "--quiet", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
    "dockerfile": ["hadolint", "Dockerfile"],
}
TESTS = ["pytest", "-n", "auto", "--dist", "worksteal", "--quiet"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-tests", action="store_true", help="leave the tests out")
    chosen = parser.parse_args()
    started = time.monotonic()
    failed = [name for name, command in CHECKS.items() if not _passes(name, command)]
    if not chosen.no_tests and not _passes("tests", TESTS, shown=True):
        failed.append("tests")
    print(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'all good'} in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


def _passes(name: str, command: list[str], *, shown: bool = False) -> bool:
    print(f"== {name} ...", end="\n" if shown else " ", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{verdict} in {time.monotonic() - started:.1f} s" if not shown else f"== {name} {verdict}", flush=True)
    if done.returncode != 0 and not shown:
        print(done.stdout)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
