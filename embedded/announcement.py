"""What the stack tells the person who started it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from embedded.configuration import Ports
from embedded.process import HOST


@dataclass(frozen=True)
class Addresses:
    """Where things are. The flags tell our own servers and sandboxes from the user's."""

    ports: Ports
    state_dir: Path
    temporal_ui: bool
    stripe_sandbox: bool
    mail_sandbox: bool


def announce(console: Console, addresses: Addresses) -> None:
    ports = addresses.ports
    lines = {"API docs": f"{ports.api_url}/docs"}
    if addresses.temporal_ui:
        lines["Temporal UI"] = f"http://{HOST}:{ports.temporal_ui}"
    lines["Outbox"] = f"{ports.gateways_url}/outbox" if addresses.mail_sandbox else "real: see SMTP_HOST"
    lines["Pay page"] = _pay_page(addresses)
    usual = addresses.state_dir == Path.cwd() / ".carewave"
    token = f"{_program()} token --role clinician"
    token += "" if usual else f" --state-dir {_shown(addresses.state_dir)}"
    lines["Token"] = token
    lines["Checks"] = f"{_program()} doctor" + ("" if usual else f" --env {_shown(addresses.state_dir / 'env')}")
    lines["Logs"] = _shown(addresses.state_dir / "logs")
    console.print("\nCarewave runs.\n")
    for name, value in lines.items():
        console.print(f"  {name:<13}{value}", markup=False, soft_wrap=True)
    example = f'curl -H "Authorization: Bearer $({token})" {ports.api_url}/econsults'
    console.print(f"\n  {example}", markup=False, soft_wrap=True)
    console.print("\nCtrl-C stops it; what happened is kept for the next time.", markup=False)


def _pay_page(addresses: Addresses) -> str:
    if not addresses.stripe_sandbox:
        return "Stripe's own, behind the link in the e-mail"
    where = "outbox" if addresses.mail_sandbox else "e-mail"
    return f"{addresses.ports.gateways_url}/stripe/pay/…, behind the payment link in the {where}"


def _program() -> str:
    """How to call the command line from here."""
    script = Path(sys.prefix) / "bin" / "carewave"
    return _shown(script) if script.exists() else shutil.which("carewave") or "carewave"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
