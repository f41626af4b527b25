"""The figures of a scorecard counted again, from nothing but what Temporal kept of the workflows.

It knows the requirements (care.md V-01 to V-12, M-01, M-02) and the inputs that people sent, and shares no code with
the records, the clocks or the SQL. Times are those at which a worker took an input up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

ALLOWANCE = timedelta(minutes=5)
GIVEN_UP = timedelta(minutes=30)
LIMITS = {
    "prescriptions": timedelta(hours=4),
    "labs": timedelta(hours=4),
    "imaging": timedelta(hours=4),
    "note": timedelta(hours=24),
    "reply": timedelta(hours=24),
    "information": timedelta(hours=72),
}


class Act(NamedTuple):
    name: str
    at: datetime
    asked: dict[str, Any]

    @property
    def role(self) -> str:
        return str(self.asked["actor"]["role"])


@dataclass
class Life:
    order: dict[str, Any]
    started_at: datetime
    acts: list[Act]

    def first(self, name: str, after: datetime | None = None, **asked: str) -> Act | None:
        return next(
            (
                act
                for act in self.acts
                if act.name == name and asked.items() <= act.asked.items() and (after is None or act.at >= after)
            ),
            None,
        )

    def acknowledged(self, clock: str) -> datetime | None:
        act = self.first("acknowledge_escalation", clock=clock)
        return act.at if act else None


class Measured(NamedTuple):
    """One clock, as it came out."""

    sla: str
    since: datetime
    came: str
    took: timedelta | None = None


@dataclass
class Recount:
    now: datetime
    fates: list[tuple[datetime, str]] = field(default_factory=list)
    """Start and fate of each appointment."""
    clocks: list[Measured] = field(default_factory=list)
    levels: list[tuple[int, bool]] = field(default_factory=list)
    """Level of each open breach, and whether it is acknowledged."""

    def add(self, life: Life) -> None:
        if "thread_id" in life.order:
            self._thread(life)
        elif "econsult_id" in life.order and "price" in life.order:
            self._econsult(life)
        else:
            self._visit(life)

    # -- visits

    def _visit(self, life: Life) -> None:
        starts_at, since = _time(life.order["starts_at"]), life.started_at
        for move in (act for act in life.acts if act.name == "reschedule"):
            if move.at > starts_at + ALLOWANCE:
                excused = life.first("excuse_absence", since)
                self._missed(starts_at, "absent", excused=excused is not None and excused.at < move.at)
            starts_at, since = _time(move.asked["starts_at"]), move.at
        self._appointment(life, starts_at, since)
        completed = life.first("complete")
        if completed:
            for obligation in ("prescriptions", "labs", "imaging", "note"):
                self._obligation(life, obligation, completed.at)

    def _appointment(self, life: Life, starts_at: datetime, since: datetime) -> None:
        excused = life.first("excuse_absence", since) is not None
        joined, cancelled = life.first("clinician_joined", since), life.first("cancel", since)
        allowed = starts_at + ALLOWANCE
        if joined and joined.at <= allowed:
            self.fates.append((starts_at, "attended_on_time"))
            self.clocks.append(Measured("join", starts_at, "met", joined.at - starts_at))
        elif joined:
            self._missed(starts_at, "late", excused=excused, took=joined.at - starts_at)
        elif cancelled and cancelled.role == "clinician":
            self.fates.append((starts_at, "excused" if excused else "called_off"))
        elif cancelled and cancelled.at > allowed:
            self._missed(starts_at, "absent", excused=excused)
        elif not cancelled and self.now > allowed:
            gone = self.now > starts_at + GIVEN_UP
            self._missed(starts_at, "absent" if gone else "late", excused=excused)
            if gone and not excused and not life.acknowledged("absence"):
                self._escalated(life, life.order["policy"]["absence"], "absence", starts_at + GIVEN_UP)
        elif not cancelled:
            self.clocks.append(Measured("join", starts_at, "open"))

    def _missed(self, starts_at: datetime, fate: str, *, excused: bool, took: timedelta | None = None) -> None:
        self.fates.append((starts_at, "excused" if excused else fate))
        self.clocks.append(Measured("join", starts_at, "waived" if excused else "late", None if excused else took))

    def _obligation(self, life: Life, name: str, since: datetime) -> None:
        done = life.first("save_note") if name == "note" else life.first("settle_obligation", obligation=name)
        waived = life.first("waive_obligation", obligation=name)
        ends = min((max(act.at, since) for act in (done, waived) if act), default=None)
        how = None if ends is None else "waived" if waived and waived.at == ends else "done"
        self._measure(life, name, name, life.order["policy"]["obligations"][name], since, ends, how)

    # -- threads and eConsults

    def _thread(self, life: Life) -> None:
        sla, rules = f"{life.order['kind']}_messages", life.order["policy"]["reply"]
        unanswered: datetime | None = life.started_at  # each thread under test is opened by who writes to the clinician
        runs_since: datetime | None = life.started_at
        for act in life.acts:
            how = {"reply": "done", "waive": "waived", "close": "dropped"}.get(act.name)
            if act.name in ("receive_message", "reopen"):
                unanswered = unanswered or (act.at if act.name == "receive_message" else None)
                runs_since = runs_since or (act.at if unanswered else None)
            elif how and runs_since:
                self._measure(life, "reply", sla, rules, runs_since, act.at, how)
                runs_since = None
            if how in ("done", "waived"):
                unanswered = None
        if runs_since:
            self._measure(life, "reply", sla, rules, runs_since, None, None)

    def _econsult(self, life: Life) -> None:
        ends = {"provide_information": "done", "decline_case": "dropped", "reassign": "dropped", "reply": "dropped"}
        since: datetime | None = None
        for act in life.acts:
            if act.name == "request_information":
                since = act.at
            elif since and act.name in ends:
                rules = life.order["policy"]["information"]
                self._measure(life, "information", "econsult_information", rules, since, act.at, ends[act.name])
                since = None
        if since:
            rules = life.order["policy"]["information"]
            self._measure(life, "information", "econsult_information", rules, since, None, None)

    # -- one clock

    def _measure(
        self,
        life: Life,
        clock: str,
        sla: str,
        rules: dict[str, Any],
        since: datetime,
        ended: datetime | None,
        how: str | None,
    ) -> None:
        late = (ended or self.now) > since + LIMITS[clock]
        took = ended - since if ended and how == "done" else None
        if how == "waived":
            self.clocks.append(Measured(sla, since, "waived"))
        elif late:
            self.clocks.append(Measured(sla, since, "late", took))
        elif how != "dropped":
            self.clocks.append(Measured(sla, since, "met" if ended else "open", took))
        if late and ended is None:
            self._escalated(life, rules, clock, since)

    def _escalated(self, life: Life, rules: dict[str, Any], clock: str, since: datetime) -> None:
        acknowledged = life.acknowledged(clock)
        until = min(self.now, acknowledged or self.now)
        level = sum(since + after <= until for after in _climbs(rules))
        self.levels.append((level, acknowledged is not None))

    # -- what a scorecard says

    def attendance(self, start: datetime, until: datetime) -> dict[str, int]:
        return dict(Counter(fate for at, fate in self.fates if start <= at < until))

    def counts(self, sla: str, start: datetime, until: datetime) -> dict[str, int]:
        return dict(Counter(clock.came for clock in self._of(sla, start, until)))

    def times(self, sla: str, start: datetime, until: datetime) -> dict[str, int]:
        took = sorted(clock.took.total_seconds() for clock in self._of(sla, start, until) if clock.took is not None)
        if not took:
            return {}
        found = {f"p{part}_seconds": round(_percentile(took, part / 100)) for part in (50, 90, 99)}
        return {"timed": len(took), **found, "worst_seconds": round(took[-1])}

    def escalations(self) -> dict[tuple[int, bool], int]:
        return dict(Counter(self.levels))

    def _of(self, sla: str, start: datetime, until: datetime) -> Iterable[Measured]:
        return (clock for clock in self.clocks if clock.sla == sla and start <= clock.since < until)


def _percentile(ordered: list[float], part: float) -> float:
    """Between the two values that are nearest, in proportion."""
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _climbs(rules: dict[str, Any]) -> Iterator[timedelta]:
    """When each step of the ladder comes, after the arming."""
    for milestone in rules["milestones"]:
        if milestone["kind"] in ("breach", "escalate"):
            repeat = milestone["repeat"] or {"times": 0, "every": "PT0S"}
            for n in range(repeat["times"] + 1):
                yield _length(milestone["after"]) + n * _length(repeat["every"])


async def read_life(client: Client, case_id: str) -> Life:
    """Its input, and every update that was accepted and not refused, in order."""

    async def decoded(payloads: Any) -> dict[str, Any]:
        [value] = await client.data_converter.decode(payloads.payloads, [dict[str, Any]])
        assert isinstance(value, dict)
        return value

    order, started_at, taken_up = None, None, None
    acts: dict[str, Act] = {}
    done: list[Act] = []
    async for event in client.get_workflow_handle(case_id).fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            order = await decoded(event.workflow_execution_started_event_attributes.input)
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            taken_up = event.event_time.ToDatetime(UTC)
            started_at = started_at or taken_up
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            asked = event.workflow_execution_update_accepted_event_attributes.accepted_request
            assert taken_up is not None
            acts[asked.meta.update_id] = Act(asked.input.name, taken_up, await decoded(asked.input.args))
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
            completed = event.workflow_execution_update_completed_event_attributes
            if completed.outcome.HasField("success"):
                done.append(acts[completed.meta.update_id])
    assert order is not None
    assert started_at is not None
    return Life(order, started_at, sorted(done, key=lambda act: act.at))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _length(text: str) -> timedelta:
    return TypeAdapter(timedelta).validate_python(text)
