"""What the doctor says of an installation where little is right."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator

import pytest

from doctor import Check, Report, Status, examine
from embedded.postgres import EmbeddedPostgres
from embedded.process import free_port
from environment import OWNED_PREFIXES

HIDDEN = "hidden-secret"


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(OWNED_PREFIXES):
            monkeypatch.delenv(name)
    closed = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("DATABASE_URL", f"postgresql://carewave:{HIDDEN}@{closed}/carewave")
    monkeypatch.setenv("DATA_KEYS", f"k1:{HIDDEN}")
    monkeypatch.setenv("CODEC_KEYS", "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    monkeypatch.setenv("TEMPORAL_ADDRESS", closed)
    monkeypatch.setenv("STRIPE_API_KEY", HIDDEN)
    monkeypatch.setenv("STRIPE_API_BASE", f"http://{closed}")
    monkeypatch.setenv("SMTP_PORT", closed.partition(":")[2])
    monkeypatch.setenv("OIDC_JWKS_URL", f"http://{closed}/jwks.json")


@pytest.fixture
def unmigrated(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database without a single table."""
    name = f"empty_{uuid.uuid4().hex}"
    yield postgres.create_database(name)
    postgres.drop_database(name)


@pytest.mark.usefixtures("nothing_runs")
async def test_says_what_to_do_about_each_failure_and_tells_no_secret() -> None:
    report = await examine()

    found = {check.name: check.status.value for check in report.checks}
    assert found == {
        "settings": "ok",
        "data keys": "failed",
        "codec keys": "ok",
        "policy": "ok",
        "database": "failed",
        "migrations": "skipped",
        "Temporal": "failed",
        "search attributes": "skipped",
        "schedule": "skipped",
        "worker": "skipped",
        "Stripe": "failed",
        "Stripe webhooks": "failed",
        "Twilio": "skipped",
        "Twilio voice": "skipped",
        "SMTP": "failed",
        "login keys": "failed",
    }
    assert not report.ok
    assert all(check.remedy for check in report.checks if check.status is Status.FAILED)
    assert HIDDEN not in json.dumps(report.as_json())


async def test_names_settings_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "eighty")
    (check,) = (await examine()).checks
    assert (check.name, check.status) == ("settings", Status.FAILED)
    assert check.detail.startswith("API_PORT:")


async def test_names_migrations_that_are_missing(
    nothing_runs: None, unmigrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", unmigrated)
    checks = {check.name: check for check in (await examine()).checks}
    assert checks["database"].status is Status.OK
    assert checks["migrations"].status is Status.FAILED
    assert "carewave migrate" in checks["migrations"].remedy


def test_a_report_with_skipped_checks_is_fine() -> None:
    assert Report((Check("Twilio", Status.SKIPPED, "no account"),)).ok
