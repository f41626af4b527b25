"""Whether a location may send: by its switches, and by its share while it is switched on again by stages (P-01)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rollout.location.comms import Capability, Comms, MessageChannel, may_send

RECIPIENTS = [f"patient-{number}" for number in range(2000)]


def reached(percent: int) -> set[str]:
    comms = Comms(enabled_percent=percent)
    return {one for one in RECIPIENTS if may_send(comms, Capability.REMINDERS, MessageChannel.SMS, one)}


@pytest.mark.parametrize(("percent", "least", "most"), [(0, 0, 0), (25, 400, 600), (50, 900, 1100), (100, 2000, 2000)])
def test_a_stage_reaches_its_share_of_the_recipients(percent: int, least: int, most: int) -> None:
    assert least <= len(reached(percent)) <= most


def test_whom_a_stage_reaches_every_later_stage_reaches() -> None:
    assert reached(25) < reached(50) < reached(100)


@given(st.sets(st.sampled_from([*Capability])), st.sets(st.sampled_from([*MessageChannel])))
def test_each_capability_and_channel_has_its_own_switch(
    capabilities: set[Capability], channels: set[MessageChannel]
) -> None:
    comms = Comms(enabled_percent=100, capabilities=frozenset(capabilities), channels=frozenset(channels))
    for capability in Capability:
        for channel in MessageChannel:
            on = capability in capabilities and channel in channels
            assert may_send(comms, capability, channel, "patient-1") is on
