"""Baselines as collected, and later counts of the same metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import CaseState, RolloutBaseline, TelemetryMetric
from domain import names
from domain.errors import Refused
from domain.rollout.baseline import BaselineMetric, Counts, total
from domain.rollout.location.state import Baseline


async def latest(session: AsyncSession, location_ids: Collection[str]) -> dict[str, list[RolloutBaseline]]:
    """The collection of each metric that counts, by location, in the order of the metrics' names."""
    row = RolloutBaseline
    statement = (
        select(row)
        .where(col(row.location_id).in_(location_ids))
        .ext(distinct_on(col(row.location_id), col(row.metric)))
        .order_by(col(row.location_id), col(row.metric), col(row.id).desc())
    )
    found: dict[str, list[RolloutBaseline]] = {location_id: [] for location_id in location_ids}
    for each in await session.exec(statement):
        found[each.location_id].append(each)
    return found


async def validations(session: AsyncSession, program_id: str, location_ids: Iterable[str]) -> dict[str, Baseline]:
    """What regional managers said last, where they have (B-12)."""
    case_ids = [names.location_case(program_id, location_id) for location_id in location_ids]
    said = col(CaseState.snapshot)["baseline"]
    statement = select(col(CaseState.snapshot)["location_id"].astext, said).where(
        col(CaseState.case_id).in_(case_ids), said["at"].astext.is_not(None)
    )
    return {location_id: Baseline.model_validate(found) for location_id, found in await session.exec(statement)}


async def check_open(session: AsyncSession, program_id: str, location_id: str) -> None:
    """A baseline that was found accurate stays as it is. Raises `Refused` (`baseline.validated`)."""
    said = await validations(session, program_id, [location_id])
    if location_id in said and said[location_id].accurate:
        raise Refused("baseline.validated", "this baseline is validated already")


async def later(
    session: AsyncSession, location_ids: Collection[str], first_day: date, last_day: date
) -> dict[str, dict[BaselineMetric, Counts]]:
    """The counts of periods that end within these days, by location and metric.

    Of periods that overlap the one reported last counts, so that nothing is counted twice.
    """
    row = TelemetryMetric
    statement = (
        select(row)
        .where(col(row.location_id).in_(location_ids), col(row.last_day).between(first_day, last_day))
        .order_by(col(row.id).desc())
    )
    kept: defaultdict[tuple[str, str], list[TelemetryMetric]] = defaultdict(list)
    for each in await session.exec(statement):
        others = kept[each.location_id, each.metric]
        if all(each.last_day < other.first_day or each.first_day > other.last_day for other in others):
            others.append(each)
    found: dict[str, dict[BaselineMetric, Counts]] = {location_id: {} for location_id in location_ids}
    for (location_id, metric), rows in kept.items():
        found[location_id][BaselineMetric(metric)] = total([counts_of(one) for one in rows])
    return found


def counts_of(row: RolloutBaseline | TelemetryMetric) -> dict[str, Decimal]:
    return {name: Decimal(str(count)) for name, count in row.counts.items()}


def collected(rows: Iterable[RolloutBaseline]) -> dict[BaselineMetric, Counts]:
    """What counts as a baseline: unreliable collections do not (B-15)."""
    return {BaselineMetric(row.metric): counts_of(row) for row in rows if row.reliable}
