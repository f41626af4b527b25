"""An eConsult as FHIR R4 resources: ServiceRequest, Task, DocumentReference and a Bundle of them.

Validated with the R4B models of fhir.resources, which are the same as R4 for these resources. The models check shape
and required elements, not the bound value sets: tests hold the status codes against those. Importing them takes about
0.3 s once, no more than FastAPI itself, so they are imported at the top.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.documentreference import DocumentReference
from fhir.resources.R4B.fhirresourcemodel import FHIRResourceModel
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhir.resources.R4B.task import Task
from pydantic import AwareDatetime, Field, ValidationError

from domain.econsult.states import Stage
from domain.econsult.submission import Purpose
from domain.errors import Invalid
from domain.model import Value
from domain.specialties import CodeSystem

Json: TypeAlias = dict[str, Any]

_SPECIALTY_SYSTEMS = {
    CodeSystem.NUCC: "http://nucc.org/provider-taxonomy",
    CodeSystem.CAREWAVE: "urn:carewave:specialty",
}


class FhirDocument(Value):
    """One version of the eConsult's document: the reply first, later addenda after it (decision 14)."""

    id: str
    version: int = Field(ge=1)
    title: str
    created_at: AwareDatetime
    content: bytes | None = Field(default=None, repr=False)
    """None where the caller may know of the document but not read it here."""
    content_type: str = "text/plain"
    replaces_prior: bool = False
    """Whether this version stands in for the prior one instead of adding to it."""


class EConsultFhirView(Value):
    """All that the rendering needs; plain values, no records."""

    econsult_id: str
    patient_id: str
    clinician_id: str
    visit_id: str
    specialty_code: str
    specialty_system: CodeSystem
    specialty_display: str
    purpose: Purpose
    state: Stage
    created_at: AwareDatetime
    paid_at: AwareDatetime | None = None
    replied_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    specialist_id: str | None = None
    documents: tuple[FhirDocument, ...] = ()
    question: str | None = Field(default=None, repr=False)
    history: str | None = Field(default=None, repr=False)


class _Status(NamedTuple):
    request: str
    """ServiceRequest.status: whether the order is in force."""
    task: str
    """Task.status: how far its fulfilment is."""


# The request stays active until nothing more can be added: follow-up answers belong to the same consult (E-06).
_STATUSES: dict[Stage, _Status] = {
    Stage.AWAITING_PAYMENT: _Status("draft", "draft"),
    Stage.PAYMENT_EXPIRED: _Status("revoked", "cancelled"),
    Stage.CANCELLED: _Status("revoked", "cancelled"),
    Stage.PAID: _Status("active", "requested"),
    Stage.WITH_SPECIALIST: _Status("active", "in-progress"),
    Stage.INFO_REQUESTED: _Status("active", "on-hold"),
    Stage.RESPONSE_READY: _Status("active", "in-progress"),
    Stage.FOLLOW_UP_WINDOW: _Status("active", "in-progress"),
    Stage.AWAITING_FOLLOW_UP: _Status("active", "in-progress"),
    Stage.SPECIALIST_UNAVAILABLE: _Status("revoked", "failed"),
    Stage.REFUNDED: _Status("revoked", "cancelled"),
    Stage.CLOSED: _Status("completed", "completed"),
}


def service_request(view: EConsultFhirView) -> Json:
    """The order: a ServiceRequest by the treating clinician. Raises `Invalid` (`fhir.invalid`)."""
    resource = {
        "id": view.econsult_id,
        "identifier": [_identifier("econsult", view.econsult_id)],
        "status": _status(view).request,
        "intent": "order",
        "code": {"coding": [{"system": "urn:carewave:service", "code": "econsult"}], "text": "Specialist eConsult"},
        "orderDetail": [{"coding": [{"system": "urn:carewave:econsult-purpose", "code": view.purpose.value}]}],
        "subject": _logical("Patient", view.patient_id),
        "encounter": _logical("Encounter", view.visit_id),
        "authoredOn": view.created_at,
        "requester": _logical("Practitioner", view.clinician_id),
        "performerType": _specialty(view),
        "performer": _specialist(view),
        "reasonCode": _texts(view.question),
        "note": _texts(view.history),
    }
    return _render(ServiceRequest, resource)


def task(view: EConsultFhirView) -> Json:
    """The fulfilment: a Task whose businessStatus is our state. Raises `Invalid` (`fhir.invalid`)."""
    order = {"reference": f"ServiceRequest/{view.econsult_id}"}
    outputs = [
        {"type": {"text": "Specialist response"}, "valueReference": {"reference": f"DocumentReference/{_id(document)}"}}
        for document in _in_order(view)
    ]
    resource = {
        "id": view.econsult_id,
        "identifier": [_identifier("econsult-task", view.econsult_id)],
        "basedOn": [order],
        "status": _status(view).task,
        "businessStatus": {"coding": [{"system": "urn:carewave:econsult-state", "code": view.state.value}]},
        "intent": "order",
        "focus": order,
        "for": _logical("Patient", view.patient_id),
        "encounter": _logical("Encounter", view.visit_id),
        "executionPeriod": _filled({"start": view.paid_at, "end": view.closed_at}) if view.paid_at else None,
        "authoredOn": view.created_at,
        "lastModified": _last_modified(view),
        "requester": _logical("Practitioner", view.clinician_id),
        "performerType": [_specialty(view)],
        "owner": _logical("Practitioner", view.specialist_id) if view.specialist_id else None,
        "output": outputs or None,
    }
    return _render(Task, resource)


def document_reference(view: EConsultFhirView, document: FhirDocument) -> Json:
    """One version of the specialist's written response. Raises `Invalid` (`fhir.invalid`).

    Each version refers to the one before it: an addendum appends, a correction replaces and supersedes.
    """
    prior, later = _neighbours(view, document)
    relation = "replaces" if document.replaces_prior else "appends"
    resource = {
        "id": _id(document),
        "masterIdentifier": _identifier("document", _id(document)),
        "status": "superseded" if later and later.replaces_prior else "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4", "display": "Consult note"}]},
        "subject": _logical("Patient", view.patient_id),
        "date": document.created_at,
        "author": _specialist(view),
        "relatesTo": [{"code": relation, "target": {"reference": f"DocumentReference/{_id(prior)}"}}]
        if prior
        else None,
        "content": [{"attachment": _attachment(document)}],
        "context": {
            "encounter": [_logical("Encounter", view.visit_id)],
            "related": [{"reference": f"ServiceRequest/{view.econsult_id}"}],
        },
    }
    return _render(DocumentReference, resource)


def document_references(view: EConsultFhirView) -> list[Json]:
    """All versions, oldest first."""
    return [document_reference(view, document) for document in _in_order(view)]


def bundle(view: EConsultFhirView, *, base_url: str) -> Json:
    """A collection of all of the above. `base_url` is where the FHIR resources are served, without a final slash.

    References inside resolve to entries of the bundle, through their full URLs.
    """
    resources = [service_request(view), task(view), *document_references(view)]
    entries = [
        {"fullUrl": f"{base_url}/{resource['resourceType']}/{resource['id']}", "resource": resource}
        for resource in resources
    ]
    content = {
        "identifier": _identifier("econsult", view.econsult_id),
        "type": "collection",
        "timestamp": _last_modified(view),
        "entry": entries,
    }
    return _render(Bundle, content)


def _status(view: EConsultFhirView) -> _Status:
    if view.state is Stage.REFUNDED and view.replied_at:
        return _STATUSES[Stage.CLOSED]  # the money went back, the consult had taken place
    return _STATUSES[view.state]


def _in_order(view: EConsultFhirView) -> list[FhirDocument]:
    return sorted(view.documents, key=lambda document: document.version)


def _neighbours(view: EConsultFhirView, document: FhirDocument) -> tuple[FhirDocument | None, FhirDocument | None]:
    """The versions just before and just after this one."""
    documents = _in_order(view)
    before = [other for other in documents if other.version < document.version]
    after = [other for other in documents if other.version > document.version]
    return (before[-1] if before else None), (after[0] if after else None)


def _last_modified(view: EConsultFhirView) -> AwareDatetime:
    times = (view.created_at, view.paid_at, view.replied_at, view.closed_at, *(d.created_at for d in view.documents))
    return max(time for time in times if time)


def _id(document: FhirDocument) -> str:
    return f"{document.id}-v{document.version}"


def _attachment(document: FhirDocument) -> Json:
    attachment = {"contentType": document.content_type, "title": document.title, "creation": document.created_at}
    if document.content is None:
        return attachment
    data = base64.b64encode(document.content).decode()
    return attachment | {"data": data, "size": len(document.content)}


def _identifier(kind: str, value: str) -> Json:
    return {"system": f"urn:carewave:{kind}", "value": value}


def _logical(resource_type: str, value: str) -> Json:
    """A reference by identifier: people and visits are not served as FHIR resources here."""
    return {"type": resource_type, "identifier": _identifier(resource_type.lower(), value)}


def _specialty(view: EConsultFhirView) -> Json:
    coding = {"system": _SPECIALTY_SYSTEMS[view.specialty_system], "code": view.specialty_code}
    return {"coding": [coding], "text": view.specialty_display}


def _specialist(view: EConsultFhirView) -> list[Json] | None:
    return [_logical("Practitioner", view.specialist_id)] if view.specialist_id else None


def _texts(text: str | None) -> list[Json] | None:
    """FHIR allows no control characters in strings but tab and line ends, and no empty strings."""
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", text or "").strip()
    return [{"text": clean}] if clean else None


def _filled(resource: Mapping[str, Any]) -> Json:
    return {name: value for name, value in resource.items() if value is not None}


def _render(model: type[FHIRResourceModel], resource: Mapping[str, Any]) -> Json:
    try:
        valid = model.model_validate(_filled(resource))
    except ValidationError as error:
        # Not chained: pydantic's message quotes its input, which holds health data.
        faults = ", ".join(sorted({".".join(map(str, fault["loc"])) for fault in error.errors()}))
        raise Invalid("fhir.invalid", f"{model.__name__} would not be valid: {faults}") from None
    rendered: Json = json.loads(valid.model_dump_json())
    return rendered
