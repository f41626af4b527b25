"""docs/errors.md lists every stable code of the source, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from domain.econsult.identifiers import Identifier
from domain.visit import VisitStatus

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("activities", "api", "db", "domain", "integrations", "workflows")

CODE = re.compile(r"[a-z_]+\.[a-z_]*[a-z]")
ASSEMBLED = re.compile(r"[a-z_{}]+\.[a-z_{}]+")
DOCUMENTED = re.compile(r"^\| `([a-z_]+(?:\.[a-z_<>]+)?)` \|", re.MULTILINE)

WITHOUT_A_DOT = {"internal"}

NOT_CODES = {
    "attachment.content",  # what was disclosed
    "charge.refunded",  # Stripe's
    "checkout.session",  # Stripe's
    "configuration.md",
    "econsult.documents",  # what was disclosed
    "econsult.fhir",  # what was disclosed
    "econsult.messages",  # what was disclosed
    "econsult.submission",  # what was disclosed
    "latest_charge.balance_transaction",  # Stripe's
    "pay.css",
    "pay.html",
    "refund.decided",  # a reason that stays inside
    "refund.failed",  # Stripe's
    "uvicorn.access",
    "uvicorn.error",
}

LENGTHS = {"missing", "too_short", "too_long"}
FORMS = {
    "http.{}": {"http.<status>"},
    "identifier.{}": {f"identifier.{kind}" for kind in Identifier},
    "{}.unknown": {"clinician.unknown", "patient.unknown", "specialist.unknown"},
    "visit.not_{}": {f"visit.not_{needed}" for needed in (VisitStatus.SCHEDULED, VisitStatus.IN_PROGRESS)},
    "visit.{}": {f"visit.{needed}" for needed in (VisitStatus.SCHEDULED, VisitStatus.IN_PROGRESS)},
    **{f"{{}}.{fault}": {f"question.{fault}", f"history.{fault}"} for fault in LENGTHS},
    # No codes: a file, an answer of the guide, a payment link.
    "{}.txt": set(),
    "{}.{}": set(),
}
"""Codes that are put together, by the form of the f-string."""


def sources() -> Iterator[Path]:
    yield from ROOT.glob("*.py")
    for package in PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


def strings(path: Path) -> Iterator[str]:
    """Whole strings, and f-strings with {} for what is put in. Tables name columns, not codes."""
    if path.name in {"tables.py", "problem_model.py"}:  # the latter's codes are examples
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def in_the_source() -> set[str]:
    found = {text for path in sources() for text in strings(path)}
    forms = {text for text in found if "{}" in text and ASSEMBLED.fullmatch(text)}
    assert forms <= FORMS.keys(), "say in FORMS which codes these are"
    whole = {text for text in found if CODE.fullmatch(text)} - NOT_CODES
    return whole.union(WITHOUT_A_DOT, *(FORMS[form] for form in forms))


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    documented = set(DOCUMENTED.findall(page))
    assert sorted(in_the_source() - documented) == [], "not in docs/errors.md"
    assert sorted(documented - in_the_source()) == [], "in docs/errors.md, but not in the source"
