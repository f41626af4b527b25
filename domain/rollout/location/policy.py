"""Policy data: the location's checklist, its clocks and its gates (T-02 to T-09, N-08 to N-12, B-13, H-02, H-03)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from domain.actors import Audience, Notice
from domain.clock import ClockPolicy
from domain.model import Value
from domain.rollout.news import Clearance
from domain.rollout.people import Function
from domain.rollout.tasks import Party, TaskSpec


class Minimums(Value):
    """What a location needs at least (T-02, T-03)."""

    down_mbps: Decimal
    up_mbps: Decimal
    memory_gb: int
    windows: tuple[str, ...]
    """Versions that do."""
    macos: str
    """And later ones."""


class Chase(Value):
    """How whoever owes something by a day is reminded of it, and who is told when it is late."""

    lead: timedelta
    """The clock counts from so long before the day."""
    owner_template: str
    """The owner is told at every milestone."""
    clock: ClockPolicy

    def of(self, name: str, owner: Function) -> ClockPolicy:
        """The clock of one matter."""
        own = Notice(audience=Audience(owner), template=self.owner_template)
        milestones = tuple(
            milestone.model_copy(update={"notices": (own, *(one for one in milestone.notices if one != own))})
            for milestone in self.clock.milestones
        )
        return self.clock.model_copy(update={"name": name, "milestones": milestones})


class LocationPolicy(Value):
    tasks: tuple[TaskSpec, ...]
    hardware_upgrade: TaskSpec
    """On the list where the hardware is outdated; it is critical, so no go-live before it (T-04)."""
    measured_task: str
    """Done by a measurement that meets the minimums (T-03)."""
    version_task: str
    """Done when the version of the practice system suffices (T-06)."""
    minimums: Minimums
    chases: dict[Party, Chase]
    undated_before_go_live: timedelta
    """When tasks without a business day are due."""
    integration_step: ClockPolicy
    """While a step of the integration waits for the vendor."""
    baseline_before_go_live: timedelta
    """Where the programme names no day (B-13)."""
    baseline_lead: timedelta
    baseline: ClockPolicy
    """Counts from so long before the baseline is due."""
    go_live: ClockPolicy
    """From a launch that could not take place, until it does."""
    go_live_clearances: tuple[Clearance, ...]
    """What the programme must have granted (B-01, N-02, N-05, N-11, P-00, A-01)."""
    history_limit: int = Field(ge=50)
    """Events of one run's history, after which a fresh run goes on."""
    kept_ids: int = Field(ge=1)
    """Ids of acts that a fresh run remembers."""
