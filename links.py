"""Our own payment links: signed, so that only this installation can make one, and the same link each time."""

from __future__ import annotations

import base64
import binascii

from crypto import Keyring
from domain.errors import NotFound
from domain.model import Value

_PURPOSE = b"payment.link:"


class LinkTarget(Value):
    econsult_id: str
    number: int


class PaymentLinks:
    def __init__(self, keyring: Keyring, public_url: str) -> None:
        self._keyring = keyring
        self._public_url = public_url.rstrip("/")

    def payment_link(self, econsult_id: str, number: int) -> str:
        """The address of a payment link; `number` counts the links of one eConsult.

        The processor refuses a repeated request that differs, so a link must not change between two tries.
        """
        target = f"{econsult_id}.{number}"
        mac = self._keyring.sign(_PURPOSE + target.encode())
        return f"{self._public_url}/pay/{target}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def read(self, token: str) -> LinkTarget:
        """What a link points to. Raises `NotFound` (`payment.link_unknown`) for anything that we did not make."""
        target, _, encoded = token.rpartition(".")
        econsult_id, _, number = target.rpartition(".")
        try:
            mac = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            if self._keyring.signed(_PURPOSE + target.encode(), mac):
                return LinkTarget(econsult_id=econsult_id, number=int(number))
        except (binascii.Error, ValueError):
            pass
        raise NotFound("payment.link_unknown", "this payment link is not known")
