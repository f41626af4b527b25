"""Reads programme files: YAML or JSON into a checked programme."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from enum import StrEnum
from typing import Any

import yaml

from domain.rollout.policy import RolloutPolicy
from domain.rollout.program_file import Checked, check, unreadable


class FileFormat(StrEnum):
    YAML = "yaml"
    JSON = "json"


def read_program(text: str | bytes, file_format: FileFormat, policy: RolloutPolicy) -> Checked:
    """The programme, or everything that is wrong with the file (`program.…`)."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        data = _yaml(decoded) if file_format is FileFormat.YAML else _json(decoded)
    except UnicodeDecodeError:
        return unreadable("the file is not in UTF-8")
    except yaml.MarkedYAMLError as fault:
        return unreadable(f"the file is not YAML: {fault.problem}{_place(fault)}")
    except json.JSONDecodeError as fault:
        return unreadable(f"the file is not JSON: {fault.msg}, line {fault.lineno}, column {fault.colno}")
    except (yaml.YAMLError, _Twice) as fault:
        return unreadable(str(fault) if isinstance(fault, _Twice) else "the file is not YAML")
    except (RecursionError, ValueError):
        return unreadable("the file is nested too deeply, or holds a number that is too long")
    return check(data, policy)


class _Twice(Exception):
    pass


class _Loader(yaml.SafeLoader):
    """Plain values stay text: the shapes say what they are. YAML 1.1 would make 10:00 the number 600 and no false."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                problem = "a name is there twice, or is no text"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), ["t", "f"])


def _yaml(text: str) -> object:
    return yaml.load(text, _Loader)  # noqa: S506  # a safe loader


def _json(text: str) -> object:
    return json.loads(text, parse_float=Decimal, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Twice("a name is there twice in one object")
    return dict(pairs)


def _place(fault: yaml.MarkedYAMLError) -> str:
    mark = fault.problem_mark
    return "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
