"""Fictional people, visits and files for the demo and for trying things out. Their ids never change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TypeAlias

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from db.session import Database
from db.tables import Attachment, Clinician, ClinicianLicence, Note, Patient, RosterShift, Specialist, Staff, Visit
from domain.actors import Audience
from domain.econsult.submission import AttachmentKind
from domain.visit.states import VisitStatus
from embedded.seed_files import LAB_REPORT, skin_photo
from embedded.seed_licences import LICENSED_UNTIL, licence

CARDIOLOGY = "207RC0000X"
DERMATOLOGY = "207N00000X"
ENDOCRINOLOGY = "207RE0101X"
NEUROLOGY = "2084N0400X"

CLINICIAN = "01940000-0000-7000-8000-000000000001"
OTHER_CLINICIAN = "01940000-0000-7000-8000-000000000002"
PATIENT = "01940000-0000-7000-8000-000000000011"
OTHER_PATIENT = "01940000-0000-7000-8000-000000000012"
CARDIOLOGIST = "01940000-0000-7000-8000-000000000021"
SECOND_CARDIOLOGIST = "01940000-0000-7000-8000-000000000022"
DERMATOLOGIST = "01940000-0000-7000-8000-000000000023"
SECOND_DERMATOLOGIST = "01940000-0000-7000-8000-000000000024"
ENDOCRINOLOGIST = "01940000-0000-7000-8000-000000000025"
NEUROLOGIST = "01940000-0000-7000-8000-000000000026"
VISIT_IN_PROGRESS = "01940000-0000-7000-8000-000000000031"
VISIT_COMPLETED = "01940000-0000-7000-8000-000000000032"
OTHER_VISIT = "01940000-0000-7000-8000-000000000033"
NOTE_IN_PROGRESS = "01940000-0000-7000-8000-000000000041"
NOTE_COMPLETED = "01940000-0000-7000-8000-000000000042"
OTHER_NOTE = "01940000-0000-7000-8000-000000000043"
PHOTO = "01940000-0000-7000-8000-000000000051"
LAB = "01940000-0000-7000-8000-000000000052"
OPERATIONS_BY_DAY = "01940000-0000-7000-8000-000000000061"
OPERATIONS_BY_NIGHT = "01940000-0000-7000-8000-000000000062"
PROVIDER_SUCCESS = "01940000-0000-7000-8000-000000000063"
DAY_SHIFT = "01940000-0000-7000-8000-000000000071"
NIGHT_SHIFT = "01940000-0000-7000-8000-000000000072"
OFFICE_SHIFT = "01940000-0000-7000-8000-000000000073"

LICENCE_CO = "01940000-0000-7000-8000-000000000081"
LICENCE_UT = "01940000-0000-7000-8000-000000000082"
LICENCE_NY = "01940000-0000-7000-8000-000000000083"
OTHER_LICENCE_CO = "01940000-0000-7000-8000-000000000084"

WEEKDAYS = [1, 2, 3, 4, 5]
EVERY_DAY = [*WEEKDAYS, 6, 7]

Row: TypeAlias = Clinician | ClinicianLicence | Patient | Specialist | Visit | Note | Attachment | Staff | RosterShift


@dataclass(frozen=True)
class SeedSummary:
    """How many records of each table were added; all zero when they were there before."""

    added: dict[str, int]


async def seed(database: Database, now: datetime | None = None) -> SeedSummary:
    """Add what is missing and leave the rest as it is. Visits lie about `now`, aware, by default the present."""
    added: dict[str, int] = {}
    async with database.transaction() as session:
        for table, rows in groupby(_rows(now or datetime.now(UTC)), key=type):
            added[table.__name__.lower()] = await _add(session, table, rows)
    return SeedSummary(added)


async def _add(session: AsyncSession, table: type[Row], rows: Iterable[Row]) -> int:
    values = [row.model_dump(exclude={"created_at"}) for row in rows]
    written = await session.exec(insert(table).values(values).on_conflict_do_nothing().returning(col(table.id)))
    return len(written.all())


def _rows(now: datetime) -> Iterator[Row]:
    """Whatever others refer to comes first."""
    yield from _clinicians()
    yield from _licences()
    yield from _patients()
    yield from _specialists()
    yield from _visits(now)
    yield from _notes(now)
    yield from _attachments()
    yield from _staff()
    yield from _shifts()


def _clinicians() -> Iterator[Clinician]:
    yield Clinician(
        id=CLINICIAN,
        subject="clinician-demo",
        name="Dr. Avery Lindqvist",
        email="avery.lindqvist@example.com",
        phone="+12025550141",
        time_zone="America/Denver",
        licence_states=["CO", "UT"],
    )
    yield Clinician(
        id=OTHER_CLINICIAN,
        subject="clinician-other",
        name="Dr. Morgan Adeyemi",
        email="morgan.adeyemi@example.com",
        phone="+12025550144",
        time_zone="America/New_York",
        licence_states=["CO", "NY"],
    )


def _licences() -> Iterator[ClinicianLicence]:
    yield licence(LICENCE_CO, CLINICIAN, "CO", "DR-0051234")
    yield licence(LICENCE_UT, CLINICIAN, "UT", "8812345-1205")
    yield licence(LICENCE_NY, OTHER_CLINICIAN, "NY", "281234")
    yield licence(OTHER_LICENCE_CO, OTHER_CLINICIAN, "CO", "DR-0056789")


def _patients() -> Iterator[Patient]:
    yield Patient(
        id=PATIENT,
        subject="patient-demo",
        name="Jordan Quillfeather",
        email="jordan.quillfeather@example.com",
        phone="+12025550142",
        birth_date="1980-04-17",
        state="CO",
        time_zone="America/Denver",
    )
    yield Patient(
        id=OTHER_PATIENT,
        subject="patient-other",
        name="Robin Featherstonehaugh",
        email="robin.featherstonehaugh@example.com",
        phone="+12025550143",
        birth_date="1992-11-03",
        state="NY",
        time_zone="America/New_York",
    )


def _specialists() -> Iterator[Specialist]:
    yield _specialist(CARDIOLOGIST, "specialist-demo", "Dr. Rowan Castellane", CARDIOLOGY, "CO")
    yield _specialist(SECOND_CARDIOLOGIST, "specialist-cardiology-2", "Dr. Emery Vantongeren", CARDIOLOGY, "CO", "NY")
    yield _specialist(DERMATOLOGIST, "specialist-dermatology", "Dr. Sasha Okonjo", DERMATOLOGY, "CO")
    yield _specialist(SECOND_DERMATOLOGIST, "specialist-dermatology-2", "Dr. Lennox Abernethy", DERMATOLOGY, "CO", "NY")
    yield _specialist(ENDOCRINOLOGIST, "specialist-endocrinology", "Dr. Kit Marchetti", ENDOCRINOLOGY, "CO")
    yield _specialist(NEUROLOGIST, "specialist-neurology", "Dr. Noor Halvorsen", NEUROLOGY, "CO")


def _specialist(specialist_id: str, subject: str, name: str, specialty_code: str, *states: str) -> Specialist:
    return Specialist(
        id=specialist_id,
        subject=subject,
        name=name,
        email=f"{name.removeprefix('Dr. ').lower().replace(' ', '.')}@example.com",
        specialty_codes=[specialty_code],
        licence_states=list(states),
        licence_expires_on=LICENSED_UNTIL,
        board_certified=True,
        us_based=True,
    )


def _visits(now: datetime) -> Iterator[Visit]:
    started = now - timedelta(minutes=10)
    yield Visit(
        id=VISIT_IN_PROGRESS,
        patient_id=PATIENT,
        clinician_id=CLINICIAN,
        status=VisitStatus.IN_PROGRESS,
        scheduled_start=started,
        duration_minutes=30,
        started_at=started,
    )
    yield _completed(VISIT_COMPLETED, PATIENT, CLINICIAN, now - timedelta(days=2))
    yield _completed(OTHER_VISIT, OTHER_PATIENT, OTHER_CLINICIAN, now - timedelta(days=5))


def _completed(visit_id: str, patient_id: str, clinician_id: str, started: datetime) -> Visit:
    return Visit(
        id=visit_id,
        patient_id=patient_id,
        clinician_id=clinician_id,
        status=VisitStatus.COMPLETED,
        scheduled_start=started,
        duration_minutes=30,
        started_at=started,
        completed_at=started + timedelta(minutes=28),
    )


def _notes(now: datetime) -> Iterator[Note]:
    yield Note(
        id=NOTE_IN_PROGRESS,
        visit_id=VISIT_IN_PROGRESS,
        author_id=CLINICIAN,
        status="draft",
        saved_at=now - timedelta(minutes=1),
        body="Palpitations at rest for two weeks, minutes at a time, no syncope, no chest pain. Caffeine cut without "
        "effect. Working diagnosis: premature ventricular contractions; differential: paroxysmal SVT, anxiety.",
    )
    yield Note(
        id=NOTE_COMPLETED,
        visit_id=VISIT_COMPLETED,
        author_id=CLINICIAN,
        status="complete",
        saved_at=now - timedelta(days=1),
        shared_at=now - timedelta(days=1),
        body="Annular, scaly, itchy patch on the left forearm for six weeks, grown to 3 cm. Hydrocortisone 1 % for two "
        "weeks did not help. Working diagnosis: tinea corporis; differential: nummular eczema.",
    )
    yield Note(
        id=OTHER_NOTE,
        visit_id=OTHER_VISIT,
        author_id=OTHER_CLINICIAN,
        status="complete",
        saved_at=now - timedelta(days=4),
        shared_at=now - timedelta(days=4),
        body="Fatigue for three months. Sleep and mood unremarkable. Working diagnosis: subclinical hypothyroidism.",
    )


def _attachments() -> Iterator[Attachment]:
    yield _attachment(PHOTO, AttachmentKind.PHOTO, "image/png", "Left forearm", skin_photo())
    yield _attachment(LAB, AttachmentKind.LAB, "text/plain", "Thyroid and electrolytes", LAB_REPORT)


def _attachment(attachment_id: str, kind: AttachmentKind, media_type: str, title: str, content: bytes) -> Attachment:
    return Attachment(
        id=attachment_id,
        patient_id=PATIENT,
        uploaded_by=CLINICIAN,
        kind=kind,
        media_type=media_type,
        title=title,
        content=content,
        size_bytes=len(content),
    )


def _staff() -> Iterator[Staff]:
    yield Staff(
        id=OPERATIONS_BY_DAY,
        subject="operations-day",
        name="Remy Achterberg",
        email="remy.achterberg@example.com",
        phone="+12025550161",
        time_zone="America/New_York",
        quiet_from=time(22),
        quiet_until=time(6),
    )
    yield Staff(
        id=OPERATIONS_BY_NIGHT,
        subject="operations-night",
        name="Indira Solheim",
        email="indira.solheim@example.com",
        phone="+12025550162",
        time_zone="America/Los_Angeles",
    )
    yield Staff(
        id=PROVIDER_SUCCESS,
        subject="provider-success",
        name="Tamsin Okafor",
        email="tamsin.okafor@example.com",
        time_zone="America/Chicago",
    )


def _shifts() -> Iterator[RosterShift]:
    """Operations around the clock, provider success in office hours: the rest of the week is a gap."""
    yield _shift(DAY_SHIFT, OPERATIONS_BY_DAY, Audience.OPERATIONS, EVERY_DAY, time(7), time(19))
    yield _shift(NIGHT_SHIFT, OPERATIONS_BY_NIGHT, Audience.OPERATIONS, EVERY_DAY, time(16), time(4))
    yield _shift(OFFICE_SHIFT, PROVIDER_SUCCESS, Audience.PROVIDER_SUCCESS, WEEKDAYS, time(9), time(17))


def _shift(
    shift_id: str, staff_id: str, audience: Audience, weekdays: list[int], starts: time, ends: time
) -> RosterShift:
    return RosterShift(
        id=shift_id,
        staff_id=staff_id,
        audience=audience,
        weekdays=weekdays,
        starts=starts,
        ends=ends,
        valid_from=date(2025, 1, 1),
    )
