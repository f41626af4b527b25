"""Stripe's request encoding, `line_items[0][price_data][currency]=usd`, and the parameters that the sandbox knows.

An unknown parameter is refused as Stripe refuses it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from embedded.stripe_sandbox.errors import StripeApiError

P = TypeVar("P", bound="Params")

Metadata = Annotated[
    dict[Annotated[str, StringConstraints(max_length=40)], Annotated[str, StringConstraints(max_length=500)]],
    Field(max_length=50),
]
Text = Annotated[str, StringConstraints(min_length=1)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2048)]
CODES = {"missing": "parameter_missing", "extra_forbidden": "parameter_unknown"}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Params(Strict):
    expand: list[str] = []


class ProductData(Strict):
    name: Text


class PriceData(Strict):
    currency: Literal["usd"]
    unit_amount: int = Field(ge=0, le=99_999_999)
    product_data: ProductData


class LineItem(Strict):
    price_data: PriceData
    quantity: int = Field(ge=1)


class PaymentIntentData(Strict):
    metadata: Metadata = {}


class CheckoutParams(Params):
    mode: Literal["payment"]
    line_items: list[LineItem] = Field(min_length=1, max_length=100)
    success_url: Url
    cancel_url: Url | None = None
    client_reference_id: Annotated[str, StringConstraints(max_length=200)] | None = None
    metadata: Metadata = {}
    payment_intent_data: PaymentIntentData = PaymentIntentData()
    expires_at: int | None = None


class RefundParams(Params):
    payment_intent: Text
    amount: int | None = Field(default=None, gt=0)
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    metadata: Metadata = {}


class ListParams(Params):
    limit: int = Field(default=10, ge=1, le=100)
    starting_after: str | None = None


class RefundListParams(ListParams):
    payment_intent: str | None = None


class Created(Strict):
    gt: int = -1
    gte: int = 0
    lt: int = 1 << 62
    lte: int = 1 << 62

    def holds(self, moment: int) -> bool:
        return self.gt < moment < self.lt and self.gte <= moment <= self.lte


class EventListParams(ListParams):
    type: str | None = None
    created: Created = Created()


def parse(model: type[P], encoded: str) -> P:
    """Raise StripeApiError 400 for a parameter missing, unknown or invalid."""
    try:
        return model.model_validate(decode(encoded))
    except ValidationError as error:
        first = error.errors()[0]
        name, *rest = [str(part) for part in first["loc"]]
        param = name + "".join(f"[{part}]" for part in rest)
        raise StripeApiError(
            f"{first['msg']}: {param}", code=CODES.get(first["type"], "parameter_invalid"), param=param
        ) from None


def decode(encoded: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        *path, last = name.replace("]", "").split("[")
        node = tree
        for step in path:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                raise StripeApiError(f"Invalid object: {step}", param=step)
        node[last or str(len(node))] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(node: Any) -> Any:
    """Stripe's lists arrive as objects keyed 0, 1, 2…"""
    if not isinstance(node, dict):
        return node
    values = [_lists(value) for value in node.values()]
    if all(name.isdecimal() for name in node):
        return values
    return dict(zip(node, values, strict=True))
