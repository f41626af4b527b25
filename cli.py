"""The command line. Each command imports what it needs when it runs: help and tokens come at once."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from domain.access import Role
from domain.errors import CarewaveError
from environment import enter, faults, read_environment
from leaving import leave

if TYPE_CHECKING:
    from config import Settings
    from doctor import Report

STATE_DIR = Path(".carewave")

app = typer.Typer(
    help="Carewave: the long-lived processes of a care business.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StateDir = Annotated[Path, typer.Option(help="Where the stack keeps its state.")]
Env = Annotated[Path | None, typer.Option(help="Environment file; of the running stack unless DATABASE_URL is set.")]


@app.command()
def up(  # noqa: PLR0913, PLR0917 - one flag a port
    api_port: int = 8000,
    temporal_port: int = 7233,
    temporal_ui_port: int = 8233,
    postgres_port: int = 15432,
    gateways_port: Annotated[int, typer.Option(help="Outbox, pay page and other sandboxes.")] = 8300,
    smtp_port: Annotated[int, typer.Option(help="The mail sandbox.")] = 8325,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin empty: remove the kept state first.")] = False,
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Run the whole stack until Ctrl-C.

    DATABASE_URL, TEMPORAL_ADDRESS, STRIPE_API_KEY, TWILIO_ACCOUNT_SID and SMTP_HOST put real services in place of ours.
    """
    from embedded.configuration import Ports
    from embedded.stack import Options, run

    ports = Ports(
        api=api_port,
        temporal=temporal_port,
        temporal_ui=temporal_ui_port,
        postgres=postgres_port,
        gateways=gateways_port,
        smtp=smtp_port,
    )
    with _reasons():
        run(Options(state_dir=state_dir.absolute(), ports=ports, fresh=fresh), Console(highlight=False))
    leave()


@app.command()
def demo(
    rollout: Annotated[bool, typer.Option(help="Play twenty weeks of a rollout instead; it takes minutes.")] = False,
) -> None:
    """Play eConsults and visits through their whole lives in simulated time."""
    from embedded.demo import main as play

    with _reasons():
        status = play(rolling_out=rollout)
    leave(status)


@app.command()
def token(
    role: Annotated[list[Role], typer.Option(help="Repeat it for more than one.")],
    subject: Annotated[str, typer.Option(help="Who it is for; by default {role}-demo.")] = "",
    state_dir: StateDir = STATE_DIR,
) -> None:
    """Print a token for the running stack, valid for twelve hours."""
    from embedded.issuer import DevelopmentIssuer

    try:
        environment = read_environment(state_dir / "env")
    except OSError:
        _fail(f"There is no stack in {state_dir}: start it with `carewave up`.")
    issuer = DevelopmentIssuer(
        embedded=True,
        state_dir=state_dir,
        issuer=environment["OIDC_ISSUER"],
        audience=environment["OIDC_AUDIENCE"],
    )
    typer.echo(issuer.token(subject or f"{role[0]}-demo", role))


@app.command()
def migrate(
    temporal: Annotated[bool, typer.Option("--temporal", help="Search attributes and schedule too.")] = False,
    env: Env = None,
) -> None:
    """Bring the database to the newest schema."""
    from sqlalchemy.exc import OperationalError
    from temporalio.service import RPCError

    from db.migrate import migrate as migrate_database

    settings = _settings(env)
    with _reasons(OperationalError, RPCError, RuntimeError):
        migrate_database(settings.database_url.unicode_string())
        typer.echo("The database is current.")
        if temporal:
            asyncio.run(_prepare_temporal(settings))
            typer.echo("Temporal has its search attributes and the schedules.")
    leave()


async def _prepare_temporal(settings: Settings) -> None:
    from domain import policy
    from schedules import ensure_cadences, ensure_schedule
    from temporal_client import connect, register_search_attributes

    client = await connect(settings)
    await register_search_attributes(client)
    await ensure_schedule(client)
    await ensure_cadences(client, policy.load(settings.policy_file).rollout.cadences)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    env: Env = None,
) -> None:
    """Check everything that Carewave depends on."""
    _enter(env)
    from doctor import examine

    report = asyncio.run(examine())
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        _print(report)
    leave(0 if report.ok else 1)


def _print(report: Report) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("check", "", "found"):
        table.add_column(heading, overflow="fold")
    colours = {"ok": "green", "failed": "red", "skipped": "yellow"}
    for check in report.checks:
        table.add_row(check.name, f"[{colours[check.status]}]{check.status}[/]", check.detail)
    console = Console(highlight=False)
    console.print(table)
    for check in report.checks:
        if check.remedy:
            console.print(f"\n{check.name}: {check.remedy}", markup=False)


@app.command()
def keys(
    key_id: Annotated[str, typer.Option("--id", help="Name of the key; by default a random one.")] = "",
) -> None:
    """Print a fresh key for DATA_KEYS or CODEC_KEYS."""
    from crypto import generate_key

    with _reasons():
        typer.echo(generate_key(key_id or f"k{secrets.token_hex(3)}"))


@app.command()
def api() -> None:
    """Serve the API."""
    serve_api()


def serve_api(factory: str = "api.main:create") -> None:
    """Serve the application that the factory makes, `module:function`."""
    _settings(None)
    from api.main import main as serve

    with _reasons(ValueError):
        serve(factory)
    leave()


@app.command()
def worker() -> None:
    """Run a worker."""
    _settings(None)
    from worker import main as work

    work()


@app.command()
def docs() -> None:
    """Write what docs/ holds of the settings and of the programme file; run it in the project's folder."""
    from docs_generator import PAGES

    for target, page in PAGES.items():
        target.write_text(page(), encoding="utf-8")
        typer.echo(target)


@contextmanager
def _reasons(*expected: type[Exception]) -> Iterator[None]:
    """End with a line that says what is wrong, instead of a traceback, where that is known."""
    try:
        yield
    except CarewaveError as error:
        _fail(error.detail)
    except expected as error:
        _fail(f"{type(error).__name__}: {str(error).splitlines()[0]}\n`carewave doctor` checks what this depends on.")


def _fail(reason: str) -> NoReturn:
    typer.echo(f"carewave: {reason}", err=True)
    leave(1)


def _enter(env: Path | None) -> None:
    """Take the environment of the stack: named, or found while nothing else says where the database is."""
    found = STATE_DIR / "env"
    if env is None and not os.environ.get("DATABASE_URL") and found.exists():
        env = found
    if env is not None:
        try:
            enter(read_environment(env))
        except (OSError, ValueError) as error:
            _fail(f"{env} cannot be read: {error}")


def _settings(env: Path | None) -> Settings:
    from config import Settings

    _enter(env)
    try:
        return Settings()
    except ValidationError as error:
        _fail(f"The settings are not valid. {faults(error)}")


def main() -> None:
    app()


if __name__ == "__main__":
    main()
