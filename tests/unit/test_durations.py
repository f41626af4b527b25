"""How far ahead somebody may look, as it is written in a query."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.durations import parse_within
from domain.errors import Invalid


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("0m", timedelta()),
        ("366d", timedelta(days=366)),
        ("PT2H", timedelta(hours=2)),
        ("PT1H30M", timedelta(minutes=90)),
        ("P1DT12H", timedelta(hours=36)),
        ("P2W", timedelta(days=14)),
        ("PT90S", timedelta(seconds=90)),
    ],
)
def test_understands_both_ways_of_writing_it(text: str, length: timedelta) -> None:
    assert parse_within(text) == length


@pytest.mark.parametrize(
    "text",
    [
        *("", "2", "h", "-2h", "2H", "2 h", "1.5h", "2h30m", "367d", "9999999h", "2h\n", "\u0662h", "\x00", "soon"),
        *("P", "PT", "P1DT", "P1Y", "P1M", "-PT2H", "P-1D"),
    ],
)
def test_refuses_anything_else(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_within(text)
    assert refusal.value.code == "at_risk.within_invalid"
