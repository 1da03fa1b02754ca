"""What is told of an attempt, to `on_exchange` and to the log, and of a wait's end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from dasp_async import (
    CustomerApi,
    DaspError,
    Exchange,
    JobFailed,
    JobStatus,
    MemoryBudget,
    Schedule,
    TransportError,
)
from dasp_async.messages import HttpAnswer
from dasp_async.testing import DroppedConnection, FakeClock, FakeCustomerApi, Fault, RawAnswer
from tests.conftest import BACKENDS

KEY = "test-key-that-must-not-be-told"
OTHER = UUID("b0000000-0000-0000-0000-000000000001")


@dataclass
class Stage:
    """A fake service on a fake clock, a client of it, and what the client's hook was told."""

    clock: FakeClock = field(default_factory=FakeClock)
    told: list[Exchange] = field(default_factory=list[Exchange])

    def __post_init__(self) -> None:
        self.fake = FakeCustomerApi(KEY, clock=self.clock)

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncGenerator[CustomerApi]:
        options = {"on_exchange": self.told.append, **options}
        transport = httpx.ASGITransport(app=self.fake)
        async with httpx.AsyncClient(transport=transport) as http:
            yield CustomerApi(KEY, http_client=http, clock=self.clock, **options)

    @property
    def seen(self) -> list[tuple[object, ...]]:
        """All but sizes and times."""
        return [
            (each.operation, each.attempt, each.status_code, each.error, each.fault_code)
            for each in self.told
        ]


SERVER_FAULT = "{http://schemas.xmlsoap.org/soap/envelope/}Server"


@pytest.mark.parametrize(
    ("trouble", "seen"),
    [
        (None, [(1, 200, None, None)]),
        (Fault(reason="No."), [(1, 500, "SoapFault", SERVER_FAULT)]),
        (RawAnswer("busy", status=503), [(1, 503, "HttpError", None), (2, 200, None, None)]),
        (RawAnswer("gone", status=404), [(1, 404, "HttpError", None)]),
        (DroppedConnection(), [(1, None, "TransportError", None), (2, 200, None, None)]),
        (DroppedConnection(after=20), [(1, None, "TransportError", None), (2, 200, None, None)]),
        (
            RawAnswer("<a>", content_type="text/xml"),
            [(1, 200, "InvalidResponse", None)],
        ),
    ],
    ids=["result", "fault", "busy", "not-found", "dropped", "cut-short", "not-soap"],
)
async def test_every_attempt_is_told(trouble: Any, seen: list[tuple[object, ...]]) -> None:
    stage = Stage()
    job_id = stage.fake.add_job("Completed")
    if trouble is not None:
        stage.fake.trouble(trouble)
    async with stage.client() as api:
        with suppress(DaspError):
            await api.get_job_status(job_id)
    assert stage.seen == [("GetJobStatus", *each) for each in seen]


async def test_looks_of_waits_writes_and_descriptions_are_told() -> None:
    stage = Stage()
    async with stage.client() as api:
        job_id = await api.start_job("Sql2012CreateBackup", {"databaseName": "db"})
        stage.fake.trouble(RawAnswer("busy", status=503))
        await api.poll_until_done(job_id)
        await api.describe()
    assert [each[:4] for each in stage.seen] == [
        ("Sql2012CreateBackup", 1, 200, None),
        ("GetJobStatus", 1, 503, "HttpError"),
        *[("GetJobStatus", 1, 200, None)] * 3,
        ("describe", 1, 200, None),
    ]


async def test_sizes_and_milliseconds_are_those_of_the_attempt() -> None:
    stage, bodies = Stage(), list[bytes]()
    job_id = stage.fake.add_job("Completed")

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        async def noting_receive() -> Any:
            message = await receive()
            bodies.append(message.get("body", b""))
            return message

        async def noting_send(message: Any) -> None:
            bodies.append(message.get("body", b""))
            await send(message)

        await stage.clock.sleep(0.25)
        await stage.fake(scope, noting_receive, noting_send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=slow)) as http:
        api = CustomerApi(KEY, http_client=http, clock=stage.clock, on_exchange=stage.told.append)
        await api.get_job_status(job_id)
    (exchange,) = stage.told
    sent, received = (body for body in bodies if body)
    assert exchange.request_bytes == len(sent)
    assert exchange.response_bytes == len(received)
    assert exchange.milliseconds == 250


async def test_an_attempt_that_is_cancelled_is_told_too() -> None:
    stage = Stage()

    async def never(*_: object) -> None:
        await anyio.sleep_forever()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=never)) as http:
        api = CustomerApi(KEY, http_client=http, clock=stage.clock, on_exchange=stage.told.append)
        with anyio.move_on_after(0.02):
            await api.get_job_status(OTHER)
    (exchange,) = stage.told
    assert (exchange.status_code, exchange.response_bytes) == (None, 0)
    assert exchange.error == anyio.get_cancelled_exc_class().__name__


async def test_what_is_refused_here_is_no_exchange() -> None:
    stage = Stage()
    async with stage.client() as api:
        with pytest.raises(ValueError, match="job_id"):
            await api.get_job_status("no id")
    assert stage.told == []


async def test_a_hook_that_raises_loses_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()

    def broken(exchange: Exchange) -> None:
        raise RuntimeError(f"no room for {exchange.operation}")

    async with stage.client(on_exchange=broken) as api:
        job_id = await api.start_job("Sql2012CreateBackup", {"databaseName": "db"})
        assert (await api.get_job_status(job_id)).job_id == job_id
    assert caplog.messages == ["on_exchange raised an error, which is ignored"] * 2
    assert "no room for GetJobStatus" in caplog.text
    assert KEY not in caplog.text


# trio makes no such error by itself.
@pytest.mark.parametrize("anyio_backend", BACKENDS[:2], indirect=True)
async def test_a_hook_that_meets_a_cancellation_loses_no_answer() -> None:
    stage = Stage()

    def broken(_: Exchange) -> None:
        raise asyncio.CancelledError  # as `Future.result` does of one that was cancelled

    jobs = [stage.fake.add_job("Completed") for _ in range(3)]
    async with stage.client(on_exchange=broken) as api, api.poll_many(jobs) as outcomes:
        assert [outcome.error async for outcome in outcomes] == [None] * 3


async def test_a_closed_client_makes_no_attempt_to_tell_of() -> None:
    stage, budget = Stage(), MemoryBudget(limit=10)
    async with stage.client(budget=budget) as api:
        await api.aclose()
        for call in (api.get_job_status(OTHER), api.describe()):
            with pytest.raises(RuntimeError, match="closed"):
                await call
    assert stage.told == []
    assert await budget.remaining(KEY) == 10


async def test_an_error_that_was_handled_keeps_no_answer() -> None:
    stage = Stage()
    stage.fake.trouble(RawAnswer("x" * 1000, status=404), times=3)
    gc.collect()
    before = sum(isinstance(each, HttpAnswer) for each in gc.get_objects())
    gc.disable()
    try:
        async with stage.client() as api:
            for _ in range(3):
                with suppress(DaspError):
                    await api.get_job_status(OTHER)
        assert sum(isinstance(each, HttpAnswer) for each in gc.get_objects()) == before
    finally:
        gc.enable()


async def ignore(_: Exchange) -> None:
    """No plain function."""


@pytest.mark.parametrize("hook", [ignore, "print", 1], ids=["async", "text", "number"])
def test_a_hook_must_be_a_plain_function(hook: Any) -> None:
    with pytest.raises(TypeError, match="on_exchange must be a plain function"):
        CustomerApi(KEY, on_exchange=hook)


# --- the log ----------------------------------------------------------------------------------


def lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


async def test_each_attempt_is_a_line_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dasp_async")
    stage = Stage()
    job_id = stage.fake.add_job("Completed")
    for trouble in (RawAnswer("busy", status=503), DroppedConnection()):
        stage.fake.trouble(trouble)
    async with stage.client() as api:
        await api.get_job_status(job_id)
    sent, received = f"request {stage.told[2].request_bytes} bytes", stage.told[2].response_bytes
    assert lines(caplog, logging.DEBUG) == [
        f"GetJobStatus: HTTP 503 in 0 ms, HttpError, {sent}, answer 4",
        f"GetJobStatus, attempt 2: no answer in 0 ms, TransportError, {sent}, answer 0",
        f"GetJobStatus, attempt 3: HTTP 200 in 0 ms, {sent}, answer {received}",
    ]


async def test_a_line_has_its_figures_as_fields(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dasp_async")
    stage = Stage()
    job_id = stage.fake.add_job("Completed")
    async with stage.client() as api:
        await api.poll_until_done(job_id)
    call, end = (vars(record)["dasp_async"] for record in caplog.records)
    assert call == asdict(stage.told[0])
    assert end == {
        "job_id": str(job_id),
        "ending": "DONE",
        "looks": 1,
        "seconds": 0.0,
    }
    assert json.loads(json.dumps([call, end])) == [call, end]


async def test_fields_of_a_programs_own_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dasp_async")
    make = logging.getLogRecordFactory()

    def with_fields(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make(*arguments, **named)
        vars(record).update({"operation": "mine", "job_id": "mine", "seconds": "mine"})
        return record

    stage = Stage()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging, "_logRecordFactory", with_fields)
        async with stage.client() as api:
            job_id = await api.start_job("Sql2012CreateBackup", {"databaseName": "db"})
            await api.poll_until_done(job_id)
    assert {vars(record)["job_id"] for record in caplog.records} == {"mine"}
    assert len(lines(caplog, logging.INFO)) == 1


async def until_done(api: CustomerApi, job_id: UUID) -> None:
    await api.poll_until_done(job_id, timeout=60)


async def with_a_callback_that_raises(api: CustomerApi, job_id: UUID) -> None:
    def refuse(_: JobStatus) -> None:
        raise RuntimeError

    await api.poll_until_done(job_id, timeout=60, on_status=refuse)


async def watched(api: CustomerApi, job_id: UUID) -> None:
    async for _ in api.watch(job_id, timeout=60):
        pass


async def watched_for_a_while(api: CustomerApi, job_id: UUID) -> None:
    async with aclosing(api.watch(job_id, timeout=60)) as statuses:
        async for _ in statuses:
            return


async def as_one_of_many(api: CustomerApi, job_id: UUID) -> None:
    async with api.poll_many([job_id], timeout=60) as outcomes:
        async for _ in outcomes:
            pass


async def cancelled(api: CustomerApi, job_id: UUID) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(until_done, api, job_id)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()


LATE = "ended after 60.0 s: PollTimeout, looks: 8"


@pytest.mark.parametrize(
    ("steps", "waits", "end"),
    [
        (["Completed"], until_done, "ended after 0.0 s: DONE, looks: 1"),
        (["Running", "Failed"], until_done, "ended after 2.0 s: FAILED, looks: 2"),
        (["Running", "Failed"], watched, "ended after 2.0 s: FAILED, looks: 2"),
        (["Running", "Completed"], as_one_of_many, "ended after 2.0 s: DONE, looks: 2"),
        (["Failed"], as_one_of_many, "ended after 0.0 s: FAILED, looks: 1"),
        (["Running"], until_done, LATE),
        (["Running"], as_one_of_many, LATE),
        ([Fault(reason="Access denied.")], until_done, "ended after 0.0 s: SoapFault, looks: 1"),
        (
            [Fault(reason="Access denied.")],
            as_one_of_many,
            "ended after 0.0 s: SoapFault, looks: 1",
        ),
        (["Running"], with_a_callback_that_raises, "ended after 0.0 s: stopped, looks: 1"),
        (["Running"], watched_for_a_while, "ended after 0.0 s: stopped, looks: 1"),
    ],
)
async def test_a_waits_end_is_a_line_at_info(
    steps: list[Any],
    waits: Callable[[CustomerApi, UUID], Awaitable[None]],
    end: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dasp_async")
    stage = Stage()
    job_id = stage.fake.add_job(*steps)
    async with stage.client(schedule=Schedule(jitter=0)) as api:
        with suppress(DaspError, RuntimeError):
            await waits(api, job_id)
    assert lines(caplog, logging.INFO) == [f"wait for job {job_id} {end}"]


async def test_a_wait_that_is_cancelled_was_stopped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dasp_async")
    stage = Stage()

    async def never(*_: object) -> None:
        await anyio.sleep_forever()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=never)) as http:
        await cancelled(CustomerApi(KEY, http_client=http, clock=stage.clock), OTHER)
    assert lines(caplog, logging.INFO) == [
        f"wait for job {OTHER} ended after 0.0 s: stopped, looks: 0"
    ]


async def test_nothing_is_told_by_default(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    job_id = stage.fake.add_job("Running", "Failed")
    async with stage.client() as api:
        with pytest.raises(JobFailed):
            await api.poll_until_done(job_id)
    assert caplog.records == []


async def test_what_went_over_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """No text of a request or an answer, be it the key, is in what is told."""
    caplog.set_level(logging.DEBUG, "dasp_async")
    stage = Stage()
    stage.fake.trouble(RawAnswer(f"<html>{KEY}</html>", status=404))
    stage.fake.trouble(Fault(reason=KEY, code=f"{{urn:x}}{KEY}"))
    stage.fake.trouble(Fault(reason="No.", code=f"{{urn:x}}{'n' * 300}"))
    async with stage.client() as api:
        for _ in range(3):
            with pytest.raises(DaspError):
                await api.get_job_status(OTHER)
    assert [each.fault_code for each in stage.told] == [None, "{urn:x}***", "{urn:x}" + "n" * 193]
    assert KEY not in repr(stage.told) + caplog.text + str([vars(each) for each in caplog.records])


async def test_a_time_limit_is_told_as_such() -> None:
    stage = Stage()

    async def never(*_: object) -> None:
        await anyio.sleep_forever()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=never)) as http:
        api = CustomerApi(
            KEY,
            http_client=http,
            clock=stage.clock,
            on_exchange=stage.told.append,
            attempt_timeout=0.01,
            attempts=1,
        )
        with pytest.raises(TransportError):
            await api.get_job_status(OTHER)
    assert stage.seen == [("GetJobStatus", 1, None, "AttemptTimeout", None)]
