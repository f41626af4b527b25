"""Settings of a programme: the central ones, those of its locations, and where these have drifted (F-00 to F-13)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from api.problems import responses
from api.rollout_acting import ROLLOUT_ROLES, Member, RolloutActs, RolloutActsOfRequest, member
from api.schemas.rollouts import LocationId, ProgramId
from api.schemas.settings import DriftReport, DriftView, NewValue, Observed, SettingKey, SettingView, setting_view
from db import programs, settings
from db.settings import Change, Kept
from domain.access import Role
from domain.rollout.settings import (
    SettingsPolicy,
    central_values,
    check_guidelines,
    check_value,
    drifts,
    effective,
    may_set_centrally,
    may_set_locally,
)

router = APIRouter(tags=["rollouts"])

Anyone = Annotated[Member, member(*ROLLOUT_ROLES)]
Administrator = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.REGIONAL_ADMIN, Role.LOCATION_ADMIN)]
Observer = Annotated[Member, member(Role.SYSTEM_ADMIN, Role.REGIONAL_ADMIN, Role.VENDOR)]
READS = responses(401, 403, 404, 422)


@router.get("/rollouts/{program_id}/settings", summary="The central settings", responses=READS)
async def read_central(program_id: ProgramId, act: RolloutActsOfRequest, who: Anyone) -> list[SettingView]:
    """Of a local setting, where locations begin. 404 `programme.unknown`."""
    await act.reach(program_id, who)
    return _views(_policy(act), (await _kept(act, program_id)).central, {})


@router.put("/rollouts/{program_id}/settings/{setting}", summary="Set something centrally", responses=READS)
async def set_centrally(
    program_id: ProgramId, setting: SettingKey, new: NewValue, act: RolloutActsOfRequest, who: Administrator
) -> SettingView:
    """403 `setting.central` for all but system administrators; 404 `programme.unknown`, `setting.unknown`;
    422 `setting.value_invalid`.
    """
    await act.reach(program_id, who)
    policy = _policy(act)
    spec = policy.spec(setting)
    may_set_centrally(spec, administrator=who.role is Role.SYSTEM_ADMIN)
    await act.whole(program_id, who)
    await _put(act, program_id, None, {setting: check_value(spec, new.value)}, who)
    return _view_of(policy, setting, await _kept(act, program_id), {})


@router.get("/rollouts/{program_id}/settings/drift", summary="Where locations have drifted", responses=READS)
async def read_drift(program_id: ProgramId, act: RolloutActsOfRequest, who: Anyone) -> DriftReport:
    """In use, as last observed, against what is wanted now: of the caller's locations. 404 `programme.unknown`."""
    reach = await act.reach(program_id, who)
    policy = _policy(act)
    async with act.services.database.transaction() as session:
        kept = await settings.kept(session, program_id)
        found = await programs.locations(
            session,
            program_id,
            regions=None if reach.whole else reach.regions,
            location_ids=reach.locations,
            after=None,
            limit=1000,
        )
    ids = [row.location_id for row, _ in found]
    return DriftReport(
        items=[view for location_id in ids for view in _drifts(policy, kept, location_id)],
        never_observed=[location_id for location_id in ids if not kept.of(location_id).observed],
    )


@router.get("/locations/{location_id}/settings", summary="What holds at a location", responses=READS)
async def read_local(location_id: LocationId, act: RolloutActsOfRequest, who: Anyone) -> list[SettingView]:
    """404 `location.unknown`."""
    row = await act.location(location_id, who)
    kept = await _kept(act, row.program_id)
    return _views(_policy(act), kept.central, kept.of(location_id).wanted)


@router.put("/locations/{location_id}/settings/{setting}", summary="Set something for a location", responses=READS)
async def set_locally(
    location_id: LocationId, setting: SettingKey, new: NewValue, act: RolloutActsOfRequest, who: Administrator
) -> SettingView:
    """403 `setting.central` for what is the same everywhere; 404 `location.unknown`, `setting.unknown`;
    422 `setting.value_invalid`, `setting.off_guideline`.
    """
    row = await act.location(location_id, who)
    policy = _policy(act)
    spec = policy.spec(setting)
    may_set_locally(spec)
    value = check_value(spec, new.value)
    kept = await _kept(act, row.program_id)
    check_guidelines(spec, value, policy, central_values(policy, kept.central))
    await _put(act, row.program_id, location_id, {setting: value}, who)
    return _view_of(policy, setting, kept, kept.of(location_id).wanted | {setting: value})


@router.delete(
    "/locations/{location_id}/settings/{setting}", summary="Let the central value hold again", responses=READS
)
async def reset(
    location_id: LocationId, setting: SettingKey, act: RolloutActsOfRequest, who: Administrator
) -> SettingView:
    """What holds from now on. 403 `setting.central`; 404 `location.unknown`, `setting.unknown`."""
    row = await act.location(location_id, who)
    policy = _policy(act)
    may_set_locally(policy.spec(setting))
    async with act.services.database.transaction() as session:
        await settings.clear(session, row.program_id, location_id, setting)
    kept = await _kept(act, row.program_id)
    return _view_of(policy, setting, kept, kept.of(location_id).wanted)


@router.post("/locations/{location_id}/settings/observed", summary="Report what is in use", responses=READS)
async def report_observed(
    location_id: LocationId, seen: Observed, act: RolloutActsOfRequest, who: Observer
) -> list[DriftView]:
    """What the platform of a location really uses; its drift is answered. What is left out stays as last reported.

    404 `location.unknown`, `setting.unknown`; 422 `setting.value_invalid`.
    """
    row = await act.location(location_id, who)
    policy = _policy(act)
    values = {key: check_value(policy.spec(key), value) for key, value in seen.values.items()}
    await _put(act, row.program_id, location_id, values, who, observed=True)
    return _drifts(policy, await _kept(act, row.program_id), location_id)


def _policy(act: RolloutActs) -> SettingsPolicy:
    return act.services.policy.rollout.settings


async def _kept(act: RolloutActs, program_id: str) -> Kept:
    async with act.services.database.transaction() as session:
        return await settings.kept(session, program_id)


async def _put(
    act: RolloutActs,
    program_id: str,
    location_id: str | None,
    values: dict[str, Any],
    who: Member,
    *,
    observed: bool = False,
) -> None:
    state: settings.State = "observed" if observed else "wanted"
    change = Change(program_id, location_id, state, by=who.subject, at=act.services.clock())
    async with act.services.database.transaction() as session:
        await settings.put(session, change, values)


def _views(policy: SettingsPolicy, central: dict[str, Any], local: dict[str, Any]) -> list[SettingView]:
    return [setting_view(policy.spec(one.key), one.value, one.origin) for one in effective(policy, central, local)]


def _view_of(policy: SettingsPolicy, key: str, kept: Kept, local: dict[str, Any]) -> SettingView:
    return next(view for view in _views(policy, kept.central, local) if view.key == key)


def _drifts(policy: SettingsPolicy, kept: Kept, location_id: str) -> list[DriftView]:
    place = kept.of(location_id)
    found = drifts(policy, kept.central, place.wanted, place.observed)
    return [
        DriftView(**one.model_dump(), location_id=location_id, observed_at=place.observed_at.get(one.key))
        for one in found
    ]
