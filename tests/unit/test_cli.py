"""The command line's small commands; `up` and `doctor` are tried on the whole stack."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from api.auth import TokenVerifier
from api.jwks import KeySource
from cli import app
from crypto import Keyring
from docs_generator import PAGES
from domain.access import Principal, Role
from embedded.issuer import DevelopmentIssuer
from environment import write_environment

ROOT = Path(__file__).parents[2]
ISSUER = "http://127.0.0.1:8300/dev"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, for commands that end it."""
    command = [sys.executable, "-m", "cli", *arguments]
    environment = os.environ | variables
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """What `carewave up` leaves behind for `carewave token`."""
    write_environment(tmp_path / "env", {"OIDC_ISSUER": ISSUER, "OIDC_AUDIENCE": "carewave"})
    return tmp_path


def verified(token: str, state_dir: Path) -> Principal:
    issuer = DevelopmentIssuer(embedded=True, state_dir=state_dir, issuer=ISSUER, audience="carewave")
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=issuer.jwks()))
    keys = KeySource(httpx.AsyncClient(transport=transport), issuer=ISSUER, jwks_url=f"{ISSUER}/jwks.json")
    return asyncio.run(TokenVerifier(keys, issuer=ISSUER, audience="carewave").verify(token))


def test_keys_prints_one_key_that_works() -> None:
    printed = call("keys", "--id", "k2").stdout
    assert printed.count("\n") == 1
    assert Keyring.parse(printed).key_id == "k2"


def test_keys_never_repeats_itself() -> None:
    assert Keyring.parse(f"{call('keys').stdout},{call('keys').stdout}")


def test_keys_refuses_a_bad_id() -> None:
    refused = run("keys", "--id", "a:b")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "key id" in refused.stderr


def test_a_token_names_the_demo_person_of_its_first_role(state_dir: Path) -> None:
    printed = call("token", "--role", "clinician", "--role", "support", "--state-dir", str(state_dir)).stdout
    assert verified(printed.strip(), state_dir) == Principal(
        "clinician-demo", frozenset({Role.CLINICIAN, Role.SUPPORT})
    )


def test_a_token_names_the_subject_that_was_asked_for(state_dir: Path) -> None:
    arguments = ("token", "--role", "specialist", "--subject", "specialist-neurology")
    printed = call(*arguments, "--state-dir", str(state_dir)).stdout
    assert verified(printed.strip(), state_dir).subject == "specialist-neurology"


def test_a_token_without_a_stack_says_how_to_start_one(tmp_path: Path) -> None:
    refused = run("token", "--role", "patient", "--state-dir", str(tmp_path))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "carewave up" in refused.stderr


def test_an_unknown_role_is_refused() -> None:
    assert call("token", "--role", "nobody").exit_code == 2


def test_wrong_settings_are_named_without_their_values() -> None:
    refused = run("worker", DATABASE_URL="mysql://somebody:hidden@host/db", SMTP_PORT="many")
    assert refused.returncode == 1
    assert "DATABASE_URL" in refused.stderr
    assert "SMTP_PORT" in refused.stderr
    assert "hidden" not in refused.stderr


def test_the_pages_made_from_the_source_are_current() -> None:
    """Run `carewave docs` when they are not."""
    assert len(PAGES) == 2
    for target, page in PAGES.items():
        assert (ROOT / target).read_text(encoding="utf-8") == page()


def test_docs_writes_these_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    assert call("docs").exit_code == 0
    for target, page in PAGES.items():
        assert (tmp_path / target).read_text(encoding="utf-8") == page()
