"""The eConsult as FHIR R4 (api/fhir.py)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api import fhir
from api.fhir import EConsultFhirView, FhirDocument
from domain.econsult.states import Stage
from domain.econsult.submission import Purpose
from domain.errors import Invalid
from domain.specialties import CodeSystem

ORDERED = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
REPLY = FhirDocument(
    id="doc-1", version=1, title="Specialist response", created_at=ORDERED + timedelta(days=1), content=b"impression"
)
ADDENDUM = FhirDocument(id="doc-1", version=2, title="Addendum", created_at=ORDERED + timedelta(days=3))

VIEW = EConsultFhirView(
    econsult_id="0195f3c0-0000-7000-8000-000000000001",
    patient_id="patient-1",
    clinician_id="clinician-1",
    visit_id="visit-1",
    specialty_code="207RC0000X",
    specialty_system=CodeSystem.NUCC,
    specialty_display="Cardiovascular Disease",
    purpose=Purpose.REFERRAL_DECISION,
    state=Stage.FOLLOW_UP_WINDOW,
    created_at=ORDERED,
    paid_at=ORDERED + timedelta(hours=1),
    replied_at=ORDERED + timedelta(days=1),
    specialist_id="specialist-1",
    documents=(ADDENDUM, REPLY),
    question="Is a referral to cardiology needed?",
    history="Palpitations for two weeks.",
)

# The required value sets of R4: http://hl7.org/fhir/R4/valueset-request-status.html and valueset-task-status.html
REQUEST_STATUSES = {"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"}
TASK_STATUSES = {
    *("draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold"),
    *("failed", "completed", "entered-in-error"),
}


def with_(**changes: object) -> EConsultFhirView:
    return VIEW.model_copy(update=changes)


def rendered(view: EConsultFhirView = VIEW) -> dict[str, Any]:
    return fhir.bundle(view, base_url="https://carewave.example/fhir")


@pytest.mark.parametrize("state", Stage)
def test_every_state_maps_to_statuses_that_r4_knows(state: Stage) -> None:
    view = with_(state=state)
    assert fhir.service_request(view)["status"] in REQUEST_STATUSES
    assert fhir.task(view)["status"] in TASK_STATUSES
    assert fhir.task(view)["businessStatus"]["coding"][0]["code"] == state


@pytest.mark.parametrize(
    ("state", "request_status", "task_status"),
    [
        (Stage.AWAITING_PAYMENT, "draft", "draft"),
        (Stage.PAID, "active", "requested"),
        (Stage.INFO_REQUESTED, "active", "on-hold"),
        (Stage.FOLLOW_UP_WINDOW, "active", "in-progress"),
        (Stage.SPECIALIST_UNAVAILABLE, "revoked", "failed"),
        (Stage.CLOSED, "completed", "completed"),
    ],
)
def test_says_whether_the_order_is_in_force_and_how_far_it_is(
    state: Stage, request_status: str, task_status: str
) -> None:
    view = with_(state=state)
    assert (fhir.service_request(view)["status"], fhir.task(view)["status"]) == (request_status, task_status)


@pytest.mark.parametrize(("replied_at", "status"), [(None, "revoked"), (ORDERED, "completed")])
def test_a_refund_revokes_only_a_consult_that_was_never_answered(replied_at: datetime | None, status: str) -> None:
    assert fhir.service_request(with_(state=Stage.REFUNDED, replied_at=replied_at))["status"] == status


def test_the_order_names_its_specialty_purpose_and_people() -> None:
    order = fhir.service_request(VIEW)
    assert order["intent"] == "order"
    assert order["identifier"] == [{"system": "urn:carewave:econsult", "value": VIEW.econsult_id}]
    assert order["performerType"]["coding"] == [{"system": "http://nucc.org/provider-taxonomy", "code": "207RC0000X"}]
    assert order["orderDetail"][0]["coding"][0]["code"] == "referral_decision"
    assert order["subject"]["identifier"] == {"system": "urn:carewave:patient", "value": "patient-1"}
    assert order["reasonCode"] == [{"text": VIEW.question}]


def test_our_own_specialty_codes_carry_our_own_system() -> None:
    order = fhir.service_request(with_(specialty_code="CW-HEADACHE", specialty_system=CodeSystem.CAREWAVE))
    assert order["performerType"]["coding"] == [{"system": "urn:carewave:specialty", "code": "CW-HEADACHE"}]


def test_the_task_lasts_from_payment_and_yields_the_documents_in_order() -> None:
    task = fhir.task(VIEW)
    assert task["executionPeriod"] == {"start": "2026-03-02T16:00:00Z"}
    assert task["lastModified"] == "2026-03-05T15:00:00Z"
    assert [output["valueReference"]["reference"] for output in task["output"]] == [
        "DocumentReference/doc-1-v1",
        "DocumentReference/doc-1-v2",
    ]


def test_a_new_order_has_neither_owner_period_nor_output() -> None:
    view = with_(state=Stage.AWAITING_PAYMENT, paid_at=None, replied_at=None, specialist_id=None, documents=())
    assert not {"owner", "executionPeriod", "output"} & set(fhir.task(view))
    assert "performer" not in fhir.service_request(view)


def test_an_addendum_appends_to_the_version_before_it_and_leaves_it_current() -> None:
    reply, addendum = fhir.document_references(VIEW)
    assert "relatesTo" not in reply
    assert reply["status"] == addendum["status"] == "current"
    assert addendum["relatesTo"] == [{"code": "appends", "target": {"reference": "DocumentReference/doc-1-v1"}}]
    assert {reply["docStatus"], addendum["docStatus"]} == {"final"}


def test_a_correction_replaces_and_supersedes_the_version_before_it() -> None:
    correction = ADDENDUM.model_copy(update={"replaces_prior": True})
    reply, corrected = fhir.document_references(with_(documents=(REPLY, correction)))
    assert (reply["status"], corrected["status"]) == ("superseded", "current")
    assert corrected["relatesTo"][0]["code"] == "replaces"


def test_content_is_inlined_only_where_it_is_given() -> None:
    reply, addendum = (document["content"][0]["attachment"] for document in fhir.document_references(VIEW))
    assert base64.b64decode(reply["data"]) == b"impression"
    assert reply["size"] == len(b"impression")
    assert "data" not in addendum


def test_references_inside_a_bundle_resolve() -> None:
    bundle = rendered()
    assert Bundle.model_validate(bundle).model_dump_json()
    urls = {entry["fullUrl"].removeprefix("https://carewave.example/fhir/") for entry in bundle["entry"]}
    assert urls == {
        f"ServiceRequest/{VIEW.econsult_id}",
        f"Task/{VIEW.econsult_id}",
        "DocumentReference/doc-1-v1",
        "DocumentReference/doc-1-v2",
    }
    assert _references(bundle) <= urls


def _references(node: object) -> set[str]:
    if isinstance(node, list):
        return {found for child in node for found in _references(child)}
    if not isinstance(node, dict):
        return set()
    own = {node["reference"]} if "reference" in node else set()
    return own.union(*(_references(child) for child in node.values()))


@given(st.none() | st.text(), st.none() | st.text(), st.none() | st.binary(max_size=64))
def test_any_text_and_content_render_to_valid_resources(
    question: str | None, history: str | None, content: bytes | None
) -> None:
    document = REPLY.model_copy(update={"content": content})
    assert rendered(with_(question=question, history=history, documents=(document,)))["type"] == "collection"


def test_an_invalid_resource_is_refused_without_quoting_it() -> None:
    with pytest.raises(Invalid) as refusal:
        fhir.service_request(with_(econsult_id="Jane Q Marker"))
    assert refusal.value.code == "fhir.invalid"
    assert "Marker" not in refusal.value.detail
    assert refusal.value.__suppress_context__


def test_refuses_times_without_a_zone() -> None:
    with pytest.raises(ValidationError):
        EConsultFhirView.model_validate(VIEW.model_dump() | {"created_at": datetime(2026, 3, 2)})  # noqa: DTZ001
