"""Letters: one template for each name that processes use, plain, short, and without patient data."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import workflows
from activities.ports import OutgoingNotice
from domain import policy
from domain.actors import Channel, channel_of
from domain.errors import Invalid
from domain.model import Value
from domain.notices import ALSO_AS_TEXT, WEBHOOK_UNDELIVERABLE
from integrations.templates import DIRECTORY, TEMPLATES_VERSION, TemplateRenderer, local_time

LINK = "http://carewave.test/pay/opaque"
MOMENT = datetime(2026, 3, 3, 16, 5, tzinfo=UTC)


class Pages:
    def payment_link(self, econsult_id: str, number: int) -> str:
        return f"{LINK}-{number}"


@pytest.fixture
def renderer() -> TemplateRenderer:
    return TemplateRenderer(
        Pages(),
        brand="Sesame",
        clinician_contact="doctors@sesame.test",
        patient_contact="support@sesame.test",
    )


def notice(template: str, **changes: object) -> OutgoingNotice:
    whole = OutgoingNotice(
        key="k",
        case_id="econsult:e-1",
        template=template,
        to_patient=True,
        time_zone="America/Denver",
        econsult_id="e-1",
        link_number=2,
        price_cents=15_550,
        portion_cents=3500,
        link_expires_at=MOMENT,
        window_ends_at=MOMENT,
        visit_starts_at=MOMENT,
        licence_state="CO",
        licence_day=MOMENT.date(),
        waiver_day=MOMENT.date(),
        report="Locations live: 5 of 30",
    )
    return whole.model_copy(update=changes)


def told_by_workflows() -> set[str]:
    """Every template named in a `tell(audience, template)`, also through a variable."""
    folder = Path(workflows.__file__).parent
    return {name for path in folder.rglob("*.py") for name in _told(ast.parse(path.read_text()))}


def _told(module: ast.Module) -> Iterator[str]:
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"tell", "_tell"}:
                yield from _names(call.args[1], function)


def _names(argument: ast.expr, function: ast.AST) -> list[str]:
    """A literal, or the literals that a variable may hold."""
    found = [argument]
    if isinstance(argument, ast.Name):
        assignments = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
        found = [a.value for a in assignments for t in a.targets if isinstance(t, ast.Name) and t.id == argument.id]
    literals = [node for value in found for node in _choices(value)]
    names = [node.value for node in literals if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert names, f"the template of a notice cannot be read: {ast.unparse(argument)}"
    return names


def _choices(value: ast.expr) -> list[ast.expr]:
    return [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]


def told_by_policy() -> set[str]:
    def templates(part: object) -> Iterator[str]:
        if isinstance(part, Value):
            for name, child in part:
                if name in {"template", "owner_template"}:
                    yield str(child)
                yield from templates(child)
        elif isinstance(part, tuple | dict):
            for child in part.values() if isinstance(part, dict) else part:
                yield from templates(child)

    return set(templates(policy.load()))


USED = told_by_workflows() | told_by_policy() | set(ALSO_AS_TEXT.values()) | {WEBHOOK_UNDELIVERABLE}
TEXTS = {template for template in USED if channel_of(template) is Channel.TEXT}
FILES = {path.stem for path in DIRECTORY.glob("*.txt") if not path.stem.startswith("_")}


def test_finds_the_templates_that_processes_use() -> None:
    assert {"payment_link", "follow_up_booked_late", "rate_approved", "reassignment_offered"} <= USED


def test_has_one_file_for_each_template_and_no_other() -> None:
    missing, unused = USED - FILES, FILES - USED
    assert not missing
    assert not unused


@pytest.mark.parametrize("template", sorted(USED - TEXTS))
def test_renders_a_short_letter(renderer: TemplateRenderer, template: str) -> None:
    letter = renderer.render(notice(template))
    assert 0 < len(letter.subject) <= 80
    assert letter.text.endswith("Sesame\n")
    assert max(map(len, letter.text.splitlines())) <= 250
    assert len(letter.text) <= 1000
    assert "{" not in letter.subject + letter.text
    assert (letter.subject + letter.text).isascii()


@pytest.mark.parametrize("template", sorted(TEXTS))
def test_renders_a_text_of_one_segment(renderer: TemplateRenderer, template: str) -> None:
    letter = renderer.render(notice(template))
    assert letter.subject == ""
    assert letter.text.isascii()
    assert len(letter.text) <= 160


def test_sends_texts_beside_letters_that_exist() -> None:
    assert set(ALSO_AS_TEXT) <= USED


@pytest.mark.parametrize("template", ["payment_link", "payment_reminder"])
def test_asks_for_the_price_of_the_order_with_the_link_of_the_notice(renderer: TemplateRenderer, template: str) -> None:
    text = renderer.render(notice(template)).text
    assert "$155.50" in text
    assert f"{LINK}-2\n" in text
    assert "Tuesday, March 3, 2026 at 9:05 AM (America/Denver)" in text


def test_prompts_for_the_included_visit_with_the_ordering_clinician(renderer: TemplateRenderer) -> None:
    text = " ".join(renderer.render(notice("follow_up_prompt")).text.split())
    assert "book a follow-up visit with the clinician who ordered it" in text
    assert "nothing more to pay" in text


def test_names_the_end_of_the_window_once_it_is_known(renderer: TemplateRenderer) -> None:
    assert "until Tuesday" in renderer.render(notice("response_ready")).text
    assert "until" not in renderer.render(notice("response_ready", window_ends_at=None)).text


def test_tells_staff_the_case_and_patients_not(renderer: TemplateRenderer) -> None:
    assert "econsult:e-1" in renderer.render(notice("reply_late")).text
    assert "econsult:e-1" not in renderer.render(notice("result_available")).text


def test_refuses_a_letter_that_lacks_what_it_must_say(renderer: TemplateRenderer) -> None:
    with pytest.raises(Invalid) as refusal:
        renderer.render(notice("payment_link", price_cents=None))
    assert refusal.value.code == "notice.template_faulty"


def test_refuses_an_unknown_template(renderer: TemplateRenderer) -> None:
    with pytest.raises(Invalid) as refusal:
        renderer.render(notice("no_such_letter"))
    assert refusal.value.code == "notice.template_unknown"


def test_has_a_version() -> None:
    assert TEMPLATES_VERSION


@pytest.mark.parametrize(
    ("moment", "zone", "shown"),
    [
        (datetime(2026, 7, 1, 4, 0, tzinfo=UTC), "America/New_York", "Wednesday, July 1, 2026 at 12:00 AM"),
        (datetime(2026, 7, 1, 16, 30, tzinfo=UTC), "America/New_York", "Wednesday, July 1, 2026 at 12:30 PM"),
        (datetime(2026, 1, 1, 4, 59, tzinfo=UTC), "America/New_York", "Wednesday, December 31, 2025 at 11:59 PM"),
    ],
)
def test_writes_times_in_the_zone_of_the_reader(moment: datetime, zone: str, shown: str) -> None:
    assert local_time(moment, zone) == f"{shown} ({zone})"


def test_falls_back_to_utc_for_an_unknown_zone() -> None:
    assert local_time(MOMENT, "Mars/Olympus") == "Tuesday, March 3, 2026 at 4:05 PM (UTC)"
