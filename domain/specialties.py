"""The catalogue of specialties that an eConsult can be addressed to (E-07: more than 140).

The data is `data/specialties.json`. A code, once published, is never given another meaning and never removed.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import NamedTuple

from pydantic import TypeAdapter

from domain.errors import Invalid
from domain.model import Value


class CodeSystem(StrEnum):
    """Where a specialty's code comes from."""

    NUCC = "nucc"  # Health Care Provider Taxonomy, ten characters
    CAREWAVE = "carewave"  # ours, `CW-…`, for areas that NUCC has no code for


class Specialty(Value):
    code: str
    code_system: CodeSystem
    name: str
    group: str
    """The parent field, such as Internal Medicine."""
    synonyms: tuple[str, ...] = ()
    """Further words that people search with."""


@cache
def catalogue() -> tuple[Specialty, ...]:
    """Every specialty, in the order of the file: by group, general ones first."""
    text = resources.files("domain").joinpath("data/specialties.json").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Specialty, ...]).validate_json(text)


def find(code: str) -> Specialty:
    """The specialty with exactly this code. Raises `Invalid` (`specialty.unknown`)."""
    specialty = _by_code().get(code)
    if specialty is None:
        raise Invalid("specialty.unknown", "no specialty has this code; search the catalogue for one")
    return specialty


def search(text: str, limit: int = 20) -> list[Specialty]:
    """Up to `limit` specialties, best first; case, accents and punctuation do not matter.

    Ranked: the code itself, the whole name or a whole synonym, start of the name, starts of its words, synonyms.
    Text without a letter or digit finds nothing.
    """
    query = _fold(text)
    if not query:
        return []
    ranked = ((_rank(query, entry), entry) for entry in _index())
    found = sorted((rank, entry.name, entry.specialty.code) for rank, entry in ranked if rank is not None)
    return [_by_code()[code] for _, _, code in found[: max(limit, 0)]]


class _Entry(NamedTuple):
    specialty: Specialty
    code: str
    name: str
    synonyms: tuple[str, ...]


@cache
def _by_code() -> dict[str, Specialty]:
    return {specialty.code: specialty for specialty in catalogue()}


@cache
def _index() -> tuple[_Entry, ...]:
    return tuple(_Entry(s, _fold(s.code), _fold(s.name), tuple(map(_fold, s.synonyms))) for s in catalogue())


def _rank(query: str, entry: _Entry) -> int | None:
    if query == entry.code:
        return 0
    if query == entry.name or query in entry.synonyms:
        return 1
    if entry.name.startswith(query):
        return 2
    if _starts_words_of(query, entry.name):
        return 3
    if _starts_words_of(query, " ".join((entry.name, *entry.synonyms))):
        return 4
    return None


def _starts_words_of(query: str, text: str) -> bool:
    words = text.split()
    return all(any(word.startswith(part) for word in words) for part in query.split())


def _fold(text: str) -> str:
    """Lower case, without accents and possessives, punctuation as single spaces."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", re.sub(r"['\u2019]s\b", "", bare.casefold())))
