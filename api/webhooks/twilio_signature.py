"""Is a webhook Twilio's? Its documented signature: HMAC-SHA1 of the URL and the sorted form, with the auth token.

| code | class | when |
|---|---|---|
| webhook.signature_missing | Unauthenticated | no X-Twilio-Signature header |
| webhook.signature_malformed | Unauthenticated | the header is not a SHA-1 digest in base64 |
| webhook.signature_invalid | Unauthenticated | our auth token did not make it, or we have none |
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from domain.errors import Unauthenticated

SIGNATURE: Final = re.compile(r"[A-Za-z0-9+/]{27}=")
PORTS: Final = {"http": 80, "https": 443}

Form = Sequence[tuple[str, str]]


def sign(url: str, form: Form, auth_token: str) -> str:
    """The X-Twilio-Signature header of a form posted to this URL."""
    text = url + "".join(name + value for name, value in sorted(set(form)))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def verify(url: str, form: Form, signature: str | None, auth_token: str) -> None:
    """Raise Unauthenticated with the codes above unless Twilio sent this form to `url`, the public one."""
    if not signature:
        raise Unauthenticated("webhook.signature_missing", "the X-Twilio-Signature header is missing")
    if not SIGNATURE.fullmatch(signature):
        raise Unauthenticated("webhook.signature_malformed", "the X-Twilio-Signature header is malformed")
    right = any(
        hmac.compare_digest(sign(signed, form, auth_token), signature) for signed in _with_and_without_port(url)
    )
    if not auth_token or not right:
        raise Unauthenticated("webhook.signature_invalid", "the signature does not fit the form")


def _with_and_without_port(url: str) -> Iterator[str]:
    """Which of the two Twilio signs depends on the service that calls."""
    parts = urlsplit(url)
    host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    yield parts._replace(netloc=host).geturl()
    yield parts._replace(netloc=f"{host}:{parts.port or PORTS[parts.scheme]}").geturl()
