"""The catalogue of specialties (E-07)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from api.auth import require
from api.problems import responses
from domain import specialties
from domain.access import Role
from domain.errors import Invalid, NotFound
from domain.specialties import Specialty

router = APIRouter(prefix="/specialties", tags=["specialties"], dependencies=[require(*Role)])


class SpecialtyList(BaseModel):
    items: list[Specialty]


@router.get("", summary="Search the specialties", responses=responses(401, 403, 422))
async def search_specialties(
    q: Annotated[str, Query(max_length=100, description="Words of its name or use; empty for all.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
) -> SpecialtyList:
    """Best first; without words, in the order of the catalogue."""
    found = specialties.search(q, limit) if q else specialties.catalogue()[:limit]
    return SpecialtyList(items=list(found))


@router.get("/{code}", summary="A specialty", responses=responses(401, 403, 404, 422))
async def read_specialty(code: Annotated[str, Path(max_length=40, examples=["207RC0000X"])]) -> Specialty:
    """404 `specialty.unknown`."""
    try:
        return specialties.find(code)
    except Invalid as unknown:
        raise NotFound(unknown.code, unknown.detail) from None
