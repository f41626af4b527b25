"""A programme file is accepted, or everything that is wrong with it is said at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import policy
from domain.rollout.people import Function
from domain.rollout.program import Programme
from domain.rollout.program_file import Checked, check, schema
from domain.rollout.program_findings import Severity
from program_files import FileFormat, read_program
from tests.rollout_files import file, person

POLICY = policy.load().rollout
FILE = file()
Spoil = Callable[[dict[str, Any]], object]


def checked(spoil: Spoil | None = None) -> Checked:
    data = deepcopy(FILE)
    if spoil:
        spoil(data)
    return check(data, POLICY)


def without(*functions: Function) -> Spoil:
    def spoil(data: dict[str, Any]) -> None:
        data["people"] = [one for one in data["people"] if one["function"] not in functions]

    return spoil


def put(path: str, value: Any) -> Spoil:
    """Set what is at a path such as `locations.3.region`."""

    def spoil(data: dict[str, Any]) -> None:
        *branch, leaf = path.split(".")
        part: Any = data
        for name in branch:
            part = part[int(name) if isinstance(part, list) else name]
        part[leaf] = value

    return spoil


def add(field: str, entry: Any) -> Spoil:
    def spoil(data: dict[str, Any]) -> None:
        data[field] = [*data[field], entry]

    return spoil


def place_of(function: Function) -> int:
    return next(index for index, one in enumerate(FILE["people"]) if one["function"] == function)


WAIVER = {"rule": "pilot_composite", "location_id": "l00", "granted_by": "vp-operations", "reason": "r"}
LAST, PEOPLE = len(FILE["locations"]), len(FILE["people"])

WRONG: list[tuple[str, str, Spoil]] = [
    ("program.field_missing", "name", lambda data: data.pop("name")),
    ("program.field_unknown", "locations[2].network.downn", put("locations.2.network.downn", 1)),
    ("program.value_invalid", "locations[2].network.down_mbps", put("locations.2.network.down_mbps", "fast")),
    ("program.value_invalid", "program_id", put("program_id", "Bright Dental")),
    ("program.value_invalid", "locations", put("locations", "many")),
    ("program.start_not_monday", "starts_on", put("starts_on", "2026-01-06")),
    ("program.locations_too_few", "locations", lambda data: data["locations"].pop()),
    (
        "program.location_duplicate",
        f"locations[{LAST}].location_id",
        lambda data: add("locations", data["locations"][0])(data),
    ),
    ("program.person_duplicate", f"people[{PEOPLE}].key", lambda data: add("people", data["people"][0])(data)),
    (
        "program.subject_conflict",
        f"people[{PEOPLE}].subject",
        add("people", person(Function.FRONT_DESK, location_id="l00") | {"subject": FILE["people"][0]["subject"]}),
    ),
    ("program.time_zone_unknown", "calendar.time_zone", put("calendar.time_zone", "Mars/Olympus")),
    ("program.time_zone_unknown", "locations[4].time_zone", put("locations.4.time_zone", "Central")),
    ("program.never_open", "calendar.hours", put("calendar.hours", [])),
    ("program.never_open", "locations[4].hours", put("locations.4.hours", [])),
    (
        "program.workstations_inconsistent",
        "locations[1].workstations.meeting_minimum",
        put("locations.1.workstations.meeting_minimum", 11),
    ),
    (
        "program.workstations_inconsistent",
        "locations[1].workstations.under_three_years",
        put("locations.1.workstations.under_three_years", 11),
    ),
    (
        "program.change_reversed",
        "locations[1].major_changes[0].ends",
        put("locations.1.major_changes", [{"what": "w", "begins": "2026-03-02", "ends": "2026-03-01"}]),
    ),
    (
        "program.score_duplicate",
        "locations[1].scores",
        lambda data: data["locations"][1]["scores"].append(data["locations"][1]["scores"][0]),
    ),
    ("program.place_missing", f"people[{PEOPLE}].region", add("people", person(Function.REGIONAL_MANAGER))),
    ("program.place_missing", f"people[{PEOPLE}].location_id", add("people", person(Function.FRONT_DESK))),
    (
        "program.place_unexpected",
        f"people[{PEOPLE}].location_id",
        add("people", person(Function.CFO, location_id="l00")),
    ),
    ("program.place_unexpected", f"people[{PEOPLE}].region", add("people", person(Function.CFO, region="north"))),
    (
        "program.place_unexpected",
        f"people[{PEOPLE}].region",
        add("people", person(Function.FRONT_DESK, location_id="l00", region="south")),
    ),
    (
        "program.region_unknown",
        f"people[{PEOPLE}].region",
        add("people", person(Function.REGIONAL_MANAGER, region="east")),
    ),
    (
        "program.location_unknown",
        f"people[{PEOPLE}].location_id",
        add("people", person(Function.FRONT_DESK, location_id="moon")),
    ),
    (
        "program.function_twice",
        f"people[{PEOPLE}].function",
        add("people", person(Function.PROJECT_MANAGER) | {"key": "second", "subject": None}),
    ),
    ("program.regional_manager_missing", "people", without(Function.REGIONAL_MANAGER)),
    ("program.lead_missing", "people", without(Function.OFFICE_MANAGER, Function.CHAMPION)),
    ("program.waiver_not_granted", "waivers[0].granted_by", put("waivers", [WAIVER | {"granted_by": "cfo"}])),
    ("program.waiver_duplicate", "waivers[1]", put("waivers", [WAIVER, WAIVER])),
    ("program.place_missing", "waivers[0].location_id", put("waivers", [WAIVER | {"location_id": None}])),
    ("program.place_unexpected", "waivers[0].location_id", put("waivers", [WAIVER | {"rule": "pilot_regions"}])),
    ("program.location_unknown", "waivers[0].location_id", put("waivers", [WAIVER | {"location_id": "moon"}])),
]

MANDATORY = [
    Function.PROJECT_MANAGER,
    Function.CEO_COO,
    Function.CFO,
    Function.CHIEF_DENTAL_OFFICER,
    Function.VP_OPERATIONS,
    Function.GENERAL_COUNSEL,
    Function.IT_LEAD,
    Function.VENDOR_ACCOUNT_MANAGER,
    Function.VENDOR_TECHNICAL_SPECIALIST,
    Function.VENDOR_CUSTOMER_SUCCESS,
    Function.VENDOR_SUPPORT,
]
"""N-06, A-01, N-07."""


def test_accepts_a_file_in_which_nothing_is_wrong() -> None:
    found = checked()
    assert found.findings == ()
    assert found.programme == Programme.model_validate(FILE)


@pytest.mark.parametrize(("code", "path", "spoil"), WRONG)
def test_finds_what_is_wrong_and_where(code: str, path: str, spoil: Spoil) -> None:
    found = checked(spoil)
    assert (code, path) in {(one.code, one.path) for one in found.errors}
    assert found.programme is None


@pytest.mark.parametrize("function", MANDATORY)
def test_misses_whoever_must_be_there(function: Function) -> None:
    found = checked(without(function))
    assert [(one.code, one.detail) for one in found.errors] == [("program.function_missing", f"nobody is {function}")]


@pytest.mark.parametrize(("spend", "severity"), [(0, Severity.WARNING), (10**13, Severity.ERROR)])
def test_the_board_must_be_there_when_the_spend_is_material(spend: int, severity: Severity) -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["spend_cents"] = spend
        without(Function.BOARD)(data)

    assert [one.severity for one in checked(spoil).findings] == [severity]


@pytest.mark.parametrize(("number", "code"), [(14, "program.locations_too_few"), (51, "program.locations_too_many")])
def test_refuses_other_sizes_unless_the_policy_allows_them(number: int, code: str) -> None:
    found = check(file(number), POLICY)
    assert [one.code for one in found.errors] == [code]
    lenient = POLICY.file.model_copy(update={"size": POLICY.file.size.model_copy(update={"binding": False})})
    allowed = check(file(number), POLICY.model_copy(update={"file": lenient}))
    assert [(one.code, one.severity) for one in allowed.findings] == [(code, Severity.WARNING)]
    assert allowed.programme is not None


@pytest.mark.parametrize("number", [15, 30, 50])
def test_accepts_the_sizes_that_are_supported(number: int) -> None:
    assert check(file(number), POLICY).findings == ()


def test_warns_without_refusing() -> None:
    def spoil(data: dict[str, Any]) -> None:
        data["calendar"]["holidays"] = ["2026-01-05"]
        data["locations"][0]["hours"] *= 2
        without(Function.COMPLIANCE)(data)
        data["people"] = [one for one in data["people"] if one["key"] != "backup-champion-l03"]

    found = checked(spoil)
    assert {one.code for one in found.findings} == {
        "program.start_holiday",
        "program.hours_duplicate",
        "program.function_vacant",
        "program.backup_missing",
    }
    assert found.programme is not None


def test_says_everything_at_once() -> None:
    def spoil(data: dict[str, Any]) -> None:
        for _, _, one in (WRONG[0], WRONG[2], WRONG[5], WRONG[11]):
            one(data)
        without(Function.CFO)(data)

    assert {one.code for one in checked(spoil).errors} == {
        "program.field_missing",
        "program.value_invalid",
        "program.start_not_monday",
        "program.time_zone_unknown",
        "program.function_missing",
    }


def test_findings_repeat_no_contact_data() -> None:
    def spoil(data: dict[str, Any]) -> None:
        for one in data["people"]:
            one["email"] = "secret at example.com"
            one["phone"] = "555 SECRET"

    told = " ".join(one.model_dump_json() for one in checked(spoil).errors).casefold()
    assert "program.value_invalid" in told
    assert "secret" not in told
    assert "marked" not in told


def test_reads_yaml_and_json_alike() -> None:
    from_json = read_program(json.dumps(FILE), FileFormat.JSON, POLICY)
    from_yaml = read_program(yaml.safe_dump(FILE), FileFormat.YAML, POLICY)
    assert from_json.programme == from_yaml.programme == Programme.model_validate(FILE)


def test_reads_plain_yaml_as_people_write_it() -> None:
    """No text turns into a number or a truth value: 10:00 is a time, no is a word, 22.10 is a version."""
    text = yaml.safe_dump(FILE).replace("'10:00:00'", "10:00").replace("version: G7.5", "version: 22.10")
    found = read_program(text.replace("opens: 08:00:00", "opens: 10:00"), FileFormat.YAML, POLICY)
    assert found.programme is not None
    assert {one.practice_system.version for one in found.programme.locations} == {"22.10"}
    assert found.programme.starts_on == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("file_format", "text"),
    [
        (FileFormat.YAML, "a: ["),
        (FileFormat.YAML, "- 1"),
        (FileFormat.YAML, "a: 1\na: 2"),
        (FileFormat.YAML, "? [1]\n: 2"),
        (FileFormat.YAML, b"\xff"),
        (FileFormat.YAML, "a: \x00"),
        (FileFormat.YAML, "a: !!python/object:os.system x"),
        (FileFormat.YAML, "[" * 50_000),
        (FileFormat.YAML, ""),
        (FileFormat.JSON, "{"),
        (FileFormat.JSON, '{"a": 1, "a": 2}'),
        (FileFormat.JSON, '{"a": ' + "9" * 10_000 + "}"),
        (FileFormat.JSON, "[" * 50_000),
    ],
)
def test_says_that_a_file_cannot_be_read(file_format: FileFormat, text: str | bytes) -> None:
    found = read_program(text, file_format, POLICY)
    assert [(one.code, one.path) for one in found.findings] == [("program.unreadable", "")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FILE, "location_id", "x"]), inner),
    max_leaves=20,
)


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_whatever_is_read_is_answered_with_findings(data: object) -> None:
    found = check(data, POLICY)
    assert found.errors
    assert found.programme is None


@given(st.sampled_from(sorted(FILE)), JSON)
@settings(max_examples=100, deadline=None)
def test_any_part_may_be_anything(field: str, value: object) -> None:
    found = check(FILE | {field: value}, POLICY)
    assert (found.programme is None) is bool(found.errors)


def test_the_schema_refuses_unknown_fields_everywhere() -> None:
    document = schema()
    parts = [document, *document["$defs"].values()]
    assert all(part["additionalProperties"] is False for part in parts if part.get("type") == "object")
