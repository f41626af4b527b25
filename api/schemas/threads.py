"""Threads of messages as people see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.acts import Text
from api.values import EXAMPLE_ID, RecordId
from db.tables import ThreadMessage
from db.threads import ThreadCase
from domain.actors import Actor
from domain.case import ClockView, WaitsFor
from domain.clock import SlaState
from domain.threads import Direction, ThreadKind, ThreadSource, ThreadStage, WaiveReason

SupportSource = Literal["provider_success", "customer_support"]

_AT = "2026-03-02T16:20:00Z"
_DUE = "2026-03-03T16:20:00Z"


class NewThread(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"clinician_id": EXAMPLE_ID, "body": "May I take this with ibuprofen?"}]},
    )

    clinician_id: RecordId
    body: Text = Field(repr=False)
    source: SupportSource | None = Field(default=None, description="Support says in whose name it writes (M-02).")
    visit_id: RecordId | None = Field(default=None, description="The clinician's visit that it is about.")


class MessageText(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"body": "Yes, with food."}]})

    body: Text = Field(repr=False)


class Waiver(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "answered_elsewhere"}]})

    reason: WaiveReason


class ThreadView(BaseModel):
    """Without texts: those are read apart."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": EXAMPLE_ID,
                    "kind": "patient",
                    "source": "patient",
                    "clinician_id": EXAMPLE_ID,
                    "patient_id": EXAMPLE_ID,
                    "visit_id": None,
                    "state": "AWAITING_REPLY",
                    "opened_at": _AT,
                    "policy_version": "message-thread-2026.1",
                    "sequence": 1,
                    "waits_for": [{"who": "clinician", "what": "a reply to patient"}],
                    "unanswered_since": _AT,
                    "last_message_at": _AT,
                    "last_reply_at": None,
                    "closed_at": None,
                    "closed_by": None,
                    "next_deadline": _DUE,
                    "sla_state": "on_time",
                    "escalation_level": 0,
                    "clocks": [
                        {
                            "name": "reply",
                            "state": "on_time",
                            "running": True,
                            "armed_at": _AT,
                            "deadline": _DUE,
                            "breached_at": None,
                            "outcome": None,
                            "escalation_level": 0,
                            "acknowledged": False,
                            "may_breach": True,
                        }
                    ],
                }
            ]
        }
    )

    id: str
    kind: ThreadKind
    source: ThreadSource
    clinician_id: str
    patient_id: str | None
    visit_id: str | None
    state: ThreadStage
    opened_at: datetime
    policy_version: str = Field(description="The policy pinned into this thread.")
    sequence: int = Field(default=0, description="Steps recorded so far; 0 until the process has begun.")
    waits_for: tuple[WaitsFor, ...] = ()
    unanswered_since: datetime | None = Field(
        default=None, description="When the first message came that is not answered; closing does not answer it."
    )
    last_message_at: datetime | None = None
    last_reply_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: Actor | None = None
    next_deadline: datetime | None = None
    sla_state: SlaState = SlaState.ON_TIME
    escalation_level: int = 0
    clocks: tuple[ClockView, ...] = Field(default=(), description="`reply`, once armed: 24 hours (decision 09).")


def thread_view(case: ThreadCase) -> ThreadView:
    """The thread after its latest recorded step."""
    thread, snapshot = case.thread, case.snapshot
    fields: dict[str, Any] = {
        "opened_at": thread.created_at,
        "policy_version": thread.order["policy"]["version"],
        **(snapshot.model_dump() if snapshot else {}),
        **thread.model_dump(include={"id", "kind", "source", "clinician_id", "patient_id", "visit_id"}),
        "state": snapshot.stage if snapshot else ThreadStage.AWAITING_REPLY,
    }
    return ThreadView.model_validate(fields)


class ThreadMessageView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    direction: Direction = Field(description="As the clinician sees it.")
    author_role: str
    author_id: str
    accepted_at: datetime
    body: str = Field(repr=False)


class ThreadMessagePage(BaseModel):
    items: list[ThreadMessageView]
    next_cursor: int | None = Field(default=None, description="Give it as `cursor` for what follows; null at the end.")


def message_page(found: list[ThreadMessage], limit: int) -> ThreadMessagePage:
    """Of one more than fit on it, if there are."""
    shown = found[:limit]
    return ThreadMessagePage(
        items=[ThreadMessageView.model_validate(message) for message in shown],
        next_cursor=shown[-1].sequence if len(found) > limit else None,
    )
