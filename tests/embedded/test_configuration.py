"""What the processes of the stack are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crypto import Keyring
from embedded.configuration import Ports, StackSecrets, load_or_create_secrets, stack_environment
from embedded.process import StartFailed
from environment import enter, read_environment, write_environment


@pytest.fixture
def kept(tmp_path: Path) -> StackSecrets:
    return load_or_create_secrets(tmp_path)


def test_makes_secrets_once_and_for_its_owner_alone(tmp_path: Path, kept: StackSecrets) -> None:
    assert load_or_create_secrets(tmp_path) == kept
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert Keyring.parse(kept.data_keys).key_id != Keyring.parse(kept.codec_keys).key_id


def test_makes_no_new_keys_for_records_that_it_could_not_read(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(StartFailed, match=r"secrets\.json is missing"):
        load_or_create_secrets(tmp_path)


def test_points_everything_at_sandboxes_on_loopback(kept: StackSecrets) -> None:
    told = stack_environment(kept, Ports(api=1, gateways=2, temporal=3, smtp=4), {})
    assert told["TEMPORAL_ADDRESS"] == "127.0.0.1:3"
    assert told["STRIPE_API_BASE"] == "http://127.0.0.1:2/stripe"
    assert told["TWILIO_API_BASE"] == "http://127.0.0.1:2/twilio"
    assert (told["SMTP_HOST"], told["SMTP_PORT"]) == ("127.0.0.1", "4")
    assert told["PUBLIC_URL"] == "http://127.0.0.1:1"
    assert told["OIDC_ISSUER"] == "http://127.0.0.1:2/dev"


def test_uses_real_services_as_they_are_given(kept: StackSecrets) -> None:
    given = {
        "STRIPE_API_KEY": "sk_test_1",
        "STRIPE_WEBHOOK_SECRET": "whsec_1",
        "TEMPORAL_ADDRESS": "temporal.example:7233",
        "TEMPORAL_API_KEY": "key",
        "SMTP_HOST": "mail.example",
        "DATA_KEYS": "mine:key",
    }
    told = stack_environment(kept, Ports(), given)
    assert {name: told[name] for name in given} == given
    assert "STRIPE_API_BASE" not in told
    assert "SMTP_PORT" not in told
    assert "TWILIO_API_BASE" in told


def test_asks_for_the_webhook_secret_of_a_real_stripe(kept: StackSecrets) -> None:
    with pytest.raises(StartFailed, match="STRIPE_WEBHOOK_SECRET is not"):
        stack_environment(kept, Ports(), {"STRIPE_API_KEY": "sk_test_1"})


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_refuses_live_money(kept: StackSecrets, key: str) -> None:
    with pytest.raises(StartFailed, match="live key"):
        stack_environment(kept, Ports(), {"STRIPE_API_KEY": key, "STRIPE_WEBHOOK_SECRET": "whsec_1"})


def test_asks_no_proxy_for_its_own_addresses(kept: StackSecrets) -> None:
    assert stack_environment(kept, Ports(), {"NO_PROXY": "intranet"})["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_the_environment_file_gives_back_what_it_took(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": "postgresql://a:b'c@h/d?x=1&y=$z", "SMTP_USERNAME": "", "DATA_KEYS": "k:a+/b=="}
    write_environment(tmp_path / "env", environment)
    assert read_environment(tmp_path / "env") == environment
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600


def test_entering_leaves_nothing_of_another_service_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"TEMPORAL_API_KEY": "of another cluster", "HOME": "/root"})
    enter({"TEMPORAL_ADDRESS": "127.0.0.1:7233"})
    assert os.environ == {"TEMPORAL_ADDRESS": "127.0.0.1:7233", "HOME": "/root"}
