"""Checks of a programme file (R-03, R-05, N-06, N-07, A-01): shapes and rules together, all findings at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import TypeAdapter, ValidationError

from domain.model import Value
from domain.rollout.policy import RolloutPolicy
from domain.rollout.program import LocationFacts, Person, Programme, Waiver
from domain.rollout.program_findings import Finding, Severity, error, of_shape
from domain.rollout.program_rules import RULES, Draft, Entry, FilePolicy, V
from domain.work_calendar import WorkCalendar


class Checked(Value):
    programme: Programme | None
    """None when there is an error."""
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)

    def noting(self, *more: Finding) -> Checked:
        """With what was found elsewhere."""
        findings = (*self.findings, *more)
        fine = not any(one.severity is Severity.ERROR for one in findings)
        return Checked(programme=self.programme if fine else None, findings=findings)


def check(data: object, policy: RolloutPolicy) -> Checked:
    """Check what was read from a file: entries of the right shape are held against each other whatever else is wrong.

    A field that is not known is an error: it is most likely one that was misspelt. Whoever has to approve must be
    there, the Board when the spend is material.
    """
    if not isinstance(data, Mapping):
        return unreadable("the file must hold one mapping: the programme")
    programme = None
    findings: list[Finding] = []
    try:
        programme = Programme.model_validate(data, extra="forbid")
    except ValidationError as refusal:
        findings = of_shape(refusal)
    draft, rules = _draft(data), _with_approvers(policy, data)
    findings += [finding for rule in RULES for finding in rule(draft, rules)]
    return Checked(programme=programme, findings=()).noting(*findings)


def unreadable(detail: str) -> Checked:
    return Checked(programme=None, findings=(error("program.unreadable", "", detail),))


def schema() -> dict[str, Any]:
    """JSON schema (2020-12) of the file."""
    document = Programme.model_json_schema()
    for part in (document, *document["$defs"].values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _with_approvers(policy: RolloutPolicy, data: Mapping[Any, Any]) -> FilePolicy:
    approvers = policy.programme.approvers_for(_part(data, "spend_cents", int) or 0)
    more = tuple(one.function for one in approvers if one.function not in policy.file.mandatory)
    vacant = tuple(one for one in policy.file.expected if one not in more)
    return policy.file.model_copy(update={"mandatory": policy.file.mandatory + more, "expected": vacant})


def _draft(data: Mapping[Any, Any]) -> Draft:
    return Draft(
        starts_on=_part(data, "starts_on", date),
        calendar=_part(data, "calendar", WorkCalendar),
        people=_entries(data, "people", Person),
        locations=_entries(data, "locations", LocationFacts),
        waivers=_entries(data, "waivers", Waiver),
    )


def _part(data: Mapping[Any, Any], name: str, kind: type[V]) -> V | None:
    try:
        return TypeAdapter(kind).validate_python(data.get(name))
    except ValidationError:
        return None


def _entries(data: Mapping[Any, Any], name: str, kind: type[V]) -> tuple[Entry[V], ...]:
    listed = data.get(name)
    if not isinstance(listed, list | tuple):
        return ()
    return tuple(
        Entry(f"{name}[{index}]", raw if isinstance(raw, Mapping) else {}, _part({name: raw}, name, kind))
        for index, raw in enumerate(listed)
    )
