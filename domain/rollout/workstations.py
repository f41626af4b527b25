"""The minimum for a workstation, checked against an inventory (T-02)."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from domain.model import Value
from domain.rollout.program import Workstations


class System(StrEnum):
    WINDOWS = "windows"
    MACOS = "macos"
    OTHER = "other"


class Browser(StrEnum):
    CHROME = "chrome"
    EDGE = "edge"
    FIREFOX = "firefox"
    OTHER = "other"


class WorkstationMinimum(Value):
    windows: tuple[int, ...]
    """Major versions that will do."""
    macos: tuple[int, int]
    """The lowest version that will do."""
    memory_gb: int
    browsers: frozenset[Browser]
    young_years: int
    """Machines younger than this are current (S-02)."""


class Workstation(Value):
    """One line of an inventory."""

    system: System
    version: str = Field(pattern=r"^\d+(\.\d+){0,3}$", examples=["11", "14.4"])
    memory_gb: int = Field(ge=1)
    browser: Browser
    browser_current: bool
    age_years: Decimal = Field(ge=0)


def meets(workstation: Workstation, minimum: WorkstationMinimum) -> bool:
    major, minor = (*map(int, workstation.version.split(".")), 0)[:2]
    system = {
        System.WINDOWS: major in minimum.windows,
        System.MACOS: (major, minor) >= minimum.macos,
        System.OTHER: False,
    }
    return (
        system[workstation.system]
        and workstation.memory_gb >= minimum.memory_gb
        and workstation.browser in minimum.browsers
        and workstation.browser_current
    )


def counted(inventory: tuple[Workstation, ...], minimum: WorkstationMinimum) -> Workstations:
    """The inventory (of one or more) as the numbers that readiness goes by."""
    return Workstations(
        count=len(inventory),
        under_three_years=sum(one.age_years < minimum.young_years for one in inventory),
        meeting_minimum=sum(meets(one, minimum) for one in inventory),
    )


def outdated(workstations: Workstations) -> bool:
    """T-04: some do not meet the minimum, so they are replaced before the location's go-live."""
    return workstations.meeting_minimum < workstations.count
