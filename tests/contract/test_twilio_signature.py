"""Our check of Twilio's signature against the validator of Twilio's own library."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from api.webhooks.twilio_signature import sign, verify
from domain.errors import Unauthenticated

TOKEN = "12345"
URL = "https://api.example.org/webhooks/twilio/voice?attempt=a-1&leg=clinician"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("To", "+12025550142"),
    ("From", "+12025550100"),
    ("Digits", ""),
    ("Caller Name", "Zoë & Søn"),
]


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:8000/webhooks/twilio/messages", "https://x.example:8443/a?b=c"])
@pytest.mark.parametrize("form", [FORM, FORM[:1], []])
def test_signs_as_twilio_does(url: str, form: list[tuple[str, str]]) -> None:
    signature = RequestValidator(TOKEN).compute_signature(url, dict(form))
    assert sign(url, form, TOKEN) == signature
    verify(url, form, signature, TOKEN)


def test_the_order_of_the_form_does_not_matter() -> None:
    assert sign(URL, FORM, TOKEN) == sign(URL, FORM[::-1], TOKEN)


@pytest.mark.parametrize(
    ("signed", "ours"),
    [
        ("https://x.example:443/a", "https://x.example/a"),
        ("https://x.example/a", "https://x.example:8443/a"),
        ("http://x.example:80/a", "http://x.example/a"),
    ],
)
def test_takes_the_address_with_and_without_its_port(signed: str, ours: str) -> None:
    signature = RequestValidator(TOKEN).compute_signature(signed, dict(FORM))
    assert RequestValidator(TOKEN).validate(ours, dict(FORM), signature)
    verify(ours, FORM, signature, TOKEN)


@pytest.mark.parametrize(
    ("url", "form", "token"),
    [
        (URL + "x", FORM, TOKEN),
        (URL.replace("a-1", "a-2"), FORM, TOKEN),
        (URL.replace("https", "http"), FORM, TOKEN),
        (URL, [*FORM, ("CallStatus", "completed")], TOKEN),
        (URL, FORM, "another"),
    ],
)
def test_refuses_what_twilio_refuses(url: str, form: list[tuple[str, str]], token: str) -> None:
    signature = RequestValidator(TOKEN).compute_signature(URL, dict(FORM))
    assert not RequestValidator(token).validate(url, dict(form), signature)
    with pytest.raises(Unauthenticated) as raised:
        verify(url, form, signature, token)
    assert raised.value.code == "webhook.signature_invalid"


def test_without_an_auth_token_nothing_is_believed() -> None:
    with pytest.raises(Unauthenticated) as raised:
        verify(URL, FORM, sign(URL, FORM, ""), "")
    assert raised.value.code == "webhook.signature_invalid"
