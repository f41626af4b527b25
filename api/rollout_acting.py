"""Who acts in a rollout, what of it they may see (H-06), and how their acts flow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from fastapi import Depends

from api.acting import Acts, acts_of_request
from api.auth import require
from api.dependencies import AppServices
from db import members
from db.members import unknown_location, unknown_programme
from db.tables import RolloutEvidence, RolloutLocation, RolloutProgram
from domain.access import Principal, Role
from domain.actors import Actor
from domain.errors import Forbidden
from domain.rollout.people import OPERATIONS, VENDOR, Function

ROLLOUT_ROLES = (
    Role.SYSTEM_ADMIN,
    Role.EXECUTIVE,
    Role.REGIONAL_ADMIN,
    Role.LOCATION_ADMIN,
    Role.STANDARD_USER,
    Role.READ_ONLY,
    Role.VENDOR,
)
"""The widest first: who holds several acts in the first that a route allows."""
CENTRAL_ROLES = (Role.SYSTEM_ADMIN, Role.EXECUTIVE)
"""See the whole of a programme that they are members of."""
STAFF_ROLES = tuple(role for role in ROLLOUT_ROLES if role is not Role.VENDOR)
"""Of the dental group: may see data of people."""
LOCAL_ROLES = (Role.LOCATION_ADMIN, Role.STANDARD_USER, Role.READ_ONLY)

Membership: TypeAlias = members.Seat


@dataclass(frozen=True)
class Reach:
    """What of one programme somebody may see."""

    whole: bool = False
    regions: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()

    def covers(self, region: str | None, location_id: str | None) -> bool:
        return self.whole or region in self.regions or location_id in self.locations


@dataclass(frozen=True)
class Member:
    """Who calls, in the role of their token. Role and function both limit them: the narrower one counts."""

    subject: str
    role: Role
    memberships: tuple[Membership, ...]

    def reach(self, program_id: str) -> Reach | None:
        """None for a programme that is none of theirs."""
        seats = [seat for seat in self.memberships if seat.program_id == program_id and self._fits(seat)]
        if not seats:
            return None
        return Reach(
            whole=any(seat.region is None and seat.location_id is None for seat in seats),
            regions=frozenset(seat.region for seat in seats if seat.region),
            locations=frozenset(seat.location_id for seat in seats if seat.location_id),
        )

    def sees(self, program_id: str, *, region: str | None = None, location_id: str | None = None) -> bool:
        """Without region and location: whether the programme is theirs at all."""
        reach = self.reach(program_id)
        if reach is None:
            return False
        return (region is None and location_id is None) or reach.covers(region, location_id)

    @property
    def programs(self) -> tuple[str, ...]:
        """Ids of the programmes that are theirs, sorted."""
        return tuple(sorted({seat.program_id for seat in self.memberships if self._fits(seat)}))

    def actor(
        self,
        program_id: str,
        functions: Iterable[Function],
        *,
        region: str | None = None,
        location_id: str | None = None,
    ) -> Actor:
        """The caller in the first of these functions that they have there; `role` is the function, `id` the member's.

        Of an act about a location give its region too: it must be within theirs. A system administrator of the
        programme may act for `OPERATIONS`, as `Actor(role="system_admin")`. Raises `Forbidden`
        (`rollout.function_missing`).
        """
        functions = tuple(functions)
        seats = [seat for seat in self.memberships if seat.program_id == program_id and self._fits(seat)]
        for function in functions:
            for seat in seats:
                if seat.function == function and _within(seat, region, location_id):
                    return Actor(role=function.value, id=seat.member_id)
        if self.role is Role.SYSTEM_ADMIN and OPERATIONS.intersection(functions):
            for seat in seats:
                if _within(seat, region, location_id):
                    return Actor(role=Role.SYSTEM_ADMIN.value, id=seat.member_id)
        raise Forbidden("rollout.function_missing", f"this needs one of: {', '.join(functions)}")

    def _fits(self, seat: Membership) -> bool:
        """Whether the role of the token allows what the person is there."""
        if (seat.function in VENDOR) is not (self.role is Role.VENDOR):
            return False
        if self.role is Role.REGIONAL_ADMIN:
            return seat.region is not None or seat.location_id is not None
        return self.role not in LOCAL_ROLES or seat.location_id is not None


def member(*roles: Role) -> Any:
    """A dependency that yields the Member, who holds one of the roles.

    `who: Annotated[Member, member(*ROLLOUT_ROLES)]`. Nothing belongs to somebody who is in no programme.
    """
    needed = require(*roles)
    order = sorted(roles, key=ROLLOUT_ROLES.index)

    async def find(services: AppServices, principal: Principal = needed) -> Member:
        role = next(role for role in order if principal.has(role))
        async with services.database.transaction() as session:
            seats = await members.of_subject(session, principal.subject)
        return Member(subject=principal.subject, role=role, memberships=tuple(seats))

    return Depends(find)


class RolloutActs(Acts):
    """One act in a rollout."""

    async def programme(self, program_id: str, who: Member) -> RolloutProgram:
        """Raises `NotFound` (`programme.unknown`) for what is not the caller's."""
        if not who.sees(program_id):
            raise unknown_programme()
        async with self.services.database.transaction() as session:
            return await members.programme(session, program_id)

    async def reach(self, program_id: str, who: Member) -> Reach:
        """How far the caller sees into a programme. Raises `NotFound` (`programme.unknown`)."""
        found = who.reach(program_id)
        if found is None:
            raise unknown_programme()
        return found

    async def whole(self, program_id: str, who: Member) -> None:
        """For those only who see all of it. Raises `NotFound` (`programme.unknown`), `Forbidden`
        (`rollout.part_only`).
        """
        if not (await self.reach(program_id, who)).whole:
            raise Forbidden("rollout.part_only", "this is for members of the whole programme")

    async def location(self, location_id: str, who: Member) -> RolloutLocation:
        """Raises `NotFound` (`location.unknown`) for what is not the caller's."""
        async with self.services.database.transaction() as session:
            found = await members.location(session, location_id)
        if not who.sees(found.program_id, region=found.region, location_id=found.location_id):
            raise unknown_location()
        return found

    @asynccontextmanager
    async def evidence(
        self, program_id: str, location_id: str | None, about: str, text: str, who: Member
    ) -> AsyncIterator[str]:
        """Keep what the caller writes before the act; yields its id. It goes again when the act is refused.

        Raises `Invalid` (`request.idempotency_key_reused`). `about` is a stable code; with an Idempotency-Key there is
        one evidence for each `about`.
        """
        row = RolloutEvidence(
            id=self.record_id(who, about),
            program_id=program_id,
            location_id=location_id,
            about=about,
            body=text,
            submitted_by=who.subject,
        )
        async with self.bringing(row):
            yield row.id


RolloutActsOfRequest = Annotated[RolloutActs, Depends(acts_of_request(RolloutActs))]


def _within(seat: Membership, region: str | None, location_id: str | None) -> bool:
    if region is None and location_id is None:
        return True  # an act that is about no place
    if seat.location_id is not None:
        return seat.location_id == location_id
    if seat.region is not None:
        return seat.region == region
    return True
