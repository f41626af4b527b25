"""A spreadsheet of locations becomes the locations of a programme file, or findings by row and column."""

from __future__ import annotations

import csv
import io
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout.location_csv import EXAMPLE, columns, read_locations, template
from domain.rollout.program import LocationFacts
from domain.work_calendar import OpeningHours


def sheet(*rows: dict[str, str], header: list[str] | None = None) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, header or columns(), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def row(**changed: str) -> dict[str, str]:
    return dict(EXAMPLE) | {name.replace("__", "."): cell for name, cell in changed.items()}


def test_the_template_is_read_as_it_is() -> None:
    found = read_locations(template())
    assert found.findings == ()
    (one,) = found.locations
    assert list(EXAMPLE) == columns()
    assert one.hours[-1] == OpeningHours(weekday=6, opens=time(9), closes=time(13))
    assert len(one.hours) == 6
    assert len(one.holidays) == 2
    assert one.major_changes[0].what == "renovation of the second floor"


def test_every_field_has_a_column_but_the_scores_by_hand() -> None:
    assert {name.partition(".")[0] for name in columns()} == LocationFacts.model_fields.keys() - {"scores"}


def test_empty_cells_and_missing_columns_leave_fields_out() -> None:
    header = [name for name in columns() if name != "major_changes"]
    found = read_locations(sheet(row(network__link="", holidays=" "), header=header))
    assert found.findings == ()
    assert found.locations[0].network.link == "other"


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("location_id", "Down town", "program.value_invalid"),
        ("location_id", "", "program.field_missing"),
        ("network.down_mbps", "fast", "program.value_invalid"),
        ("practice_system.name", "", "program.field_missing"),
        ("hours", "Mon-Fri 8-5", "program.value_invalid"),
        ("hours", "5-1 08:00-17:00", "program.value_invalid"),
        ("hours", "1 08:00-25:00", "program.value_invalid"),
        ("holidays", "Christmas", "program.value_invalid"),
        ("major_changes", "renovation", "program.value_invalid"),
        ("major_changes", "move 2026-13-01..2026-13-02", "program.value_invalid"),
        ("champion.confirmed", "perhaps", "program.value_invalid"),
    ],
)
def test_names_the_cell_that_is_wrong(column: str, cell: str, code: str) -> None:
    found = read_locations(sheet(row(), row(location_id="two") | {column: cell}))
    assert {(one.code, one.row, one.column) for one in found.findings} == {(code, 3, column)}
    assert found.locations == ()


def test_names_every_cell_that_is_wrong_and_counts_rows_as_a_spreadsheet_does() -> None:
    blank = dict.fromkeys(columns(), "")
    found = read_locations(sheet(row(hours="x", monthly_visits="-1"), blank, row(region="N")))
    assert {(one.row, one.column) for one in found.findings} == {(2, "hours"), (2, "monthly_visits"), (4, "region")}


def test_a_location_is_there_once() -> None:
    (finding,) = read_locations(sheet(row(), row())).findings
    assert (finding.code, finding.row, finding.column) == ("program.location_duplicate", 3, "location_id")


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("location_id,wifi\n", "locations_csv.column_unknown", 1),
        ("location_id,location_id\n", "locations_csv.column_duplicate", 1),
        ("location_id,name\na\n", "locations_csv.row_ragged", 2),
        ('location_id\n"a', "locations_csv.unreadable", 1),
    ],
)
def test_says_what_is_wrong_with_the_sheet_itself(text: str, code: str, line: int) -> None:
    assert [(one.code, one.row) for one in read_locations(text).findings] == [(code, line)]


@given(
    st.text(max_size=200)
    | st.lists(st.text(max_size=20), max_size=35).map(lambda cells: sheet(dict(zip(columns(), cells, strict=False))))
)
def test_whatever_is_read_is_answered(text: str) -> None:
    found = read_locations(text)
    assert not (found.locations and found.findings)
