"""What the sandbox's Stripe does: the API's operations, and what cardholders, banks and the calendar do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from embedded.stripe_sandbox import objects
from embedded.stripe_sandbox.errors import StripeApiError, missing
from embedded.stripe_sandbox.faults import Faults
from embedded.stripe_sandbox.forms import CheckoutParams, RefundParams
from embedded.stripe_sandbox.store import Object, Store
from embedded.stripe_sandbox.webhooks import Deliver, WebhookSender

SHORTEST = timedelta(minutes=30)
LONGEST = timedelta(hours=24)


def wall_clock() -> datetime:
    return datetime.now(UTC)


class StripeSandbox:
    """One Stripe account. Not thread-safe: use it from the event loop that serves it.

    `base_url` is where its pages are reached; `deliver` sends webhooks (None: they are only listed); `clock` gives
    aware UTC; `path` names a SQLite file that keeps the state, None keeps it in memory. What raises StripeApiError is
    what Stripe would refuse.
    """

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        base_url: str,
        deliver: Deliver | None = None,
        clock: Callable[[], datetime] = wall_clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        path: Path | None = None,
    ) -> None:
        self.api_key = api_key
        self.base_url = base_url.rstrip("/")
        self.clock = clock
        self.store = Store(path)
        self.faults = Faults()
        self.webhooks = WebhookSender(self.store, secret=webhook_secret, deliver=deliver, clock=clock, sleep=sleep)

    async def close(self) -> None:
        await self.webhooks.close()
        self.store.close()

    # The API

    def create_session(self, params: CheckoutParams) -> Object:
        now = self.clock()
        earliest, latest = objects.seconds(now + SHORTEST), objects.seconds(now + LONGEST)
        expires_at = latest if params.expires_at is None else params.expires_at
        if not earliest <= expires_at <= latest:
            raise StripeApiError(
                "The `expires_at` timestamp must be 30 minutes to 24 hours from Checkout Session creation.",
                param="expires_at",
            )
        session = objects.checkout_session(
            params, base_url=self.base_url, created=objects.seconds(now), expires_at=expires_at
        )
        self.store.put(session)
        return session

    def expire_session(self, session_id: str) -> Object:
        session = self._open_session(session_id)
        self._expire(session)
        return session

    def create_refund(self, params: RefundParams) -> Object:
        with self.store.atomic():
            paid = self._refundable_charge(params.payment_intent)
            left = paid["amount"] - paid["amount_refunded"]
            amount = left if params.amount is None else params.amount
            if amount > left:
                raise StripeApiError(
                    f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                    param="amount",
                )
            refund = objects.refund(params, paid, amount=amount, created=self._now())
            entry = objects.balance_transaction(refund, kind="refund", amount=-amount, fee=0, created=self._now())
            refund["balance_transaction"] = entry["id"]
            if (bounce := self.faults.take_bounce()) is not None:
                refund["_fails_at"] = objects.seconds(self.clock() + bounce)  # not Stripe's
            before = paid["amount_refunded"]
            paid |= {"amount_refunded": before + amount, "refunded": amount == left}
            self._put(entry, refund, paid)
            self._emit("charge.refunded", paid, {"amount_refunded": before})
        return refund

    def get(self, kind: str, wanted: str, *, param: str | None = None) -> Object:
        """An object as it is now; raises StripeApiError `resource_missing`."""
        self.expire_due()
        item = self.store.get(wanted)
        if item is None or item["object"] != kind:
            raise missing(kind, wanted, param=param)
        return item

    # What people, banks and the calendar do

    def pay(self, session_id: str) -> Object:
        """Pay an open session by card, at once."""
        with self.store.atomic():
            session, intent, paid = self._complete(session_id)
            self._succeed(intent, paid)
            session["payment_status"] = "paid"
            self._put(session)
            self._emit("checkout.session.completed", session)
        return session

    def pay_later(self, session_id: str) -> Object:
        """Complete an open session by a method that settles later, through `settle_async`."""
        with self.store.atomic():
            session, _, _ = self._complete(session_id)
            self._emit("checkout.session.completed", session)
        return session

    def settle_async(self, session_id: str, succeeded: bool) -> Object:
        """The delayed payment of a session arrives, or fails for good."""
        with self.store.atomic():
            session = self.get("checkout.session", session_id)
            if session["status"] != "complete" or session["payment_status"] == "paid":
                raise StripeApiError("This Checkout Session has no payment under way.")
            intent = self.get("payment_intent", session["payment_intent"])
            paid = self.get("charge", intent["latest_charge"])
            if succeeded:
                self._succeed(intent, paid)
                session["payment_status"] = "paid"
                self._put(session)
                self._emit("checkout.session.async_payment_succeeded", session)
            else:
                intent["status"], paid["status"] = "requires_payment_method", "failed"
                self._put(intent, paid)
                self._emit("checkout.session.async_payment_failed", session)
        return session

    def dispute(self, payment_id: str) -> Object:
        """The cardholder disputes what is left of a payment."""
        with self.store.atomic():
            paid = self._refundable_charge(payment_id)
            dispute = objects.dispute(paid, created=self._now())
            paid["disputed"] = True
            self._put(dispute, paid)
            self._emit("charge.dispute.created", dispute)
        return dispute

    def close_dispute(self, payment_id: str, won: bool) -> Object:
        """The bank decides the open dispute of a payment."""
        with self.store.atomic():
            disputes = self.store.find("dispute", "payment_intent", payment_id)
            undecided = [dispute for dispute in disputes if dispute["status"] == "needs_response"]
            if not undecided:
                raise missing("dispute", payment_id, param="payment_intent")
            dispute = undecided[0] | {"status": "won" if won else "lost"}
            self._put(dispute)
            self._emit("charge.dispute.closed", dispute)
        return dispute

    def fail_refund(self, refund_id: str) -> Object:
        """The patient's bank sends back a refund that had seemed to succeed; the money is ours again."""
        refund = self.get("refund", refund_id)
        if refund["status"] != "succeeded":
            raise StripeApiError(f"Refund {refund_id} has not succeeded.")
        return self._bounce(refund)

    def expire_due(self) -> None:
        """Let happen whose time has come: open sessions expire, refunds fail that were meant to."""
        for session in self.store.find("checkout.session", "status", "open"):
            if session["expires_at"] <= self._now():
                self._expire(session)
        for refund in self.store.find("refund", "status", "succeeded"):
            if 0 < refund.get("_fails_at", 0) <= self._now():
                self._bounce(refund)

    # Steps

    def _complete(self, session_id: str) -> tuple[Object, Object, Object]:
        session = self._open_session(session_id)
        intent = objects.payment_intent(session, created=self._now())
        paid = objects.charge(intent, created=self._now())
        intent["latest_charge"] = paid["id"]
        session |= {"status": "complete", "payment_intent": intent["id"], "url": None}
        self._put(session, intent, paid)
        return session, intent, paid

    def _succeed(self, intent: Object, paid: Object) -> None:
        amount = paid["amount"]
        entry = objects.balance_transaction(
            paid, kind="charge", amount=amount, fee=objects.processing_fee(amount), created=self._now()
        )
        intent |= {"status": "succeeded", "amount_received": amount}
        paid |= {
            "status": "succeeded",
            "paid": True,
            "amount_captured": amount,
            "balance_transaction": entry["id"],
        }
        self._put(entry, intent, paid)

    def _expire(self, session: Object) -> None:
        session |= {"status": "expired", "url": None}
        with self.store.atomic():
            self._put(session)
            self._emit("checkout.session.expired", session)

    def _bounce(self, refund: Object) -> Object:
        with self.store.atomic():
            paid = self.store.get(refund["charge"])
            assert paid is not None
            amount = refund["amount"]
            entry = objects.balance_transaction(
                refund, kind="refund_failure", amount=amount, fee=0, created=self._now()
            )
            refund |= {
                "status": "failed",
                "failure_reason": "expired_or_canceled_card",
                "failure_balance_transaction": entry["id"],
            }
            paid |= {"amount_refunded": paid["amount_refunded"] - amount, "refunded": False}
            self._put(entry, refund, paid)
            self._emit("refund.failed", refund)
        return refund

    def _open_session(self, session_id: str) -> Object:
        session = self.get("checkout.session", session_id)
        if session["status"] != "open":
            raise StripeApiError(
                'Only Checkout Sessions with a status in ["open"] can be expired or paid. '
                f"This Checkout Session has a status of `{session['status']}`."
            )
        return session

    def _refundable_charge(self, payment_id: str) -> Object:
        intent = self.get("payment_intent", payment_id, param="payment_intent")
        paid = self.get("charge", intent["latest_charge"])
        if paid["status"] != "succeeded":
            raise StripeApiError(f"Charge {paid['id']} has not succeeded.")
        if paid["refunded"]:
            raise StripeApiError(f"Charge {paid['id']} has already been refunded.", code="charge_already_refunded")
        if paid["disputed"]:
            raise StripeApiError(f"Charge {paid['id']} has been charged back.", code="charge_disputed")
        return paid

    def _put(self, *items: Object) -> None:
        for item in items:
            self.store.put(item)

    def _emit(self, kind: str, subject: Object, previous: Object | None = None) -> None:
        """Call it inside `atomic`: the webhook leaves once the change is kept."""
        event = objects.event(kind, subject, previous, created=self._now())
        self.store.put(event)
        self.store.after_commit(lambda: self.webhooks.send(event["id"]))

    def _now(self) -> int:
        return objects.seconds(self.clock())
