"""Letters and texts, from the files in integrations/templates/ (the port `Renderer`).

They hold no patient data: no names, no specialty, no clinical text. An opened mailbox or a lock screen tells nothing.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateNotFound

from activities.ports import Letter, OutgoingNotice, PaymentPages
from domain.actors import Channel, channel_of
from domain.econsult.guide import money
from domain.errors import Invalid

TEMPLATES_VERSION = "2026.1"
"""Raise it with every change of wording."""

DIRECTORY = Path(__file__).parent / "templates"
_SUBJECT = "Subject: "


class TemplateRenderer:
    """Clinicians and specialists write to `clinician_contact` (E-38), patients to `patient_contact` (E-37)."""

    def __init__(self, pages: PaymentPages, *, brand: str, clinician_contact: str, patient_contact: str) -> None:
        self._pages = pages
        self._always = {
            "brand": brand,
            "clinician_contact": clinician_contact,
            "patient_contact": patient_contact,
        }
        # Plain text: nothing is escaped, and nothing that a stranger wrote gets in.
        self._environment = Environment(
            loader=FileSystemLoader(DIRECTORY),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701
            trim_blocks=True,
            keep_trailing_newline=True,
        )

    def render(self, notice: OutgoingNotice) -> Letter:
        """The letter of a notice; a text message has no subject.

        Raises `Invalid` (`notice.template_unknown`, `notice.template_faulty`).
        """
        try:
            text = self._environment.get_template(f"{notice.template}.txt").render(self._context(notice))
        except TemplateNotFound:
            raise Invalid("notice.template_unknown", f"there is no template {notice.template}") from None
        except TemplateError:
            raise Invalid("notice.template_faulty", f"template {notice.template} asks for what is not there") from None
        if channel_of(notice.template) is Channel.TEXT:
            return Letter(subject="", text=text.strip())
        first, _, body = text.partition("\n")
        if not first.startswith(_SUBJECT):
            raise Invalid("notice.template_faulty", f"template {notice.template} has no subject")
        return Letter(subject=first.removeprefix(_SUBJECT).strip(), text=body.strip() + "\n")

    def _context(self, notice: OutgoingNotice) -> dict[str, str]:
        """Only what is known: a template that asks for more is faulty."""
        known = {
            "link": self._link(notice),
            "price": _price(notice.price_cents, notice.currency),
            "portion": _price(notice.portion_cents, notice.currency),
            "link_expires": local_time(notice.link_expires_at, notice.time_zone),
            "window_ends": local_time(notice.window_ends_at, notice.time_zone),
            "visit_starts": local_time(notice.visit_starts_at, notice.time_zone),
            "licence_state": notice.licence_state,
            "licence_day": day_in_words(notice.licence_day),
            "waiver_day": day_in_words(notice.waiver_day),
            "programme": notice.program_name,
            "location": notice.location_name,
            "report": notice.report,
            "wave": None if notice.wave is None else str(notice.wave),
        }
        return {
            **self._always,
            "case_id": notice.case_id,
            **{name: value for name, value in known.items() if value is not None},
        }

    def _link(self, notice: OutgoingNotice) -> str | None:
        if notice.econsult_id is None or notice.link_number is None:
            return None
        return self._pages.payment_link(notice.econsult_id, notice.link_number)


def _price(cents: int | None, currency: str) -> str | None:
    return None if cents is None else money(cents, currency)


def day_in_words(day: date | None) -> str | None:
    return None if day is None else f"{day:%B} {day.day}, {day.year}"


def local_time(moment: datetime | None, time_zone: str) -> str | None:
    """A moment in the reader's time zone, which is named: Tuesday, March 3, 2026 at 9:05 AM (America/Denver)."""
    if moment is None:
        return None
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone, time_zone = ZoneInfo("UTC"), "UTC"
    local = moment.astimezone(zone)
    clock = f"{local.hour % 12 or 12}:{local:%M} {'AM' if local.hour < 12 else 'PM'}"
    return f"{local:%A}, {local:%B} {local.day}, {local.year} at {clock} ({time_zone})"
