"""A metadata index is there when Vectorize has processed it, on a local Cloudflare that is as late as the real one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from inferstack import local
from inferstack.cloudflare.client import Client
from inferstack.plugin.resource import Operation, PartialFailure, ProviderError, State
from inferstack.provider.metadata_index import MetadataIndex
from tests.conftest import Api

LAG = 1.0
ACCOUNT = local.ACCOUNT_ID
TYPE = MetadataIndex()


@pytest.fixture
def index(cloudflare: Api) -> Iterator[str]:
    name = f"i{time.monotonic_ns()}"
    config = {"dimensions": 2, "metric": "cosine"}
    cloudflare.client.post("/vectorize/v2/indexes", json={"name": name, "config": config}).raise_for_status()
    local.control(cloudflare.folder, "POST", "faults", {"product": "vectorize", "lag_ms": LAG * 1000})
    yield name
    local.control(cloudflare.folder, "DELETE", "faults")


CLIENTS: list[Client] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while CLIENTS:
        CLIENTS.pop().http.close()


def operation(cloudflare: Api, seconds: float = 30) -> Operation:
    client = Client(cloudflare.running.base_url, local.token_of(cloudflare.folder))
    CLIENTS.append(client)
    urn = "urn:pulumi:dev::p::inferstack:index:VectorizeMetadataIndex::topic"
    return Operation(urn=urn, client=client, account_id=ACCOUNT, deadline=time.monotonic() + seconds)


def inputs(index: str, name: str = "topic") -> dict[str, Any]:
    return {"accountId": ACCOUNT, "indexName": index, "propertyName": name, "indexType": "string"}


def processed(cloudflare: Api, index: str) -> str:
    return str(cloudflare.client.get(f"/vectorize/v2/indexes/{index}/info").json()["result"]["processedUpToMutation"])


def test_a_create_waits_until_it_is_processed(cloudflare: Api, index: str) -> None:
    started, before = time.monotonic(), processed(cloudflare, index)
    state = TYPE.create(operation(cloudflare), inputs(index))
    assert time.monotonic() - started >= LAG
    assert processed(cloudflare, index) != before
    assert state.outputs == inputs(index)


def test_a_delete_waits_and_one_of_what_is_gone_does_not(cloudflare: Api, index: str) -> None:
    state = TYPE.create(operation(cloudflare), inputs(index))
    started, before = time.monotonic(), processed(cloudflare, index)
    TYPE.delete(operation(cloudflare), state)
    assert time.monotonic() - started >= LAG
    assert processed(cloudflare, index) != before
    started = time.monotonic()
    TYPE.delete(operation(cloudflare), state)
    cloudflare.client.delete(f"/vectorize/v2/indexes/{index}").raise_for_status()
    TYPE.delete(operation(cloudflare), state)
    assert time.monotonic() - started < LAG


def test_what_is_not_processed_in_time_stays_in_the_state_and_is_asked_again(cloudflare: Api, index: str) -> None:
    with pytest.raises(PartialFailure, match="has not processed it yet") as caught:
        TYPE.create(operation(cloudflare, 0.3), inputs(index))
    failed = caught.value
    assert failed.identifier == f"{index}/topic"
    state = State(identifier=failed.identifier, outputs=failed.outputs, inputs=inputs(index))
    before = processed(cloudflare, index)
    assert TYPE.update(operation(cloudflare), state, inputs(index)).outputs == inputs(index)
    assert processed(cloudflare, index) != before
    with pytest.raises(ProviderError, match="has not processed it yet") as late:
        TYPE.delete(operation(cloudflare, 0.3), state)
    assert not isinstance(late.value, PartialFailure)  # it is to be deleted, not to be updated


def test_without_a_lag_nothing_waits(cloudflare: Api, index: str) -> None:
    local.control(cloudflare.folder, "DELETE", "faults")
    started = time.monotonic()
    for name in ("a", "b", "c"):
        TYPE.create(operation(cloudflare), inputs(index, name))
    assert time.monotonic() - started < LAG
