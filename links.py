"""Our own payment links: opaque tokens that only this installation can make, readable without a look-up."""

from __future__ import annotations

import base64
import binascii

from crypto import CryptoError, Keyring
from domain.errors import NotFound
from domain.model import Value

_ASSOCIATED = b"payment.link"


class LinkTarget(Value):
    econsult_id: str
    number: int


class PaymentLinks:
    def __init__(self, keyring: Keyring, public_url: str) -> None:
        self._keyring = keyring
        self._public_url = public_url.rstrip("/")

    def payment_link(self, econsult_id: str, number: int) -> str:
        """The address of a payment link; `number` counts the links of one eConsult."""
        sealed = self._keyring.encrypt(f"{econsult_id}:{number}".encode(), _ASSOCIATED)
        return f"{self._public_url}/pay/{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    def read(self, token: str) -> LinkTarget:
        """What a link points to. Raises `NotFound` (`payment.link_unknown`) for anything that we did not make."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            econsult_id, number = self._keyring.decrypt(sealed, _ASSOCIATED).decode().rsplit(":", 1)
        except (CryptoError, binascii.Error, ValueError):
            raise NotFound("payment.link_unknown", "this payment link is not known") from None
        return LinkTarget(econsult_id=econsult_id, number=int(number))
