"""Our client and a SOAP stack of another make, PHP's `SoapServer`, over the same WSDL.

What PHP writes otherwise than ASMX, and what the client makes of it:

| | ASMX | PHP 8.2 | the client |
| --- | --- | --- | --- |
| the service's elements | no prefix | `ns1`, bound on the envelope | the same |
| the envelope's prefix | `soap` | `SOAP-ENV`; in 1.2 `env` | the same |
| `xsi:type` | never | never, for literal messages | - |
| an empty string | `<a />` | `<a></a>` | the same |
| a null date that is required | can't be | `<a/>`, which is no date | None: not set |
| such a member left out | can't be | a fault instead of the answer | `SoapFault` |
| a fault's actor in 1.2 | `Role`, and a `Node` | nothing | None |
| a fault's detail | always, often empty | only if there is something in it | None for none |
| an exception that nothing catches | a fault | 500, no body, `text/html`, HTTP/1.0 | `HttpError` |
| an unknown operation | `Client` fault | `Server` fault | `SoapFault` |
| the same in 1.2 | - | a code with a prefix that is unbound | `code` as it was sent |
| connections | kept | closed after each answer | a new one each time |
| `?WSDL` | with its length | as long as the connection | the same |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
from lxml import etree

from dasp_async import (
    NIL,
    BandwidthUsage,
    CustomerApi,
    HttpError,
    InvalidResponse,
    JobFailed,
    JobState,
    Schedule,
    SmAlias,
    SoapFault,
    SoapVersion,
    to_python,
)
from tests.php_server import Look, PhpServer, why_not
from tests.samples import load

KEY: Final = "test-key"
WEST: Final = timezone(timedelta(hours=-7))
START: Final = datetime(2026, 3, 14, 9, 26, 53, tzinfo=WEST)
END: Final = datetime(2026, 3, 14, 9, 31, 7, tzinfo=WEST)
QUICK: Final = Schedule(initial=0.01, factor=1, maximum=0.01)

# A number is a date that PHP writes, in its own zone; a text is one that it passes on.
QUEUED: Final[Look] = {
    "JobName": "Sql2012CreateBackup",
    "Status": "Queued",
    "StartDateTime": "0001-01-01T00:00:00",
    "CompletedDateTime": "0001-01-01T00:00:00",
}
RUNNING: Final[Look] = {**QUEUED, "Status": "Running", "StartDateTime": int(START.timestamp())}
DONE: Final[Look] = {
    **RUNNING,
    "Status": "Completed",
    "CompletedDateTime": int(END.timestamp()),
    "ErrorMessage": "",
}
FAILED: Final[Look] = {**DONE, "Status": "Failed", "ErrorMessage": "a < b & bücher"}

SOAP_1_1: Final = "{http://schemas.xmlsoap.org/soap/envelope/}"
SOAP_1_2: Final = "{http://www.w3.org/2003/05/soap-envelope}"


@pytest.fixture(scope="session")
def php(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PhpServer]:
    """The server, started once; each test makes the jobs and domains it looks at."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with PhpServer(tmp_path_factory.mktemp("php")) as server:
        yield server


@pytest.fixture(params=SoapVersion)
def version(request: pytest.FixtureRequest) -> SoapVersion:
    """The SOAP version of the requests, which is that of PHP's answers."""
    found: SoapVersion = request.param
    return found


def client(endpoint: str, version: SoapVersion | str, key: str = KEY) -> CustomerApi:
    return CustomerApi(
        key, endpoint=endpoint, version=SoapVersion(version), schedule=QUICK, budget=None
    )


# --- what PHP writes


def answered(url: str, request: str) -> httpx.Response:
    """What PHP answers to the bytes of a captured request."""
    sample = load(request)
    return httpx.post(url, headers=sample.request_headers, content=sample.request_body)


@pytest.mark.parametrize(
    ("request_", "envelope", "media_type"),
    [
        ("soap11/completed", b"<SOAP-ENV:Envelope ", "text/xml; charset=utf-8"),
        ("soap12/completed", b"<env:Envelope ", "application/soap+xml; charset=utf-8"),
    ],
)
def test_a_status_is_not_written_as_asmx_does(
    php: PhpServer, request_: str, envelope: bytes, media_type: str
) -> None:
    php.add_job(DONE, job_id=UUID(int=1))
    answer = answered(php.captured, request_)
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["Connection"] == "close"
    assert envelope in answer.content
    assert b'xmlns:ns1="http://api.discountasp.net/"' in answer.content
    assert b"<ns1:Status>Completed</ns1:Status>" in answer.content
    assert b"<ns1:ErrorMessage></ns1:ErrorMessage>" in answer.content
    assert b"type=" not in answer.content


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("soap11/wrong-key", b"<faultcode>SOAP-ENV:Client</faultcode>"),
        ("soap12/wrong-key", b"<env:Code><env:Value>env:Sender</env:Value></env:Code>"),
    ],
)
def test_a_fault_is_not_written_as_asmx_does(php: PhpServer, request_: str, code: bytes) -> None:
    answer = answered(php.captured, request_)
    assert answer.status_code == 500
    assert code in answer.content
    assert b"Invalid API key." in answer.content
    assert b"detail" not in answer.content.lower()
    assert b"detail" in load(request_).body.lower()


def test_the_wsdl_ends_with_the_connection(php: PhpServer) -> None:
    answer = httpx.get(f"{php.captured}?WSDL")
    assert "Content-Length" not in answer.headers
    assert answer.content.count(f'location="{php.captured}"'.encode()) == 2


# --- jobs


async def test_a_status_is_read(php: PhpServer, version: SoapVersion) -> None:
    job = php.add_job(FAILED)
    async with client(php.captured, version) as api:
        status = await api.get_job_status(job)
    assert status.job_name == "Sql2012CreateBackup"
    assert status.status == "Failed"
    assert status.start_date_time == START
    assert status.completed_date_time == END
    assert str(status.completed_date_time) == "2026-03-14 09:31:07-07:00"
    assert status.error_message == "a < b & bücher"
    assert status.state is JobState.FAILED


async def test_members_that_are_null_are_left_out(php: PhpServer, version: SoapVersion) -> None:
    texts = {"JobName": None, "Status": None, "ErrorMessage": None}
    job = php.add_job({**DONE, **texts})
    async with client(php.captured, version) as api:
        status = await api.get_job_status(job)
    assert (status.job_name, status.status, status.error_message) == (None, None, None)
    assert status.state is JobState.DONE


async def test_a_date_that_is_null_is_not_set(php: PhpServer, version: SoapVersion) -> None:
    job = php.add_job({**RUNNING, "CompletedDateTime": None})
    async with client(php.captured, version) as api:
        status = await api.get_job_status(job)
    assert status.start_date_time == START
    assert status.completed_date_time is None
    assert status.state is JobState.RUNNING


async def test_a_status_that_is_null(php: PhpServer, version: SoapVersion) -> None:
    job = php.add_job(None)
    async with client(php.captured, version) as api:
        with pytest.raises(InvalidResponse, match="it has no GetJobStatusResult"):
            await api.get_job_status(job)


async def test_a_wait_until_done(php: PhpServer, version: SoapVersion) -> None:
    job = php.add_job(QUEUED, RUNNING, DONE)
    seen: list[str | None] = []
    async with client(php.captured, version) as api:
        status = await api.poll_until_done(job, on_status=lambda each: seen.append(each.status))
    assert seen == ["Queued", "Running", "Completed"]
    assert status.completed_date_time == END
    assert status.error_message == ""


async def test_a_wait_until_failed(php: PhpServer, version: SoapVersion) -> None:
    job = php.add_job(RUNNING, FAILED)
    async with client(php.captured, version) as api:
        with pytest.raises(JobFailed, match="a < b & bücher"):
            await api.poll_until_done(job)


async def test_a_job_is_started_and_waited_for(php: PhpServer, version: SoapVersion) -> None:
    async with client(php.captured, version) as api:
        job = await api.start_job("Sql2012CreateBackup", {"databaseName": "DB_1"})
        statuses = [status.status async for status in api.watch(job)]
    assert statuses == ["Running", "Completed"]


async def test_many_waits_at_once(php: PhpServer, version: SoapVersion) -> None:
    done = [php.add_job(QUEUED, *[RUNNING] * looks, DONE) for looks in range(6)]
    failed, unknown = php.add_job(RUNNING, FAILED), uuid4()
    alone: list[str | None] = []

    async def wait(api: CustomerApi) -> None:
        alone.append((await api.poll_until_done(lone)).status)

    lone = php.add_job(QUEUED, RUNNING, DONE)
    errors: dict[UUID, type] = {}
    async with client(php.captured, version) as api, anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(wait, api)
        async with api.poll_many([*done, failed, unknown]) as outcomes:
            async for outcome in outcomes:
                errors[outcome.job_id] = type(outcome.error)
    assert alone == ["Completed"] * 3
    assert errors == {
        **dict.fromkeys(done, type(None)),
        failed: JobFailed,
        unknown: SoapFault,
    }


# --- faults


@dataclass(frozen=True, kw_only=True)
class Case:
    """What PHP's code throws, and what the client's fault has of it in each version."""

    look: Look
    code_1_1: str
    code_1_2: str
    reason: str
    actor_1_1: str | None = None
    detail: str | None = None


FAULTS: Final = {
    "sender": Case(
        look={"fault": ["Client", "Not yours: a < b"]},
        code_1_1=f"{SOAP_1_1}Client",
        code_1_2=f"{SOAP_1_2}Sender",
        reason="Not yours: a < b",
    ),
    "receiver, with all that PHP can say": Case(
        look={"fault": ["Server", "bücher", "http://example.com/", {"code": 5}]},
        code_1_1=f"{SOAP_1_1}Server",
        code_1_2=f"{SOAP_1_2}Receiver",
        reason="bücher",
        actor_1_1="http://example.com/",
        # An array in a detail is of no schema, and so a map of PHP's own.
        detail="<item><key>code</key><value>5</value></item>",
    ),
    "a code of its own": Case(
        look={"fault": [["urn:x", "Busy"], "later", None, "text"]},
        code_1_1="{urn:x}Busy",
        code_1_2="{urn:x}Busy",
        reason="later",
        detail="text",
    ),
    "a code in no namespace": Case(
        look={"fault": ["Client.Authentication", "no"]},
        code_1_1="Client.Authentication",
        code_1_2="Client.Authentication",
        reason="no",
    ),
    "an answer that PHP can't write": Case(
        look={"Status": "Running"},
        code_1_1=f"{SOAP_1_1}Server",
        code_1_2=f"{SOAP_1_2}Receiver",
        reason="SOAP-ERROR: Encoding: object has no 'StartDateTime' property",
    ),
}


def canonical(detail: str | None) -> str | None:
    return None if detail is None else etree.canonicalize(f"<detail>{detail}</detail>")


@pytest.mark.parametrize("case", FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_read(php: PhpServer, version: SoapVersion, case: Case) -> None:
    job = php.add_job(case.look)
    async with client(php.captured, version) as api:
        with pytest.raises(SoapFault) as caught:
            await api.get_job_status(job)
    is_1_1 = version is SoapVersion.SOAP_1_1
    fault = caught.value
    assert fault.code == (case.code_1_1 if is_1_1 else case.code_1_2)
    assert fault.subcodes == ()
    assert fault.reason == case.reason
    assert fault.actor == (case.actor_1_1 if is_1_1 else None)
    # What the client has of a `Detail` may declare the prefixes of its surroundings too.
    assert canonical(fault.detail) == canonical(case.detail)
    assert not fault.transient


async def test_a_wrong_key(php: PhpServer, version: SoapVersion) -> None:
    job = php.add_job(DONE)
    async with client(php.captured, version, key=KEY.upper()) as api:
        with pytest.raises(SoapFault, match=r"Invalid API key\.") as caught:
            await api.poll_until_done(job)
    is_1_1 = version is SoapVersion.SOAP_1_1
    assert caught.value.code == (f"{SOAP_1_1}Client" if is_1_1 else f"{SOAP_1_2}Sender")


@pytest.mark.parametrize(
    ("version", "code", "reason"),
    [
        ("1.1", f"{SOAP_1_1}Server", "Procedure 'SMGetAllAliases' not present"),
        ("1.2", "rpc:ProcedureNotPresent", "Procedure not present"),
    ],
)
async def test_an_operation_that_the_wsdl_lacks(
    php: PhpServer, version: str, code: str, reason: str
) -> None:
    async with client(php.captured, version) as api:
        with pytest.raises(SoapFault) as caught:
            await api.sm_get_all_aliases("example.com")
    assert caught.value.code == code
    assert caught.value.reason == reason


async def test_an_exception_that_nothing_catches(php: PhpServer, version: SoapVersion) -> None:
    job = php.add_job({"exception": "lost"})
    async with client(php.captured, version) as api:
        with pytest.raises(HttpError) as caught:
            await api.get_job_status(job)
    assert caught.value.status_code == 500
    assert caught.value.content_type.startswith("text/html")
    assert caught.value.excerpt == ""
    assert not caught.value.transient


# --- the service's description, and calls by it


async def test_the_description(php: PhpServer, version: SoapVersion) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    async with client(php.captured, version) as api:
        found = await api.describe()
    assert [each.signature for each in found.operations.values()] == [
        "GetJobStatus(key: string, jobId: guid) -> JobStatus",
        "Sql2012CreateBackup(key: string, databaseName: string) -> guid",
        "GetDomainNames(key: string) -> string[]",
        "GetNoDomainNames(key: string, want: string) -> string[]",
        "BandwidthGetUsage(key: string, startDate: dateTime, endDate: dateTime) -> DataSet",
        "EchoDateTime(key: string, value: dateTime) -> string",
        "EchoString(key: string, value: string) -> string",
    ]
    assert {each.versions for each in found.operations.values()} == {frozenset(SoapVersion)}
    assert found.served_at is not None
    assert before <= found.served_at <= datetime.now(UTC)


# An operation of the captured WSDL, its parameters, and its result
CALLS: Final[list[tuple[str, dict[str, object], object]]] = [
    (
        "EchoString",
        {"value": " a < b & bücher\u2003\U0001f600\n"},
        " a < b & bücher\u2003\U0001f600\n",
    ),
    ("EchoString", {"value": ""}, ""),
    ("EchoString", {"value": None}, None),
    ("EchoDateTime", {"value": START.replace(microsecond=120)}, "2026-03-14T09:26:53.000120-07:00"),
    ("GetDomainNames", {}, ["example.com", None, "", "bücher.example", " a & b "]),
    ("GetNoDomainNames", {"want": "empty"}, []),
    ("GetNoDomainNames", {"want": "null"}, None),
]


@pytest.mark.parametrize(("operation", "parameters", "result"), CALLS)
async def test_a_call_by_the_description(
    php: PhpServer,
    version: SoapVersion,
    operation: str,
    parameters: dict[str, object],
    result: object,
) -> None:
    async with client(php.captured, version) as api:
        found = await api.describe()
        element = await api.call(operation, parameters, description=found)
    assert to_python(element, found.operation(operation)) == {f"{operation}Result": result}


async def test_nil_without_a_description(php: PhpServer, version: SoapVersion) -> None:
    async with client(php.captured, version) as api:
        element = await api.call("EchoString", {"value": NIL})
    assert to_python(element) == ""


# --- the known operations, by the fake's WSDL


async def test_a_data_set(php: PhpServer, version: SoapVersion) -> None:
    async with client(php.known, version) as api:
        rows = await api.bandwidth_get_usage(START, END)
    assert rows == [BandwidthUsage(START, Decimal("1.50")), BandwidthUsage(END, None)]


async def test_aliases(php: PhpServer, version: SoapVersion) -> None:
    domain = f"{uuid4()}.example"
    async with client(php.known, version) as api:
        assert await api.sm_get_all_aliases(domain) == []
        await api.sm_add_alias(domain, "info", ["a@example.com"])
        await api.sm_add_alias(domain, "sales", ["b@example.com", "bücher & <c>"])
        await api.sm_add_alias(domain, "none", [])
        await api.sm_update_alias_addresses(domain, "info", ["d@example.com", "e@example.com"])
        aliases = await api.sm_get_all_aliases(domain)
    assert aliases == [
        SmAlias(f"info@{domain}", ("d@example.com", "e@example.com")),
        SmAlias(f"sales@{domain}", ("b@example.com", "bücher & <c>")),
        SmAlias(f"none@{domain}"),
    ]


@pytest.mark.parametrize("size", [250, -(2**31)])
async def test_a_user(php: PhpServer, version: SoapVersion, size: int) -> None:
    domain = f"{uuid4()}.example"
    async with client(php.known, version) as api:
        await api.sm_add_user(
            domain,
            "jane",
            "a-test-password <&>",
            first_name="Jane",
            last_name="Döe",
            max_mailbox_size_in_mb=size,
        )
    kept: Any = php.kept(f"jane@{domain}")
    assert kept == {
        "key": KEY,
        "domainName": domain,
        "userName": "jane",
        "password": "a-test-password <&>",
        "firstName": "Jane",
        "lastName": "Döe",
        "maxMailboxSizeInMB": size,
    }
