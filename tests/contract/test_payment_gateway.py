"""What every payment gateway must do, whichever server stands behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.ports import CheckoutStatus
from domain.errors import GatewayRejected, GatewayUnavailable
from integrations.stripe_gateway import StripeGateway
from tests.contract.providers import API_KEY, Provider, checkout_request, refund_request
from tests.contract.serving import listen

pytestmark = pytest.mark.contract


@pytest.fixture
def checkout_provider(provider: Provider) -> Provider:
    if not provider.has_checkout:
        pytest.skip("this server has no Checkout")
    return provider


@pytest.fixture
def guarding_provider(provider: Provider) -> Provider:
    if not provider.guards_refunds:
        pytest.skip("this server refunds more than was paid")
    return provider


async def test_opens_a_checkout_of_the_amount_asked(checkout_provider: Provider) -> None:
    request = checkout_request(amount_cents=5250)
    checkout = await checkout_provider.gateway.open_checkout(request)
    assert checkout.status is CheckoutStatus.OPEN
    assert (checkout.amount_cents, checkout.currency) == (5250, "usd")
    assert checkout.url is not None
    assert checkout.expires_at == request.expires_at.replace(microsecond=0)


async def test_opens_one_checkout_for_one_key(checkout_provider: Provider) -> None:
    request = checkout_request()
    first = await checkout_provider.gateway.open_checkout(request)
    assert await checkout_provider.gateway.open_checkout(request) == first


async def test_refuses_a_checkout_key_used_for_another_amount(checkout_provider: Provider) -> None:
    request = checkout_request()
    await checkout_provider.gateway.open_checkout(request)
    with pytest.raises(GatewayRejected) as refusal:
        await checkout_provider.gateway.open_checkout(request.model_copy(update={"amount_cents": 1}))
    assert refusal.value.code == "payment.key_reused"


@pytest.mark.parametrize("wait", [timedelta(minutes=1), timedelta(hours=25)])
async def test_refuses_a_checkout_that_expires_too_soon_or_too_late(
    checkout_provider: Provider, wait: timedelta
) -> None:
    with pytest.raises(GatewayRejected) as refusal:
        await checkout_provider.gateway.open_checkout(checkout_request(expires_at=datetime.now(UTC) + wait))
    assert refusal.value.code == "payment.rejected"


async def test_reads_back_what_it_opened(checkout_provider: Provider) -> None:
    checkout = await checkout_provider.gateway.open_checkout(checkout_request())
    assert await checkout_provider.gateway.read_checkout(checkout.session_id) == checkout


async def test_expires_a_checkout_and_says_so_again(checkout_provider: Provider) -> None:
    checkout = await checkout_provider.gateway.open_checkout(checkout_request())
    for _ in range(2):
        expired = await checkout_provider.gateway.expire_checkout(checkout.session_id)
        assert expired.status is CheckoutStatus.EXPIRED
        assert expired.url is None


async def test_knows_no_checkout_of_a_foreign_id(checkout_provider: Provider) -> None:
    for ask in (checkout_provider.gateway.read_checkout, checkout_provider.gateway.expire_checkout):
        with pytest.raises(GatewayRejected) as refusal:
            await ask("cs_test_nobody")
        assert refusal.value.code == "payment.not_found"


async def test_refunds_a_part_and_then_the_rest(provider: Provider) -> None:
    payment_id = await provider.paid(4900)
    part = await provider.gateway.refund(refund_request(payment_id, 1900))
    rest = await provider.gateway.refund(refund_request(payment_id, 3000))
    assert (part.amount_cents, rest.amount_cents) == (1900, 3000)
    assert part.refund_id != rest.refund_id
    assert {part.status, rest.status} <= {"succeeded", "pending"}


@pytest.mark.parametrize("amount_cents", [2000, 4900])
async def test_refunds_once_for_one_key(provider: Provider, amount_cents: int) -> None:
    request = refund_request(await provider.paid(4900), amount_cents)
    first = await provider.gateway.refund(request)
    assert await provider.gateway.refund(request) == first


async def test_refuses_a_refund_key_used_for_another_amount(provider: Provider) -> None:
    request = refund_request(await provider.paid(4900), 1000)
    await provider.gateway.refund(request)
    with pytest.raises(GatewayRejected) as refusal:
        await provider.gateway.refund(request.model_copy(update={"amount_cents": 2000}))
    assert refusal.value.code == "payment.key_reused"


async def test_refunds_no_more_than_was_paid(guarding_provider: Provider) -> None:
    payment_id = await guarding_provider.paid(4900)
    with pytest.raises(GatewayRejected) as refusal:
        await guarding_provider.gateway.refund(refund_request(payment_id, 4901))
    assert refusal.value.code == "payment.rejected"


async def test_refuses_another_refund_of_what_was_all_given_back(guarding_provider: Provider) -> None:
    payment_id = await guarding_provider.paid(4900)
    await guarding_provider.gateway.refund(refund_request(payment_id, 4900))
    with pytest.raises(GatewayRejected) as refusal:
        await guarding_provider.gateway.refund(refund_request(payment_id, 4900))
    assert refusal.value.code == "payment.already_refunded"


async def test_refunds_nothing_of_a_foreign_payment(provider: Provider) -> None:
    with pytest.raises(GatewayRejected) as refusal:
        await provider.gateway.refund(refund_request("pi_nobody", 100))
    assert refusal.value.code == "payment.not_found"


async def test_reads_the_fee_of_a_payment(provider: Provider) -> None:
    payment_id = await provider.paid(4900)
    fee = await provider.gateway.read_fee(payment_id)
    assert fee is not None
    assert (fee.payment_id, fee.currency) == (payment_id, "usd")
    assert 0 <= fee.fee_cents < 4900


async def test_refuses_a_wrong_api_key(provider: Provider) -> None:
    with pytest.raises(GatewayRejected) as refusal:
        await provider.stranger.read_fee("pi_nobody")
    assert refusal.value.code == "payment.gateway_auth"


async def test_is_unavailable_where_nobody_listens() -> None:
    listener, url = listen()
    listener.close()
    gateway = StripeGateway(API_KEY, api_base=url)
    with pytest.raises(GatewayUnavailable) as failure:
        await gateway.ping()
    await gateway.close()
    assert failure.value.code == "payment.gateway_unavailable"
