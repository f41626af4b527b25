"""What the sandboxes keep across restarts: one JSON document a line, the newest line of an item wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from domain.model import Value

T = TypeVar("T", bound=Value)


class Journal(Generic[T]):
    """Items in the order they first came, in memory and, when `path` is given, in a file."""

    def __init__(self, model: type[T], key: Callable[[T], str], path: Path | None = None) -> None:
        self._key = key
        self._path = path
        self._items: dict[str, T] = {}
        if path and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._remember(model, line)

    def put(self, item: T) -> None:
        """Add an item, or replace the one with the same key where it stands."""
        self._items[self._key(item)] = item
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(item.model_dump_json() + "\n")

    def get(self, key: str) -> T | None:
        return self._items.get(key)

    def all(self) -> list[T]:
        return list(self._items.values())

    def _remember(self, model: type[T], line: str) -> None:
        try:
            item = model.model_validate_json(line)
        except ValueError:
            return  # the last line of a process that was killed while writing
        self._items[self._key(item)] = item
