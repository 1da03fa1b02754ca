"""What a client takes, and what its operations answer."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import assert_type
from uuid import UUID

import httpx
import httpx2
from lxml.etree import _Element

from dasp_async import (
    NIL,
    BandwidthUsage,
    CustomerApi,
    Exchange,
    FaultRules,
    HttpClient,
    JobRules,
    JobStatus,
    MemoryBudget,
    OperationDescription,
    Schedule,
    ServiceDescription,
    SmAlias,
    SoapVersion,
    to_python,
)
from dasp_async.elements import Plain
from dasp_async.testing import FakeClock


def made() -> None:
    """All that a client can be made with."""
    assert_type(CustomerApi("key"), CustomerApi)
    assert_type(CustomerApi.from_env(), CustomerApi)
    CustomerApi(
        "key",
        endpoint="https://api.example.com/",
        version=SoapVersion.SOAP_1_2,
        http_client=None,
        allow_http=True,
        attempt_timeout=30,
        attempts=3,
        max_in_flight=20,
        max_response_bytes=1024,
        schedule=Schedule(),
        job_rules=JobRules(),
        budget=MemoryBudget(),
        fault_rules=FaultRules(),
        on_exchange=print,
        clock=FakeClock(),
    )
    CustomerApi("key", version="1.2", attempt_timeout=timedelta(seconds=5), budget=None)
    CustomerApi("key", version="1.1", attempt_timeout=None, budget=...)


async def borrowed(own: HttpClient) -> None:
    """The clients that can be lent."""
    request = own.build_request("POST", "/", content=b"", headers={}, timeout=None)
    await own.send(request, stream=True, follow_redirects=False)
    CustomerApi("key", http_client=httpx.AsyncClient())
    CustomerApi("key", http_client=httpx2.AsyncClient())
    async with CustomerApi("key", http_client=own) as api:
        assert_type(api, CustomerApi)
    assert_type(await api.aclose(), None)


class Kept(CustomerApi):
    """A class of one's own."""


async def kept() -> None:
    """It stays what it is."""
    assert_type(Kept.from_env(), Kept)
    assert_type(Kept.from_env(attempts=1, attempt_timeout=None, clock=FakeClock()), Kept)
    async with Kept("key") as api:
        assert_type(api, Kept)


async def known(api: CustomerApi) -> None:
    """The operations that have methods."""
    assert_type(await api.get_job_status("id"), JobStatus)
    assert_type(await api.get_job_status(UUID(int=1)), JobStatus)
    assert_type(
        await api.bandwidth_get_usage(date(2026, 3, 1), datetime(2026, 3, 31)),  # noqa: DTZ001 - both do
        list[BandwidthUsage],
    )
    assert_type(
        await api.sm_add_user(
            "example.com",
            "jane",
            "password",
            first_name="Jane",
            last_name="Doe",
            max_mailbox_size_in_mb=100,
        ),
        None,
    )
    assert_type(await api.sm_add_alias("example.com", "info", ["jane@example.com"]), None)
    assert_type(await api.sm_update_alias_addresses("example.com", "info", iter(("a@b.c",))), None)
    assert_type(await api.sm_get_all_aliases("example.com"), list[SmAlias])


async def unknown(api: CustomerApi) -> None:
    """Those that have none."""
    description = await api.describe()
    assert_type(description, ServiceDescription)
    parameters = {"databaseName": "db", "left": None, "null": NIL, "size": Decimal(1)}
    job_id = await api.start_job("Sql2012CreateBackup", parameters, description=description)
    assert_type(job_id, UUID)
    response = await api.call("GetJobStatus", {"jobId": job_id}, writes=False, description=None)
    assert_type(response, _Element)
    assert_type(to_python(response), Plain)
    operation = description.operation("GetJobStatus")
    assert_type(to_python(response, operation), dict[str, Plain])
    assert_type(to_python(response, described=None), Plain)
    assert_type(to_python(response, operation if operation.results else None), Plain)


def exchanged(exchange: Exchange) -> None:
    """What is told of an attempt."""
    assert_type(exchange.operation, str)
    assert_type(exchange.attempt, int)
    assert_type(exchange.status_code, int | None)
    assert_type(exchange.error, str | None)
    assert_type(exchange.fault_code, str | None)
    assert_type(exchange.milliseconds, float)
    assert_type(exchange.request_bytes, int)
    assert_type(exchange.response_bytes, int)


def described(service: ServiceDescription) -> None:
    """What a service says of itself."""
    assert_type(service.namespace, str)
    assert_type(service.served_at, datetime | None)
    assert_type(list(service.operations.values()), list[OperationDescription])
    operation = service.operation("GetJobStatus")
    assert_type(operation, OperationDescription)
    assert_type(operation.name, str)
    assert_type(operation.documentation, str)
    assert_type(operation.signature, str)
    assert_type(operation.soap_action, str)
    assert_type(operation.versions, frozenset[SoapVersion])
    assert_type(operation.problem, str | None)
    for each in operation.parameters + operation.results:
        assert_type(each.name, str)
        assert_type(each.type.name, str)
        assert_type(each.required, bool)
        assert_type(each.nillable, bool)


def versions(version: SoapVersion) -> None:
    """The two, and what is known of each."""
    assert_type(SoapVersion("1.2"), SoapVersion)
    assert_type([SoapVersion.SOAP_1_1, SoapVersion.SOAP_1_2], list[SoapVersion])
    assert_type(version.namespace, str)
    assert_type(version.media_type, str)
    assert_type(version.prefix, str)
