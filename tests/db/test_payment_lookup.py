"""The case of a payment is found through its index, not by reading every case."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from db import econsults
from db.session import Database

CASES = 2_000

FILL = """
insert into case_state
    (case_id, process, business_state, sequence, sla_state, escalation_level, snapshot, updated_at)
select 'econsult:' || n, 'EConsult', 'PAID', 1, 'on_time', 0,
    jsonb_build_object('payments', jsonb_build_array(jsonb_build_object('payment_id', 'pi_' || n))), now()
from generate_series(1, :cases) as n
"""


@contextmanager
def watched(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Statements with their parameters, as they reach the driver."""
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_the_planner_finds_the_case_of_a_payment_through_its_index(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(FILL), {"cases": CASES})
        await connection.execute(text("analyze case_state"))
    with watched(database) as seen:
        async with database.transaction() as session:
            assert await econsults.of_payment(session, "pi_77") == "77"
            assert await econsults.of_payment(session, "pi_0") is None
    statement, parameters = seen[0]
    async with database.engine.begin() as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        explained = await connection.exec_driver_sql(f"explain (format json) {statement}", parameters)
        plan = json.dumps(explained.scalar_one())
    assert '"Index Name": "case_state_payments"' in plan
    assert "snapshot -> 'payments'" in plan
    assert "Seq Scan" not in plan
