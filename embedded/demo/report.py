"""What the demo prints of a life: its timeline, its clocks, its letters, its ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from activities.ports import Email

STATE_STYLE = {"breached": "red", "at_risk": "yellow", "paused": "cyan"}


def print_life(
    console: Console, view: dict[str, Any], steps: list[dict[str, Any]], remarks: Sequence[str] = ()
) -> None:
    console.print(_timeline(steps))
    for remark in remarks:
        console.print(f"  [yellow]{remark}[/]")
    console.print(_clocks(view["clocks"], steps[0]["at"]))


def print_money(console: Console, ledger: dict[str, Any]) -> None:
    if ledger["entries"]:
        console.print(_ledger(ledger))
    else:
        console.print("  No money moved.")
    console.print("  Ledger " + ("[green]balanced[/]" if ledger["balanced"] else "[red]NOT BALANCED[/]"))


def print_reasons(console: Console, explained: list[dict[str, Any]]) -> None:
    """Where every second of each clock went, and what it said on its way."""
    table = Table(box=box.SIMPLE_HEAD, title="Clocks explained", title_justify="left")
    for heading in ("clock", "where its time went", "milestones"):
        table.add_column(heading, no_wrap=heading == "clock")
    for entry in explained:
        stretches = [f"{each['kind']} {_length(each)}" for each in entry["stretches"]]
        table.add_row(
            entry["clock"]["name"], ", ".join(stretches) or "-", ", ".join(map(_milestone, entry["milestones"]))
        )
    console.print(table)


def _milestone(fired: dict[str, Any]) -> str:
    told = ", ".join(notice["audience"] for notice in fired["notices"])
    if fired["suppressed"]:
        return f"{fired['name']} ({fired['suppressed']})"
    return f"{fired['name']} to {told}" if told else str(fired["name"])


def _length(stretch: dict[str, Any]) -> str:
    lasted = datetime.fromisoformat(stretch["end"]) - datetime.fromisoformat(stretch["start"])
    return str(timedelta(seconds=round(lasted.total_seconds())))


def print_letters(console: Console, letters: Sequence[Email]) -> None:
    subjects = Counter(letter.subject for letter in letters)
    console.print(f"  {len(letters)} letters: " + "; ".join(_times(s, n) for s, n in subjects.items()))
    console.print()


def _times(subject: str, number: int) -> str:
    return subject if number == 1 else f"{subject} ({number}x)"


def _timeline(steps: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Timeline", title_justify="left")
    for heading in ("#", "time", "event", "by", "what", "state after"):
        table.add_column(heading, no_wrap=heading != "what")
    for step in steps:
        style = STATE_STYLE.get(step["sla_state"], "")
        table.add_row(
            str(step["sequence"]),
            _since(steps[0]["at"], step["at"]),
            step["event"],
            step["actor_role"],
            _detail(step),
            f"[{style}]{step['state']}[/]" if style else step["state"],
        )
    return table


def _detail(step: dict[str, Any]) -> str:
    detail = step["detail"]
    parts = []
    if step["event"] == "clock_milestone":
        parts.append(detail["subject"].split(":")[-1])
    if code := detail.get("code"):
        parts.append(code)
    if cents := detail.get("amount_cents"):
        parts.append(_money(cents))
    if detail.get("detected_late"):
        parts.append("detected late")
    return ", ".join(parts)


def _clocks(clocks: list[dict[str, Any]], start: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Clocks", title_justify="left")
    for heading in ("clock", "armed", "breached", "outcome", "state", "escalations"):
        table.add_column(heading, no_wrap=True)
    for clock in clocks:
        breached = _since(start, clock["breached_at"]) if clock["breached_at"] else "-"
        name, _, subject = clock["name"].partition(":")
        table.add_row(
            f"{name} of a question" if subject else name,
            _since(start, clock["armed_at"]),
            breached,
            clock["outcome"] or "ran out",
            clock["state"],
            str(clock["escalation_level"]) + (", acknowledged" if clock["acknowledged"] else ""),
        )
    return table


def _ledger(ledger: dict[str, Any]) -> Table:
    accounts = [balance["account"] for balance in ledger["balances"]]
    table = Table(box=box.SIMPLE_HEAD, title="Ledger (debits positive, credits negative)", title_justify="left")
    table.add_column("entry", no_wrap=True)
    for account in accounts:
        table.add_column(account.replace("_", " "), justify="right")
    table.add_column("sum", justify="right")
    for entry in ledger["entries"]:
        cents = {posting["account"]: posting["amount_cents"] for posting in entry["postings"]}
        table.add_row(
            entry["kind"], *(_money(cents.get(account, 0)) for account in accounts), _money(sum(cents.values()))
        )
    totals = {balance["account"]: balance["amount_cents"] for balance in ledger["balances"]}
    table.add_section()
    table.add_row("balance", *(_money(totals[account]) for account in accounts), _money(sum(totals.values())))
    return table


def _money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100}.{abs(cents) % 100:02d}" if cents else "0"


def _since(start: str, moment: str) -> str:
    """Day and time of day since the order, such as `day 3 04:10`."""
    passed: timedelta = datetime.fromisoformat(moment) - datetime.fromisoformat(start)
    minutes = passed.seconds // 60
    return f"day {passed.days:2} {minutes // 60:02}:{minutes % 60:02}"
