"""Training over HTTP: champions, their certification, role groups, new hires, adoption."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from db.session import Database
from tests.api.rollout.preparing import (
    BACKUP,
    CHAMPION,
    DENTIST,
    ELSEWHERE,
    MANAGER,
    REGIONAL,
    SCORES,
    VENDOR,
    Preparing,
    preparing,
)
from tests.house import House, Person
from tests.rollout_rows import PROGRAM

HERE = "/locations/downtown/training"
GROUPS = ("front_desk", "providers", "clinical_staff", "office_managers")


@pytest.fixture
async def place(database: Database, data_keys: str, tmp_path: Path) -> AsyncIterator[Preparing]:
    async with preparing(database, data_keys, tmp_path) as found:
        yield found


async def train(house: House, person: Person = CHAMPION, group: str = "front_desk", done: int = 3) -> dict[str, Any]:
    answer = await house.ask(person, "PUT", f"{HERE}/groups/{group}", json={"trained": done, "total": 3})
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_champion_is_nominated_certified_and_trains_everybody(place: Preparing) -> None:
    house = place.house
    nominated = await place.nominate()
    assert nominated["champions"]["primary"]["score"] == "4.2"
    assert nominated["champions"]["primary"]["advice"] == []
    certified = await place.certify()
    assert certified["champions"]["primary"]["certification"]["quiz"]["passed"] is True
    await house.post(CHAMPION, f"{HERE}/champions/primary/certification", step="resource_kit")
    for group in GROUPS:
        view = await train(house, group=group)
    assert (view["trained"], view["total"], view["missing"]) == (12, 12, [])
    assert [one["minutes"] for one in view["groups"]] == [90, 45, 35, 90]


async def test_a_weak_champion_is_advised_against(place: Preparing) -> None:
    view = await place.nominate(scores=dict.fromkeys(SCORES, 2), tenure_months=3)
    assert view["champions"]["primary"]["advice"] == ["champion.score_low", "champion.tenure_short"]


async def test_the_quiz_is_retaken_until_more_than_80_percent(place: Preparing) -> None:
    await place.nominate()
    failed = await place.certify(percent="80")
    assert failed["missing"][0] == "training.certification"
    passed = await place.house.post(VENDOR, f"{HERE}/champions/primary/quiz", percent="80.5")
    assert passed["champions"]["primary"]["certification"]["quizzes"] == 2
    assert "training.certification" not in passed["missing"]


async def test_the_backup_comes_in_the_place_of_the_champion(place: Preparing) -> None:
    await place.nominate()
    await place.nominate("backup", BACKUP)
    view = await place.house.post(REGIONAL, f"{HERE}/champions/primary/replace", reason="left_the_location")
    assert view["champions"].keys() == {"primary"}
    assert view["champions"]["primary"]["member_id"] == place.members[BACKUP.subject]
    assert [one["reason"] for one in view["takeovers"]] == ["left_the_location"]


REFUSED: list[tuple[Person, str, dict[str, Any], str]] = [
    (CHAMPION, "champions", {"slot": "primary"}, "auth.role_missing"),
    (ELSEWHERE, "champions", {"slot": "primary"}, "location.unknown"),
    (MANAGER, "champions", {"slot": "primary", "subject": "manager-1"}, "champion.not_a_member"),
    (MANAGER, "champions", {"slot": "primary", "subject": "manager-2"}, "champion.not_a_member"),
    (MANAGER, "champions", {"slot": "primary", "scores": {"tenure": 4}}, "champion.scores_incomplete"),
    (MANAGER, "champions/primary/replace", {"reason": "left"}, "champion.none"),
    (CHAMPION, "champions/primary/certification", {"step": "e_learning"}, "champion.none"),
    (VENDOR, "champions/primary/quiz", {"percent": "90"}, "champion.none"),
    (CHAMPION, "adoption-reports", {"using": 1}, "training.not_champion"),
    (CHAMPION, "new-hires/01936c2e-9d3a-7c41-b8a5-2f6c0a1d4e7b/trained", {}, "new_hire.unknown"),
]


async def test_refuses_with_a_code(place: Preparing) -> None:
    found = []
    for person, path, body, _ in REFUSED:
        whole = nomination(place, **body) if path == "champions" else body
        found.append((await place.house.refused(person, "POST", f"{HERE}/{path}", json=whole))[1])
    assert found == [code for *_, code in REFUSED]


def nomination(place: Preparing, subject: str = CHAMPION.subject, **body: Any) -> dict[str, Any]:
    return {"member_id": place.members[subject], "scores": SCORES, "tenure_months": 12, **body}


async def test_courses_are_led_by_their_leaders(place: Preparing) -> None:
    house = place.house
    await place.nominate()
    counts = {"trained": 3, "total": 3}
    refused = await house.refused(CHAMPION, "PUT", f"{HERE}/groups/front_desk", json=counts)
    assert refused == (409, "training.not_certified")
    refused = await house.refused(DENTIST, "PUT", f"{HERE}/groups/front_desk", json=counts)
    assert refused == (403, "training.not_leader")
    assert (await train(house, DENTIST, "providers"))["trained"] == 3


async def test_a_new_hire_is_trained_within_a_week_of_the_first_local_day(place: Preparing) -> None:
    house = place.house
    await place.nominate()
    await place.certify()
    today = (await house.stage.rehearsal.env.get_current_time()).date()
    body = {"group": "front_desk", "starts_on": (today - timedelta(days=1)).isoformat()}
    view = await house.post(MANAGER, f"{HERE}/new-hires", **body)
    (hire,) = view["new_hires"]
    assert hire["starts_at"][11:13] in {"06", "07"}  # midnight in Denver
    trained = await house.post(CHAMPION, f"{HERE}/new-hires/{hire['hire_id']}/trained")
    assert trained["new_hires"][0]["trained_at"] is not None
    assert (trained["trained"], trained["total"]) == (1, 1)


async def test_the_champion_reports_and_attests_once_live(database: Database, data_keys: str, tmp_path: Path) -> None:
    async with preparing(database, data_keys, tmp_path, live=True) as place:
        house = place.house
        await place.nominate()
        await place.nominate("backup", BACKUP)
        await place.certify()
        await train(house)
        reported = await house.post(CHAMPION, f"{HERE}/adoption-reports", using=2, feedback="Slow on Mondays.")
        assert (reported["report"]["percent"], reported["reports"]) == ("66.66", 1)
        assert (await house.post(BACKUP, f"{HERE}/adoption-reports", using=3))["reports"] == 2
        refused = await house.refused(BACKUP, "POST", f"{HERE}/adoption-attestations", json={"using": 3})
        assert refused == (403, "training.not_champion")
        attested = await house.post(CHAMPION, f"{HERE}/adoption-attestations", using=3)
        assert attested["attestation"]["percent"] == "100.00"


async def test_everybody_reads_what_is_taught(place: Preparing) -> None:
    for person in (CHAMPION, DENTIST, VENDOR):
        taught = await place.house.read(person, f"/rollouts/{PROGRAM}/curriculum")
        assert [course["group"] for course in taught["courses"]] == list(GROUPS)
        assert taught["certification"]["quiz_pass_above_percent"] == "80"
