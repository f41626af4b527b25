"""Cases recorded before the board existed are on it after the migration."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.rows import dict_row

from domain.at_risk import Standing, standing
from domain.clock import Clock, Outcome, acknowledge, arm, end, fire, pause
from domain.econsult.states import Stage
from domain.econsult.view import EConsultSnapshot, snapshot
from embedded.postgres import EmbeddedPostgres
from tests.domain.builders import PERSON, POLICY, START, a_state, a_turnaround, after, an_order

LATE = a_turnaround(after(49))
CASES: dict[str, dict[str, Clock]] = {
    "none": {},
    "on-time": {"turnaround": a_turnaround(), "information": arm(POLICY.information, START)},
    "paused": {"turnaround": pause(a_turnaround(), after(1), "information")},
    "late": {"turnaround": LATE, "information": arm(POLICY.information, START)},
    "taken-on": {"turnaround": acknowledge(LATE, after(50), PERSON)},
    "two-breaches": {
        "a": acknowledge(LATE, after(50), PERSON),
        "b": fire(arm(POLICY.information, START), after(80))[0],
    },
    "met-late": {"turnaround": end(LATE, after(50), Outcome.MET, PERSON)},
    "window": {"follow_up_window": arm(POLICY.follow_up_window, START), "booking": arm(POLICY.booking, START)},
}


def test_fills_in_what_the_snapshots_say(postgres: EmbeddedPostgres) -> None:
    url = postgres.create_database("before_the_board")
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    command.upgrade(config, "0004")
    views = {
        name: snapshot(an_order(), a_state(Stage.WITH_SPECIALIST, clocks=clocks), START)
        for name, clocks in CASES.items()
    }
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        for name, view in views.items():
            connection.execute(
                "insert into case_state (case_id, process, business_state, sequence, sla_state, escalation_level,"
                " snapshot, updated_at) values (%s, 'EConsult', 'X', 1, 'on_time', 0, %s, %s)",
                (name, json.dumps(_as_it_was(view)), START),
            )
        command.upgrade(config, "0005")
        rows = connection.execute("select * from case_state").fetchall()
        filled = {row["case_id"]: Standing.model_validate(row) for row in rows}
        command.downgrade(config, "0004")
    assert filled == {name: standing(view) for name, view in views.items()}


def _as_it_was(view: EConsultSnapshot) -> dict[str, Any]:
    """Clocks did not say whether they may breach."""
    dumped = view.model_dump(mode="json")
    for clock in dumped["clocks"]:
        del clock["may_breach"]
    return dumped
