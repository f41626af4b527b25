"""The benchmark of the at-risk board on a small scale: each list is read through an index."""

from __future__ import annotations

import re

from benchmarks import at_risk
from db.at_risk import COUNTED
from db.session import Database

OPEN = 8000


async def test_no_list_reads_the_whole_table(database: Database) -> None:
    nothing, *lists = await at_risk.measure(database, OPEN, calls=2)
    for plan in (plan for each in lists for plan in each.plans):
        assert re.search(r"(using|Bitmap Index Scan on) case_state_(at_risk|breached)", plan), plan
        assert "Seq Scan" not in plan, plan

    totals = {each.name: each.total for each in lists}
    assert 30 < totals["at risk within 2 h"] < 150
    assert totals["at risk within 10 d"] == COUNTED
    assert (totals["breaches"], totals["breaches not taken on"]) == (OPEN // 25, OPEN // 50)
    assert totals["... of one clinician"] == OPEN // 400
    assert not nothing.found
