"""When a licence's last day is over: at midnight where the state is. Workflows get the moment, never the zone."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from domain.errors import Invalid
from domain.local_time import DAY, instant, zone_of

# fmt: off
_STATES_BY_ZONE = {
    "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO ID MT NM UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV OR WA",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
    "Pacific/Pago_Pago": "AS",
    "Pacific/Guam": "GU",
    "Pacific/Saipan": "MP",
    "America/Puerto_Rico": "PR",
    "America/St_Thomas": "VI",
}
# fmt: on
ZONES = {state: zone for zone, states in _STATES_BY_ZONE.items() for state in states.split()}
"""IANA zone by postal code; of a state in two zones the one of its capital, where the board sits."""


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The midnight that ends this local day, in UTC."""
    return instant(day + DAY, time(), zone)


def expiry_moment(last_day: date, state: str) -> datetime:
    """When a licence in this state, valid to this day inclusive, is over. Raises `Invalid` (`state.unknown`)."""
    if state not in ZONES:
        raise Invalid("state.unknown", "no state, district or territory has this postal code")
    return end_of_day(last_day, zone_of(ZONES[state]))
