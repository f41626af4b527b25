"""The benchmark of the scorecard on a small scale: what it fills in is what is counted."""

from __future__ import annotations

from benchmarks import scorecard as benchmark
from db import scorecard
from db.session import Database
from domain.scorecard import Sla

CASES = 840


async def test_every_case_of_the_benchmark_counts(database: Database) -> None:
    assert all(milliseconds > 0 for milliseconds in (await benchmark.measure(database, CASES, calls=1)).values())
    async with database.transaction() as session:
        everybody = await scorecard.overall(session, benchmark.PERIOD)
        each = dict(await scorecard.of_clinicians(session, benchmark.PERIOD, after=None, limit=None))
    slas = {figures.name: figures for figures in everybody.slas}
    visits, threads = CASES * 3 // 4, CASES // 4
    assert slas[Sla.NOTE].met + slas[Sla.NOTE].late == visits
    assert slas[Sla.PATIENT_MESSAGES].met + slas[Sla.PATIENT_MESSAGES].late == threads
    assert everybody.attendance.attended_on_time + everybody.attendance.late >= visits
    assert sum(card.attendance.scheduled for card in each.values()) == everybody.attendance.scheduled
