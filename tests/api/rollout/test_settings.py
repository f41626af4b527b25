"""Central settings hold everywhere, locations set what is theirs, what has drifted is listed (F-00 to F-13, P-13)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.front import Front, problem
from tests.api.rollout.programmes import admin, local, placed, regional, vendor

CENTRAL = "/rollouts/bright/settings"
AT_L00 = "/locations/l00/settings"
REMINDERS = "reminders.offsets_hours"
SIGNATURE = "branding.signature"


@pytest.fixture
async def house(front: Front) -> Front:
    await placed(front)
    return front


async def put(client: httpx.AsyncClient, url: str, key: str, value: Any) -> httpx.Response:
    return await client.put(f"{url}/{key}", json={"value": value})


async def value(client: httpx.AsyncClient, url: str, key: str) -> tuple[Any, str]:
    found = {one["key"]: one for one in (await client.get(url)).json()}
    return found[key]["value"], found[key]["origin"]


async def test_a_central_change_holds_at_every_location(house: Front) -> None:
    assert await value(local(house), AT_L00, REMINDERS) == ([48, 24, 2], "default")
    assert (await put(admin(house), CENTRAL, REMINDERS, [72, 2])).json()["origin"] == "central"
    assert await value(local(house), AT_L00, REMINDERS) == ([72, 2], "central")


@pytest.mark.parametrize("url", [CENTRAL, AT_L00])
async def test_a_location_administrator_sets_nothing_central(house: Front, url: str) -> None:
    assert problem(await put(local(house), url, REMINDERS, [1])) == (403, "setting.central")
    assert problem(await put(regional(house), url, REMINDERS, [1])) == (403, "setting.central")
    assert await value(local(house), AT_L00, REMINDERS) == ([48, 24, 2], "default")


async def test_nobody_sets_a_central_setting_for_one_location(house: Front) -> None:
    assert problem(await put(admin(house), AT_L00, REMINDERS, [1])) == (403, "setting.central")
    assert problem(await admin(house).delete(f"{AT_L00}/{REMINDERS}")) == (403, "setting.central")


async def test_a_location_sets_what_is_its_own_and_may_go_back(house: Front) -> None:
    key = "recall.interval_months"
    assert await value(local(house), AT_L00, key) == (6, "default")
    assert (await put(local(house), AT_L00, key, 4)).json()["value"] == 4
    await put(admin(house), CENTRAL, key, 9)
    assert await value(local(house), AT_L00, key) == (4, "local")
    assert await value(admin(house), "/locations/l01/settings", key) == (9, "central")
    gone = await local(house).delete(f"{AT_L00}/{key}")
    assert (gone.json()["value"], gone.json()["origin"]) == (9, "central")


async def test_locations_are_set_by_their_own_administrators_only(house: Front) -> None:
    key = "recall.interval_months"
    for client in (local(house, "l01"), regional(house, "south")):
        assert problem(await put(client, AT_L00, key, 4)) == (404, "location.unknown")
    assert (await put(regional(house, "north"), AT_L00, key, 4)).status_code == 200
    assert problem(await put(vendor(house), AT_L00, key, 4)) == (403, "auth.role_missing")


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        (REMINDERS, [0]),
        (REMINDERS, [24, 24]),
        (REMINDERS, "24"),
        ("hipaa.session_timeout_minutes", 61),
        ("hipaa.session_timeout_minutes", True),
        ("reviews.platforms", ["elsewhere"]),
        ("reviews.enabled", "yes"),
        ("messaging.quiet_from", "25:00"),
        ("brand.voice", ""),
        ("opt_out.honoured_business_days", 11),
    ],
)
async def test_values_keep_to_their_kind_and_limits(house: Front, key: str, wrong: Any) -> None:
    assert problem(await put(admin(house), CENTRAL, key, wrong)) == (422, "setting.value_invalid")


async def test_settings_that_are_not_in_the_catalogue_are_unknown(house: Front) -> None:
    assert problem(await put(admin(house), CENTRAL, "brand.colour", "red")) == (404, "setting.unknown")


async def test_local_branding_keeps_to_the_central_guidelines(house: Front) -> None:
    assert (await put(local(house), AT_L00, SIGNATURE, "Your team downtown")).status_code == 200
    for signature in ("Painless dentistry", "CHEAP!", "x" * 61):
        assert problem(await put(local(house), AT_L00, SIGNATURE, signature)) == (422, "setting.off_guideline")


async def drift(client: httpx.AsyncClient) -> set[tuple[str, str, str]]:
    report = (await client.get(f"{CENTRAL}/drift")).json()
    return {(one["location_id"], one["key"], one["kind"]) for one in report["items"]}


async def test_lists_what_is_in_use_instead_of_what_is_wanted(house: Front) -> None:
    await put(local(house), AT_L00, "two_way.phone", "+12025550161")
    seen = {REMINDERS: [24], "reviews.enabled": True, "two_way.phone": "+12025550199"}
    answer = await vendor(house).post(f"{AT_L00}/observed", json={"values": seen})
    assert {(one["key"], one["wanted"] == one["observed"]) for one in answer.json()} == {
        (REMINDERS, False),
        ("two_way.phone", False),
    }
    found = {("l00", REMINDERS, "central"), ("l00", "two_way.phone", "local")}
    assert await drift(admin(house)) == await drift(regional(house, "north")) == found
    assert await drift(regional(house, "south")) == await drift(local(house, "l01")) == set()
    never = (await admin(house).get(f"{CENTRAL}/drift")).json()["never_observed"]
    assert "l00" not in never
    assert "l01" in never


async def test_drift_goes_when_it_is_repaired_and_comes_with_a_new_baseline(house: Front) -> None:
    await admin(house).post(f"{AT_L00}/observed", json={"values": {REMINDERS: [24]}})
    assert await drift(admin(house))
    await admin(house).post(f"{AT_L00}/observed", json={"values": {REMINDERS: [48, 24, 2]}})
    assert await drift(admin(house)) == set()
    await put(admin(house), CENTRAL, REMINDERS, [72])
    assert await drift(admin(house)) == {("l00", REMINDERS, "central")}


async def test_branding_drifts_when_the_guidelines_change(house: Front) -> None:
    await put(local(house), AT_L00, SIGNATURE, "Your gentle team")
    assert await drift(admin(house)) == set()
    await put(admin(house), CENTRAL, "brand.forbidden_words", ["gentle"])
    assert await drift(admin(house)) == {("l00", SIGNATURE, "off_guideline")}


async def test_only_some_report_what_is_in_use(house: Front) -> None:
    seen = {"values": {REMINDERS: [24]}}
    assert problem(await local(house).post(f"{AT_L00}/observed", json=seen)) == (403, "auth.role_missing")
    wrong = {"values": {REMINDERS: ["soon"]}}
    assert problem(await vendor(house).post(f"{AT_L00}/observed", json=wrong)) == (422, "setting.value_invalid")
