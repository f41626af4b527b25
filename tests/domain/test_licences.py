"""A licence's rules: what is due before its expiry, what may be done to it, where it stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import licences, policy
from domain.actors import Actor
from domain.clock import arm, deadline, fire
from domain.errors import Refused
from domain.licences import (
    LicenceOrder,
    LicenceSnapshot,
    LicenceState,
    LicenceStatus,
    LossReason,
    RenewLicence,
    ReportedLoss,
    WaiveLicence,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = policy.load().licence
OPERATIONS = Actor(role="operations", id="operations-1")
BOARD = LossReason.BOARD_ACTION


def active(**changes: object) -> LicenceState:
    whole = {"sequence": 1, "expires_on": date(2026, 4, 1), "expires_at": NOW + 30 * DAY, **changes}
    return LicenceState.model_validate(whole)


def an_order() -> LicenceOrder:
    return LicenceOrder(
        licence_id="licence-1", clinician_id="clinician-1", licence_state="CO", recorded_by=OPERATIONS, policy=RULES
    )


@pytest.mark.parametrize(
    ("days_before", "told"),
    [(61, []), (60, [60]), (31, [60]), (30, [30]), (8, [30]), (7, [7]), (1, [7]), (0, ["end"]), (-3, ["end"])],
)
def test_of_what_was_due_before_it_was_armed_only_the_latest_is_told(days_before: int, told: list[object]) -> None:
    expires_at = NOW + days_before * DAY
    clock, fired = fire(arm(licences.expiry_clock(RULES.expiry, NOW, expires_at), NOW), NOW)
    names = {60: "expires_in_60_days", 30: "expires_in_30_days", 7: "expires_in_7_days", "end": "expired"}
    assert [one.name for one in fired if one.suppressed is None] == [names[each] for each in told]
    assert deadline(clock) == expires_at


@given(
    armed=st.timedeltas(timedelta(), timedelta(days=1500)).map(NOW.__add__),
    ahead=st.timedeltas(timedelta(days=-400), timedelta(days=4000)),
)
def test_every_notice_is_due_at_its_time_before_the_expiry(armed: datetime, ahead: timedelta) -> None:
    expires_at = armed + ahead
    far = armed + timedelta(days=5000)
    fired = fire(arm(licences.expiry_clock(RULES.expiry, armed, expires_at), armed), far)[1]
    assert [(one.name, expires_at - one.due) for one in fired] == [
        ("expires_in_60_days", 60 * DAY),
        ("expires_in_30_days", 30 * DAY),
        ("expires_in_7_days", 7 * DAY),
        ("expired", timedelta()),
    ]


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (active(), LicenceStatus.ACTIVE),
        (active(lapsed=True), LicenceStatus.EXPIRED),
        (active(lapsed=True, waived_until_at=NOW + DAY), LicenceStatus.WAIVED),
        (active(lapsed=True, waived_until_at=NOW + DAY, suspended=BOARD), LicenceStatus.SUSPENDED),
        (active(suspended=BOARD, revoked=BOARD), LicenceStatus.REVOKED),
    ],
)
def test_the_gravest_fact_says_where_it_stands(state: LicenceState, status: LicenceStatus) -> None:
    seen = licences.snapshot(an_order(), state)
    assert (seen.status, seen.business_state) == (status, status)
    assert LicenceSnapshot.model_validate_json(seen.model_dump_json()) == seen
    assert LicenceState.model_validate_json(state.model_dump_json()) == state


def refused(rule: object, *args: object) -> str | None:
    assert callable(rule)
    try:
        rule(*args)
    except Refused as refusal:
        return refusal.code
    return None


def test_what_may_be_done_depends_on_where_it_stands() -> None:
    gone, held_back, sound = active(revoked=BOARD), active(suspended=BOARD), active()
    later, earlier = NOW + DAY, NOW - DAY
    assert refused(licences.may_renew, sound, later, NOW) is None
    assert refused(licences.may_renew, held_back, later, NOW) is None
    assert refused(licences.may_renew, sound, NOW, NOW) == "licence.date_past"
    assert refused(licences.may_waive, active(lapsed=True), later, NOW) is None
    assert refused(licences.may_waive, held_back, later, NOW) == "licence.suspended"
    assert refused(licences.may_waive, sound, earlier, NOW) == "licence.date_past"
    assert refused(licences.may_suspend, sound) is None
    assert refused(licences.may_suspend, held_back) == "licence.already_suspended"
    assert refused(licences.may_reinstate, held_back) is None
    assert refused(licences.may_reinstate, sound) == "licence.not_suspended"
    for rule, more in (
        (licences.may_renew, (later, NOW)),
        (licences.may_waive, (later, NOW)),
        (licences.may_suspend, ()),
        (licences.may_reinstate, ()),
        (licences.may_revoke, ()),
    ):
        assert refused(rule, gone, *more) == "licence.revoked"


def test_a_renewal_ends_expiry_and_waiver_and_keeps_a_suspension() -> None:
    state = active(lapsed=True, suspended=BOARD)
    licences.waive(state, WaiveLicence(actor=OPERATIONS, waived_until=date(2026, 5, 1), waived_until_at=NOW + 60 * DAY))
    licences.renew(state, RenewLicence(actor=OPERATIONS, expires_on=date(2027, 1, 1), expires_at=NOW + 300 * DAY))
    assert (state.lapsed, state.waived_until, state.waived_until_at) == (False, None, None)
    assert (state.expires_on, state.status) == (date(2027, 1, 1), LicenceStatus.SUSPENDED)


def test_a_reported_loss_that_is_known_is_no_news() -> None:
    suspended = ReportedLoss(event_id="e", actor=OPERATIONS, loss="suspended")
    expired = suspended.model_copy(update={"loss": "expired"})
    assert licences.is_news(active(), suspended)
    assert licences.is_news(active(suspended=BOARD), expired)
    assert not licences.is_news(active(suspended=BOARD), suspended)
    assert not licences.is_news(active(lapsed=True), expired)
    assert not licences.is_news(active(revoked=BOARD), suspended)
