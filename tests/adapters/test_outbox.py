"""The outbox page over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from activities.ports import Email
from embedded.mail_sandbox import MailSandbox
from embedded.outbox import outbox_router
from embedded.twilio_sandbox import StoredCall, StoredText, TwilioSandbox
from embedded.twilio_sandbox.calls import read_twiml
from integrations.smtp_mailer import SmtpMailer
from tests.adapters.loopback import serve


@dataclass(frozen=True)
class Outbox:
    mail: MailSandbox
    texting: TwilioSandbox
    http: httpx.AsyncClient

    async def receive_email(self, *, to: str = "ada@example.org", text: str = "Hello") -> None:
        mailer = SmtpMailer(host="127.0.0.1", port=self.mail.port, sender="a@b.example", brand="Sesame", starttls=False)
        await mailer.send(Email(message_id="m", to=to, subject="Pay <here>", text=text))

    def receive_text(self) -> None:
        text = StoredText(
            sid="SM1",
            account_sid="AC1",
            created_at=datetime.now(UTC),
            sender="+12025550100",
            to="+12025550123",
            body="Answered",
            status="queued",
        )
        self.texting.accept(text)


@pytest.fixture
async def outbox() -> AsyncIterator[Outbox]:
    mail = MailSandbox()
    await mail.start()
    texting = TwilioSandbox(account_sid="AC1", auth_token="t")
    app = FastAPI()
    app.include_router(outbox_router(mail, texting))
    async with serve(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as http:
        yield Outbox(mail, texting, http)
    mail.stop()


async def test_an_empty_outbox_says_so(outbox: Outbox) -> None:
    page = await outbox.http.get("/outbox")

    assert page.status_code == 200
    assert "No messages yet." in page.text


async def test_lists_the_newest_message_first(outbox: Outbox) -> None:
    await outbox.receive_email()
    outbox.receive_text()

    listed = (await outbox.http.get("/outbox.json")).json()["messages"]

    assert [item["channel"] for item in listed] == ["text", "email"]
    assert listed[1]["subject"] == "Pay <here>"


async def test_links_can_be_followed_and_text_is_never_markup(outbox: Outbox) -> None:
    await outbox.receive_email(text="<script>x</script> http://127.0.0.1:8000/pay/t1?a=1 now")

    page = (await outbox.http.get("/outbox")).text

    assert '<a href="http://127.0.0.1:8000/pay/t1?a=1" rel="noopener">' in page
    assert "<script>" not in page
    assert "Pay &lt;here&gt;" in page


async def test_filters_by_recipient(outbox: Outbox) -> None:
    await outbox.receive_email(to="ada@example.org")
    await outbox.receive_email(to="bob@example.org")

    listed = (await outbox.http.get("/outbox.json", params={"to": "BOB@"})).json()["messages"]

    assert [item["to"] for item in listed] == ["bob@example.org"]


async def test_shows_calls_and_lets_one_choose_what_telephones_answer(outbox: Outbox) -> None:
    chosen = await outbox.http.post("/outbox/calls", data={"answer": "no-answer"}, follow_redirects=True)
    assert "<option selected>no-answer</option>" in chosen.text
    twiml = "<Response><Dial callerId='+12025550100'><Number>+12025550123</Number></Dial></Response>"
    outbox.texting.accept_call(
        StoredCall(
            sid="CA1",
            account_sid="AC1",
            created_at=datetime.now(UTC),
            sender="+12025550100",
            to="+12025550141",
            patient=read_twiml(twiml, "CA2"),
        )
    )
    await outbox.texting.ring("CA1")

    (item,) = (await outbox.http.get("/outbox.json", params={"to": "+12025550123"})).json()["messages"]

    assert (item["channel"], item["status"]) == ("call", "completed")
    assert item["text"] == "Rang the clinician at +12025550141, then the patient at +12025550123: no-answer."
    assert "Call to +12025550141, +12025550123" in (await outbox.http.get("/outbox")).text


async def test_reloads_itself_only_when_asked(outbox: Outbox) -> None:
    still = (await outbox.http.get("/outbox")).text
    live = (await outbox.http.get("/outbox", params={"refresh": 5})).text

    assert 'http-equiv="refresh"' not in still
    assert '<meta http-equiv="refresh" content="5">' in live
