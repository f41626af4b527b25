"""The arithmetic of the scorecard, without any database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.scorecard import (
    LONGEST,
    Attendance,
    Fate,
    OpenEscalation,
    Period,
    Sla,
    SlaCounts,
    SlaFigures,
    percent,
    scorecard,
    week_name,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
WEEK = timedelta(weeks=1)
COUNTS = st.integers(min_value=0, max_value=10**7)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, None),
        (0, 7, 0.0),
        (7, 7, 100.0),
        (1, 3, 33.3),
        (2, 3, 66.6),
        (9_999, 10_000, 99.9),
        (19_999, 20_000, 99.9),
    ],
)
def test_cuts_percentages_off(part: int, whole: int, expected: float | None) -> None:
    assert percent(part, whole) == expected


@given(COUNTS, COUNTS)
def test_says_100_percent_only_of_all(met: int, late: int) -> None:
    shown = SlaCounts(name=Sla.NOTE, met=met, late=late).percent_met
    assert (shown == 100) == (late == 0 and met > 0)
    assert (shown is None) == (met == late == 0)
    if shown is not None:
        assert 0 <= shown <= 100 * met / (met + late)


@given(*[COUNTS] * 5)
def test_an_excused_absence_changes_no_percentage(on_time: int, late: int, absent: int, off: int, excused: int) -> None:
    one = Attendance(attended_on_time=on_time, late=late, absent=absent, called_off=off, excused=excused)
    assert one.percent_on_time == one.model_copy(update={"excused": 0}).percent_on_time
    assert one.scheduled == on_time + late + absent + off + excused
    assert (one.percent_on_time == one.target_percent) == (on_time > 0 == late + absent + off)


@pytest.mark.parametrize(
    ("start", "until", "weeks"),
    [
        (START, START + WEEK, ["2026-W10"]),
        (START, START + WEEK + timedelta.resolution, ["2026-W10", "2026-W11"]),
        (START - timedelta.resolution, START + timedelta(hours=1), ["2026-W09", "2026-W10"]),
        (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC), ["2026-W53", "2027-W01"]),
    ],
)
def test_names_every_week_that_the_period_touches(start: datetime, until: datetime, weeks: list[str]) -> None:
    assert [week_name(monday) for monday in Period.of(start, until).weeks] == weeks


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # made aware
    st.timedeltas(timedelta.resolution, LONGEST),
)
def test_weeks_are_whole_and_follow_each_other(start: datetime, length: timedelta) -> None:
    weeks = Period.of(start, start + length).weeks
    assert all(monday.weekday() == 0 for monday in weeks)
    assert [later - earlier for earlier, later in pairwise(weeks)] == [WEEK] * (len(weeks) - 1)
    assert weeks[0] <= start.date() < weeks[0] + WEEK
    assert weeks[-1] <= (start + length - timedelta.resolution).date() < weeks[-1] + WEEK


@pytest.mark.parametrize("length", [timedelta(), -WEEK, LONGEST + timedelta.resolution])
def test_refuses_a_period_that_is_none_or_too_long(length: timedelta) -> None:
    with pytest.raises(Invalid) as refusal:
        Period.of(START, START + length)
    assert refusal.value.code == "scorecard.period_invalid"


def test_puts_the_weeks_together() -> None:
    fates = {
        ("2026-W10", Fate.ATTENDED_ON_TIME): 3,
        ("2026-W10", Fate.LATE): 1,
        ("2026-W11", Fate.ATTENDED_ON_TIME): 2,
        ("2026-W11", Fate.EXCUSED): 1,
    }
    note = SlaFigures(name=Sla.NOTE, met=4, late=1, timed=5, p50_seconds=60)
    weekly = {("2026-W11", Sla.NOTE): SlaCounts(name=Sla.NOTE, met=4, late=1)}
    levels = [OpenEscalation(level=n, unacknowledged=1, acknowledged=0) for n in (2, 1)]
    card = scorecard(Period.of(START, START + 3 * WEEK), fates, [note], weekly, levels)
    assert (card.attendance.scheduled, card.attendance.attended_on_time, card.attendance.percent_on_time) == (
        7,
        5,
        83.3,
    )
    assert [figures.name for figures in card.slas] == list(Sla)
    assert {figures.name: figures.met for figures in card.slas if figures.met} == {Sla.NOTE: 4}
    assert [escalation.level for escalation in card.open_escalations] == [1, 2]
    assert [point.starts_on for point in card.trend] == [date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 16)]
    assert [point.attendance.percent_on_time for point in card.trend] == [75.0, 100.0, None]
    assert [sum(counts.met for counts in point.slas) for point in card.trend] == [0, 4, 0]
