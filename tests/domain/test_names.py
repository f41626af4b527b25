"""Ids that Temporal shows: opaque, stable, never two things under one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import names
from domain.names import Process, TaskQueue, operation_key

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
parts = st.lists(st.uuids().map(str) | st.integers(0, 99) | st.sampled_from(["refund", "payment"]), max_size=4)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (names.econsult_case(ID), f"econsult:{ID}"),
        (names.rate_request_case(ID), f"rate-request:{ID}"),
        (names.message_thread_case(ID), f"message-thread:{ID}"),
        (operation_key(f"econsult:{ID}", "earned"), f"econsult:{ID}:earned"),
        (operation_key(f"econsult:{ID}", "notice", 7, "patient"), f"econsult:{ID}:notice:7:patient"),
        (names.RECONCILE_SCHEDULE, "reconcile"),
    ],
)
def test_ids_stay_as_running_processes_and_booked_effects_know_them(made: str, expected: str) -> None:
    assert made == expected


def test_types_and_queues_stay_as_running_processes_know_them() -> None:
    assert {process.value for process in Process} == {
        "EConsult",
        "RateRequest",
        "Reconcile",
        "Visit",
        "MessageThread",
        "Licence",
        "CredentialEvent",
        "ConductReport",
        "Rollout",
        "Wave",
        "Location",
        "Rollback",
        "Cadence",
    }
    assert {queue.value for queue in TaskQueue} == {"econsults", "visits", "rollouts", "comms"}


@given(st.uuids().map(str), st.uuids().map(str))
def test_a_case_id_tells_its_process_and_its_business_id_alone(one: str, other: str) -> None:
    assert names.econsult_case(one).split(":") == ["econsult", one]
    assert names.econsult_case(one) != names.rate_request_case(one)
    assert (names.econsult_case(one) == names.econsult_case(other)) is (one == other)


@given(st.uuids().map(str), parts, parts)
def test_two_operations_never_share_a_key(case: str, one: list[str | int], other: list[str | int]) -> None:
    same = operation_key(case, *one) == operation_key(case, *other)
    assert same is ([str(part) for part in one] == [str(part) for part in other])
    assert operation_key(case, *one) == operation_key(case, *one)
