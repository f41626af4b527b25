"""How a worker is sized."""

from __future__ import annotations

import pytest

from worker import cache_size


@pytest.mark.parametrize(
    ("memory_bytes", "workflows"),
    [(16_000_000, 100), (600_000_000, 2_000), (64_000_000_000, 20_000)],
    ids=["never fewer than a hundred", "a quarter of the memory", "never more than twenty thousand"],
)
def test_keeps_as_many_workflows_as_a_quarter_of_the_memory_holds(memory_bytes: int, workflows: int) -> None:
    assert cache_size(memory_bytes) == workflows
