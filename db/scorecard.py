"""The figures of the scorecard, counted in SQL from the timeline and its projection.

A clock that begins anew (the join clock of a visit that is moved, the reply of a thread, the information of an
eConsult) is in the projection once, as it is now; what became of it before is in the step that ended it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Clinician
from domain.scorecard import Fate, OpenEscalation, Period, Scorecard, Sla, SlaCounts, SlaFigures, scorecard

EVERYBODY = ""

_PARTS = {
    "week": """to_char(since at time zone 'UTC', 'IYYY-"W"IW')""",
    "clock_columns": "(name text, armed_at timestamptz, ended_at timestamptz, breached_at timestamptz, outcome text)",
    "visit_columns": "(stage text, starts_at timestamptz, clinician_joined_at timestamptz, missed boolean,"
    " excused_by jsonb, ended_by jsonb, clocks jsonb)",
}

_OF_EVERYBODY = {"visit_owner": "text ''", "state_owner": "text ''", "of_visits": "", "of_states": ""}
_OF_CLINICIANS = {
    "visit_owner": "visit.clinician_id",
    "state_owner": "state.clinician_id",
    "of_visits": "and visit.clinician_id = any(:clinicians)",
    "of_states": "and state.clinician_id = any(:clinicians)",
}

# A visit that was moved when the clinician was late already had an appointment that was missed.
_APPOINTMENTS = """
appointments as (
    select {visit_owner} as owner, visit.scheduled_start as since, seen.*, false as moved
    from visit
    join case_state as state on state.case_id = 'visit:' || visit.id
    cross join lateral jsonb_to_record(state.snapshot) as seen {visit_columns}
    where visit.scheduled_start >= :start and visit.scheduled_start < :until {of_visits}
    union all
    select {visit_owner}, seen.starts_at, seen.*, true
    from visit
    join timeline as move on move.case_id = 'visit:' || visit.id and move.event = 'visit_rescheduled'
    join timeline as before on before.case_id = move.case_id and before.sequence = move.sequence - 1
    cross join lateral jsonb_to_record(before.snapshot) as seen {visit_columns}
    where move.at >= :start and seen.missed and seen.starts_at >= :start and seen.starts_at < :until {of_visits}
)"""

_FATES = """
with {appointments}, judged as (
    select owner, {week} as week, case
        when missed and excused_by is not null then 'excused'
        when clinician_joined_at is not null then case when missed then 'late' else 'attended_on_time' end
        when missed and stage = 'CANCELLED' and ended_by ->> 'role' = 'clinician' then 'called_off'
        when missed and stage = 'CLINICIAN_LATE' and not moved then 'late'
        when missed then 'absent'
    end as fate
    from appointments
)
select owner, week, fate, count(*) as number from judged where fate is not null group by owner, week, fate
"""

_SLAS = """
with {appointments}, cases as (
    select case_id, sequence, process, {state_owner} as owner, snapshot
    from case_state as state
    where process in ('Visit', 'MessageThread', 'EConsult') and updated_at >= :start {of_states}
    union all
    select step.case_id, step.sequence, state.process, {state_owner}, step.snapshot
    from timeline as step
    join case_state as state on state.case_id = step.case_id
    where step.at >= :start and state.updated_at >= :start {of_states}
        and step.event in (
            'reply_sent', 'reply_waived', 'thread_closed', 'information_provided', 'declined', 'withdrawn'
        )
), clocks as (
    select owner, 'join' as sla, since, ended_at, breached_at, outcome, missed and excused_by is not null as excused
    from appointments
    cross join lateral jsonb_to_recordset(clocks) as clock {clock_columns}
    where name = 'join'
    union all
    (select distinct on (case_id, name, armed_at) owner, case process
            when 'MessageThread' then kind || '_messages'
            when 'EConsult' then 'econsult_information'
            else name
        end, armed_at, ended_at, breached_at, outcome, false
    from cases
    cross join lateral jsonb_to_record(snapshot) as seen (kind text, clocks jsonb)
    cross join lateral jsonb_to_recordset(clocks) as clock {clock_columns}
    where armed_at >= :start and armed_at < :until and (process, name) in (
        ('Visit', 'prescriptions'), ('Visit', 'labs'), ('Visit', 'imaging'), ('Visit', 'note'),
        ('MessageThread', 'reply'), ('EConsult', 'information')
    )
    order by case_id, name, armed_at, sequence desc)
), judged as (
    select owner, sla, {week} as week, outcome, extract(epoch from ended_at - since)::float8 as took, case
        when outcome = 'waived' or (excused and breached_at is not null) then 'waived'
        when breached_at is not null then 'late'
        when outcome = 'met' then 'met'
        when outcome is null then 'open'
    end as came
    from clocks
), counted as (
    select owner, sla, week, came, case when outcome = 'met' and came <> 'waived' then took end as took
    from judged
    where came is not null
)
select owner, sla, week,
    count(*) filter (where came = 'met') as met,
    count(*) filter (where came = 'late') as late,
    count(*) filter (where came = 'waived') as waived,
    count(*) filter (where came = 'open') as open,
    count(took) as timed,
    percentile_cont(array[0.5, 0.9, 0.99]) within group (order by took) as percentiles,
    max(took) as worst
from counted
group by grouping sets ((owner, sla), (owner, sla, week))
"""

# Who acknowledges a clinician's absence has done all that is to be done about it.
_ESCALATIONS = """
select {state_owner} as owner, clock.escalation_level as level,
    count(*) filter (where not acknowledged) as unacknowledged,
    count(*) filter (where acknowledged) as acknowledged
from case_state as state
cross join lateral jsonb_to_recordset(snapshot -> 'clocks')
    as clock (name text, breached_at timestamptz, outcome text, escalation_level int, acknowledged boolean)
where state.breached_at is not null and clock.breached_at is not null and outcome is null
    and not (name = 'absence' and acknowledged) {of_states}
    and (process, name) in (
        ('Visit', 'join'), ('Visit', 'absence'), ('Visit', 'waiting'), ('Visit', 'prescriptions'), ('Visit', 'labs'),
        ('Visit', 'imaging'), ('Visit', 'note'), ('MessageThread', 'reply'), ('EConsult', 'information')
    )
group by 1, 2
"""


async def overall(session: AsyncSession, period: Period) -> Scorecard:
    return (await _scorecards(session, period, None))[EVERYBODY]


async def of_clinician(session: AsyncSession, period: Period, clinician_id: str) -> Scorecard:
    return (await _scorecards(session, period, [clinician_id]))[clinician_id]


async def of_clinicians(
    session: AsyncSession, period: Period, *, after: str | None, limit: int | None
) -> list[tuple[str, Scorecard]]:
    """Up to `limit` clinicians with ids after `after`, in order; all of them for None."""
    ids = select(Clinician.id).order_by(col(Clinician.id)).limit(limit)
    if after is not None:
        ids = ids.where(col(Clinician.id) > after)
    found = await _scorecards(session, period, list((await session.exec(ids)).all()))
    return list(found.items())


async def _scorecards(
    session: AsyncSession, period: Period, clinician_ids: Sequence[str] | None
) -> dict[str, Scorecard]:
    """One for each clinician; for None one of everybody, under `EVERYBODY`."""
    fates: defaultdict[str, dict[tuple[str, Fate], int]] = defaultdict(dict)
    for row in await _rows(session, _FATES, period, clinician_ids):
        fates[row["owner"]][row["week"], Fate(row["fate"])] = row["number"]
    slas: defaultdict[str, list[SlaFigures]] = defaultdict(list)
    weekly: defaultdict[str, dict[tuple[str, Sla], SlaCounts]] = defaultdict(dict)
    for row in await _rows(session, _SLAS, period, clinician_ids):
        if row["week"] is None:
            slas[row["owner"]].append(_figures(row))
        else:
            weekly[row["owner"]][row["week"], Sla(row["sla"])] = SlaCounts(name=row["sla"], **_counts(row))
    escalations: defaultdict[str, list[OpenEscalation]] = defaultdict(list)
    for row in await _rows(session, _ESCALATIONS, period, clinician_ids):
        escalations[row["owner"]].append(OpenEscalation.model_validate(row))
    owners = [EVERYBODY] if clinician_ids is None else clinician_ids
    return {owner: scorecard(period, fates[owner], slas[owner], weekly[owner], escalations[owner]) for owner in owners}


async def _rows(
    session: AsyncSession, statement: str, period: Period, clinician_ids: Sequence[str] | None
) -> list[RowMapping]:
    scope = _OF_EVERYBODY if clinician_ids is None else _OF_CLINICIANS
    parts = _PARTS | scope
    written = text(statement.format(appointments=_APPOINTMENTS.format(**parts), **parts))
    known = {"start": period.start, "until": period.until, "clinicians": clinician_ids}
    asked = {name: value for name, value in known.items() if name in written.compile().params}
    connection = await session.connection()
    return list((await connection.execute(written, asked)).mappings().all())


def _counts(row: RowMapping) -> dict[str, int]:
    return {name: row[name] for name in ("met", "late", "waived", "open")}


def _figures(row: RowMapping) -> SlaFigures:
    p50, p90, p99 = row["percentiles"] or (None, None, None)
    return SlaFigures(
        name=row["sla"],
        **_counts(row),
        timed=row["timed"],
        p50_seconds=_whole(p50),
        p90_seconds=_whole(p90),
        p99_seconds=_whole(p99),
        worst_seconds=_whole(row["worst"]),
    )


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
