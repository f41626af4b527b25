"""The built-in specialist network: a panel of our own (the port `SpecialistNetwork`)."""

from __future__ import annotations

from sqlalchemy import func, literal, or_
from sqlmodel import col, select

from activities.contracts import ChooseSpecialistInput
from db.session import Database
from db.tables import AssignmentRow, Patient, Specialist

HAS_THE_CASE = ("offered", "accepted")


class SqlSpecialistPanel:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def choose(self, case: ChooseSpecialistInput) -> str | None:
        """A specialist of that specialty, board certified, US based, licensed and with room for a case (E-05).

        One licensed in the patient's state comes first, then the one with the fewest open cases.
        """
        open_cases = (
            select(func.count())
            .where(
                col(AssignmentRow.specialist_id) == col(Specialist.id),
                col(AssignmentRow.status).in_(HAS_THE_CASE),
            )
            .scalar_subquery()
        )
        patient_state = select(col(Patient.state)).where(col(Patient.id) == case.patient_id).scalar_subquery()
        licensed_there = patient_state == func.any(col(Specialist.licence_states))
        statement = (
            select(col(Specialist.id))
            .where(
                col(Specialist.specialty_codes).contains([case.specialty_code]),
                col(Specialist.board_certified),
                col(Specialist.us_based),
                col(Specialist.active),
                col(Specialist.licence_expires_on) >= case.on,
                or_(licensed_there, literal(not case.state_licence_required)),
                col(Specialist.id).not_in(case.excluded),
                open_cases < col(Specialist.open_cases_limit),
            )
            .order_by(licensed_there.desc(), open_cases, col(Specialist.id))
            .limit(1)
        )
        async with self._database.transaction() as session:
            return (await session.exec(statement)).first()
