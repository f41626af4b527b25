"""Where the sandbox keeps Stripe's objects: one SQLite table, in memory or in a file that outlives a kill -9."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

Object = dict[str, Any]
"""One Stripe object as its API shows it, without expansions."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS object_by_kind ON object (kind, seq);
CREATE TABLE IF NOT EXISTS reply (key TEXT PRIMARY KEY, request TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL);
"""


class Reply(NamedTuple):
    """What was answered to an idempotency key."""

    request: str
    body: Object
    at: int


class Store:
    def __init__(self, path: Path | None = None) -> None:
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(SCHEMA)
        self._after_commit: list[Callable[[], None]] = []

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """All or nothing; inside another one, part of it."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            self._after_commit.clear()
            raise
        self._db.execute("COMMIT")
        acts, self._after_commit = self._after_commit, []
        for act in acts:
            act()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do it once the transaction under way is kept; never when it is not."""
        self._after_commit.append(act)

    def put(self, item: Object) -> None:
        self._db.execute(
            "INSERT INTO object (id, kind, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (item["id"], item["object"], json.dumps(item)),
        )

    def get(self, wanted: str) -> Object | None:
        row = self._db.execute("SELECT body FROM object WHERE id = ?", (wanted,)).fetchone()
        return _object(row[0]) if row else None

    def find(self, kind: str, field: str | None = None, value: str | int | None = None) -> list[Object]:
        """The objects of a kind, newest first, all or those whose `field` has that value."""
        rows = self._db.execute(
            "SELECT body FROM object WHERE kind = :kind "
            "AND (:field IS NULL OR json_extract(body, '$.' || :field) = :value) ORDER BY seq DESC",
            {"kind": kind, "field": field, "value": value},
        )
        return [_object(row[0]) for row in rows]

    def reply(self, key: str) -> Reply | None:
        row = self._db.execute("SELECT request, body, at FROM reply WHERE key = ?", (key,)).fetchone()
        return Reply(row[0], _object(row[1]), row[2]) if row else None

    def save_reply(self, key: str, reply: Reply) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO reply (key, request, body, at) VALUES (?, ?, ?, ?)",
            (key, reply.request, json.dumps(reply.body), reply.at),
        )


def _object(text: str) -> Object:
    body: Object = json.loads(text)
    return body
