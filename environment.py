"""The environment of a process: the file in which `carewave up` leaves it, and what is wrong with it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

OWNED_PREFIXES = ("CODEC_", "OIDC_", "SMTP_", "STRIPE_", "TEMPORAL_", "TWILIO_")
"""Variables of these groups stand or fall together: what the file does not name, it unsets."""


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write lines that a shell can read too, for the owner's eyes only; whole or not at all."""
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(environment.items()))
    write_private(path, text)


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read; whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def read_environment(path: Path) -> dict[str, str]:
    """The variables in the file. Raises OSError when it cannot be read."""
    assignments = shlex.split(path.read_text(encoding="utf-8"), comments=True)
    return {name: value for name, found, value in (part.partition("=") for part in assignments) if found}


def enter(environment: Mapping[str, str]) -> None:
    """Make it the environment of this process and of those it starts."""
    for name in [name for name in os.environ if name.startswith(OWNED_PREFIXES)]:
        del os.environ[name]
    os.environ.update(environment)


def faults(error: ValidationError) -> str:
    """Which settings are wrong and why, without their values."""
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in found)
