"""What one entry of a programme file says of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import Field

from domain.errors import Invalid
from domain.local_time import zone_of
from domain.model import Value
from domain.rollout.people import LOCAL, REGIONAL, Function
from domain.rollout.program import LocationFacts, Person, Waiver, WaiverRule
from domain.rollout.program_findings import Finding, error, warning, within
from domain.work_calendar import WorkCalendar

V = TypeVar("V")

OF_THE_SET = frozenset(
    {
        WaiverRule.PILOT_HIGH_VOLUME,
        WaiverRule.PILOT_LOW_VOLUME,
        WaiverRule.PILOT_COMMON_CONFIGURATION,
        WaiverRule.PILOT_REGIONS,
    }
)
"""Rules about all pilots together; the others are about one location (decision 27)."""


class SizeLimits(Value):
    """How many locations a programme has (R-03)."""

    fewest: int = Field(ge=1)
    most: int = Field(ge=1)
    binding: bool
    """Outside is refused; otherwise it is only warned of."""


class FilePolicy(Value):
    size: SizeLimits
    mandatory: tuple[Function, ...]
    """Functions that somebody must have (N-06, N-07, A-01)."""
    expected: tuple[Function, ...]
    """Functions whose absence is warned of."""
    single: tuple[Function, ...]
    """Functions that only one person may have."""
    local_leads: tuple[Function, ...]
    """Of which each location has at least one (L-03)."""
    local_expected: tuple[Function, ...]


class Entry(NamedTuple, Generic[V]):
    """One entry of a list in the file."""

    path: str
    raw: Mapping[Any, Any]
    value: V | None
    """None when its shape is wrong."""

    def text(self, field: str) -> str | None:
        found = self.raw.get(field)
        return found if isinstance(found, str) else None


class Draft(NamedTuple):
    """A file, as far as it could be read."""

    starts_on: date | None
    calendar: WorkCalendar | None
    people: tuple[Entry[Person], ...]
    locations: tuple[Entry[LocationFacts], ...]
    waivers: tuple[Entry[Waiver], ...]

    @property
    def regions(self) -> dict[str, str]:
        """Region of each location, by id."""
        known = {one.text("location_id"): one.text("region") for one in self.locations}
        return {location_id: region for location_id, region in known.items() if location_id and region}

    def holders(self, *functions: Function) -> list[Entry[Person]]:
        return [one for one in self.people if one.text("function") in functions]


Rule: TypeAlias = Callable[[Draft, FilePolicy], Iterator[Finding]]


def starts_on_a_monday(draft: Draft, _: FilePolicy) -> Iterator[Finding]:
    day, calendar = draft.starts_on, draft.calendar
    if day is None:
        return
    if day.isoweekday() != 1:
        yield error("program.start_not_monday", "starts_on", "day 1 of a programme is a Monday")
    elif calendar is not None and day in calendar.holidays:
        yield warning("program.start_holiday", "starts_on", "day 1 is a holiday of the central team")


def has_a_supported_size(draft: Draft, policy: FilePolicy) -> Iterator[Finding]:
    number, size = len(draft.locations), policy.size
    find = error if size.binding else warning
    if number < size.fewest:
        yield find("program.locations_too_few", "locations", f"there are {number} locations, at least {size.fewest}")
    if number > size.most:
        yield find("program.locations_too_many", "locations", f"there are {number} locations, at most {size.most}")


def names_everything_once(draft: Draft, _: FilePolicy) -> Iterator[Finding]:
    yield from _twice(draft.locations, "location_id", "program.location_duplicate")
    yield from _twice(draft.people, "key", "program.person_duplicate")
    yield from _same_person(draft)


def calendars_can_be_used(draft: Draft, _: FilePolicy) -> Iterator[Finding]:
    if draft.calendar is not None:
        yield from _calendar(draft.calendar, "calendar.")
    for one in draft.locations:
        if one.value is not None:
            yield from _calendar(one.value.calendar, f"{one.path}.")


def facts_agree(draft: Draft, _: FilePolicy) -> Iterator[Finding]:
    for one in draft.locations:
        if one.value is not None:
            yield from _facts(one.value, one.path)


def people_are_placed(draft: Draft, _: FilePolicy) -> Iterator[Finding]:
    regions = draft.regions
    for one in draft.people:
        if one.value is not None:
            yield from _place(one.value, one.path, regions)


def functions_are_filled(draft: Draft, policy: FilePolicy) -> Iterator[Finding]:
    for function in policy.mandatory:
        if not draft.holders(function):
            yield error("program.function_missing", "people", f"nobody is {function}")
    for function in policy.expected:
        if not draft.holders(function):
            yield warning("program.function_vacant", "people", f"nobody is {function}")
    for function in policy.single:
        for one in draft.holders(function)[1:]:
            yield error("program.function_twice", within(one.path, "function"), f"only one person is {function}")


def places_are_led(draft: Draft, policy: FilePolicy) -> Iterator[Finding]:
    managed = {one.text("region") for one in draft.holders(*REGIONAL)}
    for region in sorted(set(draft.regions.values()) - managed):
        yield error("program.regional_manager_missing", "people", f"region {region} has no regional manager")
    leads = {one.text("location_id") for one in draft.holders(*policy.local_leads)}
    expected = {one.text("location_id") for one in draft.holders(*policy.local_expected)}
    for location_id in draft.regions:
        if location_id not in leads:
            detail = f"location {location_id} has none of: {', '.join(policy.local_leads)}"
            yield error("program.lead_missing", "people", detail)
        if policy.local_expected and location_id not in expected:
            detail = f"location {location_id} has none of: {', '.join(policy.local_expected)}"
            yield warning("program.backup_missing", "people", detail)


def waivers_are_granted(draft: Draft, _: FilePolicy) -> Iterator[Finding]:
    holders = draft.holders(Function.VP_OPERATIONS)
    grantors = {one.text("key") for one in holders} | {one.text("subject") for one in holders}
    seen: set[tuple[str, str | None]] = set()
    for one in draft.waivers:
        waiver = one.value
        if waiver is None:
            continue
        yield from _waiver(waiver, one.path, draft.regions)
        if waiver.granted_by not in grantors:
            detail = "a waiver names the key or subject of the VP of Operations"
            yield error("program.waiver_not_granted", within(one.path, "granted_by"), detail)
        if (waiver.rule, waiver.location_id) in seen:
            yield error("program.waiver_duplicate", one.path, "this was waived before")
        seen.add((waiver.rule, waiver.location_id))


RULES: tuple[Rule, ...] = (
    starts_on_a_monday,
    has_a_supported_size,
    names_everything_once,
    calendars_can_be_used,
    facts_agree,
    people_are_placed,
    functions_are_filled,
    places_are_led,
    waivers_are_granted,
)


def _twice(entries: tuple[Entry[V], ...], field: str, code: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for one in entries:
        key = one.text(field)
        if key is not None and key in seen:
            yield error(code, f"{one.path}.{field}", f"{key} is there already")
        seen.add(key or "")


def _same_person(draft: Draft) -> Iterator[Finding]:
    """Somebody may have several functions; then the entries describe the same person."""
    first: dict[str, Person] = {}
    seats: set[tuple[str, Function, str | None, str | None]] = set()
    for one in draft.people:
        person = one.value
        if person is None or person.subject is None:
            continue
        known = first.setdefault(person.subject, person)
        if (known.name, known.email, known.phone) != (person.name, person.email, person.phone):
            detail = f"{person.key} and {known.key} have one subject, but other contact data"
            yield error("program.subject_conflict", within(one.path, "subject"), detail)
        seat = (person.subject, person.function, person.region, person.location_id)
        if seat in seats:
            yield error("program.person_duplicate", one.path, "this person has this function there already")
        seats.add(seat)


def _calendar(calendar: WorkCalendar, path: str) -> Iterator[Finding]:
    try:
        zone_of(calendar.time_zone)
    except Invalid:
        detail = "this is not a name in the IANA time zone database"
        yield error("program.time_zone_unknown", f"{path}time_zone", detail)
    if not calendar.hours:
        yield error("program.never_open", f"{path}hours", "there are no opening hours")
    hours = Counter(calendar.hours)
    if any(number > 1 for number in hours.values()):
        yield warning("program.hours_duplicate", f"{path}hours", "the same opening hours are there twice")


def _facts(facts: LocationFacts, path: str) -> Iterator[Finding]:
    machines = facts.workstations
    for field in ("under_three_years", "meeting_minimum"):
        if getattr(machines, field) > machines.count:
            detail = f"more than all {machines.count} workstations"
            yield error("program.workstations_inconsistent", within(path, "workstations", field), detail)
    for index, change in enumerate(facts.major_changes):
        if change.ends < change.begins:
            at = within(path, f"major_changes[{index}]", "ends")
            yield error("program.change_reversed", at, "the last day comes before the first")
    scored = Counter(score.factor for score in facts.scores)
    for factor, number in scored.items():
        if number > 1:
            yield error("program.score_duplicate", within(path, "scores"), f"{factor} is scored {number} times")


def _place(person: Person, path: str, regions: Mapping[str, str]) -> Iterator[Finding]:
    regional, local = person.function in REGIONAL, person.function in LOCAL
    if regional and person.region is None:
        yield error("program.place_missing", within(path, "region"), f"a {person.function} is of a region")
    if local and person.location_id is None:
        yield error("program.place_missing", within(path, "location_id"), f"a {person.function} is of a location")
    if not local and person.location_id is not None:
        detail = f"a {person.function} is not of one location"
        yield error("program.place_unexpected", within(path, "location_id"), detail)
    elif person.location_id is not None and person.location_id not in regions:
        yield error("program.location_unknown", within(path, "location_id"), "there is no such location in the file")
    if person.region is not None:
        yield from _region(person, path, regions)


def _region(person: Person, path: str, regions: Mapping[str, str]) -> Iterator[Finding]:
    own = regions.get(person.location_id or "")
    if person.region not in regions.values():
        yield error("program.region_unknown", within(path, "region"), "no location is in this region")
    elif person.function not in REGIONAL | LOCAL or (own is not None and own != person.region):
        detail = f"a {person.function} is not of this region"
        yield error("program.place_unexpected", within(path, "region"), detail)


def _waiver(waiver: Waiver, path: str, regions: Mapping[str, str]) -> Iterator[Finding]:
    at = within(path, "location_id")
    if waiver.rule in OF_THE_SET and waiver.location_id is not None:
        yield error("program.place_unexpected", at, f"{waiver.rule} is about all pilots together")
    elif waiver.rule not in OF_THE_SET and waiver.location_id is None:
        yield error("program.place_missing", at, f"{waiver.rule} is about one location")
    elif waiver.location_id is not None and waiver.location_id not in regions:
        yield error("program.location_unknown", at, "there is no such location in the file")
