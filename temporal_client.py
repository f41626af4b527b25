"""The Temporal client, shared by API, worker, tests and simulator: connection, encryption, search attributes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from config import Settings
from crypto import Keyring
from workflows.search_attributes import SEARCH_ATTRIBUTES

ENCODING = b"binary/encrypted"
_ASSOCIATED = b"temporal.payload"
_POLLED_WITHIN_SECONDS = 120


class EncryptionCodec(PayloadCodec):
    """Encrypts whole payloads, metadata included. The key id stays readable as metadata `encryption-key-id`."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each payload with the first key."""
        metadata = {"encoding": ENCODING, "encryption-key-id": self._keyring.key_id.encode()}
        return [
            Payload(metadata=metadata, data=self._keyring.encrypt(payload.SerializeToString(), _ASSOCIATED))
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is encrypted; pass the rest through. Raises `crypto.key_unknown` or `crypto.corrupt`."""
        return [self._decode(payload) for payload in payloads]

    def _decode(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(self._keyring.decrypt(payload.data, _ASSOCIATED))


def data_converter(keyring: Keyring) -> DataConverter:
    """Pydantic values, encrypted; failure messages and stack traces are encrypted too."""
    return DataConverter(
        payload_converter_class=PydanticPayloadConverter,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        payload_codec=EncryptionCodec(keyring),
    )


async def connect(
    settings: Settings,
    *,
    interceptors: Sequence[Interceptor] = (),
    lazy: bool = False,
    runtime: Runtime | None = None,
    environment: Mapping[str, str] | None = None,
) -> Client:
    """Connect by Temporal's own environment profile (TEMPORAL_*), else to `settings.temporal_address`.

    `lazy` puts the first connection off to the first call. `environment` replaces the variables of the process.
    Raises `crypto.keys_invalid` without usable codec keys and RuntimeError when the server does not answer.
    """
    converter = data_converter(Keyring.parse(settings.codec_keys.get_secret_value()))
    profile = ClientConfig.load_client_connect_config(override_env_vars=environment)
    return await Client.connect(
        profile.get("target_host") or settings.temporal_address,
        namespace=profile.get("namespace") or "default",
        api_key=profile.get("api_key"),
        tls=profile.get("tls"),
        rpc_metadata=profile.get("rpc_metadata") or {},
        data_converter=converter,
        interceptors=list(interceptors),
        lazy=lazy,
        runtime=runtime,
    )


async def register_search_attributes(client: Client) -> None:
    """Register every search attribute in the client's namespace; safe to repeat."""
    types = _types_by_name()
    try:
        await _add(client, types)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        # The time-skipping test server refuses the whole batch when one of it is there already.
        for name, value_type in types.items():
            await _add_unless_there(client, name, value_type)


async def missing_search_attributes(client: Client) -> list[str]:
    """Names that are not registered, or registered with another type, in order.

    The time-skipping test server cannot list: there this raises RPCError with status UNIMPLEMENTED.
    """
    request = ListSearchAttributesRequest(namespace=client.namespace)
    registered = (await client.operator_service.list_search_attributes(request)).custom_attributes
    return [name for name, value_type in _types_by_name().items() if registered.get(name) != value_type]


async def pollers(client: Client, task_queue: str) -> set[str]:
    """Identities (process@host) of the workers that asked for workflow tasks lately."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    found = (await client.workflow_service.describe_task_queue(request)).pollers
    earliest = time.time() - _POLLED_WITHIN_SECONDS
    return {poller.identity for poller in found if poller.last_access_time.ToSeconds() > earliest}


def _types_by_name() -> dict[str, IndexedValueType.ValueType]:
    return {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}


async def _add(client: Client, types: Mapping[str, IndexedValueType.ValueType]) -> None:
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=types)
    await client.operator_service.add_search_attributes(request)


async def _add_unless_there(client: Client, name: str, value_type: IndexedValueType.ValueType) -> None:
    try:
        await _add(client, {name: value_type})
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
