"""Reports for a spreadsheet: the same rows as in JSON, as text/csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel

Format = Annotated[Literal["json", "csv"], Query(description="csv answers with every row, for a spreadsheet.")]

CSV_TOO: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report, in the format asked for.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
"""For the `responses=` of a route that knows both formats."""


def csv_answer(kind: type[BaseModel], rows: Sequence[BaseModel], file_name: str) -> Response:
    """One line for each row, under the names of the fields."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(kind.model_fields))
    writer.writeheader()
    writer.writerows(row.model_dump(mode="json") for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"', "Cache-Control": "no-store"}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)
