"""Stands in for a programme or a wave: it hears what a location tells it."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.rollout.news import LocationNews

EARS = "ears"


@workflow.defn
class Ear:
    def __init__(self) -> None:
        self._heard: list[LocationNews] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    async def location_reported(self, news: LocationNews) -> None:
        self._heard.append(news)

    @workflow.query
    def heard(self) -> list[LocationNews]:
        return self._heard
