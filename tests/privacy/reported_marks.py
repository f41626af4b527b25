"""Licences, credential events and conduct reports in which every word of a person is marked."""

from __future__ import annotations

from datetime import timedelta

from domain import names
from embedded import seed
from tests.house import CLINICIAN, OPERATIONS, House, Person


async def reported_and_reviewed(house: House, patient: Person) -> list[str]:
    """The ids of the cases: a licence, a credential event about it, a patient's report of conduct."""
    now = house.stage.rehearsal.clock.now
    licence = await house.post(
        OPERATIONS,
        f"/clinicians/{seed.CLINICIAN}/licences",
        state="WY",
        number="qwzlicence-1",
        expires_on=(now + timedelta(days=40)).date().isoformat(),
    )
    event = await house.post(
        CLINICIAN,
        f"/clinicians/{seed.CLINICIAN}/credential-events",
        kind="license_suspended",
        licence_id=licence["id"],
        occurred_on=(now - timedelta(days=2)).date().isoformat(),
        aware_at=(now - timedelta(days=2)).isoformat(),
        description="The board wrote of qwzboard.",
    )
    report = await house.post(
        patient, "/conduct-reports", clinician_id=seed.CLINICIAN, kind="conduct", description="It was qwzconduct."
    )
    await house.advance(timedelta(hours=25))
    for path, outcome in (
        (f"/credential-events/{event['id']}", "licence_suspended"),
        (f"/conduct-reports/{report['id']}", "coaching"),
    ):
        await house.post(OPERATIONS, f"{path}/escalations/triage/acknowledge")
        await house.post(OPERATIONS, f"{path}/triage", severity="high")
        await house.post(OPERATIONS, f"{path}/resolve", outcome=outcome)
    return [
        names.licence_case(licence["id"]),
        names.credential_event_case(event["id"]),
        names.conduct_report_case(report["id"]),
    ]
