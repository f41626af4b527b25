"""Connection, payload encryption and search attributes, against Temporal's own servers."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.failure.v1 import Failure
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from config import Settings
from crypto import CryptoError, Keyring, generate_key
from domain.model import Value
from temporal_client import (
    EncryptionCodec,
    connect,
    data_converter,
    missing_search_attributes,
    register_search_attributes,
)
from workflows.search_attributes import SEARCH_ATTRIBUTES

BIN = Path(sys.executable).parent
OLD, NEW = generate_key("old"), generate_key("new")
MARK = "Marked Patient"


class Order(Value):
    order_id: str
    placed_at: datetime


ORDER = Order(order_id=MARK, placed_at=datetime(2026, 3, 1, 9, tzinfo=UTC))


@workflow.defn(name="FailsWithPatientData")
class FailsWithPatientData:
    @workflow.run
    async def run(self, order: Order) -> None:
        raise ApplicationError(f"no bed for {order.order_id}", order, type="bed.none", non_retryable=True)


@pytest.fixture
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(BIN / "temporal-test-server")
    ) as environment:
        yield environment


@pytest.fixture
async def dev_server() -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(BIN / "temporal"), dev_server_log_level="never"
    ) as environment:
        yield environment


async def test_round_trips_pydantic_values_without_leaving_them_readable() -> None:
    converter = data_converter(Keyring.parse(NEW))
    [payload] = await converter.encode([ORDER])
    assert payload.metadata["encoding"] == b"binary/encrypted"
    assert payload.metadata["encryption-key-id"] == b"new"
    assert MARK.encode() not in payload.SerializeToString()
    assert await converter.decode([payload], [Order]) == [ORDER]


async def test_reads_payloads_of_a_key_rotated_out() -> None:
    payloads = await data_converter(Keyring.parse(OLD)).encode([ORDER])
    assert await data_converter(Keyring.parse(f"{NEW},{OLD}")).decode(payloads, [Order]) == [ORDER]
    with pytest.raises(CryptoError, match="No key old"):
        await data_converter(Keyring.parse(NEW)).decode(payloads, [Order])


async def test_passes_payloads_through_that_were_never_encrypted() -> None:
    plain = await DataConverter.default.encode(["plain"])
    assert await EncryptionCodec(Keyring.parse(NEW)).decode(plain) == plain


async def test_refuses_an_altered_payload() -> None:
    codec = EncryptionCodec(Keyring.parse(NEW))
    [sealed] = await codec.encode([Payload(data=b"x")])
    sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    with pytest.raises(CryptoError, match="damaged"):
        await codec.decode([sealed])


async def test_encrypts_failure_messages_stack_traces_and_details() -> None:
    converter = data_converter(Keyring.parse(NEW))
    failure = Failure()
    try:
        raise ApplicationError(f"no bed for {MARK}", {"who": MARK}, type="bed.none") from ValueError(MARK)
    except ApplicationError as error:
        await converter.encode_failure(error, failure)
    assert MARK.encode() not in failure.SerializeToString()
    assert not failure.stack_trace
    decoded = await converter.decode_failure(failure)
    assert isinstance(decoded, ApplicationError)
    assert (decoded.message, decoded.type, decoded.details[0]) == (f"no bed for {MARK}", "bed.none", {"who": MARK})


def settings_for(client: Client) -> Settings:
    return Settings(temporal_address=client.service_client.config.target_host, codec_keys=SecretStr(NEW))


async def test_leaves_nothing_readable_in_the_history_of_a_failed_workflow(dev_server: WorkflowEnvironment) -> None:
    client = await connect(settings_for(dev_server.client), environment={})
    worker = Worker(
        client,
        task_queue="q",
        workflows=[FailsWithPatientData],
        workflow_runner=UnsandboxedWorkflowRunner(),
        build_id="tests",  # without one the SDK hashes every loaded module
    )
    async with worker:
        handle = await client.start_workflow(FailsWithPatientData.run, ORDER, id="w", task_queue="q")
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert MARK in failed.value.cause.message
    assert MARK not in (await handle.fetch_history()).to_json()


async def test_connects_by_temporals_environment_profile_before_the_settings(
    time_skipping: WorkflowEnvironment,
) -> None:
    address = time_skipping.client.service_client.config.target_host
    settings = Settings(temporal_address="127.0.0.1:1", codec_keys=SecretStr(NEW))
    client = await connect(settings, environment={"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "default"})
    assert client.service_client.config.target_host == address
    profiled = await connect(settings, environment={"TEMPORAL_NAMESPACE": "clinic"}, lazy=True)
    assert profiled.namespace == "clinic"
    assert profiled.service_client.config.target_host == "127.0.0.1:1"


async def test_refuses_to_connect_without_codec_keys() -> None:
    with pytest.raises(CryptoError, match="No encryption key is configured"):
        await connect(Settings(codec_keys=SecretStr("")), environment={}, lazy=True)


async def test_registers_search_attributes_once_however_often_it_is_asked(dev_server: WorkflowEnvironment) -> None:
    client = dev_server.client
    assert await missing_search_attributes(client) == [key.name for key in SEARCH_ATTRIBUTES]
    await register_search_attributes(client)
    await register_search_attributes(client)
    assert await missing_search_attributes(client) == []


async def test_reports_a_search_attribute_of_the_wrong_type(dev_server: WorkflowEnvironment) -> None:
    wrong = {"WaveNumber": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
    await dev_server.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=dev_server.client.namespace, search_attributes=wrong)
    )
    await register_search_attributes(dev_server.client)
    assert await missing_search_attributes(dev_server.client) == ["WaveNumber"]


async def test_registers_search_attributes_on_the_time_skipping_server(time_skipping: WorkflowEnvironment) -> None:
    await time_skipping.client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=time_skipping.client.namespace,
            search_attributes={"WaveNumber": IndexedValueType.INDEXED_VALUE_TYPE_INT},
        )
    )
    await register_search_attributes(time_skipping.client)
    await register_search_attributes(time_skipping.client)


def test_stays_within_the_number_of_attributes_that_a_namespace_holds() -> None:
    types = [int(key.indexed_value_type) for key in SEARCH_ATTRIBUTES]
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    assert types.count(keyword) <= 10
    assert all(types.count(kind) <= 3 for kind in set(types) - {keyword})
