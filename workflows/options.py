"""Named timeouts and retry policies of activities."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NotRequired, TypedDict

from temporalio.common import RetryPolicy


class ActivityOptions(TypedDict):
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: NotRequired[timedelta]
    retry_policy: RetryPolicy


class WatchedOptions(ActivityOptions):
    """Of an activity that takes its time and says that it lives; never of a local one."""

    heartbeat_timeout: timedelta


RECORD: Final[ActivityOptions] = {
    "start_to_close_timeout": timedelta(seconds=15),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(minutes=1)),
}
"""Our own database, as a local activity: tried until it succeeds, because nothing may go on unrecorded."""

WHILE_SOMEBODY_WAITS: Final[ActivityOptions] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(seconds=20),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_attempts=3),
}
"""An outside service, asked for a person at a screen: fail soon and say so."""

EVENTUALLY: Final[ActivityOptions] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2), backoff_coefficient=2, maximum_interval=timedelta(minutes=15)
    ),
}
"""An outside service, however long it takes: a refund, a fee."""


def within(limit: timedelta) -> ActivityOptions:
    """Eventually, but not after so long."""
    return {**EVENTUALLY, "schedule_to_close_timeout": limit}


A_FEW_TRIES: Final[ActivityOptions] = {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(minutes=2),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=5),
}
"""An outside service whose answer is good to have before going on."""


def validation(patience: timedelta) -> WatchedOptions:
    """The validation cases of a location, which wait for what should arrive; a heartbeat at every look."""
    return {
        "start_to_close_timeout": patience,
        "schedule_to_close_timeout": patience,
        "heartbeat_timeout": timedelta(minutes=2),
        "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=5),
    }


SWEEP: Final[ActivityOptions] = {
    "start_to_close_timeout": timedelta(minutes=3),
    "schedule_to_close_timeout": timedelta(minutes=5),
    "retry_policy": RetryPolicy(initial_interval=timedelta(seconds=5), maximum_attempts=2),
}
"""A bounded piece of housekeeping that comes round again soon."""
