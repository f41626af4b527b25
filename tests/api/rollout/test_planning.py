"""Readiness is kept with its author, plans are made and explained, and nothing is started by asking."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest
from sqlmodel import select

from api.rollout_files import order_of
from db import programs
from db.programs import Placing
from db.tables import ReadinessEntry, RolloutLocation
from domain import names
from domain.access import Role
from domain.actors import Actor
from domain.names import Process
from domain.rollout.people import Function
from domain.rollout.program import LocationFacts, Programme
from tests.api.front import Front, problem
from tests.domain.rollout.groups import POLICY, by_hand, group, programme
from tests.rollout_files import file
from tests.rollout_rows import PROGRAM, Group
from wave_planner import plan

SCORE = {"scores": [{"factor": "champion", "score": 1, "reason": "She leaves in May."}]}


@pytest.fixture
async def placed(front: Front) -> Group:
    """15 locations: l00 to l05 are ready for the pilot."""
    return await place(front, programme(*group(15), program_id=PROGRAM))


async def place(front: Front, told: Programme) -> Group:
    order = order_of(told, plan(told, POLICY), POLICY, Actor(role="it_lead", id="it-1"))
    async with front.database.transaction() as session:
        await programs.place(session, told, order, Placing(subject="it", key="k-1"))
    people = Group(front.database)
    await people.hire(Function.IT_LEAD, "it")
    await people.hire(Function.VP_OPERATIONS, "vp")
    await people.hire(Function.REGIONAL_MANAGER, "regional", region="north")
    await people.hire(Function.CHAMPION, "champion", location_id="l00")
    return people


def it(front: Front) -> httpx.AsyncClient:
    return front.as_("it", Role.SYSTEM_ADMIN)


def regional(front: Front) -> httpx.AsyncClient:
    return front.as_("regional", Role.REGIONAL_ADMIN)


async def facts_of(front: Front, location_id: str) -> LocationFacts:
    async with front.database.transaction() as session:
        return LocationFacts.model_validate((await session.get_one(RolloutLocation, location_id)).facts)


async def entries(front: Front) -> list[ReadinessEntry]:
    async with front.database.transaction() as session:
        return list((await session.exec(select(ReadinessEntry))).all())


async def post(client: httpx.AsyncClient, path: str, body: dict[str, Any], key: str = "") -> httpx.Response:
    return await client.post(path, json=body, headers={"Idempotency-Key": key} if key else {})


async def test_a_score_by_hand_counts_and_keeps_its_author(front: Front, placed: Group) -> None:
    answer = await post(regional(front), "/locations/l00/readiness", SCORE)
    assert answer.status_code == 200
    champion = answer.json()["scores"][4]
    (entry,) = await entries(front)
    assert (champion["score"], champion["author"]) == (1, entry.author)
    assert answer.json()["composite"] == "3.60"  # 4.20 less .15 for each of four points
    read = (await regional(front).get("/locations/l00/readiness")).json()
    assert read["assessment"] == answer.json()
    assert [(one["entry_id"], one["composite"], one["band"]) for one in read["entries"]] == [
        (entry.id, "3.60", "wave_2")
    ]


async def test_facts_measured_anew_are_scored_with_their_reasons(front: Front, placed: Group) -> None:
    body = {"withdrawn": ["it"], "facts": {"network": {"down_mbps": "40", "up_mbps": "20", "it_managed": True}}}
    answer = (await post(it(front), "/locations/l00/readiness", body)).json()
    assert answer["scores"][0]["score"] == 3
    decisive = [one for one in answer["scores"][0]["reasons"] if one["decisive"]]
    assert decisive == [{"code": "bandwidth_mbps", "measured": "40", "allows": 3, "met": False, "decisive": True}]
    assert (await facts_of(front, "l00")).network.down_mbps == 40


async def test_an_entry_is_made_once_for_its_key(front: Front, placed: Group) -> None:
    for _ in range(2):
        assert (await post(it(front), "/locations/l00/readiness", SCORE, key="k-1")).status_code == 200
    assert len(await entries(front)) == 1
    other = {"scores": [{**SCORE["scores"][0], "score": 2}]}
    refused = await post(it(front), "/locations/l00/readiness", other, key="k-1")
    assert problem(refused) == (422, "request.idempotency_key_reused")
    assert (await facts_of(front, "l00")).scores[-1].score == 1


@pytest.mark.parametrize(
    ("subject", "role", "location_id", "wanted"),
    [
        ("regional", Role.REGIONAL_ADMIN, "l01", (404, "location.unknown")),  # of the south
        ("champion", Role.LOCATION_ADMIN, "l00", (403, "auth.role_missing")),
        ("stranger", Role.SYSTEM_ADMIN, "l00", (404, "location.unknown")),
        ("it", Role.SYSTEM_ADMIN, "nowhere", (404, "location.unknown")),
    ],
)
async def test_who_may_not_score(
    front: Front, placed: Group, subject: str, role: Role, location_id: str, wanted: tuple[int, str]
) -> None:
    answer = await post(front.as_(subject, role), f"/locations/{location_id}/readiness", SCORE)
    assert problem(answer) == wanted
    assert await entries(front) == []


async def test_the_matrix_has_each_factor_and_the_recommended_wave(front: Front, placed: Group) -> None:
    answer = (await it(front).get(f"/rollouts/{PROGRAM}/readiness")).json()
    assert len(answer["items"]) == 15
    assert answer["items"][0]["location_id"] == "l04"
    text = (await it(front).get(f"/rollouts/{PROGRAM}/readiness?format=csv")).text
    first = next(csv.DictReader(io.StringIO(text)))
    assert first == {
        "location_id": "l04",
        "it": "5",
        "staff": "5",
        "volume": "2",
        "tech_stack": "5",
        "champion": "5",
        "composite": "4.40",
        "band": "wave_1",
        "recommended_wave": "1",
        "planned_wave": "1",
    }


async def test_a_regional_manager_sees_the_region(front: Front, placed: Group) -> None:
    answer = (await regional(front).get(f"/rollouts/{PROGRAM}/readiness")).json()
    assert {one["region"] for one in answer["items"]} == {"north"}
    seen = (await regional(front).get(f"/rollouts/{PROGRAM}/plan")).json()
    assert {one for wave in seen["waves"] for one in wave["locations"]} == {f"l{place:02}" for place in range(0, 15, 3)}


async def test_the_plan_that_is_followed_is_the_one_of_the_process(front: Front, placed: Group) -> None:
    before = (await it(front).get(f"/rollouts/{PROGRAM}/plan")).json()
    assert [len(wave["locations"]) for wave in before["waves"]] == [2, 5, 8]
    followed = {**before, "version": 7}
    await placed.stands(Process.ROLLOUT, names.rollout_case(PROGRAM), plan=followed)
    assert (await it(front).get(f"/rollouts/{PROGRAM}/plan")).json() == followed


async def test_why_not_says_the_rule_and_the_waiver_that_would_help(front: Front, placed: Group) -> None:
    path = f"/rollouts/{PROGRAM}/plan/why-not"
    barred = (await it(front).get(path, params={"location_id": "l12", "wave": 1})).json()
    assert [one["rule"] for one in barred["violations"]] == ["pilot_composite"]
    assert barred["waivers"] == [[{"rule": "pilot_composite", "location_id": "l12"}]]
    behind = (await it(front).get(path, params={"location_id": "l00", "wave": 1})).json()
    assert (behind["allowed"], [one["location_id"] for one in behind["ahead"]]) == (True, ["l04", "l05"])
    part = (await regional(front).get(path, params={"location_id": "l00", "wave": 1})).json()
    assert part["ahead"] == []
    unknown = await it(front).get(path, params={"location_id": "l00", "wave": 9})
    assert problem(unknown) == (422, "plan.wave_unknown")


async def test_what_if_answers_with_the_differences_and_changes_nothing(front: Front, placed: Group) -> None:
    body = {
        "changes": [{"location_id": "l04", **SCORE}],
        "moves": [{"location_id": "l14", "wave": None}],
    }
    path = f"/rollouts/{PROGRAM}/plan/what-if"
    answer = (await post(it(front), path, body)).json()
    assert answer["possible"]
    assert answer["plan"]["version"] == 2
    moved = {one["location_id"]: (one["from_wave"], one["to_wave"]) for one in answer["differences"]}
    assert moved["l04"][0] == 1
    assert moved["l14"][1] is None
    assert await entries(front) == []
    assert (await facts_of(front, "l04")).scores == by_hand(5, 5, 2, 5, 5)


async def test_what_if_explains_what_cannot_be(front: Front, placed: Group) -> None:
    path = f"/rollouts/{PROGRAM}/plan/what-if"
    answer = (await post(it(front), path, {"moves": [{"location_id": "l12", "wave": 1}]})).json()
    assert (answer["possible"], answer["plan"]) == (False, None)
    assert {one["rule"] for one in answer["explanation"]["conflicts"]} == {"moved", "pilot_composite"}
    assert answer["explanation"]["waivers"][0] == [{"rule": "pilot_composite", "location_id": "l12"}]
    waived = {"moves": [{"location_id": "l12", "wave": 1}], "waivers": answer["explanation"]["waivers"][0]}
    assert (await post(it(front), path, waived)).json()["possible"]


async def test_what_if_keeps_waves_that_have_started(front: Front, placed: Group) -> None:
    following = (await it(front).get(f"/rollouts/{PROGRAM}/plan")).json()
    started = {
        "number": 1,
        "started_at": "2026-01-26T15:00:00Z",
        "forecast_from": "2026-01-26",
        "forecast_to": "2026-02-13",
    }
    await placed.stands(Process.ROLLOUT, names.rollout_case(PROGRAM), plan=following, waves=[started])
    change = {"location_id": following["waves"][0]["locations"][0], **SCORE}
    answer = (await post(it(front), f"/rollouts/{PROGRAM}/plan/what-if", {"changes": [change]})).json()
    assert answer["plan"]["waves"][0]["locations"] == following["waves"][0]["locations"]
    assert answer["plan"]["waves"][0]["starts_on"] == "2026-01-26"
    assert answer["plan"]["waves"][1]["starts_on"] == "2026-02-23"


async def test_what_if_is_for_the_whole_programme(front: Front, placed: Group) -> None:
    path = f"/rollouts/{PROGRAM}/plan/what-if"
    assert problem(await post(regional(front), path, {})) == (403, "auth.role_missing")
    unknown = {"changes": [{"location_id": "nowhere", **SCORE}]}
    assert problem(await post(it(front), path, unknown)) == (404, "location.unknown")


async def test_a_file_with_faults_is_not_planned(front: Front) -> None:
    answer = await front.as_("it", Role.SYSTEM_ADMIN).post("/rollouts/plan", json={"name": "Bright"})
    assert problem(answer) == (422, "program.faulty")


async def test_a_file_is_planned_without_being_stored(front: Front) -> None:
    client = front.as_("it", Role.SYSTEM_ADMIN)
    answer = await client.post("/rollouts/plan", json=file(30))
    assert answer.status_code == 200
    assert [len(wave["locations"]) for wave in answer.json()["plan"]["waves"]] == [3, 8, 12, 7]
    assert len(answer.json()["readiness"]) == 30
    async with front.database.transaction() as session:
        assert (await session.exec(select(RolloutLocation))).first() is None


async def test_a_file_that_no_plan_suits_is_explained(front: Front) -> None:
    client = front.as_("it", Role.SYSTEM_ADMIN)
    told = file(15)
    for one in told["locations"]:
        one["imaging"] = one["location_id"]  # no two are alike: each is as common as any other
        one["rollback_tolerable"] = one["location_id"] == "l00"
    answer = (await client.post("/rollouts/plan", json=told)).json()
    assert not answer["possible"]
    assert "pilot_rollback_tolerable" in {one["rule"] for one in answer["explanation"]["conflicts"]}
    assert {"rule": "pilot_rollback_tolerable", "location_id": "l05"} in answer["explanation"]["waivers"][0]
