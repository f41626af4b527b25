"""Versions of practice systems, compared as their makers count them (I-02, I-04, I-06)."""

from __future__ import annotations

import re

from domain.errors import Invalid

_VERSION = re.compile(r"([A-Za-z]?)(\d+(?:\.\d+){0,3})")


def parts_of(version: str) -> tuple[str, tuple[int, ...]]:
    """`G7.3` is ("G", (7, 3)); zeros at the end say nothing. Raises `Invalid` (`integration.version_unreadable`)."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise Invalid("integration.version_unreadable", "a version is numbers with dots, perhaps after a letter")
    numbers = [int(number) for number in found[2].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return found[1].upper(), tuple(numbers)


def at_least(version: str, minimum: str) -> bool:
    """A version without a letter is older than every one with it, and letters go in their order: 16 < G1 < H1."""
    return parts_of(version) >= parts_of(minimum)
