"""`FakeCustomerApi`: jobs, trouble, what it records, and SOAP that no capture shows."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterable, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import anyio
import anyio.lowlevel
import httpx
import httpx2
import pytest
from lxml import etree

from dasp_async import (
    CustomerApi,
    HttpError,
    JobState,
    JobStatus,
    SoapFault,
    SoapVersion,
    TransportError,
)
from dasp_async.cli.fake import serving
from dasp_async.models import JobRecord
from dasp_async.testing import (
    Delay,
    DroppedConnection,
    FakeClock,
    FakeCustomerApi,
    Fault,
    RawAnswer,
    Trouble,
    app,
)
from dasp_async.testing.contract import Contract
from dasp_async.testing.reading import Reading, Request, read

KEY = "test-key"
ENDPOINT = "https://api.discountasp.net/1.0/customerapi.asmx"
NEW_YEAR = datetime(2026, 1, 1)  # noqa: DTZ001 - the fake sends dates of no known zone
SOAP_1_1 = "text/xml; charset=utf-8"
SOAP_1_2 = "application/soap+xml; charset=utf-8"
ACTION = '"http://api.discountasp.net/GetJobStatus"'


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def fake(clock: FakeClock) -> FakeCustomerApi:
    return FakeCustomerApi(KEY, clock=clock)


@asynccontextmanager
async def api_of(
    fake: FakeCustomerApi, clock: FakeClock, key: str = KEY, version: str = "1.1"
) -> AsyncGenerator[CustomerApi]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        yield CustomerApi(
            key, version=SoapVersion(version), http_client=http, attempts=1, clock=clock
        )


async def looks(
    fake: FakeCustomerApi, clock: FakeClock, job: UUID, times: int = 1
) -> list[JobStatus]:
    async with api_of(fake, clock) as api:
        return [await api.get_job_status(job) for _ in range(times)]


async def request(
    fake: FakeCustomerApi, method: str = "GET", url: str = ENDPOINT, **options: Any
) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        return await http.request(method, url, **options)


def envelope(content: str, version: SoapVersion = SoapVersion.SOAP_1_2, header: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="{version.namespace}">{header}<s:Body>{content}</s:Body></s:Envelope>'
    ).encode()


def call(job: object, operation: str = "GetJobStatus", key: str = KEY) -> str:
    return (
        f'<{operation} xmlns="http://api.discountasp.net/"><key>{key}</key>'
        f"<jobId>{job}</jobId></{operation}>"
    )


async def post(
    fake: FakeCustomerApi, body: bytes, content_type: str = SOAP_1_2, action: str | None = None
) -> httpx.Response:
    headers = {"Content-Type": content_type}
    if action is not None:
        headers["SOAPAction"] = action
    return await request(fake, "POST", content=body, headers=headers)


def fault_of(answer: httpx.Response) -> tuple[str, str]:
    """The code and the reason of a fault, in either version."""
    fault = etree.fromstring(answer.content).find(".//{*}Fault")
    assert fault is not None
    assert answer.status_code == 500
    code = fault.findtext("faultcode") or fault.findtext("{*}Code/{*}Value")
    reason = fault.findtext("faultstring") or fault.findtext("{*}Reason/{*}Text")
    assert code is not None
    assert reason is not None
    return code, reason


# --- jobs -------------------------------------------------------------------------------------


async def test_a_job_goes_by_looks_and_stays_at_its_last_step(
    fake: FakeCustomerApi, clock: FakeClock
) -> None:
    job = fake.add_job("Pending", "Queued", "Working", "Completed", name="Restore")
    clock.advance(60)
    first = await looks(fake, clock, job, 3)
    clock.advance(60)
    second = await looks(fake, clock, job)
    clock.advance(60)
    third = await looks(fake, clock, job)

    seen = [
        (each.status, each.start_date_time, each.completed_date_time)
        for each in first + second + third
    ]
    done = NEW_YEAR + timedelta(seconds=120)
    assert seen == [
        ("Pending", None, None),
        ("Queued", None, None),
        ("Working", NEW_YEAR, None),
        ("Completed", NEW_YEAR, done),
        ("Completed", NEW_YEAR, done),
    ]
    assert {each.job_name for each in first} == {"Restore"}
    assert {each.error_message for each in third} == {None}


@pytest.mark.parametrize(
    ("error_message", "last"), [(None, "Completed"), ("The disk is full.", "Failed")]
)
async def test_a_job_without_steps_is_pending_running_and_over(
    fake: FakeCustomerApi, clock: FakeClock, error_message: str | None, last: str
) -> None:
    job = fake.add_job(error_message=error_message)
    seen = await looks(fake, clock, job, 3)
    assert [each.status for each in seen] == ["Pending", "Running", last]
    assert [each.error_message for each in seen] == [None, None, error_message]


async def test_a_word_that_is_not_of_failure_brings_no_error_message(
    fake: FakeCustomerApi, clock: FakeClock
) -> None:
    job = fake.add_job("Completed", "FAILED", error_message="The disk is full.")
    seen = await looks(fake, clock, job, 2)
    assert [each.error_message for each in seen] == [None, "The disk is full."]


@pytest.mark.parametrize(
    ("error_message", "last"), [(None, "Completed"), ("The disk is full.", "Failed")]
)
async def test_a_job_goes_by_time(
    fake: FakeCustomerApi, clock: FakeClock, error_message: str | None, last: str
) -> None:
    job = fake.add_job(duration=90.5, error_message=error_message)
    clock.advance(90)
    running = await looks(fake, clock, job)
    clock.advance(600)
    over = await looks(fake, clock, job, 2)
    assert [(each.status, each.completed_date_time) for each in running] == [("Running", None)]
    assert {(each.status, each.start_date_time) for each in over} == {(last, NEW_YEAR)}
    assert {each.completed_date_time for each in over} == {NEW_YEAR + timedelta(seconds=90.5)}
    assert {each.error_message for each in over} == {error_message}


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"duration": -1}, ValueError, "duration"),
        ({"duration": math.nan}, ValueError, "duration"),
        ({"duration": "60"}, TypeError, "duration"),
        ({"duration": True}, TypeError, "duration"),
        ({"job_id": "nonsense"}, ValueError, "job_id"),
        ({"job_id": 7}, ValueError, "job_id"),
    ],
    ids=repr,
)
def test_a_job_with_a_wrong_argument_is_refused(
    fake: FakeCustomerApi, arguments: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named} must be"):
        fake.add_job(**arguments)


def test_steps_of_a_wrong_kind_are_refused(fake: FakeCustomerApi) -> None:
    wrong: Any = 5
    with pytest.raises(TypeError, match=r"^steps\[1\] must be str .* not int$"):
        fake.add_job("Running", wrong)
    with pytest.raises(TypeError, match=r"^steps\[0\] must be"):
        fake.script_started_jobs(wrong)


async def test_a_jobs_id_can_be_text_and_its_end_never_come(
    fake: FakeCustomerApi, clock: FakeClock
) -> None:
    assert fake.add_job(duration=math.inf, job_id=UUID(int=7).hex) == UUID(int=7)
    clock.advance(1e9)
    assert [each.status for each in await looks(fake, clock, UUID(int=7))] == ["Running"]


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ({"key": ""}, ValueError, "key"),
        ({"key": None}, TypeError, "key"),
        ({"key": b"key"}, TypeError, "key"),
        ({"clock": 5}, TypeError, "clock"),
        ({"clock": FakeClock}, TypeError, "clock"),
    ],
    ids=repr,
)
def test_a_fake_with_a_wrong_argument_is_refused(
    arguments: dict[str, Any], error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named} must"):
        FakeCustomerApi(**arguments)


def test_a_job_goes_by_steps_or_by_time_not_by_both(fake: FakeCustomerApi) -> None:
    with pytest.raises(ValueError, match="by steps or by duration"):
        fake.add_job("Running", duration=1.0)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
async def test_a_record_is_answered_as_it_is(
    fake: FakeCustomerApi, clock: FakeClock, version: str
) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    record = JobRecord(
        "",
        None,
        datetime(2026, 3, 14, 9, 26, 53, 120_000, UTC),
        datetime(2026, 3, 14, 9, 31, 7, tzinfo=east),
        "a < b",
    )
    job = fake.add_job(record, job_id=UUID(int=7))
    async with api_of(fake, clock, version=version) as api:
        seen = await api.get_job_status(job)
    assert seen.job_id == UUID(int=7)
    assert (seen.job_name, seen.status, seen.error_message) == ("", None, "a < b")
    assert (seen.start_date_time, seen.completed_date_time) == (
        record.start_date_time,
        record.completed_date_time,
    )


async def test_a_fault_or_raw_answer_can_be_a_step(fake: FakeCustomerApi, clock: FakeClock) -> None:
    job = fake.add_job(Fault("The job store is down."), RawAnswer("Sorry", 503), "Completed")
    async with api_of(fake, clock) as api:
        with pytest.raises(SoapFault, match="The job store is down"):
            await api.get_job_status(job)
        with pytest.raises(HttpError, match="HTTP 503"):
            await api.get_job_status(job)
        assert (await api.get_job_status(job)).state is JobState.DONE


async def test_jobs_have_ids_of_their_own(fake: FakeCustomerApi, clock: FakeClock) -> None:
    first, second = fake.add_job("Running"), fake.add_job("Completed")
    seen = [(await looks(fake, clock, job))[0].status for job in (first, second)]
    assert seen == ["Running", "Completed"]


async def test_a_series_of_ids_leaves_out_those_in_use(fake: FakeCustomerApi) -> None:
    first = fake.add_job()
    second, third = UUID(int=first.int + 1), UUID(int=first.int + 2)
    fake.add_job(job_id=second)
    assert fake.add_job() == third


async def started(fake: FakeCustomerApi) -> UUID:
    body = envelope(
        '<Sql2012CreateBackup xmlns="http://api.discountasp.net/"><key>test-key</key>'
        "<databaseName>DB_1</databaseName></Sql2012CreateBackup>"
    )
    answer = await post(fake, body)
    assert answer.status_code == 200
    text = etree.fromstring(answer.content).findtext(".//{*}Sql2012CreateBackupResult")
    return UUID(text)


async def test_an_operation_starts_a_job(fake: FakeCustomerApi, clock: FakeClock) -> None:
    usual = await started(fake)
    fake.script_started_jobs(duration=30, error_message="The disk is full.")
    timed = await started(fake)
    clock.advance(30)
    assert [each.status for each in await looks(fake, clock, usual, 3)] == [
        "Pending",
        "Running",
        "Completed",
    ]
    failed = (await looks(fake, clock, timed))[0]
    assert (failed.job_name, failed.state) == ("Sql2012CreateBackup", JobState.FAILED)
    assert usual != timed


async def test_a_wait_ends_when_the_job_does(fake: FakeCustomerApi, clock: FakeClock) -> None:
    job = fake.add_job(duration=3600)
    async with api_of(fake, clock, version="1.2") as api:
        status = await api.poll_until_done(job, timeout=7200)
    assert status.state is JobState.DONE
    assert 3600 <= fake.calls[-1].at < 3700


async def test_it_keeps_the_systems_time_if_no_clock_is_given() -> None:
    fake = FakeCustomerApi()
    job = fake.add_job("Completed")
    seen = (await looks(fake, FakeClock(), job))[0]
    now = datetime.now(UTC).replace(tzinfo=None)
    assert seen.completed_date_time is not None
    assert abs(now - seen.completed_date_time) < timedelta(minutes=1)


# --- who may call -----------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.1", "1.2"])
async def test_only_the_right_key_is_let_in(clock: FakeClock, version: str) -> None:
    fake = FakeCustomerApi("another-test-key", clock=clock)
    job = fake.add_job("Completed")
    async with api_of(fake, clock, KEY, version) as api:
        with pytest.raises(SoapFault) as caught:
            await api.get_job_status(job)
    assert caught.value.reason == "Server was unable to process request. ---> Invalid API key."
    async with api_of(fake, clock, "another-test-key", version) as api:
        assert (await api.get_job_status(job)).state is JobState.DONE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (call(UUID(int=1)), "Job not found."),
        (call(UUID(int=1)).replace("key>", "Key>"), "API key is missing."),
        (call(UUID(int=1)).replace("jobId>", "jobID>"), "Job not found."),
    ],
)
async def test_a_call_for_nothing_gets_a_fault(
    fake: FakeCustomerApi, content: str, reason: str
) -> None:
    answer = await post(fake, envelope(content))
    assert fault_of(answer) == (
        "soap:Receiver",
        f"Server was unable to process request. ---> {reason}",
    )


# --- trouble ----------------------------------------------------------------------------------


async def test_trouble_comes_in_order_and_passes(fake: FakeCustomerApi, clock: FakeClock) -> None:
    job = fake.add_job("Running", "Completed")
    fake.trouble(Fault("Called too often.", "Client"), times=2)
    fake.trouble(RawAnswer("<h1>Sorry</h1>", status=503, headers={"Retry-After": "7"}))
    async with api_of(fake, clock) as api:
        for _ in range(2):
            with pytest.raises(SoapFault, match="Called too often"):
                await api.get_job_status(job)
        with pytest.raises(HttpError) as caught:
            await api.get_job_status(job)
        assert (await api.get_job_status(job)).status == "Running"
    assert (caught.value.status_code, caught.value.retry_after) == (503, 7)
    assert caught.value.content_type == "text/html; charset=utf-8"
    assert caught.value.excerpt == "Sorry"


@pytest.mark.parametrize(
    ("trouble", "times", "error", "named"),
    [
        ("Completed", 1, TypeError, "trouble"),
        (None, 1, TypeError, "trouble"),
        (Delay, 1, TypeError, "trouble"),
        (Delay(1), -1, ValueError, "times"),
        (Delay(1), 1.0, TypeError, "times"),
        (Delay(1), True, TypeError, "times"),
    ],
    ids=repr,
)
def test_trouble_of_a_wrong_kind_is_refused(
    fake: FakeCustomerApi, trouble: Any, times: Any, error: type[Exception], named: str
) -> None:
    with pytest.raises(error, match=f"^{named} must be"):
        fake.trouble(trouble, times)


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("1.1", ("Client", (), "urn:actor", None)),
        ("1.2", ("Sender", ("{urn:x}Deep",), "urn:role", "urn:actor")),
    ],
)
async def test_a_fault_is_told_in_the_version_of_the_request(
    fake: FakeCustomerApi, clock: FakeClock, version: str, told: tuple[object, ...]
) -> None:
    fake.trouble(
        Fault(
            "No.",
            "Sender",
            subcode="{urn:x}Deep",
            actor="urn:actor",
            role="urn:role",
            detail="<code>5</code>",
        )
    )
    async with api_of(fake, clock, version=version) as api:
        with pytest.raises(SoapFault) as caught:
            await api.get_job_status(UUID(int=1))
    fault = caught.value
    code = fault.code.removeprefix(f"{{{SoapVersion(version).namespace}}}")
    assert (code, fault.subcodes, fault.actor, fault.node) == told
    assert fault.reason == "No."
    assert (fault.detail or "").endswith(">5</code>")


@pytest.mark.parametrize("codes", [("Wrong", None), ("Client", "Deep"), ("{}x", None)])
def test_a_fault_has_codes_that_can_be_written(codes: tuple[str, str | None]) -> None:
    with pytest.raises(ValueError, match="neither a code of SOAP's nor"):
        Fault("No.", codes[0], codes[1])


async def test_a_fault_of_text_that_utf_8_lacks_still_goes_out(fake: FakeCustomerApi) -> None:
    fake.trouble(Fault("half: \ud83d"))
    assert fault_of(await post(fake, envelope(call(UUID(int=1)))))[1] == "half: ?"


async def test_raw_bytes_go_out_as_they_are(fake: FakeCustomerApi) -> None:
    fake.trouble(RawAnswer(b"\xff\xfe", content_type="text/xml"))
    answer = await post(fake, b"anything")
    assert (answer.status_code, answer.content) == (200, b"\xff\xfe")
    assert answer.headers["content-type"] == "text/xml"
    assert answer.headers["content-length"] == "2"


async def test_a_delay_takes_the_clocks_time(fake: FakeCustomerApi, clock: FakeClock) -> None:
    job = fake.add_job(duration=10)
    fake.trouble(Delay(12.5))
    seen = (await looks(fake, clock, job))[0]
    assert clock.monotonic() == 12.5
    assert seen.state is JobState.DONE


@pytest.mark.parametrize("trouble", [DroppedConnection(), DroppedConnection(after=30)])
async def test_a_dropped_call_takes_effect(
    fake: FakeCustomerApi, clock: FakeClock, trouble: Trouble
) -> None:
    job = fake.add_job("Running", "Completed")
    fake.trouble(trouble)
    async with api_of(fake, clock) as api:
        with pytest.raises(TransportError) as caught:
            await api.get_job_status(job)
        assert caught.value.transient
        assert (await api.get_job_status(job)).state is JobState.DONE
    assert [each.status for each in fake.calls] == [None, 200]


# --- what it records --------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "action"), [("1.1", ACTION), ("1.2", None)])
async def test_calls_are_recorded(
    fake: FakeCustomerApi, clock: FakeClock, version: str, action: str | None
) -> None:
    job = fake.add_job("Completed")
    clock.advance(5)
    async with api_of(fake, clock, version=version) as api:
        await api.get_job_status(job)
    (received,) = fake.calls
    assert received.operation == "GetJobStatus"
    assert received.version is SoapVersion(version)
    assert received.parameters["jobId"] == str(job)
    assert received.headers.get("soapaction") == action
    assert (received.at, received.status) == (5.0, 200)
    assert KEY not in repr(fake.calls)
    assert KEY not in str(received.parameters["key"])


async def test_what_is_no_call_of_an_operation_is_recorded_too(fake: FakeCustomerApi) -> None:
    await post(fake, b"hello")
    await post(fake, envelope(call("nonsense")))
    await request(fake)
    assert [(each.operation, each.parameters, each.status) for each in fake.calls] == [
        (None, {}, 500),
        ("GetJobStatus", {}, 500),
    ]


# --- SOAP that no capture shows ---------------------------------------------------------------

NO_ACTION = (
    "Unable to handle request without a valid action parameter. Please supply a valid soap action."
)
MISMATCH = (
    "Possible SOAP version mismatch: Envelope namespace  was unexpected. "
    "Expecting http://schemas.xmlsoap.org/soap/envelope/."
)
GUID = "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
DTD = "For security reasons DTD is prohibited in this XML document."
PROCESS = "Server was unable to process request. ---> "
READ = "Server was unable to read request. ---> "
OLD = SoapVersion.SOAP_1_1
NEW = SoapVersion.SOAP_1_2
SENDER, RECEIVER = "soap:Sender", "soap:Receiver"


@pytest.mark.parametrize(
    ("content_type", "body", "code", "reason"),
    [
        (
            SOAP_1_2,
            envelope(call(1, "NoSuchOperation")),
            SENDER,
            NO_ACTION,
        ),
        (
            f'{SOAP_1_2}; action="urn:other"',
            envelope("plain text"),
            SENDER,
            "Unable to handle request. The action 'urn:other' was not recognized.",
        ),
        (
            SOAP_1_2,
            envelope("<GetJobStatus/>", OLD),
            "soap:Client",
            NO_ACTION,
        ),
        (
            SOAP_1_2,
            b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>',
            RECEIVER,
            f"{PROCESS}Request format is invalid: Missing required soap:Body element.",
        ),
        (
            SOAP_1_2,
            b" \n hello",
            RECEIVER,
            f"{PROCESS}Data at the root level is invalid. Line 2, position 2.",
        ),
        (SOAP_1_2, b"", RECEIVER, f"{PROCESS}Root element is missing."),
        (SOAP_1_2, b"<!DOCTYPE a><a/>", RECEIVER, f"{PROCESS}{DTD}"),
        (
            SOAP_1_2,
            envelope("</a>"),
            RECEIVER,
            f"{PROCESS}mismatched tag. Line 1, position 73.",
        ),
        (SOAP_1_2, b"<x:a/>", RECEIVER, f"{PROCESS}unbound prefix. Line 1, position 1."),
        (
            SOAP_1_2,
            b"<hello/>",
            "soap:VersionMismatch",
            MISMATCH,
        ),
    ],
    ids=range(10),
)
async def test_what_cannot_be_routed_by_its_body_gets_a_fault(
    fake: FakeCustomerApi, content_type: str, body: bytes, code: str, reason: str
) -> None:
    assert fault_of(await post(fake, body, content_type)) == (code, reason)


@pytest.mark.parametrize(
    ("content_type", "operation"),
    [
        (f'{SOAP_1_2}; action="http://api.discountasp.net/GetJobStatus"', "GetJobStatus"),
        (
            f"{SOAP_1_2};Action=http%3a//api.discountasp.net/Sql2012CreateBackup",
            "Sql2012CreateBackup",
        ),
        (
            f"{SOAP_1_2}; action='http://api.discountasp.net/Sql2012CreateBackup'",
            "Sql2012CreateBackup",
        ),
        (f"{SOAP_1_2}; action=urn:unknown", "GetJobStatus"),
        (f"{SOAP_1_2}; action", "GetJobStatus"),
    ],
)
async def test_in_soap_1_2_a_known_action_decides_and_an_unknown_one_is_ignored(
    fake: FakeCustomerApi, content_type: str, operation: str
) -> None:
    fake.add_job("Completed", job_id=UUID(int=1))
    await post(fake, envelope(call(UUID(int=1))), content_type)
    assert [each.operation for each in fake.calls] == [operation]


async def test_a_soapaction_is_percent_decoded(fake: FakeCustomerApi) -> None:
    fake.add_job("Completed", job_id=UUID(int=1))
    action = "http%3A%2F%2Fapi.discountasp.net%2FGetJobStatus"
    answer = await post(fake, envelope(call(UUID(int=1)), OLD), SOAP_1_1, action)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body", "status", "answered"),
    [
        (SOAP_1_2, envelope(call(1)) + b"<", 400, SOAP_1_2),
        (SOAP_1_2, envelope(call("<b/>")), 400, SOAP_1_2),
        (SOAP_1_2, envelope(call("1<!-- -->")), 400, SOAP_1_2),
        (SOAP_1_2, envelope(call("1<?a b?>")), 400, SOAP_1_2),
        (SOAP_1_2, envelope(call(1), OLD), 415, SOAP_1_1),
        ("text/plain", envelope(call(1)), 415, SOAP_1_2),
        ("text/plain", envelope(call(1), OLD), 415, SOAP_1_2),
        (
            f"{SOAP_1_2}; action=http://api.discountasp.net/GetJobStatus",
            envelope("").replace(b"Envelope", b"Letter"),
            400,
            SOAP_1_2,
        ),
    ],
    ids=range(8),
)
async def test_what_cannot_be_read_gets_an_empty_answer(
    fake: FakeCustomerApi, content_type: str, body: bytes, status: int, answered: str
) -> None:
    answer = await post(fake, body, content_type)
    assert (answer.status_code, answer.content) == (status, b"")
    assert answer.headers["content-type"] == answered


@pytest.mark.parametrize(
    ("after", "width"), [("", 3), (" ", 1), ("<a/>", 2), ("<!-- -->", 5), ("<?a b?>", 3)]
)
async def test_a_bad_guid_is_blamed_at_the_node_after_it(
    fake: FakeCustomerApi, after: str, width: int
) -> None:
    body = envelope(call(f"x</jobId>{after}<jobId>").replace("<jobId></jobId>", ""))
    before = b"\n<!-- line 2 -->"
    end = len(before) - 1 + body.index(b"</jobId>") + len("</jobId>")
    answer = await post(fake, before + body)
    assert fault_of(answer) == (
        SENDER,
        f"{READ}There is an error in XML document (2, {end + width}). ---> {GUID}",
    )


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ("(00000000-0000-0000-0000-000000000001)", 200),
        ("{00000000000000000000000000000001}", 500),
        ("00000000000000000000000000000000", 500),
        ("0000-0000-0000-0000-0000-0000-0000-0001", 500),
        ("urn:uuid:00000000-0000-0000-0000-000000000001", 500),
        ("{00000000-0000-0000-0000-000000000001", 500),
    ],
)
async def test_guids_are_read_in_dot_nets_spellings(
    fake: FakeCustomerApi, spelling: str, status: int
) -> None:
    fake.add_job("Completed", job_id=UUID(int=1))
    assert (await post(fake, envelope(call(spelling)))).status_code == status


async def test_of_two_parameters_the_first_counts(fake: FakeCustomerApi) -> None:
    fake.add_job("Completed", job_id=UUID(int=1))
    twice = call(f"{UUID(int=1)}</jobId><jobId>{UUID(int=2)}")
    assert (await post(fake, envelope(twice))).status_code == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('<s:Header><a s:mustUnderstand="true"/></s:Header>', 500),
        ('<s:Header><a s:mustUnderstand="0"/></s:Header>', 200),
        ('<s:Header><a mustUnderstand="1"/></s:Header>', 200),
    ],
)
async def test_a_header_is_understood_or_not_after_the_call_has_run(
    fake: FakeCustomerApi, header: str, status: int
) -> None:
    job = fake.add_job("Running", "Completed")
    answer = await post(fake, envelope(call(job), header=header))
    assert answer.status_code == status
    after = await post(fake, envelope(call(job)))
    assert b"<Status>Completed</Status>" in after.content


async def test_a_fault_about_a_header_has_no_detail(fake: FakeCustomerApi) -> None:
    job = fake.add_job("Running")
    header = '<s:Header><x:T xmlns:x="urn:x" s:mustUnderstand="1"/></s:Header>'
    answer = await post(fake, envelope(call(job), header=header))
    assert fault_of(answer) == ("soap:MustUnderstand", "SOAP header T was not understood.")
    assert b"Detail" not in answer.content


async def test_a_bad_key_is_told_before_a_header_that_is_not_understood(
    fake: FakeCustomerApi,
) -> None:
    header = '<s:Header><a s:mustUnderstand="1"/></s:Header>'
    answer = await post(fake, envelope(call(UUID(int=1), key="nonsense"), header=header))
    assert fault_of(answer) == (RECEIVER, f"{PROCESS}Invalid API key.")


UTF_16 = '<?xml version="1.0" encoding="utf-8"?>' + envelope(call(UUID(int=1), key="clé")).decode()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/soap+xml", envelope(call(UUID(int=1), key="clé")), 200),
        ("application/soap+xml; charset=klingon", envelope(call(UUID(int=1), key="clé")), 200),
        ("application/soap+xml; charset=base64", envelope(call(UUID(int=1), key="clé")), 200),
        ("text/xml", envelope(call(UUID(int=1), key="clé")), 500),
        ("text/xml; charset=klingon", envelope(call(UUID(int=1), key="clé")), 500),
        ("text/xml", b"\xef\xbb\xbf" + envelope(call(UUID(int=1), key="clé")), 200),
        (SOAP_1_2, UTF_16.encode("utf-16"), 200),
        (SOAP_1_2, UTF_16.encode("utf-32"), 200),
        ("application/soap+xml; charset=utf-16", UTF_16.encode("utf-16-le"), 200),
        ("text/xml; charset=iso-8859-1", UTF_16.encode("iso-8859-1"), 200),
        (SOAP_1_2, UTF_16.encode("iso-8859-1"), 500),
    ],
    ids=range(11),
)
async def test_the_mark_the_charset_and_the_declaration_tell_the_encoding(
    clock: FakeClock, content_type: str, body: bytes, status: int
) -> None:
    fake = FakeCustomerApi("clé", clock=clock)
    fake.add_job("Completed", job_id=UUID(int=1))
    assert (await post(fake, body, content_type)).status_code == status


async def test_half_a_surrogate_pair_at_the_end_is_a_fault(fake: FakeCustomerApi) -> None:
    job = fake.add_job(JobRecord(error_message="\udc00"))
    code, reason = fault_of(await post(fake, envelope(call(job))))
    assert code == RECEIVER
    assert "The surrogate pair (0xDC00, 0x3C) is invalid." in reason


@pytest.mark.parametrize(
    "encoding", ["hex", "idna", "UTF-7", "big5", "punycode", "rot13", "undefined", "klingon"]
)
async def test_an_encoding_that_cannot_be_read_is_no_xml(
    fake: FakeCustomerApi, encoding: str
) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + envelope(call(UUID(int=1)))
    routed = f'application/soap+xml; action="{ACTION[1:-1]}"'
    answer = await post(fake, body, routed)
    assert (answer.status_code, answer.content) == (400, b"")
    told = fault_of(await post(fake, body, "application/soap+xml"))
    assert told == (RECEIVER, f"{PROCESS}unknown encoding. Line 1, position 31.")


async def test_a_charset_that_fails_at_some_letters_only_is_none(fake: FakeCustomerApi) -> None:
    fake.add_job("Completed", job_id=UUID(int=1))
    body = b"<!-- \xc3\xa9 -->" + envelope(call(UUID(int=1)))
    assert (await post(fake, body, "text/xml; charset=punycode")).status_code == 200


# --- bodies in pieces -------------------------------------------------------------------------


async def in_pieces(
    fake: FakeCustomerApi, messages: Iterable[dict[str, Any]], action: str | None = ACTION
) -> list[MutableMapping[str, Any]]:
    """What the fake sends for a SOAP 1.1 POST whose body comes so."""
    sent: list[MutableMapping[str, Any]] = []
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        return next(coming)

    async def send(message: MutableMapping[str, Any]) -> None:
        await anyio.lowlevel.checkpoint()
        sent.append(message)

    headers = [(b"content-type", (SOAP_1_2 if action is None else SOAP_1_1).encode())]
    if action is not None:
        headers.append((b"soapaction", action.encode()))
    scope = {"type": "http", "method": "POST", "path": "/1.0/customerapi.asmx", "headers": headers}
    await fake(scope, receive, send)
    return sent


async def test_a_body_in_pieces_is_put_together(fake: FakeCustomerApi) -> None:
    body = envelope(call(fake.add_job("Completed")), OLD)
    pieces = [{"type": "http.request", "body": bytes([byte]), "more_body": True} for byte in body]
    sent = await in_pieces(fake, [*pieces, {"type": "http.request"}])
    assert b"<Status>Completed</Status>" in sent[1]["body"]


@pytest.mark.parametrize("action", [ACTION, None])
async def test_no_more_of_a_body_is_kept_than_aspnet_takes(
    fake: FakeCustomerApi, action: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    def reading(request: Request, contract: Contract) -> Reading:
        kept.append(len(request.body))
        return read(request, contract)

    monkeypatch.setattr(app, "read", reading)
    piece = {"type": "http.request", "body": b" " * 1024 * 1024, "more_body": True}
    start, answer = await in_pieces(fake, [*[piece] * 50, {"type": "http.request"}], action)
    assert start["status"] == 500
    assert b"Upload size exceeds httpRuntime limit." in answer["body"]
    assert kept == [5 * 1024 * 1024]


async def test_a_body_of_just_the_size_that_aspnet_takes(fake: FakeCustomerApi) -> None:
    body = envelope(call(fake.add_job("Completed")))
    full = body + b" " * (4 * 1024 * 1024 - len(body))
    assert (await post(fake, full)).status_code == 200
    assert fault_of(await post(fake, full + b" "))[1].endswith("exceeds httpRuntime limit.")


async def test_a_request_that_breaks_off_is_no_call(fake: FakeCustomerApi) -> None:
    job = fake.add_job("Running", "Completed")
    body = envelope(call(job), OLD)
    whole = {"type": "http.request", "body": body, "more_body": True}
    assert await in_pieces(fake, [whole, {"type": "http.disconnect"}]) == []
    assert fake.calls == ()
    sent = await in_pieces(fake, [whole, {"type": "http.request"}])
    assert b"<Status>Running</Status>" in sent[1]["body"]


# --- pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/1.0/customerapi.asmx", 200, "?op=Sql2012CreateBackup"),
        ("GET", "/1.0//CustomerApi.ASMX", 200, "?op=GetJobStatus"),
        ("GET", "/1.0/customerapi.asmx?op=NoSuch", 200, "?op=GetJobStatus"),
        ("GET", "/1.0/customerapi.asmx?op=Sql2012CreateBackup", 200, "databaseName&gt;string&lt;"),
        (
            "GET",
            "/1.0/customerapi.asmx/GetJobStatus",
            500,
            "unexpectedly ending in &#x27;/GetJobStatus&#x27;",
        ),
        ("GET", "/1.0/customerapi.asmxx", 404, "cannot be found"),
        ("GET", "/", 404, "cannot be found"),
        ("PATCH", "/1.0/customerapi.asmx", 405, "error"),
        ("POST", "/1.0/customerapi.asmx/Other", 500, "Other Web Service method name is not valid."),
        ("POST", "/1.0/customerapi.asmx/", 500, "is not valid"),
    ],
)
async def test_pages(fake: FakeCustomerApi, method: str, path: str, status: int, text: str) -> None:
    answer = await request(fake, method, f"https://api.discountasp.net{path}")
    assert answer.status_code == status
    assert text in answer.text
    assert fake.calls == ()


async def test_the_wsdl_tells_the_address_it_was_asked_at(fake: FakeCustomerApi) -> None:
    answer = await request(fake, url="http://127.0.0.1:8123/1.0/CustomerApi.asmx?wsdl")
    addresses = etree.fromstring(answer.content).findall(".//{*}address")
    assert [address.get("location") for address in addresses] == [
        "http://127.0.0.1:8123/1.0/customerapi.asmx"
    ] * 2


# --- the clock --------------------------------------------------------------------------------


async def test_sleepers_wake_in_their_order(clock: FakeClock) -> None:
    woken: list[tuple[float, float]] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    async with anyio.create_task_group() as group:
        for seconds in (3600, 0, -1, 60):
            group.start_soon(sleep, seconds)
    assert sorted(woken[:2]) == [(-1, 0), (0, 0)]
    assert woken[2:] == [(60, 60), (3600, 3600)]
    assert clock.time() == NEW_YEAR.replace(tzinfo=UTC).timestamp() + 3600


async def test_time_does_not_stop_for_a_sleeper_who_is_gone(clock: FakeClock) -> None:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            for seconds in (60, 120, 3600):
                group.start_soon(clock.sleep, seconds)
            await clock.sleep(90)
            scope.cancel()
    assert scope.cancelled_caught
    await clock.sleep(10)
    assert clock.monotonic() == 100


async def test_a_sleeper_gives_way_to_one_who_comes_later_but_wakes_earlier(
    clock: FakeClock,
) -> None:
    woken: list[float] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with anyio.create_task_group() as group:
        group.start_soon(sleep, 3600)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        group.start_soon(sleep, 60)
    assert woken == [60, 3600]


@pytest.mark.parametrize(
    ("start", "error"),
    [("now", TypeError), (None, TypeError), (True, TypeError), (math.nan, ValueError)],
    ids=repr,
)
def test_a_clock_starts_at_a_number(start: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^start must be a"):
        FakeClock(start)


@pytest.mark.parametrize(
    ("seconds", "error"), [("1", TypeError), (math.nan, ValueError), (math.inf, ValueError)]
)
def test_a_clock_advances_by_a_number(
    clock: FakeClock, seconds: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"^seconds must be a"):
        clock.advance(seconds)


def test_a_clock_that_is_set_back_still_runs_forward() -> None:
    clock = FakeClock(1000)
    clock.advance(7)
    clock.advance(-100)
    assert (clock.monotonic(), clock.time()) == (7, 907)


# --- other clients and servers ----------------------------------------------------------------


async def test_it_serves_httpx2(fake: FakeCustomerApi, clock: FakeClock) -> None:
    job = fake.add_job("Completed")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, clock=clock)
        assert (await api.get_job_status(job)).state is JobState.DONE


def test_a_server_keeps_its_connections_open() -> None:
    fake = FakeCustomerApi()
    job = fake.add_job("Running", Fault("No."), RawAnswer("Sorry", 503), "Completed")
    body = envelope(call(job))
    headers = {"Content-Type": SOAP_1_2}
    with serving(fake) as url, httpx.Client() as http:
        answers = [http.post(url, content=body, headers=headers) for _ in range(4)]
        answers += [http.head(url), http.get(url)]
        ports = {
            answer.extensions["network_stream"].get_extra_info("client_addr") for answer in answers
        }
    assert [answer.status_code for answer in answers] == [200, 500, 503, 200, 405, 200]
    assert len(ports) == 1


NEARLY_ALL = (
    b'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap='
    b'"http://www.w3.org/2003/05/soap-envelope" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    b' xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body><GetJobStatusResponse'
    b' xmlns="http://api.discountasp.net/" /></soap:Body></soap:Envelope'
)


@pytest.mark.parametrize(
    ("trouble", "seen", "received"),
    [
        (DroppedConnection(), "without sending a response", b""),
        (DroppedConnection(after=10), "without sending complete message body", b"<?xml vers"),
        (DroppedConnection(after=0), "without sending complete message body", b""),
        (DroppedConnection(after=9999), "without sending complete message body", NEARLY_ALL),
    ],
)
def test_a_server_really_closes_a_dropped_connection(
    trouble: Trouble, seen: str, received: bytes
) -> None:
    fake = FakeCustomerApi()
    fake.trouble(trouble)
    body = envelope(call(fake.add_job(None)))
    headers = {"Content-Type": SOAP_1_2}
    got: list[bytes] = []

    def post_and_collect(http: httpx.Client, url: str) -> None:
        with http.stream("POST", url, content=body, headers=headers) as answer:
            got.extend(answer.iter_raw())

    with serving(fake) as url, httpx.Client() as http:
        with pytest.raises(httpx.RemoteProtocolError, match=seen):
            post_and_collect(http, url)
        assert b"".join(got) == received
        assert http.post(url, content=body, headers=headers).status_code == 200
    assert [each.status for each in fake.calls] == [None, 200]
