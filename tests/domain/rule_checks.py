"""How rules are checked: each with the states in which it allows its act and those in which it refuses."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from domain.errors import Refused


class Case(NamedTuple):
    """A rule is called with a state, then with `args`."""

    rule: Callable[..., Any]
    args: tuple[Any, ...]
    allowed: tuple[Any, ...]
    refused: tuple[tuple[str, Any], ...]


def refused(code: str, *states: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((code, state) for state in states)


def allowing(cases: Sequence[Case]) -> list[tuple[Case, Any]]:
    return [(case, state) for case in cases for state in case.allowed]


def refusing(cases: Sequence[Case]) -> list[tuple[Case, str, Any]]:
    return [(case, code, state) for case in cases for code, state in case.refused]


def name_of(value: Any) -> str:
    if isinstance(value, Case):
        return value.rule.__name__
    return getattr(value, "stage", None) or str(value)[:30]


def refusal_of(case: Case, state: Any) -> Refused:
    """What the rule says; it must leave the state as it was."""
    before = deepcopy(state)
    with pytest.raises(Refused) as refusal:
        case.rule(state, *case.args)
    assert state == before
    return refusal.value


def codes_in(module: ModuleType) -> dict[str, set[str]]:
    """Each refusal in the source, with the rule that raises it."""
    tree = ast.parse(inspect.getsource(module))
    found: dict[str, set[str]] = {}
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id == "Refused":
                found.setdefault(function.name, set()).add(ast.literal_eval(call.args[0]))
    return found


def without_a_case(
    module: ModuleType, cases: Sequence[Case], shared: Mapping[str, Iterable[str]]
) -> set[tuple[str, str]]:
    """Refusals that no case shows. What a helper in `shared` refuses is shown through the rules that call it."""
    shown = {(case.rule.__name__, code) for case, code, _ in refusing(cases)}
    wanted = {
        (caller, code)
        for rule, codes in codes_in(module).items()
        for code in codes
        for caller in shared.get(rule, {rule})
    }
    return wanted - shown
