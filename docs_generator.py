"""Writes the pages of docs/ that are made from the source: the settings, and the schema of a programme file."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import PostgresDsn, SecretStr
from pydantic.fields import FieldInfo

from config import Settings
from domain.rollout.program_file import schema

TARGET = Path("docs") / "configuration.md"
PROGRAMME_SCHEMA = Path("docs") / "programme.schema.json"

INTRODUCTION = """# Configuration

Written by `carewave docs` from the class `Settings` in `config.py`; a test keeps the two together.

Every process reads these variables from its environment. With `SECRETS_DIR` set, a file there named after a variable in
lower case gives its value, unless the environment does. An empty variable counts as not set. Where Temporal is, and how
to sign in there, is read by Temporal's own configuration: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
`TEMPORAL_TLS_*`, `TEMPORAL_CONFIG_FILE`, `TEMPORAL_PROFILE`.
"""

_NAMES = {str: "text", int: "integer", bool: "true or false", PostgresDsn: "URL", SecretStr: "secret"}


def configuration() -> str:
    """The page, in Markdown."""
    rows = [_row(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join([INTRODUCTION, "| variable | type | default | meaning |", "|---|---|---|---|", *rows, ""])


def programme_schema() -> str:
    """The JSON schema of a programme file."""
    return json.dumps(schema(), indent=2) + "\n"


PAGES: Mapping[Path, Callable[[], str]] = {TARGET: configuration, PROGRAMME_SCHEMA: programme_schema}


def _row(name: str, field: FieldInfo) -> str:
    default = _default(field)
    cells = [f"`{name.upper()}`", _type(field.annotation), f"`{default}`" if default else "", field.description or ""]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(annotation: Any) -> str:
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(option for option in get_args(annotation) if option is not type(None))
    if get_args(annotation):  # Annotated
        annotation = get_args(annotation)[0]
    return _NAMES[annotation]


def _default(field: FieldInfo) -> str:
    if field.default is None or isinstance(field.default, SecretStr):
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
