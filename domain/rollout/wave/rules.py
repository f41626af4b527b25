"""What may be done in a wave, and what follows."""

from __future__ import annotations

from datetime import datetime

from domain.errors import Forbidden, NotFound, Refused
from domain.rollout.news import LocationNews, ProgrammeNews
from domain.rollout.orders import WaveOrder
from domain.rollout.people import Function
from domain.rollout.wave.acts import CheckIn, FileArtefact
from domain.rollout.wave.days import items
from domain.rollout.wave.policy import Artefact, DayKind
from domain.rollout.wave.state import CheckIns, Entry, Filed, WaveState

PRIMARY = frozenset({Function.CHAMPION, Function.OFFICE_MANAGER})
"""The office manager is the champion as a rule (L-03)."""


def programme(order: WaveOrder, state: WaveState) -> ProgrammeNews:
    """How it stands, as far as the wave has heard."""
    return state.news or order.news


def held(order: WaveOrder, state: WaveState) -> bool:
    return bool(programme(order, state).holds)


def is_news_of_programme(order: WaveOrder, state: WaveState, news: ProgrammeNews) -> bool:
    known = programme(order, state)
    return news.sequence > known.sequence


def is_news_of_location(order: WaveOrder, state: WaveState, news: LocationNews) -> bool:
    known = state.locations.get(news.location_id)
    return news.location_id in order.planned.locations and (known is None or news.sequence > known.sequence)


def deployed(state: WaveState, location_id: str) -> bool:
    known = state.locations.get(location_id)
    return known is not None and known.deployed


def not_live(order: WaveOrder, state: WaveState) -> tuple[str, ...]:
    """Locations whose launch has come and that could not go live."""
    return tuple(one for one in order.planned.locations if one in state.launched and not deployed(state, one))


def may_check_in(order: WaveOrder, state: WaveState, asked: CheckIn, now: datetime) -> None:
    """Raises `NotFound` (`check_in.location_unknown`), `Forbidden` (`check_in.champion_only`), `Refused`.

    `Refused`: `check_in.none_due`, with when one is next; `check_in.primary_first` for the backup, with from when on.
    """
    if asked.location_id not in order.planned.locations:
        raise NotFound("check_in.location_unknown", "the location is not in this wave")
    if asked.actor.role not in {*PRIMARY, Function.BACKUP_CHAMPION}:
        raise Forbidden("check_in.champion_only", "champions check in, or their backups")
    since = state.check_ins.get(asked.location_id, CheckIns()).since
    if since is None:
        raise Refused(
            "check_in.none_due", "no check-in is due", earliest=next_check_in(order, state, asked.location_id)
        )
    silent_at = since + order.policy.backup_after
    if asked.actor.role not in PRIMARY and now < silent_at:
        raise Refused("check_in.primary_first", "the backup comes when the champion is silent", earliest=silent_at)


def next_check_in(order: WaveOrder, state: WaveState, location_id: str) -> datetime | None:
    days, zone = items(order), order.time_zones[location_id]
    return next(
        (
            each.at
            for each in state.agenda
            if each.reached_at is None and each.time_zone == zone and days[each.item_id].kind is DayKind.CHECK_IN
        ),
        None,
    )


def check_in_due(state: WaveState, location_id: str, entry: Entry) -> None:
    """One that was due until now is missed for good."""
    known = state.check_ins.get(location_id, CheckIns())
    missed = (*known.missed, known.day) if known.day is not None else known.missed
    state.check_ins[location_id] = known.model_copy(update={"day": entry.day, "since": entry.at, "missed": missed})


def check_in(state: WaveState, asked: CheckIn, now: datetime, *, late: bool) -> None:
    known = state.check_ins[asked.location_id]
    state.check_ins[asked.location_id] = known.model_copy(
        update={
            "day": None,
            "since": None,
            "done": known.done + 1,
            "late": known.late + late,
            "last_at": now,
            "last_by": asked.actor,
        }
    )


def may_file(state: WaveState) -> None:
    """Raises `Refused` (`wave.not_launched`, `wave.over`)."""
    if state.over:
        raise Refused("wave.over", "the wave is over")
    if not state.launched:
        raise Refused("wave.not_launched", "there is nothing to write about before the launch")


def file(state: WaveState, asked: FileArtefact, now: datetime) -> None:
    """The latest counts."""
    state.artefacts[asked.artefact] = Filed(evidence_id=asked.evidence_id, at=now, by=asked.actor)


def unwritten(order: WaveOrder, state: WaveState) -> tuple[Artefact, ...]:
    """What is missing for the wave to close (W-02)."""
    return tuple(one for one in order.policy.closing_needs if one not in state.artefacts)


def may_close(order: WaveOrder, state: WaveState) -> bool:
    return state.passed_at is not None and not state.over and not unwritten(order, state)
