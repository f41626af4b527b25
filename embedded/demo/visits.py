"""The lives of visits that the demo plays."""

from __future__ import annotations

from datetime import timedelta

from embedded.demo.appointment import Appointment
from embedded.demo.people import CLINICIAN, OPERATIONS, PATIENT
from embedded.stage import Stage
from embedded.twilio_sandbox.calls import Answer

PATIENTS_NUMBER = "+12025550142"


async def goes_well(stage: Stage) -> Appointment:
    visit = await Appointment.schedule(stage, "visit-1", ahead=timedelta(days=3))
    await visit.until(minutes=-1)
    await visit.act(PATIENT, "/patient-joined")
    await visit.until(minutes=1)
    await visit.act(CLINICIAN, "/clinician-joined")
    await visit.until(minutes=16)
    await visit.act(CLINICIAN, "/complete")
    await visit.until(minutes=40)
    await visit.act(CLINICIAN, "/obligations/prescriptions", needed=True, reference_id="rx-1")
    for obligation in ("labs", "imaging"):
        await visit.act(CLINICIAN, f"/obligations/{obligation}", needed=False)
    await visit.until(hours=2)
    await visit.write_note()
    await visit.reaches("CLOSED_COMPLIANT")
    return visit


async def late_clinician(stage: Stage) -> Appointment:
    visit = await Appointment.schedule(stage, "visit-2", ahead=timedelta(hours=2), minutes=30)
    await visit.until(minutes=-1)
    await visit.act(PATIENT, "/patient-joined")
    await visit.until(minutes=13)
    await visit.act(OPERATIONS, "/escalations/join/acknowledge")
    await visit.until(minutes=14)
    await visit.act(CLINICIAN, "/clinician-joined")
    await visit.until(minutes=45)
    await visit.act(CLINICIAN, "/complete")
    await visit.nothing_to_order()
    await visit.write_note()
    await visit.reaches("CLOSED_COMPLIANT")
    await visit.act(OPERATIONS, "/excuse", reason="emergency")
    return visit


async def no_show(stage: Stage) -> Appointment:
    stage.rehearsal.twilio.answers[PATIENTS_NUMBER] = Answer.NO_ANSWER
    visit = await Appointment.schedule(stage, "visit-3", ahead=timedelta(hours=3))
    await visit.until(minutes=1)
    await visit.act(CLINICIAN, "/clinician-joined")
    await visit.refused(CLINICIAN, "/no-show")
    await visit.act(CLINICIAN, "/call-patient")
    await visit.until(minutes=3)
    await visit.act(CLINICIAN, "/call-patient")
    await visit.until(minutes=5)
    await visit.refused(CLINICIAN, "/no-show")
    await visit.until(minutes=6, seconds=1)
    await visit.act(CLINICIAN, "/no-show")
    await visit.until(days=8)
    return visit


async def late_note(stage: Stage) -> Appointment:
    visit = await Appointment.schedule(stage, "visit-4", ahead=timedelta(days=1))
    await visit.until(seconds=5)
    await visit.both_join()
    await visit.until(minutes=15)
    await visit.act(CLINICIAN, "/complete")
    await visit.nothing_to_order()
    await visit.until(hours=29)
    await visit.act(OPERATIONS, "/escalations/note/acknowledge")
    await visit.until(hours=31)
    await visit.write_note()
    await visit.reaches("CLOSED_WITH_BREACH")
    return visit
