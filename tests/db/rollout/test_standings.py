"""Boards read fields that the snapshots of the processes have."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from db import rollout_reports as reports
from domain.rollout.location.view import LocationSnapshot
from domain.rollout.programme.view import ProgrammeSnapshot, WaveView
from domain.rollout.rollback.view import RollbackSnapshot
from domain.rollout.wave.view import GateView, WaveSnapshot

READ: tuple[tuple[type[BaseModel], type[BaseModel]], ...] = (
    (reports.ProgrammeStanding, ProgrammeSnapshot),
    (reports.PlannedWave, WaveView),
    (reports.WaveStanding, WaveSnapshot),
    (reports.GateStanding, GateView),
    (reports.LocationStanding, LocationSnapshot),
    (reports.RollbackStanding, RollbackSnapshot),
)


@pytest.mark.parametrize(("read", "written"), READ)
def test_what_is_read_is_written(read: type[BaseModel], written: type[BaseModel]) -> None:
    assert set(read.model_fields) - set(written.model_fields) == set()
