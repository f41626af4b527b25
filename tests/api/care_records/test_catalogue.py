"""The catalogue of specialties, the guide, and that each route of this area names its roles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.auth import roles_by_route
from db.tables import EConsult
from domain.access import Role
from domain.econsult.submission import Purpose
from embedded import seed
from tests.api.care_records.conftest import House, problem

ECONSULT = "01940000-0000-7000-8000-0000000000e1"
ALL_ROLES = list(Role)


@pytest.mark.parametrize("role", ALL_ROLES)
async def test_any_role_searches_the_specialties(house: House, role: Role) -> None:
    found = (await house.as_("anyone", role).get("/specialties", params={"q": "cardiology", "limit": 2})).json()
    assert found["items"][0]["code"] == seed.CARDIOLOGY
    assert len(found["items"]) == 2


async def test_lists_the_whole_catalogue_when_asked_for_enough(house: House) -> None:
    everything = (await house.clinician.get("/specialties", params={"limit": 500})).json()["items"]
    assert len(everything) >= 140
    assert (await house.clinician.get("/specialties", params={"q": "xyzzy"})).json()["items"] == []


async def test_shows_one_specialty_and_refuses_an_unknown_one(house: House) -> None:
    assert (await house.patient.get(f"/specialties/{seed.CARDIOLOGY}")).json()["code"] == seed.CARDIOLOGY
    assert problem(await house.patient.get("/specialties/nope")) == (404, "specialty.unknown")


async def order_at(house: House, portion_cents: int) -> None:
    async with house.database.transaction() as session:
        session.add(
            EConsult(
                id=ECONSULT,
                visit_id=seed.VISIT_COMPLETED,
                patient_id=seed.PATIENT,
                clinician_id=seed.CLINICIAN,
                idempotency_key="k",
                request_hash="h",
                specialty_code=seed.CARDIOLOGY,
                purpose="bridge",
                note_ids=[],
                attachment_ids=[],
                question="q",
                history="h",
                expectations_acknowledged_by="patient",
                expectations_acknowledged_at=datetime(2026, 3, 2, tzinfo=UTC),
                network_fee_cents=12_000,
                clinician_portion_cents=portion_cents,
                currency="usd",
                order={},
            )
        )


async def test_the_guide_has_the_default_price_before_an_order(house: House) -> None:
    guide = (await house.as_("anyone", Role.SUPPORT).get("/econsults/guide")).json()
    assert (guide["price_cents"], guide["price"]) == (14_000, "$140")
    assert [purpose["code"] for purpose in guide["purposes"]] == list(Purpose)
    assert len(guide["faq"]) == 7
    answers = {entry["id"]: entry["answer"] for entry in guide["faq"]}
    assert "$140" in answers["cost"]
    assert guide["support_contact"] in answers["refund"]
    assert guide["submission_guide_url"].startswith("https://")


async def test_the_guide_has_the_price_of_the_callers_order(house: House) -> None:
    await order_at(house, 4_550)
    for caller in (house.patient, house.clinician, house.operations):
        guide = (await caller.get("/econsults/guide", params={"econsult_id": ECONSULT})).json()
        [cost] = [entry["answer"] for entry in guide["faq"] if entry["id"] == "cost"]
        assert (guide["price_cents"], guide["price"]) == (16_550, "$165.50")
        assert "$165.50" in cost
    for other in (house.other_patient, house.other_clinician, house.specialist):
        refused = await other.get("/econsults/guide", params={"econsult_id": ECONSULT})
        assert problem(refused) == (404, "econsult.unknown")


async def test_every_route_names_its_roles(house: House) -> None:
    roles = {route: found for route, found in roles_by_route(house.app).items() if "/dev/" not in route}
    assert roles
    assert not [route for route, found in roles.items() if not found]


async def test_every_route_is_described_with_its_refusals(house: House) -> None:
    for path in house.app.openapi()["paths"].values():
        for operation in path.values():
            assert operation["summary"]
            assert {"401", "403"} <= operation["responses"].keys()
