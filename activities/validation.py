"""The nine validation cases, run for real against a location's TEST twin (C-05 to C-13, P-12)."""

from __future__ import annotations

from temporalio import activity

from activities.rollout_contracts import ValidationInput
from activities.rollout_ports import Twins
from activities.validation_cases import CASES, Bench, CaseFailed
from domain.errors import GatewayRejected, GatewayUnavailable, Refused
from domain.rollout.integration.validation import (
    ValidationCase,
    ValidationReport,
    ValidationResult,
    require_test_name,
)


class ValidationActivities:
    def __init__(self, twins: Twins | None) -> None:
        """Without `twins` no practice system is configured, and nothing can be validated."""
        self._twins = twins

    @activity.defn
    async def run_validation(self, asked: ValidationInput) -> ValidationReport:
        """Run the cases one after the other. What fails is in the report; a repeat does nothing twice.

        Raises `Refused` (`validation.not_configured`, `test_location.name`), `NotFound` (`test_location.unknown`), and
        `GatewayUnavailable` while the twin cannot be found.
        """
        if self._twins is None:
            raise Refused("validation.not_configured", "no practice system is configured for validation")
        twin = await self._twins.twin(asked.program_id, asked.location_id, asked.practice_system)
        require_test_name(asked.policy, twin.name)
        bench = Bench(twin, asked.policy, asked.key)
        began_at = twin.now()
        results = [await _result(bench, spec.case) for spec in asked.policy.cases]
        return ValidationReport(key=asked.key, began_at=began_at, ended_at=twin.now(), results=tuple(results))


async def _result(bench: Bench, case: ValidationCase) -> ValidationResult:
    one = bench.of(case)
    try:
        await CASES[case](one)
    except CaseFailed as failure:
        return one.result(passed=False, why=failure.why)
    except (GatewayRejected, Refused) as refusal:
        return one.result(passed=False, why=refusal.code)
    except GatewayUnavailable:
        return one.result(passed=False, why="unavailable")
    return one.result(passed=True)
