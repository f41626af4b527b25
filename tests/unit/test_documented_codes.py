"""docs/errors.md lists every stable code of the source, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from pydantic import SecretStr

from api.app import assemble
from api.auth import TokenVerifier
from config import Settings
from crypto import generate_key
from domain import policy
from domain.econsult.identifiers import Identifier
from domain.rollout.location_csv import columns
from worker import PASSED_THROUGH

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("activities", "api", "db", "domain", "integrations", "workflows")

CODE = re.compile(r"[a-z_]+\.[a-z_]*[a-z]")
ASSEMBLED = re.compile(r"[a-z_{}]+\.[a-z_{}]+")
DOCUMENTED = re.compile(r"^\| `([a-z_]+(?:\.[a-z_<>]+)?)` \|", re.MULTILINE)

WITHOUT_A_DOT = {"internal"}

HOLD_CODES = {"code", "error_code", "missing", "reason", "warnings"}
"""Names in answers of the API."""

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
    "state.clinician_id",  # a column
    "uvicorn.access",
    "uvicorn.error",
    "visit.clinician_id",  # a column
}

COLUMNS_TOO = {"practice_system.supported", "practice_system.version"}
"""Codes, in `missing`, that columns are called by as well."""

LENGTHS = {"missing", "too_short", "too_long"}
FORMS = {
    "http.{}": {"http.<status>"},
    "identifier.{}": {f"identifier.{kind}" for kind in Identifier},
    "{}.unknown": {
        "clinician.unknown",
        "conduct_report.unknown",
        "credential_event.unknown",
        "patient.unknown",
        "specialist.unknown",
    },
    **{f"{{}}.{fault}": {f"question.{fault}", f"history.{fault}"} for fault in LENGTHS},
    "clearance.{}": {"clearance.<name>"},
    "prerequisite.{}": {"prerequisite.<name>"},
    "signature.{}": {"signature.<function>"},
    "training.{}": {"training.<group>"},
    "task.{}": {"task.<id>"},
    "hold.{}": {"hold.<reason>"},
    # No codes: a file, an answer of the guide, a payment link.
    "{}.txt": set(),
    "{}.{}": set(),
}
"""Codes that are put together, by the form of the f-string."""


def settings_and_columns() -> set[str]:
    """Names of a rollout's settings, and of the columns of its list of locations: they look like codes."""
    names = {one.key for one in policy.load().rollout.settings.catalogue} | set(columns())
    return names - COLUMNS_TOO


def sources() -> Iterator[Path]:
    yield from ROOT.glob("*.py")
    for package in PACKAGES:
        yield from (path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


def strings(path: Path) -> Iterator[str]:
    """Whole strings, and f-strings with {} for what is put in. Tables name columns, not codes."""
    if path.parent.name == "tables" or path.name == "problem_model.py":  # the latter's codes are examples
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
    whole = {text for text in found if CODE.fullmatch(text)} - NOT_CODES - set(PASSED_THROUGH)
    whole -= settings_and_columns()
    return whole.union(WITHOUT_A_DOT, *(FORMS[form] for form in forms))


def documented_codes() -> set[str]:
    return set(DOCUMENTED.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8")))


def shown(part: object, *, example: bool = False) -> Iterator[str]:
    """What examples of an OpenAPI document say under names that hold codes of ours."""
    if isinstance(part, list):
        for item in part:
            yield from shown(item, example=example)
    if isinstance(part, dict):
        for name, value in part.items():
            if example and name in HOLD_CODES:
                yield from (text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))
            yield from shown(value, example=example or name in {"example", "examples"})


def test_every_code_in_an_example_of_the_api_is_documented() -> None:
    settings = Settings(stripe_webhook_secret=SecretStr("whsec_test"), codec_keys=SecretStr(generate_key("codec")))
    document = assemble(settings, cast("TokenVerifier", None)).openapi()
    codes = {code for code in shown(document) if CODE.fullmatch(code) or code in WITHOUT_A_DOT}
    assert {"assignment.not_late", "turnaround.late", "auth.token_expired"} <= codes
    assert sorted(codes - documented_codes()) == []


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    documented = documented_codes()
    assert sorted(in_the_source() - documented) == [], "not in docs/errors.md"
    assert sorted(documented - in_the_source()) == [], "in docs/errors.md, but not in the source"
