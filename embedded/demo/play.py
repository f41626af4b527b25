"""Puts the house up, plays the stories one after the other, and prints what happened."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from crypto import generate_key
from db.migrate import migrate
from db.session import Database
from embedded.demo.people import OPERATIONS, ask
from embedded.demo.report import print_letters, print_life, print_money, print_reasons
from embedded.demo.rollout import story as rollout
from embedded.demo.rollout.report import show
from embedded.demo.stories import ECONSULTS, STORIES, VISITS, Played, Story
from embedded.postgres import EmbeddedPostgres
from embedded.seed import seed
from embedded.stage import Stage, stage
from observability import configure_logging


def main(*, rolling_out: bool = False) -> int:
    """Play every story, or the rollout. 0 when each ended as it should and every ledger balances, 1 otherwise."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    configure_logging("ERROR")
    started = time.monotonic()
    with console.status("starting PostgreSQL ...") as status, EmbeddedPostgres(ephemeral=True) as postgres:
        url = postgres.create_database("demo")
        status.update("creating the tables ...")
        migrate(url)
        good = asyncio.run(_play(console, status, url, rolling_out=rolling_out))
    took = time.monotonic() - started
    played = "A rollout" if rolling_out else f"{len(ECONSULTS)} eConsults and {len(VISITS)} visits"
    console.print(f"{played} in {took:.1f} s of real time.")
    return 0 if good else 1


async def _play(console: Console, status: Status, url: str, *, rolling_out: bool) -> bool:
    database = Database(url)
    with tempfile.TemporaryDirectory() as state:
        status.update("starting Temporal, worker and API ...")
        async with stage(database, generate_key("demo"), Path(state)) as house:
            await seed(database, now=house.rehearsal.clock.now)
            if rolling_out:
                results = [await _roll_out(console, status, house)]
            else:
                results = [await _tell(console, status, house, n, story) for n, story in enumerate(STORIES, start=1)]
    await database.close()
    return all(results)


async def _tell(console: Console, status: Status, house: Stage, number: int, story: Story) -> bool:
    status.update(f"playing {number} of {len(STORIES) + 1}: {story.title} ...")
    house.letterbox.letters.clear()
    before, real = house.rehearsal.clock.now, time.monotonic()
    played = await story.play(house)
    passed = (house.rehearsal.clock.now - before).total_seconds() / 86400
    status.stop()
    console.rule(f"[bold]{number}. {story.title}", align="left")
    console.print(f"  {passed:.1f} days of simulated time in {time.monotonic() - real:.1f} s\n")
    good = await _show(console, played, story)
    status.start()
    return good


async def _roll_out(console: Console, status: Status, house: Stage) -> bool:
    """Thirty locations over twenty weeks."""
    real = time.monotonic()
    told = await rollout.play(house, lambda doing: status.update(f"playing {doing} ..."))
    status.stop()
    title = "A rollout over 30 locations: a rollback, a refused gate, a systemic pause"
    console.rule(f"[bold]{title}", align="left")
    console.print(f"  20 weeks of simulated time in {time.monotonic() - real:.0f} s\n")
    good = await show(console, told)
    status.start()
    return good


async def _show(console: Console, played: Played, story: Story) -> bool:
    async def read(path: str = "") -> Any:
        return await ask(played.stage, OPERATIONS, "GET", f"{played.path}{path}")

    view = await read()
    print_life(console, view, (await read("/timeline?limit=200"))["items"], played.remarks)
    balanced = True
    if story in ECONSULTS:
        ledger = await read("/ledger")
        print_money(console, ledger)
        balanced = bool(ledger["balanced"])
    else:
        print_reasons(console, await read("/explain"))
    print_letters(console, played.stage.letterbox.letters)
    if view["state"] != story.ends:
        console.print(f"[red]It ended as {view['state']}, not as {story.ends}.[/]")
    return balanced and view["state"] == story.ends
