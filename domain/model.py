"""The base of every value that crosses a boundary: frozen, typed, comparable."""

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value. Unknown fields are ignored, so that an older worker reads a newer payload."""

    model_config = ConfigDict(frozen=True, extra="ignore")
