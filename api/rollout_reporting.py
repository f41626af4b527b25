"""What reports on a programme are put together from: rows in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from api.rollout_policy import Pinned
from api.schemas.rollout_reports import (
    Board,
    BoardLocation,
    BoardRollback,
    BoardWave,
    ComparisonLine,
    RoiLine,
)
from db import baselines
from db.rollout_reports import LocationStanding, PlannedWave, RollbackStanding, Standings, WaveStanding
from db.tables import RolloutLocation
from domain.local_time import zone_of
from domain.rollout.baseline import BaselineMetric, BaselinePolicy
from domain.rollout.phases import OVER
from domain.rollout.roi import Collected, Prices, Roi, Stretch, after_go_live, overall, roi, validation_weeks


def board(program_id: str, found: Standings, visible: set[str]) -> Board:
    programme = found.programme
    waves = {wave.wave: wave for wave in found.waves}
    return Board(
        program_id=program_id,
        phase=programme.phase if programme else None,
        as_of=found.as_of,
        starts_on=programme.starts_on if programme else None,
        planned_end=programme.planned_end if programme else None,
        forecast=programme.forecast if programme else None,
        slips=list(programme.slips) if programme else [],
        holds=list(programme.holds) if programme else [],
        missing=list(programme.missing) if programme else [],
        tasks_open=programme.tasks_open if programme else 0,
        tasks_late=programme.tasks_late if programme else 0,
        waves=[_wave(wave, waves.get(wave.number)) for wave in programme.waves] if programme else [],
        locations=[_location(one) for one in found.locations if one.location_id in visible],
        rollbacks=[_rollback(one) for one in found.rollbacks if one.location_id in visible and one.phase not in OVER],
    )


def _wave(planned: PlannedWave, running: WaveStanding | None) -> BoardWave:
    gate = running.gate if running else None
    return BoardWave(
        **planned.model_dump(exclude={"started_at", "closed_at", "phase"}),
        phase=running.phase if running else planned.phase,
        holds=list(running.holds) if running else [],
        evaluation_at=running.evaluation_at if running else None,
        gate_result=gate.result if gate else None,
        missing=[*running.unwritten, *(f"not_live:{one}" for one in running.not_live)] if running else [],
    )


_LOCATION = ("location_id", "region", "wave", "phase", "planned_go_live_at", "live_at", "comms_percent", "issue")


def _location(one: LocationStanding) -> BoardLocation:
    return BoardLocation(
        **{name: getattr(one, name) for name in (*_LOCATION, "next_deadline")},
        holds=[hold.reason for hold in one.holds],
        baseline_validated=one.baseline is not None and one.baseline.accurate,
        missing=list(one.missing),
        rollbacks=len(one.rollbacks),
    )


def _rollback(one: RollbackStanding) -> BoardRollback:
    shown = ("location_id", "number", "phase", "triggered_at", "enabled_percent", "next_deadline")
    return BoardRollback(
        **{name: getattr(one, name) for name in shown}, issues=list(one.issues), missing=list(one.missing)
    )


@dataclass(frozen=True)
class Measured:
    """One stretch of one or all locations."""

    location_id: str | None
    roi: Roi


async def measured(
    session: AsyncSession, pinned: Pinned, stretches: Mapping[str, Iterable[Stretch]], prices: Prices
) -> list[Measured]:
    """Each location in each of its stretches, and behind them all locations together."""
    policy = pinned.baseline
    rows = await baselines.latest(session, list(stretches))
    before = {location_id: baselines.collected(found) for location_id, found in rows.items()}
    by_name: dict[str, dict[str, Roi]] = {}
    after: dict[str, dict[str, Collected]] = {}
    for stretch, ids in _grouped(stretches):
        later = await baselines.later(session, ids, stretch.first_day, stretch.last_day)
        for location_id in ids:
            figures = roi(policy, stretch, before[location_id], later[location_id], prices)
            by_name.setdefault(stretch.name, {})[location_id] = figures
            after.setdefault(stretch.name, {})[location_id] = later[location_id]
    found = [Measured(location_id, one) for each in by_name.values() for location_id, one in each.items()]
    found.sort(key=lambda one: (one.location_id or "", one.roi.stretch.first_day))
    return [*found, *(Measured(None, overall(policy, each, before, after[name])) for name, each in by_name.items())]


def stretches_of(
    pinned: Pinned, locations: Iterable[RolloutLocation], live: Mapping[str, datetime], today: date
) -> dict[str, list[Stretch]]:
    """The checkpoints after each go-live and the weeks of validation, as far as they have begun."""
    weeks = validation_weeks(pinned.baseline, pinned.starts_on)
    found: dict[str, list[Stretch]] = {}
    for location in locations:
        went_live = live.get(location.location_id)
        if went_live is None:
            continue
        day = went_live.astimezone(zone_of(location.time_zone)).date()
        each = [*after_go_live(pinned.baseline, day), weeks]
        found[location.location_id] = [stretch for stretch in each if stretch.first_day <= today]
    return found


def comparison_lines(policy: BaselinePolicy, found: Iterable[Measured]) -> Iterator[ComparisonLine]:
    for one in found:
        for compared in one.roi.comparisons:
            yield ComparisonLine(
                location_id=one.location_id,
                stretch=one.roi.stretch.name,
                first_day=one.roi.stretch.first_day,
                last_day=one.roi.stretch.last_day,
                unit=policy.spec(compared.metric).unit,
                **compared.model_dump(),
            )


def roi_line(one: Measured, today: date) -> RoiLine:
    changes = {compared.metric: compared.change for compared in one.roi.comparisons}
    stretch = one.roi.stretch
    return RoiLine(
        location_id=one.location_id,
        stretch=stretch.name,
        first_day=stretch.first_day,
        last_day=stretch.last_day,
        over=stretch.last_day < today,
        no_show_change=changes[BaselineMetric.NO_SHOW_RATE],
        recall_change=changes[BaselineMetric.RECALL_CONVERSION_RATE],
        **one.roi.model_dump(include={"hours_saved", "no_shows_avoided", "recalls_gained", "saved_cents"}),
    )


def _grouped(stretches: Mapping[str, Iterable[Stretch]]) -> Iterator[tuple[Stretch, list[str]]]:
    """Locations that went live on the same day share their stretches: one statement each."""
    found: dict[Stretch, list[str]] = {}
    for location_id, each in stretches.items():
        for stretch in each:
            found.setdefault(stretch, []).append(location_id)
    yield from found.items()
