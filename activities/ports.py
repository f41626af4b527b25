"""What activities ask of the outside world. Adapters in integrations/ and db/ implement these Protocols.

Money is integer cents. Times are aware UTC. Every `key` is an idempotency key made from business ids: the same call
with the same key happens once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from pydantic import Field

from activities.contracts import ChooseSpecialistInput, PlaceCallInput, RecordStepInput
from domain.econsult.payment_events import PaymentEvent
from domain.econsult.state import EConsultOrder
from domain.licences import LicenceOrder
from domain.model import Value
from domain.rates import RateRequestOrder
from domain.review import ReviewOrder
from domain.rollout.orders import RolloutOrder
from domain.rollout.triggers import TelemetryNews
from domain.threads import ThreadOrder
from domain.visit.state import VisitOrder
from domain.visit_calls import CallEvent


class CheckoutStatus(StrEnum):
    """Stripe's Checkout Session `status`, with `complete` split by `payment_status`."""

    OPEN = "open"
    EXPIRED = "expired"
    PAID = "paid"
    PROCESSING = "processing"  # complete, but an asynchronous payment method has not settled yet


class CheckoutRequest(Value):
    key: str
    case_id: str
    """Opaque business id, returned in every webhook as `client_reference_id` and in the payment's metadata."""
    amount_cents: int
    currency: str
    description: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    """Stripe allows 30 minutes to 24 hours after creation."""


class Checkout(Value):
    session_id: str
    status: CheckoutStatus
    url: str | None = None
    """The hosted page, while the session is open."""
    payment_id: str | None = None
    """The PaymentIntent, once there is one."""
    amount_cents: int
    currency: str
    expires_at: datetime


class RefundRequest(Value):
    key: str
    case_id: str
    payment_id: str
    amount_cents: int
    reason: str


class RefundResult(Value):
    refund_id: str
    amount_cents: int
    status: str
    """Stripe's: pending, succeeded, failed, canceled or requires_action."""


class PaymentFee(Value):
    """What the processor kept, from the charge's balance transaction."""

    payment_id: str
    fee_cents: int
    currency: str


class PaymentGateway(Protocol):
    """Stripe's part that we use.

    Every method raises `GatewayRejected` when a repeat cannot succeed and `GatewayUnavailable` when it may.
    """

    async def open_checkout(self, request: CheckoutRequest) -> Checkout: ...

    async def read_checkout(self, session_id: str) -> Checkout: ...

    async def expire_checkout(self, session_id: str) -> Checkout:
        """Close an open session and return what it is now: already paid or expired is an answer, not an error."""
        ...

    async def refund(self, request: RefundRequest) -> RefundResult: ...

    async def read_fee(self, payment_id: str) -> PaymentFee | None:
        """None until the processor knows its fee."""
        ...


class Email(Value):
    message_id: str
    """Made from the business key, so that a repeat carries the same RFC 5322 Message-ID."""
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Raises `GatewayRejected` for an address refused for good, `GatewayUnavailable` otherwise."""

    async def send(self, email: Email) -> None: ...


class TextMessage(Value):
    key: str
    to: str
    """E.164."""
    body: str


class TextReceipt(Value):
    message_sid: str
    status: str


class Texting(Protocol):
    """Raises `GatewayRejected` (`text.opted_out` on Twilio's error 21610) or `GatewayUnavailable`."""

    async def send(self, message: TextMessage) -> TextReceipt: ...


class CallParties(Value):
    """Numbers in E.164. Neither party is shown the other's (V-07)."""

    clinician_phone: str = Field(repr=False)
    patient_phone: str = Field(repr=False)


class BridgeCall(CallParties):
    """Ring the clinician, then the patient, and let them talk."""

    key: str
    visit_id: str
    """Opaque."""
    attempt_id: str
    """Opaque; returned in every callback."""


class CallReceipt(Value):
    call_sid: str
    """Of the clinician's leg, which stands for the whole call."""
    status: str


class Voice(Protocol):
    """Raises `GatewayRejected` (`call.number_invalid`, `call.rejected`) or `GatewayUnavailable`.

    Twilio knows no idempotency keys for calls: whoever asks looks first whether the attempt was placed already.
    """

    async def bridge(self, call: BridgeCall) -> CallReceipt: ...


class CallRecords(Protocol):
    """The attempts to call a patient, and the numbers of whom to call."""

    async def place_once(self, order: PlaceCallInput, place: Callable[[CallParties], Awaitable[CallReceipt]]) -> str:
        """The SID of the attempt's call: of the one that was placed before, else `place` is called.

        Raises `Refused` (`call.no_number`), `NotFound` (`visit.unknown`), and what `place` raises.
        """
        ...


class PaymentPages(Protocol):
    """Where patients pay."""

    def payment_link(self, econsult_id: str, number: int) -> str:
        """Our own link, which opens a fresh Checkout Session."""
        ...


class CaseRecords(Protocol):
    """The records of cases in the database."""

    async def record(self, step: RecordStepInput) -> None:
        """Write a step, its snapshot and its effects in one transaction; nothing if the step is there already."""
        ...


class SpecialistNetwork(Protocol):
    """Who answers eConsults."""

    async def choose(self, case: ChooseSpecialistInput) -> str | None:
        """Id of a board-certified, US-based specialist (E-05) who has not had the case; None while none is free."""
        ...


class OutgoingNotice(Value):
    """A notice that is due, its reader, and what its letter may say. Nothing here is health data."""

    key: str
    case_id: str
    template: str
    to_patient: bool
    email: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    """E.164, where known."""
    time_zone: str = "UTC"
    econsult_id: str | None = None
    link_number: int | None = None
    price_cents: int | None = None
    portion_cents: int | None = None
    """Of a rate request."""
    currency: str = "usd"
    link_expires_at: datetime | None = None
    window_ends_at: datetime | None = None
    visit_starts_at: datetime | None = None
    licence_state: str | None = None
    licence_day: date | None = None
    """The last day of a licence."""
    waiver_day: date | None = None
    """The last day of its waiver."""
    program_name: str | None = None
    """Of a rollout."""
    location_name: str | None = None
    wave: int | None = None
    report: str | None = None
    """Figures of a regular report, as lines."""


class Letter(Value):
    subject: str
    """Empty for a text message."""
    text: str


class Renderer(Protocol):
    """Raises `Invalid` (`notice.template_unknown`, `notice.template_faulty`)."""

    def render(self, notice: OutgoingNotice) -> Letter: ...


class DeliveryStatus(StrEnum):
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"


class Delivery(Value):
    """What became of one attempt to send a notice."""

    status: DeliveryStatus
    code: str | None = None
    provider_id: str | None = None
    """Of a text that was handed over."""
    also: tuple[str, ...] = ()
    """Templates of further notices for the same reader."""


class Outbox(Protocol):
    """Notices that were queued with the steps that call for them."""

    async def deliver_next(self, send: Callable[[OutgoingNotice], Awaitable[Delivery]]) -> Delivery | None:
        """Claim the notice that is due the longest, send it and mark it, in one transaction; None when none is due.

        Two workers never claim the same one. A crash in between leaves the notice due: it is sent again.
        """
        ...


class Execution(StrEnum):
    """Where Temporal stands with a case."""

    RUNNING = "running"
    ENDED = "ended"
    MISSING = "missing"


Startable: TypeAlias = (
    EConsultOrder | RateRequestOrder | ThreadOrder | LicenceOrder | ReviewOrder | VisitOrder | RolloutOrder
)
"""Workflow inputs that are kept in the records, so that a start that was lost can be repeated."""


class CaseStarter(Protocol):
    """The running cases, for the sweep that repairs. Starting twice starts once."""

    async def start(self, order: Startable) -> None: ...

    async def report_payment(self, econsult_id: str, event: PaymentEvent) -> bool:
        """False while there is no such running case."""
        ...

    async def report_call(self, visit_id: str, event: CallEvent) -> bool:
        """False while there is no such running visit."""
        ...

    async def report_telemetry(self, program_id: str, location_id: str, news: TelemetryNews) -> bool:
        """False while there is no such running location."""
        ...

    async def execution(self, case_id: str) -> Execution: ...


class UnstartedCase(Value):
    """An order without a single recorded step."""

    case_id: str
    order: Startable


class PendingWebhook(Value):
    """A stored event that its case has not been told of."""

    provider: str
    event_id: str
    econsult_id: str | None
    """Of a payment."""
    event: PaymentEvent | CallEvent
    expired: bool
    """Waiting for longer than a case may take to appear."""


class PendingTelemetry(Value):
    """News of stored telemetry that its location has not been told of."""

    report_id: str
    program_id: str
    location_id: str
    news: TelemetryNews
    expired: bool
    """Waiting for longer than a location may take to run."""


class SweepRecords(Protocol):
    """What the records know of cases that may need repair."""

    async def unstarted(self, limit: int) -> list[UnstartedCase]: ...

    async def mark_started(self, case: UnstartedCase) -> None: ...

    async def open_cases(self, after: str, limit: int) -> list[str]:
        """Ids of cases not over by their records, in order, from the one after `after`."""
        ...

    async def is_open(self, case_id: str) -> bool: ...


class WebhookInbox(Protocol):
    """Stored events of the payment processor and the telephone company."""

    async def pending(self, limit: int) -> list[PendingWebhook]: ...

    async def mark_delivered(self, webhook: PendingWebhook) -> None: ...

    async def mark_undelivered(self, webhook: PendingWebhook) -> None:
        """One more attempt in vain; an expired one is given up with the code `webhook.no_case`."""
        ...


class TelemetryInbox(Protocol):
    """News of stored telemetry, for locations that were not told of it."""

    async def pending(self, limit: int) -> list[PendingTelemetry]: ...

    async def mark(self, report: PendingTelemetry, *, delivered: bool) -> None:
        """One more attempt; an expired one that was in vain is given up."""
        ...
