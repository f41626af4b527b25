"""What the demo prints of a rollout: the board, the forecast as it changed, what was refused, the return."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from embedded.demo.rollout.preparing import AT
from embedded.demo.rollout.story import Chronicle
from embedded.demo.rollout.waves import wave_path

HOUR_CENTS, VISIT_CENTS = 2800, 18_500
"""What the group of the example reckons with."""


async def show(console: Console, told: Chronicle) -> bool:
    """Whether it ended as it should: complete, every location live, within twenty weeks."""
    board = await told.group.read(f"{AT}/board")
    console.print(_waves(board))
    console.print(_forecasts(told))
    for remark in told.remarks:
        console.print(f"  [yellow]{remark}[/]")
    console.print(await _gates(told))
    console.print(_locations(board))
    roi = await told.group.read(f"{AT}/roi?hour_cents={HOUR_CENTS}&visit_cents={VISIT_CENTS}")
    console.print(_return(roi))
    ended = told.forecasts[-1][1]
    return board["phase"] == "PROGRAM_COMPLETE" and not ended["overrun"] and _all_live(board)


def _all_live(board: dict[str, Any]) -> bool:
    return all(one["live_at"] for one in board["locations"])


def _table(title: str, *headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "locations")
    return table


def _waves(board: dict[str, Any]) -> Table:
    table = _table("Waves", "wave", "state", "planned", "as it went", "locations")
    for wave in board["waves"]:
        planned, actual = (f"{wave[f'{when}_from']} to {wave[f'{when}_to']}" for when in ("planned", "forecast"))
        style = "yellow" if planned != actual else ""
        locations = ", ".join(wave["locations"])
        table.add_row(
            str(wave["number"]), wave["phase"], planned, f"[{style}]{actual}[/]" if style else actual, locations
        )
    return table


def _forecasts(told: Chronicle) -> Table:
    table = _table("Forecast", "when", "last weeks of the waves", "programme ends", "weeks", "because of")
    for when, forecast in told.forecasts:
        weeks = ", ".join(str(wave["last_week"]) for wave in forecast["waves"])
        causes = ", ".join(f"wave {one['wave']} +{one['days']} d {one['cause']}" for one in forecast["shifts"])
        table.add_row(when, weeks, forecast["ends_on"], str(forecast["weeks_forecast"]), causes or "-")
    return table


async def _gates(told: Chronicle) -> Table:
    table = _table("Gates", "wave", "decision", "evidence", "on", "inputs")
    for number in range(1, 5):
        for decision in (await told.group.read(f"{wave_path(number)}/gate"))["decisions"]:
            inputs = ", ".join(f"{who}: {one['advice']}" for who, one in decision["inputs"].items())
            table.add_row(
                str(number), decision["decision"], decision["evidence_hash"][:12], decision["at"][:10], inputs
            )
    return table


def _locations(board: dict[str, Any]) -> Table:
    table = _table("Locations with a rollback", "location", "wave", "live since", "rollbacks", "communication")
    for one in board["locations"]:
        if one["rollbacks"]:
            table.add_row(
                one["location_id"], str(one["wave"]), one["live_at"][:10], str(one["rollbacks"]), _percent(one)
            )
    return table


def _percent(location: dict[str, Any]) -> str:
    return f"{location['comms_percent']} %"


def _return(roi: dict[str, Any]) -> Table:
    table = _table("Return, over all locations", "metric", "stretch", "baseline", "now", "better")
    for line in roi["metrics"]:
        if line["location_id"] is None and line["value"] is not None:
            table.add_row(
                line["metric"], line["stretch"], line["baseline"], line["value"], "yes" if line["better"] else "no"
            )
    return table
