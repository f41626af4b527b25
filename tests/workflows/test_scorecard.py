"""The scorecard of visits, messages and eConsults that were lived, against a recount from Temporal's histories."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from db import scorecard
from db.tables import Clinician, new_id
from domain import names
from domain.scorecard import Attendance, Period, Scorecard, Sla
from domain.threads import ThreadSource
from domain.visit.states import Obligation
from embedded.rehearsal import Rehearsal
from tests.workflows.consult import Consult, People, invite_people
from tests.workflows.recount import Recount, read_life
from tests.workflows.thread import Thread
from tests.workflows.visit import DAY, HOUR, MINUTE, ORDERS, Appointment

START = 2 * HOUR
"""When the visits begin, after the beginning of the world."""

Deed = Callable[[], Awaitable[Any]]


@dataclass
class Script:
    """What happens when, each at its time after the beginning of the world."""

    world: Rehearsal
    began: datetime
    deeds: list[tuple[timedelta, Deed]] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)

    def at(self, when: timedelta, *deeds: Deed) -> None:
        self.deeds += [(when, deed) for deed in deeds]

    async def play(self, until: timedelta) -> None:
        """In no moment in which a clock is due as well: then it would be open which of the two comes first."""
        for when, deed in sorted(self.deeds, key=lambda each: each[0]):
            await self._wait(when)
            await deed()
        await self._wait(until)

    async def _wait(self, until: timedelta) -> None:
        await self.world.advance(self.began + until - await self.world.env.get_current_time())


async def _visits_of_a_careful_clinician(script: Script, people: People) -> None:
    """Three visits kept in every respect; one was moved beforehand, of one something is waived."""
    kept, moved, spared = [await _visit(script, people) for _ in range(3)]
    script.at(MINUTE, partial(moved.reschedule, DAY))
    for visit, begins, joins in ((kept, START, -MINUTE), (moved, START + DAY, MINUTE), (spared, START, 2 * MINUTE)):
        _held(script, visit, begins, joins, 20 * MINUTE)
    done = START + 20 * MINUTE
    script.at(done - 5 * MINUTE, kept.write_note)
    script.at(done + 170 * MINUTE, partial(kept.settle, *ORDERS))
    script.at(DAY + done + HOUR, partial(moved.settle, *ORDERS[:2]), partial(moved.waive, Obligation.IMAGING))
    script.at(DAY + done + 23 * HOUR, moved.write_note)
    script.at(done + 2 * HOUR, partial(spared.settle, *ORDERS), partial(spared.waive, Obligation.NOTE))


async def _visits_of_a_careless_clinician(script: Script, people: People) -> None:
    """Everything that can go wrong. Of the last visit nobody takes any notice."""
    now = START
    late, excused, taken_on, off, patient_off, given_up, moved, no_show, forgiven, _ = [
        await _visit(script, people) for _ in range(10)
    ]
    _held(script, late, now, 9 * MINUTE, 30 * MINUTE)
    script.at(now + 5 * HOUR, partial(late.settle, *ORDERS[1:]))
    script.at(now + 40 * HOUR, partial(late.waive, Obligation.PRESCRIPTIONS), partial(late.acknowledge, "note"))
    _held(script, excused, now, 12 * MINUTE, 25 * MINUTE)
    script.at(now + 2 * HOUR, excused.excuse, partial(excused.settle, *ORDERS, needed=False))
    script.at(now + 26 * HOUR, excused.write_note)
    script.at(now + 3 * HOUR, partial(taken_on.acknowledge, "absence"), forgiven.excuse)
    script.at(now - 95 * MINUTE, partial(off.cancel, off.clinician), patient_off.cancel)
    script.at(now + 8 * MINUTE, given_up.cancel, partial(moved.reschedule, 28 * HOUR))
    _held(script, moved, now + 28 * HOUR, 4 * MINUTE, 16 * MINUTE)
    script.at(now + MINUTE, no_show.join)
    script.at(now + 2 * MINUTE, no_show.call)
    script.at(now + 4 * MINUTE, no_show.call)
    script.at(now + 7 * MINUTE, no_show.flag)


def _held(script: Script, visit: Appointment, begins: timedelta, joins: timedelta, ends: timedelta) -> None:
    script.at(begins + joins, visit.both_join)
    script.at(begins + ends, visit.complete)


async def _visit(script: Script, people: People) -> Appointment:
    visit = Appointment(script.world, people)
    await visit.place(script.began + START - await visit.now())
    script.cases.append(visit.case_id)
    return visit


async def _messages(script: Script, people: People) -> None:
    prompt, slow, dropped, waived, waiting = [Thread(script.world, people) for _ in range(5)]
    desk = Thread(script.world, people, ThreadSource.PROVIDER_SUCCESS)
    for thread in (prompt, slow, dropped, waived, waiting, desk):
        await thread.open()
        script.cases.append(thread.case_id)
    script.at(HOUR, prompt.reply, dropped.close, desk.reply)
    script.at(3 * HOUR, prompt.receive, dropped.reopen)
    script.at(4 * HOUR, prompt.receive, waived.waive)
    script.at(26 * HOUR, slow.reply, prompt.reply, waiting.acknowledge)
    script.at(28 * HOUR, dropped.close, desk.receive)
    script.at(60 * HOUR, slow.receive)


async def _information(script: Script, people: People) -> None:
    """Asked for twice: once given in time, once late. And by a specialist who gave up on it, so that another asked."""
    given, another = Consult(script.world, people), Consult(script.world, people)
    for consult in (given, another):
        await consult.place()
        await consult.pay()
        await consult.accept()
        script.cases.append(names.econsult_case(consult.econsult_id))
        script.at(HOUR, consult.request_information)
    script.at(5 * HOUR, given.provide_information)
    script.at(6 * HOUR, given.request_information)
    script.at(79 * HOUR, given.provide_information)
    script.at(75 * HOUR, another.decline, another.accept, another.request_information)


async def test_every_figure_is_that_of_the_histories(world: Rehearsal) -> None:
    people = await invite_people(world.database)
    other = replace(people, clinician=await _another_clinician(world))
    script = Script(world, await world.env.get_current_time())
    await _visits_of_a_careful_clinician(script, other)
    await _visits_of_a_careless_clinician(script, people)
    await _messages(script, people)
    await _information(script, people)
    await script.play(until=80 * HOUR)

    recounts = {
        owner: Recount(await world.env.get_current_time()) for owner in (other.clinician.id, people.clinician.id, "")
    }
    for case_id in script.cases:
        life = await read_life(world.client, case_id)
        recounts[life.order["clinician_id"]].add(life)
        recounts[""].add(life)
    _lived_through_everything(recounts[""])

    whole = Period.of(script.began - DAY, script.began + 4 * DAY)
    for period in (whole, Period.of(script.began + 3 * HOUR, script.began + 40 * HOUR)):
        async with world.database.transaction() as session:
            cards = dict(await scorecard.of_clinicians(session, period, after=None, limit=None))
            cards[""] = await scorecard.overall(session, period)
        assert set(cards) == set(recounts)
        for owner, recount in recounts.items():
            _is_that_of(recount, cards[owner], period)


async def _another_clinician(world: Rehearsal) -> Clinician:
    async with world.database.transaction() as session:
        clinician = Clinician(
            subject=new_id(), name="D", email="d@example.com", time_zone="America/Denver", licence_states=["IL"]
        )
        session.add(clinician)
    return clinician


def _lived_through_everything(recount: Recount) -> None:
    """Otherwise the comparison would say little."""
    assert {fate for _, fate in recount.fates} == {"attended_on_time", "late", "absent", "called_off", "excused"}
    assert {clock.sla for clock in recount.clocks} == set(Sla)
    assert {clock.came for clock in recount.clocks} == {"met", "late", "waived", "open"}
    assert {acknowledged for _, acknowledged in recount.levels} == {True, False}
    assert len({level for level, _ in recount.levels}) > 1


def _is_that_of(recount: Recount, card: Scorecard, period: Period) -> None:
    start, until = period.start, period.until
    assert card.attendance == Attendance(**recount.attendance(start, until))
    for figures in card.slas:
        expected = recount.counts(figures.name, start, until) | recount.times(figures.name, start, until)
        assert figures.model_dump(exclude={"name", "percent_met"}, exclude_none=True) == _zeros | expected, figures.name
    found = {
        (each.level, acknowledged): number
        for each in card.open_escalations
        for acknowledged, number in ((False, each.unacknowledged), (True, each.acknowledged))
        if number
    }
    assert found == recount.escalations()
    for point in card.trend:
        monday = start.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=start.weekday())
        first = monday + (point.starts_on - monday.date())
        week = max(first, start), min(first + 7 * DAY, until)
        assert point.attendance == Attendance(**recount.attendance(*week))
        assert [_counted(counts.model_dump()) for counts in point.slas] == [
            _counted(recount.counts(name, *week)) for name in Sla
        ]


_zeros = dict.fromkeys(("met", "late", "waived", "open", "timed"), 0)


def _counted(counts: dict[str, Any]) -> dict[str, int]:
    return {name: counts.get(name, 0) for name in ("met", "late", "waived", "open")}
