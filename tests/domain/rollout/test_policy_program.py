"""The numbers of spec/parameters.md that are about the programme file and the settings, and the catalogue (F)."""

from __future__ import annotations

import pytest

from domain import policy
from domain.rollout.people import VENDOR, Function
from domain.rollout.settings import Scope, SettingsPolicy

POLICY = policy.load().rollout

NUMBERS = [
    ("dso.size fewest", POLICY.file.size.fewest, 15),
    ("dso.size most", POLICY.file.size.most, 50),
    ("dso.size binds", POLICY.file.size.binding, True),
    ("reminder offsets", POLICY.settings.spec("reminders.offsets_hours").default, [48, 24, 2]),
    ("opt-out honoured", POLICY.settings.spec("opt_out.honoured_business_days").default, 10),
    ("quiet from", POLICY.settings.spec("messaging.quiet_from").default, "21:00"),
    ("quiet until", POLICY.settings.spec("messaging.quiet_until").default, "08:00"),
]


@pytest.mark.parametrize(("name", "found", "wanted"), NUMBERS, ids=[name for name, _, _ in NUMBERS])
def test_numbers(name: str, found: object, wanted: object) -> None:
    assert found == wanted, name


def test_who_must_be_there() -> None:
    """N-06, the five of A-01, N-07, and the lead of IT."""
    approvers = {
        Function.CEO_COO,
        Function.CFO,
        Function.CHIEF_DENTAL_OFFICER,
        Function.VP_OPERATIONS,
        Function.GENERAL_COUNSEL,
    }
    assert set(POLICY.file.mandatory) == {Function.PROJECT_MANAGER, Function.IT_LEAD, *VENDOR, *approvers}
    assert POLICY.file.single == (Function.PROJECT_MANAGER,)


CENTRAL = {f"F-{number:02}" for number in range(1, 8)}
LOCAL = {f"F-{number:02}" for number in range(8, 14)}


def test_the_catalogue_has_every_central_and_every_local_point() -> None:
    found = {scope: {one.requirement for one in POLICY.settings.catalogue if one.scope is scope} for scope in Scope}
    assert found == {Scope.CENTRAL: CENTRAL, Scope.LOCAL: LOCAL}


@pytest.mark.parametrize(
    "change",
    [
        {"default": [0]},
        {"key": "brand.voice"},
    ],
)
def test_refuses_a_catalogue_that_contradicts_itself(change: dict[str, object]) -> None:
    data = POLICY.settings.model_dump()
    first = next(one for one in data["catalogue"] if one["key"] == "reminders.offsets_hours")
    first.update(change)
    with pytest.raises(ValueError, match=r"settings have keys of their own|is not allowed"):
        SettingsPolicy.model_validate(data)


def test_refuses_guidelines_that_are_no_central_settings() -> None:
    data = POLICY.settings.model_dump() | {
        "guidelines": {"forbidden_words": "two_way.phone", "longest_signature": "brand.voice"}
    }
    with pytest.raises(ValueError, match="guidelines are central settings"):
        SettingsPolicy.model_validate(data)
