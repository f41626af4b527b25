"""Licences of the fictional clinicians."""

from __future__ import annotations

from datetime import date

from api.licensing import new_row, order_of
from api.schemas.standards import NewLicence
from api.values import State
from db.tables import ClinicianLicence
from domain import policy
from domain.actors import SYSTEM

LICENSED_UNTIL = date(2035, 6, 30)


def licence(licence_id: str, clinician_id: str, state: State, number: str) -> ClinicianLicence:
    """One that the sweep begins to watch."""
    row = new_row(clinician_id, NewLicence(state=state, number=number, expires_on=LICENSED_UNTIL))
    row.id = licence_id
    row.order = order_of(row, SYSTEM, policy.load().licence)
    return row
