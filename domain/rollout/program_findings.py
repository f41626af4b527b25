"""What is wrong with a programme file: everything at once, each with a stable code and where it is."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.model import Value


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    """The programme can be stored all the same."""


class Finding(Value):
    code: str
    path: str
    """Such as `locations[3].network.down_mbps`; empty for the whole file."""
    detail: str
    """Never repeats a name, an address or any other text of the file that is not an id or a code."""
    severity: Severity = Severity.ERROR


def error(code: str, path: str, detail: str) -> Finding:
    return Finding(code=code, path=path, detail=detail)


def warning(code: str, path: str, detail: str) -> Finding:
    return Finding(code=code, path=path, detail=detail, severity=Severity.WARNING)


_SHAPES = {"missing": "program.field_missing", "extra_forbidden": "program.field_unknown"}


def of_shape(refusal: ValidationError) -> list[Finding]:
    """Pydantic's findings as ours."""
    found = refusal.errors(include_url=False, include_context=False, include_input=False)
    return [error(_code(one), path_of(one["loc"]), _detail(one)) for one in found]


def path_of(parts: Iterable[int | str]) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def within(path: str, *fields: str) -> str:
    """The path of a field of an entry, or of one of its parts."""
    return ".".join((path, *fields))


def _code(one: ErrorDetails) -> str:
    return _SHAPES.get(one["type"], "program.value_invalid")


def _detail(one: ErrorDetails) -> str:
    # The messages of pydantic's own kinds repeat limits and choices, never the input.
    return "The value is not valid." if one["type"] in {"value_error", "assertion_error"} else one["msg"]
