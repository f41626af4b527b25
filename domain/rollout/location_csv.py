"""The list of locations as a spreadsheet (CSV), made into the `locations` of a programme file.

A column is a field of `LocationFacts`, with dots for those of its parts. Opening hours are written as
`1-5 08:00-17:00; 6 09:00-13:00` (1 is Monday), holidays as `2026-12-25; 2027-01-01`, major changes as
`renovation 2026-03-02..2026-03-20; …`. Scores by hand are entered elsewhere. An empty cell leaves its field out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.model import Value
from domain.rollout.program import LocationFacts
from domain.rollout.program_findings import of_shape

LEFT_OUT = frozenset({"scores"})
FIRST_ROW = 2
"""The header is row 1."""

_HOURS = re.compile(r"([1-7])(?:-([1-7]))? (\d\d:\d\d)-(\d\d:\d\d)")
_CHANGE = re.compile(r"(.+) (\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)")


class CellFinding(Value):
    code: str
    row: int
    """As a spreadsheet counts them: the header is 1."""
    column: str
    detail: str


class LocationList(Value):
    locations: tuple[LocationFacts, ...] = ()
    """Empty when anything is wrong."""
    findings: tuple[CellFinding, ...] = ()


def columns(kind: type[BaseModel] = LocationFacts, prefix: str = "") -> list[str]:
    """Names of all columns, in the order of the template."""
    found: list[str] = []
    for name, field in kind.model_fields.items():
        part = field.annotation
        if isinstance(part, type) and issubclass(part, BaseModel):
            found += columns(part, f"{prefix}{name}.")
        elif name not in LEFT_OUT:
            found.append(f"{prefix}{name}")
    return found


def template() -> str:
    """A header and one example."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns())
    writer.writeheader()
    writer.writerow(EXAMPLE)
    return text.getvalue()


def read_locations(text: str) -> LocationList:
    """Every row as a location, or everything that is wrong: `locations_csv.…`."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return _refused(CellFinding(code="locations_csv.unreadable", row=1, column="", detail="this is not CSV"))
    header, lines = (rows[0], rows[1:]) if rows else ([], [])
    header = [name.strip() for name in header]
    wrong = list(_header(header))
    if wrong:
        return _refused(*wrong)
    locations: dict[int, LocationFacts] = {}
    for number, line in enumerate(lines, FIRST_ROW):
        if any(cell.strip() for cell in line):
            found, faults = _row(header, line, number)
            wrong += faults
            if found is not None:
                locations[number] = found
    wrong += _twice(locations)
    return _refused(*wrong) if wrong else LocationList(locations=tuple(locations.values()))


def _refused(*findings: CellFinding) -> LocationList:
    return LocationList(findings=findings)


def _header(header: list[str]) -> Iterator[CellFinding]:
    known = columns()
    for index, name in enumerate(header):
        if name not in known:
            code, detail = "locations_csv.column_unknown", "there is no such column in the template"
        elif name in header[:index]:
            code, detail = "locations_csv.column_duplicate", "this column is there already"
        else:
            continue
        yield CellFinding(code=code, row=1, column=name or f"column {index + 1}", detail=detail)


def _row(header: list[str], line: list[str], number: int) -> tuple[LocationFacts | None, list[CellFinding]]:
    if len(line) != len(header):
        detail = f"there are {len(line)} cells, but {len(header)} columns"
        return None, [_cell("locations_csv.row_ragged", number, "", detail)]
    tree, wrong = _tree(dict(zip(header, line, strict=True)), number)
    try:
        return LocationFacts.model_validate(tree), wrong
    except ValidationError as refusal:
        unread = {one.column for one in wrong}
        found = [(_column(one.path), one) for one in of_shape(refusal)]
        return None, wrong + [_cell(one.code, number, name, one.detail) for name, one in found if name not in unread]


def _tree(cells: Mapping[str, str], number: int) -> tuple[dict[str, Any], list[CellFinding]]:
    """The fields of a row, with all parts, so that what is missing in them is named by its column."""
    tree: dict[str, Any] = {part: {} for part, dot, _ in (name.partition(".") for name in columns()) if dot}
    wrong = []
    for name, cell in cells.items():
        text, (part, _, field) = cell.strip(), name.partition(".")
        if not text:
            continue
        try:
            value = _READ[name](text) if name in _READ else text
        except ValueError:
            wrong.append(_cell("program.value_invalid", number, name, f"it is written like: {EXAMPLE[name]}"))
        else:
            (tree[part] if field else tree)[field or part] = value
    return tree, wrong


def _twice(locations: Mapping[int, LocationFacts]) -> list[CellFinding]:
    """Rows that name a location again."""
    seen: set[str] = set()
    found = []
    for number, one in locations.items():
        if one.location_id in seen:
            detail = f"{one.location_id} is there already"
            found.append(_cell("program.location_duplicate", number, "location_id", detail))
        seen.add(one.location_id)
    return found


def _cell(code: str, row: int, column: str, detail: str) -> CellFinding:
    return CellFinding(code=code, row=row, column=column, detail=detail)


def _column(path: str) -> str:
    """Of a finding inside a cell that holds several values, the cell's column."""
    return path.partition("[")[0]


def _hours(cell: str) -> list[dict[str, Any]]:
    found = []
    for part in _parts(cell):
        match = _HOURS.fullmatch(part)
        if match is None:
            raise ValueError(part)
        first, last, opens, closes = match.groups()
        days = range(int(first), int(last or first) + 1)
        if not days:
            raise ValueError(part)
        found += [{"weekday": day, "opens": opens, "closes": closes} for day in days]
    return found


def _changes(cell: str) -> list[dict[str, Any]]:
    found = []
    for part in _parts(cell):
        match = _CHANGE.fullmatch(part)
        if match is None:
            raise ValueError(part)
        found.append(dict(zip(("what", "begins", "ends"), match.groups(), strict=True)))
    return found


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


_READ: Mapping[str, Callable[[str], object]] = {"hours": _hours, "holidays": _parts, "major_changes": _changes}

EXAMPLE: Mapping[str, str] = {
    "location_id": "downtown",
    "name": "Downtown",
    "region": "north",
    "time_zone": "America/Chicago",
    "hours": "1-5 08:00-17:00; 6 09:00-13:00",
    "holidays": "2026-12-25; 2027-01-01",
    "monthly_visits": "940",
    "practice_system.name": "dentrix",
    "practice_system.version": "G7.4",
    "practice_system.versions_behind": "0",
    "practice_system.supported": "true",
    "imaging": "dexis",
    "integration": "pre_validated",
    "network.down_mbps": "150",
    "network.up_mbps": "50",
    "network.link": "fibre",
    "network.stability": "stable",
    "network.it_managed": "true",
    "workstations.count": "12",
    "workstations.under_three_years": "12",
    "workstations.meeting_minimum": "12",
    "staffing.annual_turnover_percent": "12.5",
    "staffing.adoption": "documented_success",
    "staffing.training": "formal",
    "champion.office_manager": "tech_forward",
    "champion.provider": "engaged",
    "champion.confirmed": "true",
    "major_changes": "renovation of the second floor 2027-03-01..2027-03-19",
    "regional_manager_engaged": "true",
    "near_central_team": "false",
    "rollback_tolerable": "true",
    "baseline_reliable": "true",
}
