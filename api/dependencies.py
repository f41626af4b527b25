"""What routes share: the services of the process, and the records of the person who calls."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request

from cases import Cases
from config import Settings
from db.session import Database
from domain.policy import Policy
from links import PaymentLinks


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """Made once, where the API is put together; lives in `app.state.services`."""

    settings: Settings
    database: Database
    cases: Cases
    links: PaymentLinks
    policy: Policy
    clock: Callable[[], datetime] = utc_now
    """The time of the workflows, aware UTC: the present, or simulated."""


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


AppServices = Annotated[Services, Depends(services)]
