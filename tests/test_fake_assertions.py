"""`FakeCustomerApi.assert_called`: what fits, and how it reads when nothing does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import anyio
import httpx
import pytest

from dasp_async import CustomerApi
from dasp_async.testing import (
    INT,
    SECRET,
    STRING,
    Account,
    ArrayType,
    Element,
    FakeClock,
    FakeCustomerApi,
    Operation,
    RawAnswer,
    RecordType,
    Secret,
    Values,
)
from dasp_async.testing import KEY as KEY_PARAMETER

KEY = "test-key"
JOB = UUID("a0000000-0000-0000-0000-000000000001")
PASSWORD = "a-password-that-is-not-shown"
ALL_CALLS = [
    (
        "  1. SMAddUser(domainName='example.com', userName='ann', password=***, firstName='Ann', "
        "lastName='', maxMailboxSizeInMB='10'): HTTP 200"
    ),
    (
        "  2. SMAddAlias(domainName='example.com', aliasName='info', "
        "addresses=['ann@example.com', 'bob@example.com']): HTTP 200"
    ),
    f"  3. GetJobStatus(jobId='{JOB}'): HTTP 200",
    f"  4. GetJobStatus(jobId='{JOB}'): HTTP 503",
    f"  5. GetJobStatus(jobId='{JOB}'): HTTP 200",
]


async def called() -> FakeCustomerApi:
    fake = FakeCustomerApi(KEY, clock=FakeClock())
    fake.add_job("Running", job_id=JOB)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, clock=fake.clock)
        await api.sm_add_user(
            "example.com",
            "ann",
            PASSWORD,
            first_name="Ann",
            last_name="",
            max_mailbox_size_in_mb=10,
        )
        await api.sm_add_alias("example.com", "info", ["ann@example.com", "bob@example.com"])
        await api.get_job_status(JOB)
        fake.trouble(RawAnswer("busy", status=503))
        await api.get_job_status(JOB)
    return fake


@pytest.fixture
def fake() -> FakeCustomerApi:
    """One that was called a few times."""
    return anyio.run(called)


@pytest.mark.parametrize(
    ("operation", "parameters", "times"),
    [
        ("GetJobStatus", {}, None),
        ("GetJobStatus", {}, 3),
        ("GetJobStatus", {"jobId": JOB}, 3),
        ("GetJobStatus", {"jobId": str(JOB), "key": KEY}, 3),
        ("BandwidthGetUsage", {}, 0),
        ("SMAddAlias", {"addresses": ["ann@example.com", "bob@example.com"]}, 1),
        ("SMAddAlias", {"addresses": ("ann@example.com", "bob@example.com")}, 1),
        ("SMAddUser", {"maxMailboxSizeInMB": 10, "lastName": ""}, None),
        ("SMAddUser", {"password": PASSWORD}, 1),
    ],
)
def test_what_was_called_passes(
    fake: FakeCustomerApi, operation: str, parameters: Mapping[str, object], times: int | None
) -> None:
    fake.assert_called(operation, parameters, times=times)


@pytest.mark.parametrize(
    ("operation", "parameters", "times", "beginning"),
    [
        ("GetJobStatus", {}, 2, "GetJobStatus was called 3 times, not 2 times"),
        ("GetJobStatus", {}, 0, "GetJobStatus was called 3 times, not 0 times"),
        (
            "BandwidthGetUsage",
            {},
            None,
            "BandwidthGetUsage was called 0 times, not once or more",
        ),
        (
            "SMAddAlias",
            {"aliasName": "sales"},
            None,
            "SMAddAlias(aliasName='sales') was called 0 times, not once or more",
        ),
        (
            "SMAddAlias",
            {"addresses": ["ann@example.com"]},
            1,
            "SMAddAlias(addresses=['ann@example.com']) was called 0 times, not 1 time",
        ),
        (
            "SMAddAlias",
            {"alias": "info"},
            None,
            "SMAddAlias(alias='info') was called 0 times, not once or more",
        ),
        (
            "SMAddUser",
            {"password": "another"},
            None,
            "SMAddUser(password=***) was called 0 times, not once or more",
        ),
        (
            "SMAddUser",
            {"maxMailboxSizeInMB": True},
            None,
            "SMAddUser(maxMailboxSizeInMB='true') was called 0 times, not once or more",
        ),
        (
            "SMAddUser",
            {"lastName": None},
            None,
            "SMAddUser(lastName=None) was called 0 times, not once or more",
        ),
    ],
)
def test_what_was_not_is_told_beside_all_that_was(
    fake: FakeCustomerApi,
    operation: str,
    parameters: Mapping[str, object],
    times: int | None,
    beginning: str,
) -> None:
    with pytest.raises(AssertionError) as caught:
        fake.assert_called(operation, parameters, times=times)
    assert str(caught.value).splitlines() == [f"{beginning}; all calls:", *ALL_CALLS]


def answer(_account: Account, _values: Values) -> None:
    """Nothing."""


PIN = Element("pin", SECRET)
USER = RecordType("User", (PIN, Element("password", STRING), Element("age", INT)))
SET_PINS = Operation(
    "SetPins",
    (
        KEY_PARAMETER,
        Element("pins", ArrayType(SECRET)),
        Element("user", USER),
    ),
    None,
    answer,
    writes=True,
)


def test_secrets_within_are_compared_and_not_shown() -> None:
    fake = FakeCustomerApi(KEY, operations=[SET_PINS])

    async def call() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
            user = {"pin": "1111-of-ann", "password": "2222-of-ann", "age": 7}
            parameters = {"pins": ["3333-of-ann"], "user": user}
            await CustomerApi(KEY, http_client=http).call("SetPins", parameters)

    anyio.run(call)
    right: dict[str, object] = {"pin": "1111-of-ann", "password": "2222-of-ann", "age": 7}
    fake.assert_called("SetPins", {"pins": ["3333-of-ann"], "user": right, "key": KEY})
    for wrong in (
        {"user": right | {"pin": Secret("wrong-pin")}},
        {"pins": [Secret("wrong-pin")]},
        {"key": "wrong-pin"},
    ):
        with pytest.raises(AssertionError) as caught:
            fake.assert_called("SetPins", wrong)
        assert "SetPins(pins=[***], user=(pin=***, password=***, age='7'))" in str(caught.value)
        assert "-of-ann" not in str(caught.value)
        assert "wrong-pin" not in str(caught.value)


def test_a_date_stands_for_its_midnight() -> None:
    fake = FakeCustomerApi(KEY)

    async def call() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
            api = CustomerApi(KEY, http_client=http)
            await api.bandwidth_get_usage(date(2026, 3, 1), date(2026, 3, 31))

    anyio.run(call)
    fake.assert_called("BandwidthGetUsage", {"startDate": date(2026, 3, 1)})


def test_that_nothing_was_called_is_told() -> None:
    with pytest.raises(AssertionError, match=r"not once or more; all calls: none$"):
        FakeCustomerApi().assert_called("GetJobStatus")


async def test_what_is_no_call_is_told_as_such() -> None:
    fake = FakeCustomerApi()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        await http.post("http://fake/1.0/customerapi.asmx", content=b"")
    with pytest.raises(AssertionError, match=r"1\. what is no call\(\): HTTP \d{3}$"):
        fake.assert_called("GetJobStatus")
