"""The payloads inside what Temporal stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload


def payloads_in(message: Message, *, but: type[Message] | None = None) -> Iterator[Payload]:
    """Every payload in a message, however deep; those inside a message of type `but` are left out."""
    if isinstance(message, Payload):
        yield message
    if isinstance(message, Payload) or (but and isinstance(message, but)):
        return
    for field, value in message.ListFields():
        for child in _messages(field, value):
            yield from payloads_in(child, but=but)


def _messages(field: FieldDescriptor, value: Any) -> Iterable[Message]:
    if field.message_type is None:
        return ()
    if field.message_type.GetOptions().map_entry:
        value = list(value.values())
    children = [value] if isinstance(value, Message) else list(value)
    return [child for child in children if isinstance(child, Message)]
