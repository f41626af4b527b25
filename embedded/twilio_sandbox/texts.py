"""Texts: which are refused, which do not arrive, and how they look in Twilio's API.

Numbers that fail are Twilio's own magic numbers for test credentials, and four of ours for what fails on delivery.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from domain.model import Value

E164 = re.compile(r"\+[1-9]\d{6,14}")
MAX_BODY = 1600

REFUSED_NUMBERS = {"+15005550001": 21211, "+15005550002": 21612, "+15005550004": 21610, "+15005550009": 21614}
UNDELIVERABLE_NUMBERS = {
    "+15005553003": 30003,  # unreachable handset
    "+15005553005": 30005,  # unknown handset
    "+15005553006": 30006,  # landline
    "+15005553007": 30007,  # filtered by the carrier
}


class StoredText(Value):
    """One text as it was accepted. `status` moves queued, sent, then delivered or undelivered."""

    sid: str
    account_sid: str
    created_at: datetime
    sender: str
    to: str
    body: str
    status: str
    error_code: int | None = None
    status_callback: str | None = None


def text_fault(text: StoredText) -> int | None:
    """The code of what is wrong with the request itself, or with the number."""
    checks = {
        21604: not text.to,
        21603: not text.sender,
        21602: not text.body,
        21617: len(text.body) > MAX_BODY,
        21211: not E164.fullmatch(text.to),
    }
    return next((code for code, wrong in checks.items() if wrong), None) or REFUSED_NUMBERS.get(text.to)


def text_steps(text: StoredText, error_code: int | None) -> Iterator[StoredText]:
    """How a text goes on after it was accepted."""
    sent = text.model_copy(update={"status": "sent"})
    yield sent
    end = {"status": "undelivered", "error_code": error_code} if error_code else {"status": "delivered"}
    yield sent.model_copy(update=end)


def text_resource(text: StoredText) -> dict[str, Any]:
    return {
        "sid": text.sid,
        "account_sid": text.account_sid,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": format_datetime(text.created_at),
        "date_sent": None if text.status == "queued" else format_datetime(text.created_at),
        "date_updated": format_datetime(text.created_at),
        "direction": "outbound-api",
        "error_code": text.error_code,
        "error_message": None,
        "from": text.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "status": text.status,
        "subresource_uris": {},
        "to": text.to,
        "uri": f"/2010-04-01/Accounts/{text.account_sid}/Messages/{text.sid}.json",
    }


def text_callback(text: StoredText) -> dict[str, str]:
    form = {
        "AccountSid": text.account_sid,
        "ApiVersion": "2010-04-01",
        "From": text.sender,
        "MessageSid": text.sid,
        "MessageStatus": text.status,
        "SmsSid": text.sid,
        "SmsStatus": text.status,
        "To": text.to,
    }
    return form | ({"ErrorCode": str(text.error_code)} if text.error_code else {})
