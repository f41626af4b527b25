"""What routes share: the services of the process, and the records of the person who calls."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from cases import Cases
from config import Settings
from db.session import Database
from domain.policy import Policy
from links import PaymentLinks


@dataclass(frozen=True)
class Services:
    """Made once, where the API is put together; lives in `app.state.services`."""

    settings: Settings
    database: Database
    cases: Cases
    links: PaymentLinks
    policy: Policy


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


AppServices = Annotated[Services, Depends(services)]
