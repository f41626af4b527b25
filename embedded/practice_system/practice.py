"""The simulated practice system (the port `PracticeSystem`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from activities.rollout_ports import Change, ChartAppointment, ChartStatus
from domain.errors import GatewayRejected
from embedded.practice_system.faults import Simulation

T = TypeVar("T")


@dataclass(frozen=True)
class Phone:
    number: str
    since: datetime


@dataclass
class SimulatedPractice:
    """Keeps each version of a record, so that the platform can know an older one."""

    simulation: Simulation
    phones: dict[str, list[Phone]] = field(default_factory=dict)
    appointments: dict[str, list[ChartAppointment]] = field(default_factory=dict)
    _done: dict[str, Change] = field(default_factory=dict)

    async def add_patient(self, key: str, phone: str) -> Change:
        def add() -> Change:
            patient_id = self.simulation.new_id("patient")
            self.phones[patient_id] = [Phone(phone, self.simulation.now)]
            return Change(record_id=patient_id, at=self.simulation.now)

        return self._once(key, add)

    async def change_phone(self, key: str, patient_id: str, phone: str) -> Change:
        def change() -> Change:
            _found(self.phones, patient_id).append(Phone(phone, self.simulation.now))
            return Change(record_id=patient_id, at=self.simulation.now)

        return self._once(key, change)

    async def book(self, key: str, patient_id: str, starts_at: datetime) -> Change:
        def book() -> Change:
            _found(self.phones, patient_id)
            booked = ChartAppointment(
                record_id=self.simulation.new_id("appointment"),
                patient_id=patient_id,
                starts_at=starts_at,
                status=ChartStatus.SCHEDULED,
                changed_at=self.simulation.now,
            )
            self.appointments[booked.record_id] = [booked]
            return Change(record_id=booked.record_id, at=booked.changed_at)

        return self._once(key, book)

    async def move(self, key: str, record_id: str, starts_at: datetime) -> Change:
        return self._once(key, lambda: self._change(record_id, {"starts_at": starts_at}))

    async def cancel(self, key: str, record_id: str) -> Change:
        return self._once(key, lambda: self._change(record_id, {"status": ChartStatus.CANCELLED}))

    async def read(self, record_id: str) -> ChartAppointment | None:
        self.simulation.answer()
        versions = [one for one in self.appointments.get(record_id, []) if one.changed_at <= self.simulation.now]
        return versions[-1] if versions else None

    def confirm(self, record_id: str, at: datetime) -> None:
        """What the platform writes back; it is there from `at` on."""
        versions = _found(self.appointments, record_id)
        versions.append(versions[-1].model_copy(update={"confirmed": True, "changed_at": at}))

    def _change(self, record_id: str, change: dict[str, object]) -> Change:
        now = self.simulation.now
        versions = _found(self.appointments, record_id)
        versions.append(versions[-1].model_copy(update={**change, "changed_at": now}))
        return Change(record_id=record_id, at=now)

    def _once(self, key: str, act: Callable[[], Change]) -> Change:
        self.simulation.answer()
        if key not in self._done:
            self._done[key] = act()
        return self._done[key]


def _found(records: dict[str, list[T]], record_id: str) -> list[T]:
    if record_id not in records:
        raise GatewayRejected("practice_system.record_unknown", "there is no such record")
    return records[record_id]
