"""Where patients pay: our own link opens the processor's page (E-25, decision 18). It works without scripts."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from api.auth import public
from api.dependencies import AppServices, Services
from api.payment_page import STYLE, PageState, PaymentPage, page_of, render, security_headers
from api.problems import responses
from db import econsults
from db.econsults import Case
from db.tables import new_id
from domain import names
from domain.access import Role
from domain.actors import Actor
from domain.econsult import acts
from domain.errors import CarewaveError, GatewayUnavailable, NotFound
from links import LinkTarget
from workflows.econsult.workflow import EConsult

log = structlog.get_logger(__name__)

router = APIRouter(tags=["payment"], dependencies=[public])

LATER = "The payment page cannot be opened just now. Please try again in a few minutes."
_HTML: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}


def _as_page_too(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Problems that people are shown as a page."""
    return {status: {**told, "content": {**told["content"], **_HTML}} for status, told in responses(*statuses).items()}


@router.get("/assets/pay.css", include_in_schema=False)
async def style() -> Response:
    return Response(STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


@router.get(
    "/pay/{token}",
    summary="The payment page",
    response_class=HTMLResponse,
    responses={200: {"model": PaymentPage, "content": _HTML}, **_as_page_too(404), **responses(422)},
)
async def show(
    token: str,
    request: Request,
    services: AppServices,
    paid: Annotated[
        str | None, Query(max_length=10, description="Set when the processor sends the payer back.")
    ] = None,
) -> Response:
    """HTML for people, JSON for `Accept: application/json`. 404 `payment.link_unknown`."""
    try:
        case, link = await _open(services, token)
    except NotFound:
        if _wants_json(request):
            raise
        return _html(services, None, 404)
    page = page_of(case, link.number, came_back=paid == "1")
    if _wants_json(request):
        return JSONResponse(page.model_dump(mode="json"), headers=security_headers(services.settings))
    return _html(services, page, 200)


@router.post(
    "/pay/{token}",
    summary="Go to the payment processor",
    status_code=303,
    response_class=RedirectResponse,
    responses={303: {"description": "To the processor's page"}, **_as_page_too(404, 409, 503), **responses(422)},
)
async def pay(token: str, request: Request, services: AppServices) -> Response:
    """Opens the processor's page for this payment; one is open at a time.

    404 `payment.link_unknown`; 409 `payment.link_expired`, `payment.link_replaced`, `payment.not_due`,
    `case.not_running`; 503 when the processor does not answer. People get the page instead.
    """
    try:
        case, link = await _open(services, token)
    except NotFound:
        if _wants_json(request):
            raise
        return _html(services, None, 404)
    try:
        address = await _checkout(services, case, link)
    except (CarewaveError, WorkflowUpdateFailedError, RPCError, RuntimeError) as error:
        if _wants_json(request):
            raise
        log.info("payment_page_refused", error=type(error).__name__)
        return await _why_not(services, token)
    return RedirectResponse(address, 303, headers=security_headers(services.settings))


async def _checkout(services: Services, case: Case, link: LinkTarget) -> str:
    asked = acts.OpenCheckout(actor=Actor(role=Role.PATIENT, id=case.order.patient_id), link_number=link.number)
    opened = await services.cases.ask(names.econsult_case(case.order.id), EConsult.open_checkout, asked, new_id())
    if not opened.url:
        raise GatewayUnavailable("payment.no_page", "the processor gave no page to pay on")
    return opened.url


async def _why_not(services: Services, token: str) -> HTMLResponse:
    """What the case is now explains a refusal; a link that could still be paid means an outage."""
    case, link = await _open(services, token)
    page = page_of(case, link.number, came_back=False)
    payable = page.state is PageState.PAYABLE
    return _html(services, page, 503 if payable else 409, LATER if payable else None)


async def _open(services: Services, token: str) -> tuple[Case, LinkTarget]:
    link = services.links.read(token)
    async with services.database.transaction() as session:
        try:
            return await econsults.get(session, link.econsult_id), link
        except NotFound:
            raise NotFound("payment.link_unknown", "this payment link is not known") from None


def _html(services: Services, page: PaymentPage | None, status: int, notice: str | None = None) -> HTMLResponse:
    headers = security_headers(services.settings)
    return HTMLResponse(render(page, services.settings, notice), status, headers=headers)


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted
