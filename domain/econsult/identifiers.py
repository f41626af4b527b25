"""Finds what would identify the patient in free text meant for a specialist.

A hit blocks the order, so every pattern leans to what is surely an identifier: a dose, a viral load, a range or an
eponym must pass. The patterns take time linear in the text.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import month_abbr
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources

from pydantic import Field

from domain.model import Value


class Identifier(StrEnum):
    NAME = "name"
    BIRTH_DATE = "birth_date"
    EMAIL = "email"
    PHONE = "phone"
    SSN = "ssn"
    RECORD_NUMBER = "record_number"


class KnownIdentifiers(Value):
    """What the records know of the patient; stays out of its repr."""

    name_parts: tuple[str, ...] = Field(default=(), repr=False)
    """Given names first, the family name last."""
    birth_date: date | None = Field(default=None, repr=False)
    email: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)


def identifiers_in(text: str, known: KnownIdentifiers) -> tuple[Identifier, ...]:
    """The kinds of identifier found, in the order of `Identifier`; never the matches themselves."""
    text = plain(text)
    return tuple(kind for kind in Identifier if any(p.search(text) for p in (*_GENERIC[kind], *_known(kind, known))))


def plain(text: str) -> str:
    """Text without accents, invisible characters and typographic dashes and quotes, so that none hides a match."""
    decomposed = unicodedata.normalize("NFKD", text)
    kept = (char for char in decomposed if not unicodedata.combining(char) and unicodedata.category(char) != "Cf")
    return "".join(kept).translate(_TYPOGRAPHY)


_TYPOGRAPHY = str.maketrans(dict.fromkeys("\u2010\u2012\u2013\u2014\u2212", "-") | dict.fromkeys("\u2018\u2019", "'"))


def _compiled(*patterns: str, flags: int = re.IGNORECASE) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, flags) for pattern in patterns)


_DAY = r"(?:\d{1,4}([/.-])\d{1,2}\1\d{1,4}|[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}|\d{1,2} [a-z]{3,9}\.?,? \d{4})"
_RECORD_LABEL = (
    r"(?:mrn?|medical record(?: number| no\.?| ?#|:)|(?:chart|account|policy) (?:number|no\.?|#)"
    r"|(?:patient|member|subscriber|insurance|medicare) (?:id|number|no\.?))"
)

# Digit runs alone are no record numbers here: viral loads, platelet counts and trial ids look the same.
_GENERIC: dict[Identifier, tuple[re.Pattern[str], ...]] = {
    Identifier.NAME: _compiled(r"\b(?:Mrs?|Ms|Mx)\.?\s+[A-Z]['-]?[a-z]+", flags=0),
    Identifier.BIRTH_DATE: _compiled(r"\b(?:dob|d\.o\.b\.?|date of birth|birth ?date|born(?: on)?)[^\w\n]{0,3}" + _DAY),
    Identifier.EMAIL: _compiled(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    Identifier.PHONE: _compiled(
        r"(?<!\w)(?<!\d\.)(?:\+?1[ .-]?)?(?:\([2-9]\d\d\)|[2-9]\d\d)[ .-]?[2-9]\d\d[ .-]?\d{4}(?!\w)",
        r"(?<!\w)\+(?:[ ().-]{0,2}\d){9,15}(?!\d)",
        r"\b(?:tele)?(?:phone|tel|mobile|call|fax)\b[^\w\n]{0,3}\d{3}[ .-]?\d{4}(?!\d)",
    ),
    Identifier.SSN: _compiled(
        r"(?<![\d-])\d{3}-\d\d-\d{4}(?![\d-])",
        r"\b(?:ssn|social security(?: number| no\.?)?)[^\w\n]{0,3}\d{3}[ -]?\d\d[ -]?\d{4}(?!\d)",
    ),
    Identifier.RECORD_NUMBER: _compiled(rf"\b{_RECORD_LABEL}[^\w\n]{{0,3}}(?:[a-z]{{1,4}}-?)?\d{{2,}}-?\d{{3,}}"),
}


def _known(kind: Identifier, known: KnownIdentifiers) -> tuple[re.Pattern[str], ...]:
    if kind is Identifier.NAME:
        return _name_patterns(known.name_parts)
    if kind is Identifier.BIRTH_DATE and known.birth_date:
        return _date_patterns(known.birth_date)
    if kind is Identifier.EMAIL and known.email:
        return _compiled(re.escape(plain(known.email)))
    if kind is Identifier.PHONE and known.phone:
        return _phone_patterns(known.phone)
    return ()


_LETTER = r"[^\W\d_]"


def _name_patterns(parts: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """Capitalised parts of four letters or more that are not words too, and the full name in either order."""
    words = [word for word in plain(" ".join(parts)).split() if re.search(_LETTER, word)]
    lone = {part for word in words for part in word.split("-") if len(part) >= 4 and not _is_a_word_too(part)}
    patterns = [_capitalised(part) for part in sorted(lone)]
    if len(words) >= 2:
        # In small letters a full name counts as well, unless it could be prose: "may long" for May Long.
        form = _capitalised if all(map(_is_a_word_too, (words[0], words[-1]))) else _any_case
        given, family = form(words[0]), form(words[-1])
        patterns += [
            rf"{given}\s+(?:[A-Z]{_LETTER}*\.?\s+){{0,2}}{family}",
            rf"{family},\s*{given}",
            rf"{_capitalised(words[-1])}\s+{_capitalised(words[0])}",
        ]
    return _compiled(*(rf"(?<!{_LETTER}){pattern}(?!{_LETTER})" for pattern in patterns), flags=0)


def _is_a_word_too(part: str) -> bool:
    """Ordinary words, months, and eponyms of signs, diseases and devices: alone they name nobody."""
    return part.casefold() in _words_too()


@cache
def _words_too() -> frozenset[str]:
    text = resources.files("domain").joinpath("data/names_that_are_words.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


def _capitalised(part: str) -> str:
    return re.escape(part[0].upper()) + _any_case(part[1:])


def _any_case(part: str) -> str:
    return f"(?i:{re.escape(part)})"


def _phone_patterns(phone: str) -> tuple[re.Pattern[str], ...]:
    """The last seven digits, whatever stands between them: the area code may be left out."""
    digits = re.findall(r"\d", phone)[-7:]
    return _compiled(r"[ ().-]{0,3}".join(digits) + r"(?!\d)") if len(digits) == 7 else ()


def _date_patterns(day: date) -> tuple[re.Pattern[str], ...]:
    """The usual American, European and ISO ways to write a date."""
    d, m, y = f"0?{day.day}", f"0?{day.month}", f"(?:{day.year:04}|'?{day.year % 100:02})"
    month = rf"{month_abbr[day.month]}[a-z]{{0,6}}\.?"
    forms = (
        rf"{m}\s?([/.-])\s?{d}\s?\1\s?{y}",
        rf"{d}\s?([/.-])\s?{m}\s?\1\s?{y}",
        rf"{day.year:04}\s?([/.-])\s?{m}\s?\1\s?{d}",
        rf"{month}[\s-]{{0,2}}{d}(?:st|nd|rd|th)?[\s,-]{{1,3}}{y}",
        rf"{d}(?:st|nd|rd|th)?(?:\s?of)?[\s-]{{0,2}}{month}[\s,-]{{1,3}}{y}",
        rf"{day:%Y%m%d}|{day:%m%d%Y}",
    )
    return _compiled(*(rf"(?<!\d)(?:{form})(?!\d)" for form in forms))
