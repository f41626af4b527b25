"""Column types of our own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from crypto import Keyring


class Vault:
    """Holds the keyring of this process for encrypted columns; set once, where the process is put together."""

    def __init__(self) -> None:
        self._keyring: Keyring | None = None

    def open(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @property
    def keyring(self) -> Keyring:
        if self._keyring is None:
            raise RuntimeError("encrypted columns need DATA_KEYS: no keyring was set")
        return self._keyring


vault = Vault()


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes encrypted by the application, bound to their column: a value moved elsewhere does not open."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else vault.keyring.encrypt(value, self.column.encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else vault.keyring.decrypt(bytes(value), self.column.encode())


class EncryptedText(TypeDecorator[str]):
    """Free text encrypted by the application."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else vault.keyring.encrypt(value.encode(), self.column.encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else vault.keyring.decrypt(bytes(value), self.column.encode()).decode()


class EncryptedJson(TypeDecorator[Any]):
    """A JSON value encrypted by the application: never null in the database."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes:  # noqa: ARG002
        return vault.keyring.encrypt(json.dumps(value).encode(), self.column.encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(vault.keyring.decrypt(bytes(value), self.column.encode()))


class Utc(TypeDecorator[datetime]):
    """Aware UTC, whatever the session's time zone is. A naive time is a fault in the caller."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is not None and value.tzinfo is None:
            raise ValueError("times must be aware")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)
