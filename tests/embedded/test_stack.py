"""The one-command stack, whole: started, used over HTTP, stopped, and started again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin

import httpx
import psutil
import pytest

from embedded.process import free_port
from embedded.seed import DERMATOLOGY, NOTE_COMPLETED, PATIENT, PHOTO, VISIT_COMPLETED
from environment import OWNED_PREFIXES, read_environment
from tests.embedded.conftest import ROOT

Found = TypeVar("Found")

PORTS = ("api", "temporal", "temporal-ui", "postgres", "gateways", "smtp")
ORDER: dict[str, Any] = {
    "visit_id": VISIT_COMPLETED,
    "specialty_code": DERMATOLOGY,
    "purpose": "second_opinion",
    "question": "Would you biopsy this patch now, or treat it as tinea corporis first?",
    "history": "Annular scaly itchy patch of the left forearm for six weeks, grown to 3 cm. Hydrocortisone for two "
    "weeks did not help. Working diagnosis tinea corporis; differential nummular eczema. Medications: none. "
    "No known allergies.",
    "note_ids": [NOTE_COMPLETED],
    "attachment_ids": [PHOTO],
    "patient_expectations": {
        "acknowledged": True,
        "acknowledged_by": "patient",
        "acknowledged_at": "2026-03-02T16:20:00Z",
    },
}


@dataclass
class Stack:
    """A stack run as a person runs it, by `carewave up`."""

    state_dir: Path
    ports: dict[str, int]
    process: subprocess.Popen[str] | None = None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def sandboxes(self) -> str:
        return f"http://127.0.0.1:{self.ports['gateways']}"

    def start(self) -> None:
        flags = [part for name, port in self.ports.items() for part in (f"--{name}-port", str(port))]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", "up", "--state-dir", str(self.state_dir), *flags],
            cwd=ROOT,
            env=surroundings(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if "Ctrl-C" in line:
                return
        pytest.fail(f"the stack did not start:\n{said}")

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Another command of the command line."""
        command_line = [sys.executable, "-m", "cli", *command]
        return subprocess.run(
            command_line, cwd=ROOT, env=surroundings(), capture_output=True, text=True, check=False, timeout=120
        )

    def token(self, role: str) -> str:
        return self.run("token", "--role", role, "--state-dir", str(self.state_dir)).stdout.strip()

    def client(self, role: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token(role)}"}
        return httpx.Client(base_url=self.api, headers=headers, timeout=30, trust_env=False)

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def outbox(self, subject: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.sandboxes}/outbox.json", trust_env=False)
        return [message for message in answer.json()["messages"] if subject in message["subject"].lower()]


def surroundings() -> dict[str, str]:
    """The environment without services of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWNED_PREFIXES)}
    return {name: value for name, value in kept.items() if name != "DATABASE_URL"}


def still_running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=10)[1]


def eventually(find: Callable[[], Found | None], seconds: float = 30) -> Found:
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack") / "state", {name: free_port() for name in PORTS})
    try:
        stack.start()
        yield stack
    finally:
        if stack.process and stack.process.poll() is None:
            stack.stop()


@pytest.fixture(scope="module")
def ordered(stack: Stack) -> dict[str, Any]:
    """An eConsult that was ordered with curl's means."""
    with stack.client("clinician") as http:
        answer = http.post("/econsults", json=ORDER, headers={"Idempotency-Key": "first-order"})
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


def test_is_ready_and_healthy_once_it_says_so(stack: Stack) -> None:
    assert httpx.get(f"{stack.api}/readyz", trust_env=False).json() == {"status": "ok"}

    checked = stack.run("doctor", "--json", "--env", str(stack.state_dir / "env"))

    report = json.loads(checked.stdout)
    assert {check["name"]: check["detail"] for check in report["checks"] if check["status"] != "ok"} == {}
    assert (checked.returncode, len(report["checks"])) == (0, 16)


def test_keeps_its_keys_to_itself(stack: Stack) -> None:
    for name in ("env", "secrets.json", "issuer-key.json"):
        assert (stack.state_dir / name).stat().st_mode & 0o777 == 0o600
    keys = read_environment(stack.state_dir / "env")
    log = "".join(path.read_text() for path in (stack.state_dir / "logs").glob("*.log"))
    assert not any(keys[name] in log for name in ("DATA_KEYS", "CODEC_KEYS", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET"))


def test_refuses_to_run_twice_on_one_state(stack: Stack) -> None:
    spare = [part for name in PORTS for part in (f"--{name}-port", str(free_port()))]
    second = stack.run("up", "--state-dir", str(stack.state_dir), *spare)
    assert second.returncode == 1
    assert "runs on" in second.stderr


def test_names_a_taken_port_and_the_flag_that_changes_it(stack: Stack, tmp_path: Path) -> None:
    ports = {name: free_port() for name in PORTS} | {"gateways": stack.ports["gateways"]}
    flags = [part for name, port in ports.items() for part in (f"--{name}-port", str(port))]
    second = stack.run("up", "--state-dir", str(tmp_path), *flags)
    assert second.returncode == 1
    assert re.search(rf"port {stack.ports['gateways']} is taken.*--gateways-port", second.stderr)


def test_an_order_is_paid_through_the_link_in_the_mail_and_goes_to_a_specialist(
    stack: Stack, ordered: dict[str, Any]
) -> None:
    letter = eventually(lambda: next(iter(stack.outbox("econsult")), None))
    link = re.search(rf"{re.escape(stack.api)}/pay/\S+", letter["text"])
    assert link, letter["text"]

    with httpx.Client(trust_env=False, timeout=30) as browser:
        assert browser.get(link[0]).status_code == 200
        to_processor = browser.post(link[0])
        assert to_processor.status_code == 303
        pay_page = to_processor.headers["location"]
        assert pay_page.startswith(f"{stack.sandboxes}/stripe/pay/")
        assert "140.00" in browser.get(pay_page).text
        paid = browser.post(pay_page, data={"act": "pay"})
        assert paid.status_code == 303
        assert browser.get(urljoin(pay_page, paid.headers["location"])).status_code == 200

    with stack.client("clinician") as http:
        address = f"/econsults/{ordered['id']}"
        eventually(lambda: http.get(address).json()["state"] == "WITH_SPECIALIST")


def test_the_temporal_ui_may_decode_payloads(stack: Stack) -> None:
    key = read_environment(stack.state_dir / "env")["CODEC_ACCESS_KEY"]
    origin = f"http://127.0.0.1:{stack.ports['temporal-ui']}"
    address = f"{stack.api}/codec/{key}/decode"
    answer = httpx.post(address, json={"payloads": []}, headers={"Origin": origin}, trust_env=False)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)


def test_stops_without_a_trace_and_keeps_its_state(stack: Stack, ordered: dict[str, Any]) -> None:
    children = stack.children()
    assert len(children) >= 5
    assert stack.stop() == 0
    assert still_running(children) == []

    stack.start()

    with stack.client("clinician") as http:
        again = http.get(f"/econsults/{ordered['id']}").json()
        assert (again["id"], again["state"], again["patient_id"]) == (ordered["id"], "WITH_SPECIALIST", PATIENT)
        live = http.get(f"/econsults/{ordered['id']}", params={"live": "true"})
        assert live.json()["state"] == "WITH_SPECIALIST"
    assert stack.outbox("econsult")


def test_names_the_process_that_died_and_stops_the_others(stack: Stack) -> None:
    assert stack.process is not None
    assert stack.process.stdout is not None
    children = stack.children()
    next(child for child in children if child.cmdline()[-1] == "worker").kill()
    assert stack.process.wait(60) == 1
    assert "Worker ended" in stack.process.stdout.read()
    assert still_running(children) == []
