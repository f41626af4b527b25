"""Licences and reviews under test: started by hand, with everybody who acts on them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select

from db.tables import (
    CaseState,
    Clinician,
    ClinicianLicence,
    ConductReportRow,
    CredentialEventRow,
    OutboxNotice,
    Timeline,
    new_id,
)
from domain import names, policy
from domain.actors import Actor
from domain.licences import (
    EndLicence,
    LicenceAct,
    LicenceOrder,
    LicencePolicy,
    LicenceReceipt,
    LicenceSnapshot,
    LossReason,
    RenewLicence,
    WaiveLicence,
)
from domain.review import (
    AcknowledgeReview,
    Resolve,
    ReviewOrder,
    ReviewProcess,
    ReviewReceipt,
    ReviewSnapshot,
    Severity,
    Triage,
)
from embedded.rehearsal import PATIENCE_SECONDS, POLL_SECONDS, Rehearsal
from workflows.licence import Licence
from workflows.review import Review

OPERATIONS = Actor(role="operations", id="operations-1")
DAY = timedelta(days=1)


@dataclass
class Case:
    """What can be seen of any case."""

    world: Rehearsal
    case_id: str

    async def steps(self) -> list[Timeline]:
        async with self.world.database.transaction() as session:
            found = select(Timeline).where(Timeline.case_id == self.case_id).order_by(col(Timeline.sequence))
            return list((await session.exec(found)).all())

    async def events(self) -> list[str]:
        """Milestones by their names."""
        return [
            step.detail["subject"] if step.event == "clock_milestone" else step.event for step in await self.steps()
        ]

    async def happened(self, event: str) -> None:
        """Wait, without letting time pass, for what runs in the background."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while event not in await self.events():
                await self.world.synchronise()
                await asyncio.sleep(POLL_SECONDS)

    async def notices(self) -> list[tuple[str, str]]:
        """Audience and template, in the order of the steps."""
        async with self.world.database.transaction() as session:
            found = select(OutboxNotice).where(OutboxNotice.case_id == self.case_id)
            rows = sorted((await session.exec(found)).all(), key=lambda row: (row.queued_at, row.audience))
            return [(row.audience, row.template) for row in rows]

    async def recorded(self) -> CaseState:
        async with self.world.database.transaction() as session:
            return await session.get_one(CaseState, self.case_id)

    async def ask(self, update: Any, asked: Any, update_id: str | None = None) -> Any:
        return await self.world.cases.ask(self.case_id, update, asked, update_id or new_id())


async def invite_clinician(world: Rehearsal) -> str:
    async with world.database.transaction() as session:
        clinician = Clinician(
            subject=new_id(), name="C", email="c@example.com", time_zone="America/Denver", licence_states=["CO"]
        )
        session.add(clinician)
    return clinician.id


@dataclass
class WatchedLicence(Case):
    order: LicenceOrder

    async def status(self) -> LicenceSnapshot:
        found: LicenceSnapshot = await self.world.client.get_workflow_handle(self.case_id).query(Licence.status)
        return found

    async def row(self) -> ClinicianLicence:
        async with self.world.database.transaction() as session:
            return await session.get_one(ClinicianLicence, self.order.licence_id)

    async def renew(self, expires_at: datetime, update_id: str | None = None) -> LicenceReceipt:
        asked = RenewLicence(actor=OPERATIONS, expires_on=expires_at.date(), expires_at=expires_at)
        receipt: LicenceReceipt = await self.ask(Licence.renew, asked, update_id)
        return receipt

    async def waive(self, until: datetime) -> LicenceReceipt:
        asked = WaiveLicence(actor=OPERATIONS, waived_until=until.date(), waived_until_at=until)
        receipt: LicenceReceipt = await self.ask(Licence.waive, asked)
        return receipt

    async def suspend(self, update_id: str | None = None) -> LicenceReceipt:
        asked = EndLicence(actor=OPERATIONS, reason=LossReason.BOARD_ACTION)
        receipt: LicenceReceipt = await self.ask(Licence.suspend, asked, update_id)
        return receipt

    async def reinstate(self) -> LicenceReceipt:
        receipt: LicenceReceipt = await self.ask(Licence.reinstate, LicenceAct(actor=OPERATIONS))
        return receipt

    async def revoke(self) -> LicenceReceipt:
        asked = EndLicence(actor=OPERATIONS, reason=LossReason.BOARD_ACTION)
        receipt: LicenceReceipt = await self.ask(Licence.revoke, asked)
        return receipt


async def record_licence(
    world: Rehearsal,
    clinician_id: str,
    lasts: timedelta | None,
    rules: LicencePolicy | None = None,
    *,
    start: bool = True,
) -> WatchedLicence:
    """A licence that expires so long from now; None when nobody knows."""
    expires_at = await world.env.get_current_time() + lasts if lasts is not None else None
    order = LicenceOrder(
        licence_id=new_id(),
        clinician_id=clinician_id,
        licence_state="CO",
        expires_on=expires_at.date() if expires_at else None,
        expires_at=expires_at,
        recorded_by=OPERATIONS,
        policy=rules or policy.load().licence,
    )
    async with world.database.transaction() as session:
        session.add(
            ClinicianLicence(
                id=order.licence_id,
                clinician_id=clinician_id,
                state="CO",
                number="DR-1",
                expires_on=order.expires_on,
                expires_at=expires_at,
                order=order.model_dump(mode="json"),
            )
        )
    licence = WatchedLicence(world, names.licence_case(order.licence_id), order)
    if start:
        await world.cases.start_licence(order)
        await licence.status()
    return licence


@dataclass
class ReviewedReport(Case):
    order: ReviewOrder

    async def status(self) -> ReviewSnapshot:
        found: ReviewSnapshot = await self.world.client.get_workflow_handle(self.case_id).query(Review.status)
        return found

    async def triage(self, severity: Severity = Severity.MEDIUM) -> ReviewReceipt:
        asked = Triage(actor=OPERATIONS, severity=severity, assigned_to=OPERATIONS.id)
        receipt: ReviewReceipt = await self.ask(Review.triage, asked)
        return receipt

    async def resolve(self, outcome: str, *licence_ids: str) -> ReviewReceipt:
        asked = Resolve(actor=OPERATIONS, outcome=outcome, licence_ids=licence_ids)
        receipt: ReviewReceipt = await self.ask(Review.resolve, asked)
        return receipt

    async def acknowledge(self, clock: str) -> ReviewReceipt:
        asked = AcknowledgeReview(actor=OPERATIONS, clock=clock)
        receipt: ReviewReceipt = await self.ask(Review.acknowledge_escalation, asked)
        return receipt


async def file_report(
    world: Rehearsal,
    clinician_id: str,
    kind: str,
    *,
    process: ReviewProcess = "CredentialEvent",
    known_for: timedelta = timedelta(),
    licence_id: str | None = None,
    start: bool = True,
) -> ReviewedReport:
    """A report of something that the clinician has known for so long."""
    now = await world.env.get_current_time()
    care = policy.load()
    credential = process == "CredentialEvent"
    order = ReviewOrder(
        process=process,
        report_id=new_id(),
        clinician_id=clinician_id,
        kind=kind,
        licence_id=licence_id,
        reported_by=Actor(role="clinician", id=clinician_id) if credential else Actor(role="patient", id="patient-1"),
        reported_at=now,
        aware_at=now - known_for if credential else None,
        policy=care.credential_event if credential else care.conduct_report,
    )
    case_id = names.credential_event_case if credential else names.conduct_report_case
    report = ReviewedReport(world, case_id(order.report_id), order)
    async with world.database.transaction() as session:
        session.add(_row(order))
    if start:
        await world.cases.start_review(order)
        await report.status()
    return report


def _row(order: ReviewOrder) -> CredentialEventRow | ConductReportRow:
    common: dict[str, Any] = {
        "id": order.report_id,
        "request_key": order.report_id,
        "clinician_id": order.clinician_id,
        "kind": order.kind,
        "description": "Something happened.",
        "reported_by_role": order.reported_by.role,
        "reported_by": order.reported_by.id,
        "reported_at": order.reported_at,
        "order": order.model_dump(mode="json"),
    }
    if order.aware_at is None:
        return ConductReportRow(**common)
    return CredentialEventRow(**common, occurred_on=order.aware_at.date(), aware_at=order.aware_at)
