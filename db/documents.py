"""Documents of consults in patients' records."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from db.tables import Document


async def of_econsult(session: AsyncSession, econsult_id: str, *, visible_only: bool = False) -> list[Document]:
    """Every version, oldest first; with `visible_only` those that the patient may see."""
    statement = select(Document).where(col(Document.econsult_id) == econsult_id).order_by(col(Document.version))
    if visible_only:
        statement = statement.where(col(Document.visible_to_patient))
    return list((await session.exec(statement)).all())
