"""Sending what the outbox holds. It happens beside Temporal: no act waits for a mail server, no step costs events."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging

from activities.contracts import RecordStepInput
from activities.ports import (
    CaseRecords,
    Delivery,
    DeliveryStatus,
    Email,
    Mailer,
    Outbox,
    OutgoingNotice,
    Renderer,
    Texting,
    TextMessage,
)
from domain.actors import Channel, channel_of
from domain.errors import CarewaveError, GatewayRejected, GatewayUnavailable
from domain.notices import ALSO_AS_TEXT

ROUND = 100
PAUSE_SECONDS = 2.0

logger = logging.getLogger(__name__)


class NoticeDelivery:
    """Sends due notices. Any number of workers may do so at once; none sends what another one is sending."""

    def __init__(self, outbox: Outbox, mailer: Mailer, texting: Texting | None, renderer: Renderer) -> None:
        """Without `texting` no texts are sent."""
        self._outbox = outbox
        self._mailer = mailer
        self._texting = texting
        self._renderer = renderer

    async def deliver_due(self, limit: int) -> int:
        """Try up to `limit` due notices and return how many were sent."""
        sent = 0
        for _ in range(limit):
            delivery = await self._outbox.deliver_next(self._deliver)
            if delivery is None:
                break
            sent += delivery.status is DeliveryStatus.SENT
        return sent

    async def run_forever(self, nudge: asyncio.Event, interval: float = PAUSE_SECONDS) -> None:
        """Deliver whenever nudged, else every `interval` seconds, until cancelled.

        What is being sent while this is cancelled is sent again, with the same Message-ID.
        """
        while True:
            nudge.clear()
            try:
                await self.deliver_due(ROUND)
            except Exception as error:  # noqa: BLE001 - a database that is away must not end the loop
                logger.warning("notices.delivery_interrupted error=%s", type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(nudge.wait(), interval)

    async def _deliver(self, notice: OutgoingNotice) -> Delivery:
        also = self._text_beside(notice)
        provider_id: str | None = None
        try:
            if channel_of(notice.template) is Channel.TEXT:
                provider_id = await self._text(notice)
            else:
                await self._mail(notice)
        except GatewayUnavailable as error:
            return Delivery(status=DeliveryStatus.RETRY, code=error.code, also=also)
        except CarewaveError as error:
            return Delivery(status=DeliveryStatus.FAILED, code=error.code, also=also)
        except Exception as error:  # noqa: BLE001 - one faulty notice must not hold up all others
            logger.warning("notices.unforeseen key=%s error=%s", notice.key, type(error).__name__)
            return Delivery(status=DeliveryStatus.RETRY, code="notice.unforeseen", also=also)
        return Delivery(status=DeliveryStatus.SENT, provider_id=provider_id, also=also)

    async def _mail(self, notice: OutgoingNotice) -> None:
        if notice.email is None:
            raise GatewayRejected("notice.no_recipient", "there is nobody to tell")
        letter = self._renderer.render(notice)
        email = Email(message_id=message_id(notice.key), to=notice.email, subject=letter.subject, text=letter.text)
        await self._mailer.send(email)

    async def _text(self, notice: OutgoingNotice) -> str:
        if self._texting is None or notice.phone is None:
            raise GatewayRejected("notice.no_recipient", "there is no number, or no texts are sent")
        letter = self._renderer.render(notice)
        sent = await self._texting.send(TextMessage(key=notice.key, to=notice.phone, body=letter.text))
        return sent.message_sid

    def _text_beside(self, notice: OutgoingNotice) -> tuple[str, ...]:
        """The text is a notice of its own, so that neither channel waits for the other or repeats it."""
        wanted = self._texting is not None and notice.to_patient and notice.phone is not None
        return (ALSO_AS_TEXT[notice.template],) if wanted and notice.template in ALSO_AS_TEXT else ()


class NudgingRecords:
    """Records of cases that wake the delivery of notices after each step."""

    def __init__(self, records: CaseRecords, nudge: asyncio.Event) -> None:
        self._records = records
        self._nudge = nudge

    async def record(self, step: RecordStepInput) -> None:
        await self._records.record(step)
        self._nudge.set()


def message_id(key: str) -> str:
    """The left part of the RFC 5322 Message-ID: the same for each repeat, and telling nothing."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]
