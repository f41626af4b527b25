"""Who may take on patients of which state (K-03), and when a licence's last day is over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.values import State
from domain import standing
from domain.errors import Invalid, Refused
from domain.licence_dates import ZONES, expiry_moment
from domain.licences import LicenceStatus
from domain.standing import Block, HeldLicence

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ACTIVE, WAIVED, EXPIRED = LicenceStatus.ACTIVE, LicenceStatus.WAIVED, LicenceStatus.EXPIRED
SUSPENDED, REVOKED = LicenceStatus.SUSPENDED, LicenceStatus.REVOKED


def held(
    status: LicenceStatus = ACTIVE,
    expires_at: datetime | None = NOW + DAY,
    waived_until_at: datetime | None = None,
    state: str = "CO",
) -> HeldLicence:
    return HeldLicence(licence_state=state, status=status, expires_at=expires_at, waived_until_at=waived_until_at)


@pytest.mark.parametrize(
    ("licence", "block"),
    [
        (held(), None),
        (held(expires_at=None), None),
        (held(expires_at=NOW), Block.EXPIRED),
        (held(EXPIRED, NOW + DAY), Block.EXPIRED),
        (held(EXPIRED, None), Block.EXPIRED),
        (held(SUSPENDED), Block.SUSPENDED),
        (held(SUSPENDED, NOW - DAY), Block.SUSPENDED),
        (held(SUSPENDED, NOW - DAY, NOW + DAY), Block.SUSPENDED),
        (held(WAIVED, NOW - DAY, NOW + DAY), None),
        (held(WAIVED, NOW - DAY, NOW), Block.EXPIRED),
        (held(WAIVED, NOW + DAY, NOW), None),
        (held(REVOKED), Block.NONE_IN_STATE),
        (held(state="UT"), Block.NONE_IN_STATE),
    ],
)
def test_a_licence_counts_while_it_is_active_or_waived(licence: HeldLicence, block: Block | None) -> None:
    assert standing.block([licence], "CO", NOW) == block


@pytest.mark.parametrize(
    ("licences", "code", "missing"),
    [
        ([], "clinician.no_licence_in_state", "licence.recorded"),
        ([held(EXPIRED)], "clinician.licence_expired", "licence.renewed"),
        ([held(SUSPENDED), held(EXPIRED)], "clinician.licence_suspended", "licence.reinstated"),
        ([held(REVOKED), held(EXPIRED)], "clinician.licence_expired", "licence.renewed"),
    ],
)
def test_a_refusal_says_what_would_lift_it(licences: list[HeldLicence], code: str, missing: str) -> None:
    with pytest.raises(Refused) as refusal:
        standing.check(licences, "CO", NOW)
    assert (refusal.value.code, refusal.value.missing) == (code, (missing,))


def test_an_unknown_expiry_is_advice_alone() -> None:
    assert standing.findings(held(expires_at=None)) == ("licence.expiry_unknown",)
    assert standing.findings(held()) == standing.findings(held(SUSPENDED, None)) == ()


moments = st.timedeltas(timedelta(), timedelta(days=365)).map(NOW.__add__)
licences = st.lists(
    st.builds(
        HeldLicence,
        licence_state=st.sampled_from(["CO", "UT"]),
        status=st.sampled_from(LicenceStatus),
        expires_at=st.none() | moments,
        waived_until_at=st.none() | moments,
    ),
    max_size=4,
)


@given(licences, moments)
def test_licences_of_other_states_change_nothing(found: list[HeldLicence], at: datetime) -> None:
    here = [licence for licence in found if licence.licence_state == "CO"]
    assert standing.block(found, "CO", at) == standing.block(here, "CO", at)


@given(licences, moments)
def test_one_more_valid_licence_always_allows(found: list[HeldLicence], at: datetime) -> None:
    assert standing.block([*found, held(expires_at=at + timedelta(seconds=1))], "CO", at) is None


@given(licences, moments, st.timedeltas(timedelta(), timedelta(days=400)))
def test_time_alone_never_lifts_a_block(found: list[HeldLicence], at: datetime, later: timedelta) -> None:
    if standing.block(found, "CO", at):
        assert standing.block(found, "CO", at + later)


@given(licences, moments)
def test_a_suspended_or_revoked_licence_never_allows(found: list[HeldLicence], at: datetime) -> None:
    lost = [one for one in found if one.status in {SUSPENDED, REVOKED}]
    assert standing.block(lost, "CO", at) is not None


@pytest.mark.parametrize(
    ("day", "state", "moment"),
    [
        (date(2026, 6, 30), "CO", datetime(2026, 7, 1, 6, tzinfo=UTC)),
        (date(2026, 12, 31), "NY", datetime(2027, 1, 1, 5, tzinfo=UTC)),
        (date(2026, 7, 31), "AZ", datetime(2026, 8, 1, 7, tzinfo=UTC)),
        (date(2026, 6, 30), "HI", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (date(2026, 6, 30), "GU", datetime(2026, 6, 30, 14, tzinfo=UTC)),
        (date(2026, 3, 8), "CO", datetime(2026, 3, 9, 6, tzinfo=UTC)),  # the day has 23 hours
    ],
)
def test_a_licence_counts_to_the_midnight_that_ends_its_last_day(day: date, state: str, moment: datetime) -> None:
    assert expiry_moment(day, state) == moment


def test_every_state_that_licenses_has_a_zone() -> None:
    assert ZONES.keys() == set(get_args(State))
    with pytest.raises(Invalid) as refusal:
        expiry_moment(date(2026, 1, 1), "XX")
    assert refusal.value.code == "state.unknown"
