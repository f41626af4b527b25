"""What is set centrally for all locations of a programme, and what each may set for itself (F-00 to F-13, P-13)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError, model_validator

from domain.errors import Forbidden, Invalid, NotFound
from domain.model import Value
from domain.work_calendar import OpeningHours


class Scope(StrEnum):
    CENTRAL = "central"
    """The same at every location (F-01 to F-07)."""
    LOCAL = "local"
    """At the discretion of the location (F-08 to F-13); its central value is where a location begins."""


class Kind(StrEnum):
    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    TIME = "time"
    """HH:MM, local."""
    PHONE = "phone"
    """E.164."""
    CHOICE = "choice"
    TEXTS = "texts"
    INTEGERS = "integers"
    CHOICES = "choices"
    HOURS = "hours"
    """Weekly opening hours."""


class SettingSpec(Value):
    key: str
    requirement: str
    title: str
    scope: Scope
    kind: Kind
    default: Any = None
    """None: nothing is set."""
    choices: tuple[str, ...] = ()
    least: int | None = None
    """Of a number, or of each in a list."""
    most: int | None = None
    longest: int = 500
    """Characters of a text, or of each in a list; entries of a list."""
    guided: bool = False
    """Held against the central guidelines for branding (F-12)."""


class Guidelines(Value):
    """The settings that say what local branding must keep to."""

    forbidden_words: str
    """Key of a list of texts."""
    longest_signature: str
    """Key of a number of characters."""


class SettingsPolicy(Value):
    catalogue: tuple[SettingSpec, ...]
    guidelines: Guidelines

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [one.key for one in self.catalogue]
        central = {one.key for one in self.catalogue if one.scope is Scope.CENTRAL}
        if len(set(keys)) < len(keys) or not {*dict(self.guidelines).values()} <= central:
            raise ValueError("settings have keys of their own, and guidelines are central settings")
        for one in self.catalogue:
            if one.default is not None:
                try:
                    check_value(one, one.default)
                except Invalid as refusal:
                    raise ValueError(f"the default of {one.key} is not allowed") from refusal
        return self

    def spec(self, key: str) -> SettingSpec:
        """Raises `NotFound` (`setting.unknown`)."""
        found = next((one for one in self.catalogue if one.key == key), None)
        if found is None:
            raise NotFound("setting.unknown", "there is no such setting in the catalogue")
        return found


Values = Mapping[str, Any]
"""Values by key."""


def may_set_centrally(spec: SettingSpec, *, administrator: bool) -> None:
    """Only a system administrator does. Raises `Forbidden` (`setting.central`)."""
    if not administrator:
        raise _central(spec)


def may_set_locally(spec: SettingSpec) -> None:
    """Raises `Forbidden` (`setting.central`): a central setting is the same everywhere, whoever asks."""
    if spec.scope is Scope.CENTRAL:
        raise _central(spec)


def check_value(spec: SettingSpec, value: object) -> Any:
    """The value as it is kept. Raises `Invalid` (`setting.value_invalid`)."""
    try:
        return _CHECKS[spec.kind](spec, value)
    except (ValidationError, ValueError):
        limits = "" if spec.least is None and spec.most is None else f" from {spec.least} to {spec.most}"
        choices = f" of {', '.join(spec.choices)}" if spec.choices else ""
        raise Invalid("setting.value_invalid", f"{spec.key} is a {spec.kind}{limits}{choices}") from None


def check_guidelines(spec: SettingSpec, value: object, policy: SettingsPolicy, central: Values) -> None:
    """Local branding keeps to the central guidelines (F-12). Raises `Invalid` (`setting.off_guideline`)."""
    if not spec.guided or not isinstance(value, str):
        return
    longest = central.get(policy.guidelines.longest_signature)
    if longest is not None and len(value) > longest:
        raise Invalid("setting.off_guideline", f"at most {longest} characters")
    words = set(re.findall(r"\w+", value.casefold()))
    if words.intersection(word.casefold() for word in central.get(policy.guidelines.forbidden_words) or ()):
        raise Invalid("setting.off_guideline", "it holds a word that the brand does not use")


def central_values(policy: SettingsPolicy, wanted: Values) -> dict[str, Any]:
    """The central baseline: what was set centrally, else the defaults."""
    return {one.key: wanted.get(one.key, one.default) for one in policy.catalogue}


class Origin(StrEnum):
    DEFAULT = "default"
    CENTRAL = "central"
    LOCAL = "local"


class Effective(Value):
    key: str
    value: Any
    origin: Origin


def effective(policy: SettingsPolicy, central: Values, local: Values) -> tuple[Effective, ...]:
    """What holds at a location. `central` and `local` are what was set."""
    found = []
    for one in policy.catalogue:
        if one.scope is Scope.LOCAL and one.key in local:
            found.append(Effective(key=one.key, value=local[one.key], origin=Origin.LOCAL))
        elif one.key in central:
            found.append(Effective(key=one.key, value=central[one.key], origin=Origin.CENTRAL))
        else:
            found.append(Effective(key=one.key, value=one.default, origin=Origin.DEFAULT))
    return tuple(found)


class DriftKind(StrEnum):
    CENTRAL = "central"
    """In use is something else than the central baseline."""
    LOCAL = "local"
    """In use is something else than the location has set."""
    OFF_GUIDELINE = "off_guideline"
    """What the location has set, or uses, no longer keeps to the central guidelines."""


class Drift(Value):
    key: str
    kind: DriftKind
    wanted: Any
    observed: Any


def drifts(policy: SettingsPolicy, central: Values, local: Values, observed: Values) -> tuple[Drift, ...]:
    """Where a location is not as it should be. What was never observed is no drift."""
    baseline = central_values(policy, central)
    found = []
    for one in effective(policy, central, local):
        spec = policy.spec(one.key)
        seen = observed.get(one.key)
        if one.key in observed and seen != one.value:
            kind = DriftKind.CENTRAL if spec.scope is Scope.CENTRAL else DriftKind.LOCAL
            found.append(Drift(key=one.key, kind=kind, wanted=one.value, observed=seen))
        if _off_guideline(spec, seen if one.key in observed else one.value, policy, baseline):
            found.append(Drift(key=one.key, kind=DriftKind.OFF_GUIDELINE, wanted=one.value, observed=seen))
    return tuple(found)


def _off_guideline(spec: SettingSpec, value: object, policy: SettingsPolicy, baseline: Values) -> bool:
    try:
        check_guidelines(spec, value, policy, baseline)
    except Invalid:
        return True
    return False


def _central(spec: SettingSpec) -> Forbidden:
    return Forbidden("setting.central", f"{spec.key} is set centrally, by a system administrator")


def _text(spec: SettingSpec, value: object) -> str:
    found = TypeAdapter(str).validate_python(value, strict=True).strip()
    if not 0 < len(found) <= spec.longest or "\x00" in found:
        raise ValueError
    return found


def _integer(spec: SettingSpec, value: object) -> int:
    found = TypeAdapter(int).validate_python(value, strict=True)
    least = found if spec.least is None else spec.least
    most = found if spec.most is None else spec.most
    if not least <= found <= most:
        raise ValueError
    return found


def _choice(spec: SettingSpec, value: object) -> str:
    if not isinstance(value, str) or value not in spec.choices:
        raise ValueError
    return value


def _pattern(pattern: str) -> Callable[[SettingSpec, object], str]:
    def check(_: SettingSpec, value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return check


def _boolean(_: SettingSpec, value: object) -> bool:
    return TypeAdapter(bool).validate_python(value, strict=True)


def _list_of(check: Callable[[SettingSpec, object], Any]) -> Callable[[SettingSpec, object], list[Any]]:
    def check_all(spec: SettingSpec, value: object) -> list[Any]:
        if not isinstance(value, list | tuple) or len(value) > spec.longest:
            raise ValueError
        found = [check(spec, one) for one in value]
        if len(set(found)) < len(found):
            raise ValueError
        return found

    return check_all


def _hours(spec: SettingSpec, value: object) -> list[dict[str, Any]]:
    found = TypeAdapter(list[OpeningHours]).validate_python(value)
    if len(found) > spec.longest:
        raise ValueError
    return [one.model_dump(mode="json") for one in found]


_CHECKS: Mapping[Kind, Callable[[SettingSpec, object], Any]] = {
    Kind.TEXT: _text,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.TIME: _pattern(r"([01]\d|2[0-3]):[0-5]\d"),
    Kind.PHONE: _pattern(r"\+[1-9]\d{6,14}"),
    Kind.CHOICE: _choice,
    Kind.TEXTS: _list_of(_text),
    Kind.INTEGERS: _list_of(_integer),
    Kind.CHOICES: _list_of(_choice),
    Kind.HOURS: _hours,
}
