"""The worker is killed with SIGKILL between any two steps of a life; the life is the same."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import NoResultFound
from temporalio.client import Client

from crypto import Keyring
from db.session import Database
from domain import names
from domain.clock import ClockPolicy, Milestone, MilestoneKind
from domain.econsult.states import Stage
from domain.econsult.view import EConsultSnapshot
from domain.names import CARE_QUEUE, TaskQueue
from domain.policy import EConsultPolicy
from domain.visit.states import NoteStatus, VisitStage
from embedded.rehearsal import PUBLIC_URL, STRIPE_KEY, Rehearsal, real_time
from embedded.stripe_sandbox.app import create_app
from embedded.temporal_servers import DevServer
from temporal_client import data_converter, register_search_attributes
from tests.adapters.loopback import serve
from tests.crash.restarting import GIVE_UP, restarted_workers
from tests.crash.worker_process import WorkerSettings
from tests.workflows.consult import Consult, deliver_to, invite_people
from tests.workflows.visit import ORDERS, Appointment
from workflows.econsult.workflow import EConsult
from workflows.visit.workflow import Visit

pytestmark = pytest.mark.crash


async def test_a_life_survives_a_kill_between_any_two_steps(
    database: Database, database_url: str, data_keys: str, keyring: Keyring, tmp_path: Path
) -> None:
    places: list[Rehearsal] = []
    with DevServer() as server:
        client = await Client.connect(server.address, data_converter=data_converter(keyring))
        await register_search_attributes(client)
        async with real_time(client, database, keyring, deliver_to(places)) as world:
            places.append(world)
            async with serve(create_app(world.stripe)) as stripe_url:
                settings = WorkerSettings(
                    temporal_address=server.address,
                    database_url=database_url,
                    stripe_url=stripe_url,
                    stripe_key=STRIPE_KEY,
                    keys=data_keys,
                    public_url=PUBLIC_URL,
                    marks=tmp_path,
                )
                async with restarted_workers(settings) as deaths:
                    people = await invite_people(database)
                    consult, visit = HastyConsult(world, people), HastyVisit(world, people)
                    await asyncio.gather(live(consult), live_visit(visit))
                    assert len(deaths) >= 25
                    assert set(deaths) == {-9}
                await check(consult)
                await check_visit(visit)


@dataclass
class HastyConsult(Consult):
    """The follow-up window is seconds long, and the server gives a dead worker up soon."""

    async def place(self) -> None:
        self.policy = self.policy.model_copy(update={"follow_up_window": _window(self.policy)})
        await self.insert_order()
        await self.world.client.start_workflow(
            EConsult.run,
            self.order,
            id=names.econsult_case(self.econsult_id),
            task_queue=TaskQueue.ECONSULTS,
            task_timeout=GIVE_UP,
        )
        await self.status()

    async def status(self) -> EConsultSnapshot:
        """From the database: a query would wait for a worker that is just being killed."""
        for _ in range(1000):
            with contextlib.suppress(NoResultFound):
                return await self.recorded()
            await asyncio.sleep(0.02)
        raise AssertionError("nothing was recorded")

    async def happened(self, event: str, times: int = 1) -> list[str]:
        for _ in range(1000):
            if (events := await self.events()).count(event) >= times:
                return events
            await asyncio.sleep(0.02)
        raise AssertionError(f"{event} did not happen: {events}")


class HastyVisit(Appointment):
    """It begins at once."""

    async def start(self) -> None:
        await self.world.client.start_workflow(
            Visit.run, self.order, id=self.case_id, task_queue=CARE_QUEUE, task_timeout=GIVE_UP
        )
        for _ in range(1000):
            if await self.steps():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("nothing was recorded")


def _window(policy: EConsultPolicy) -> ClockPolicy:
    end = Milestone(name="window_closed", kind=MilestoneKind.END, after=timedelta(seconds=8))
    return policy.follow_up_window.model_copy(update={"milestones": (end,)})


async def live(consult: HastyConsult) -> None:
    await consult.place()
    await consult.pay()
    await consult.happened("fee_booked")
    await consult.happened("assigned")
    await consult.decline()
    await consult.happened("assigned", times=2)
    await consult.accept()
    await consult.reply(in_person=True)
    await consult.answer(await consult.ask())
    await consult.decide_refund(await consult.request_refund(), 4000)
    await consult.happened("refunded")
    await consult.happened("closed")


async def live_visit(visit: HastyVisit) -> None:
    await visit.place(ahead=timedelta())
    await visit.both_join()
    note = await visit.write_note(NoteStatus.DRAFT)
    await visit.complete()
    await visit.save_note(note, NoteStatus.COMPLETE)
    await visit.settle(*ORDERS)
    await visit.happened("visit_closed")


async def check_visit(visit: HastyVisit) -> None:
    steps = await visit.steps()
    assert [(step.sequence, step.event) for step in steps] == list(
        enumerate(
            [
                "visit_scheduled",
                "clinician_joined",
                "patient_joined",
                "note_saved",
                "visit_completed",
                "note_saved",
                *["obligation_settled"] * len(ORDERS),
                "visit_closed",
            ],
            start=1,
        )
    )
    assert (await visit.recorded()).stage is VisitStage.CLOSED_COMPLIANT
    assert (await visit.notices()).count(("patient", "note_shared")) == 1


async def check(consult: Consult) -> None:
    steps = await consult.steps()
    assert [step.sequence for step in steps] == list(range(1, len(steps) + 1))
    events = [step.event for step in steps]
    for once in ("ordered", "paid", "fee_booked", "response_ready", "question_asked", "refunded", "closed"):
        assert events.count(once) == 1, once
    assert (await consult.recorded()).stage is Stage.CLOSED
    assert await consult.balances() == {
        "processor_balance": 14000 - 436 - 4000,
        "processor_fees": 436,
        "refunds_granted": 4000,
        "network_payable": -12000,
        "clinician_payable": -2000,
    }
    assert [document.version for document in await consult.documents()] == [1, 2]
    letters = await consult.notices()
    for letter in (("patient", "payment_link"), ("clinician", "response_ready"), ("patient", "refunded")):
        assert letters.count(letter) == 1, letter
