"""Every number of the eConsult is the one decided, and a policy file that cannot be used says why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from domain import policy
from domain.clock import Milestone, MilestoneKind
from domain.errors import Invalid
from domain.licences import Reminder
from domain.policy import LatePayment

CARE = policy.load()
ECONSULT = CARE.econsult
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

NUMBERS: dict[str, Any] = {
    # E-15, E-20, E-21
    "econsult.network_fee_cents": 12_000,
    "econsult.clinician_portion_cents": 2_000,
    # decision 18
    "econsult.payment.payment_reminder_1": 24 * HOUR,
    "econsult.payment.payment_reminder_2": 72 * HOUR,
    "econsult.payment.payment_expired": 7 * DAY,
    "econsult.unpaid_watch": 14 * DAY,
    "econsult.checkout_lifetime": 23 * HOUR + 30 * MINUTE,
    "econsult.checkout_checks.0": 15 * MINUTE,
    "econsult.checkout_checks.1": 23 * HOUR + 31 * MINUTE,
    # decision 13
    "econsult.turnaround.reply_target": 24 * HOUR,
    "econsult.turnaround.reply_late": 48 * HOUR,
    "econsult.turnaround.reassignment_offered": 72 * HOUR,
    "econsult.answer.answer_target": 24 * HOUR,
    "econsult.answer.answer_late": 48 * HOUR,
    "econsult.information.information_reminder": 24 * HOUR,
    "econsult.information.information_late": 72 * HOUR,
    "econsult.max_assignments": 3,
    "econsult.search.first_wait": HOUR,
    "econsult.search.longest_wait": 8 * HOUR,
    "econsult.search.patience": 5 * DAY,
    # decision 12, E-06
    "econsult.follow_up_window.window_closing": 192 * HOUR,
    "econsult.follow_up_window.window_closed": 240 * HOUR,
    # E-10, decision 15
    "econsult.booking.booking_reminder_1": 3 * DAY,
    "econsult.booking.booking_reminder_2": 7 * DAY,
    "econsult.follow_up_patience": 7 * DAY,
    "econsult.follow_up_horizon": 90 * DAY,
    # asynchronous payments settle within a fortnight
    "econsult.settlement.settlement_late": 14 * DAY,
    "econsult.settlement_check_interval": DAY,
    "econsult.state_licence_required": True,
    # decision 17
    "econsult.old_visit_advice": 30 * DAY,
    # decision 19
    "econsult.refund_decision.refund_decision_reminder": 24 * HOUR,
    "econsult.refund_decision.refund_decision_late": 72 * HOUR,
    "econsult.money_watch": 120 * DAY,
    # decision 16
    "rate_request.decision.decision_reminder": 2 * DAY,
    "rate_request.decision.decision_late": 5 * DAY,
    # M-01, M-02, decision 09
    "message_thread.reply.reply_reminder": 12 * HOUR,
    "message_thread.reply.reply_due": 20 * HOUR,
    "message_thread.reply.reply_late": 24 * HOUR,
    "message_thread.reply.reply_escalated": 28 * HOUR,
    "message_thread.reply.reply_escalated.again": (4 * HOUR, 5),
    "message_thread.reopen_within": 30 * DAY,
    "message_thread.history_limit": 4_000,
    # decision 11, K-03
    "licence.expiry.expires_in_60_days": 60 * DAY,
    "licence.expiry.expires_in_30_days": 30 * DAY,
    "licence.expiry.expires_in_7_days": 7 * DAY,
    "licence.waiver.waiver_ends_in_7_days": 7 * DAY,
    "licence.history_limit": 4_000,
    # decision 11, K-01
    "credential_event.promptly.report_late": 24 * HOUR,
    **{
        f"{process}.triage.{name}": hours * HOUR
        for process in ("credential_event", "conduct_report")
        for name, hours in (("triage_due", 20), ("triage_late", 24), ("triage_escalated", 48))
    },
    **{
        f"{process}.resolution.{severity}.resolution_{name}": days * DAY
        for process, severity, times in (
            ("credential_event", "low", (7, 10, 12)),
            ("credential_event", "medium", (7, 10, 12)),
            ("credential_event", "high", (7, 10, 12)),
            ("conduct_report", "low", (10, 14, 16)),
            ("conduct_report", "medium", (5, 7, 9)),
            ("conduct_report", "high", (2, 3, 4)),
        )
        for name, days in zip(("due", "late", "escalated"), times, strict=True)
    },
    # V-01, V-03, decision 03
    "visit.reminders.visit_tomorrow": 24 * HOUR,
    "visit.reminders.visit_soon": 47 * HOUR,
    "visit.reminders.visit_begins": 48 * HOUR,
    "visit.reminders_lead": 48 * HOUR,
    "visit.join.join_soon": 0 * MINUTE,
    "visit.join.join_at_risk": 5 * MINUTE,
    "visit.join.clinician_late": 7 * MINUTE,
    "visit.join.clinician_late_operations": 12 * MINUTE,
    "visit.join.clinician_late_again": 22 * MINUTE,
    "visit.join.clinician_no_show": 32 * MINUTE,
    "visit.join_lead": 2 * MINUTE,
    "visit.join_earliest": 30 * MINUTE,
    "visit.join_allowance": 5 * MINUTE,
    "visit.excusable": 7 * DAY,
    # V-02
    "visit.absence.clinician_absent": 0 * MINUTE,
    "visit.absence.clinician_absent_operations": 2 * HOUR,
    "visit.absence.clinician_absent_operations.again": (4 * HOUR, 5),
    # V-05 to V-08, decisions 04 to 06
    "visit.minimum_waits.0.from_minutes": 0,
    "visit.minimum_waits.0.wait": 5 * MINUTE,
    "visit.minimum_waits.1.from_minutes": 30,
    "visit.minimum_waits.1.wait": 10 * MINUTE,
    "visit.call_attempts": 2,
    "visit.call_spacing": MINUTE,
    "visit.waiting.wait_over": 0 * MINUTE,
    "visit.waiting.visit_unresolved": HOUR,
    "visit.waiting.visit_unresolved_operations": 4 * HOUR,
    "visit.waiting.visit_unresolved_again": 28 * HOUR,
    "visit.waiting.visit_unresolved_still": 72 * HOUR,
    "visit.waiting.visit_given_up": 7 * DAY,
    "visit.disputable.no_show_final": 7 * DAY,
    "visit.dispute_decision.dispute_decision_late": 48 * HOUR,
    "visit.dispute_decision.dispute_decision_operations": 72 * HOUR,
    "visit.dispute_decision.dispute_decision_operations.again": (24 * HOUR, 5),
    # V-10 to V-13, decision 07
    "visit.wrap_up.complete_visit": 30 * MINUTE,
    "visit.wrap_up.completed_by_itself": 12 * HOUR,
    **{
        f"visit.obligations.{each}.{each}_{name}": time
        for each in ("prescriptions", "labs", "imaging")
        for name, time in (
            ("due", 3 * HOUR),
            ("late", 4 * HOUR),
            ("late_operations", 6 * HOUR),
            ("late_operations.again", (12 * HOUR, 6)),
        )
    },
    "visit.obligations.note.note_due": 20 * HOUR,
    "visit.obligations.note.note_late": 24 * HOUR,
    "visit.obligations.note.note_late_operations": 28 * HOUR,
    "visit.obligations.note.note_late_operations.again": (24 * HOUR, 5),
    "visit.obligation_watch": 7 * DAY,
    "visit.horizon": 365 * DAY,
    # E-09
    "benchmarks.improved_care_plan_percent": 90,
    "benchmarks.avoided_in_person_percent": 70,
}


def numbers(value: object, path: str) -> Iterator[tuple[str, Any]]:
    """Every whole number and duration in a policy; a milestone stands for its time."""
    if isinstance(value, Milestone):
        yield f"{path}.{value.name}", value.after
        if value.repeat:
            yield f"{path}.{value.name}.again", (value.repeat.every, value.repeat.times)
    elif isinstance(value, Reminder):
        yield f"{path}.{value.name}", value.before
    elif isinstance(value, int | timedelta):
        yield path, value
    else:
        for name, item in parts(value):
            yield from numbers(item, path if is_ladder(item) or is_ladder(value) else f"{path}.{name}".lstrip("."))


def parts(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, BaseModel):
        return ((name, getattr(value, name)) for name in type(value).model_fields)
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, tuple) else ()


def is_ladder(value: object) -> bool:
    """Its steps belong to the clock itself."""
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Milestone | Reminder)


def test_every_number_is_the_one_decided() -> None:
    assert dict(numbers(CARE.model_copy(update={"rollout": None}), "")) == NUMBERS


def test_a_consult_costs_140_dollars_unless_the_clinician_asks_more() -> None:
    assert ECONSULT.network_fee_cents + ECONSULT.clinician_portion_cents == 14_000
    assert ECONSULT.currency == "usd"


def test_a_payment_after_expiry_goes_back() -> None:
    assert ECONSULT.late_payment is LatePayment.REFUND


def test_a_checkout_is_looked_at_once_more_when_it_cannot_be_paid_any_more() -> None:
    assert ECONSULT.checkout_lifetime <= DAY
    assert ECONSULT.checkout_checks[-1] > ECONSULT.checkout_lifetime


@pytest.mark.parametrize(
    ("milestone", "kind", "told"),
    [
        ("payment.payment_reminder_1", MilestoneKind.REMIND, {"patient"}),
        ("payment.payment_reminder_2", MilestoneKind.REMIND, {"patient", "clinician"}),
        ("payment.payment_expired", MilestoneKind.END, set()),
        ("turnaround.reply_target", MilestoneKind.WARN, {"specialist"}),
        ("turnaround.reply_late", MilestoneKind.BREACH, {"network_desk", "provider_success"}),
        ("turnaround.reassignment_offered", MilestoneKind.ESCALATE, {"operations", "clinician"}),
        ("information.information_reminder", MilestoneKind.REMIND, {"clinician"}),
        ("information.information_late", MilestoneKind.BREACH, {"clinician", "provider_success"}),
        ("answer.answer_target", MilestoneKind.WARN, {"specialist"}),
        ("answer.answer_late", MilestoneKind.BREACH, {"network_desk", "provider_success"}),
        ("follow_up_window.window_closing", MilestoneKind.REMIND, {"clinician"}),
        ("follow_up_window.window_closed", MilestoneKind.END, set()),
        ("booking.booking_reminder_1", MilestoneKind.REMIND, {"patient"}),
        ("booking.booking_reminder_2", MilestoneKind.REMIND, {"patient"}),
        ("refund_decision.refund_decision_reminder", MilestoneKind.WARN, {"support"}),
        ("refund_decision.refund_decision_late", MilestoneKind.BREACH, {"support", "operations"}),
    ],
)
def test_each_milestone_is_of_its_kind_and_tells_the_right_people(
    milestone: str, kind: MilestoneKind, told: set[str]
) -> None:
    clock, name = milestone.split(".")
    found = next(m for m in getattr(ECONSULT, clock).milestones if m.name == name)
    assert (found.kind, {notice.audience for notice in found.notices}) == (kind, told)


def test_clocks_go_by_the_names_that_the_process_looks_them_up_by() -> None:
    clocks = ("payment", "turnaround", "information", "answer", "follow_up_window", "booking", "refund_decision")
    assert tuple(getattr(ECONSULT, clock).name for clock in clocks) == clocks


def a_file(folder: Path, text: str | bytes) -> str:
    path = folder / "policy.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def changed(**econsult: object) -> str:
    built_in = json.loads(CARE.model_dump_json())
    built_in["econsult"].update(econsult)
    return json.dumps(built_in)


def refusal_of(path: str) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        policy.load(path)
    return refusal.value


def test_reads_a_policy_file_of_ones_own(tmp_path: Path) -> None:
    found = policy.load(a_file(tmp_path, changed(clinician_portion_cents=2_500)))
    assert found.econsult.clinician_portion_cents == 2_500
    assert CARE.econsult.clinician_portion_cents == 2_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("network_fee_cents", -1),
        ("clinician_portion_cents", 20.5),
        ("currency", "USD"),
        ("max_assignments", 0),
        ("late_payment", "keep"),
        ("money_watch", "for ever"),
        ("turnaround", {"name": "turnaround", "milestones": []}),
    ],
)
def test_names_the_field_that_makes_no_sense(tmp_path: Path, field: str, value: object) -> None:
    refusal = refusal_of(a_file(tmp_path, changed(**{field: value})))
    assert refusal.code == "policy.invalid"
    assert f"econsult.{field}" in refusal.detail


def test_names_every_fault_at_once(tmp_path: Path) -> None:
    refusal = refusal_of(a_file(tmp_path, '{"econsult": {"max_assignments": 0}, "rate_request": {"version": "1"}}'))
    assert refusal.code == "policy.invalid"
    named = ("econsult.max_assignments", "econsult.payment", "rate_request.decision", "benchmarks")
    assert [field for field in named if f"{field}:" not in refusal.detail] == []


@pytest.mark.parametrize("text", ["", "{", b"\xff\xfe{}", "[]"])
def test_refuses_a_file_that_holds_no_policy(tmp_path: Path, text: str | bytes) -> None:
    assert refusal_of(a_file(tmp_path, text)).code == "policy.invalid"


def test_says_when_the_file_cannot_be_read(tmp_path: Path) -> None:
    assert refusal_of(str(tmp_path / "missing.json")).code == "policy.unreadable"
    assert refusal_of(str(tmp_path)).code == "policy.unreadable"
