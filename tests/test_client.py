"""`CustomerApi`: arguments, direct calls and their retries, waits, and what is closed."""

from __future__ import annotations

import inspect
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from dasp_async import (
    CustomerApi,
    DaspError,
    HttpError,
    JobFailed,
    JobRules,
    JobState,
    JobStatus,
    MemoryBudget,
    PollTimeout,
    Schedule,
    SoapFault,
    SoapVersion,
    TransportError,
)
from dasp_async.settings import Settings
from dasp_async.testing import FakeClock, FakeCustomerApi, RawAnswer
from tests.samples import load

KEY = "test-key"
JOB = UUID("a0000000-0000-0000-0000-000000000711")
COMPLETED = "soap11/completed"
RUNNING = "soap11/not-yet-completed"
FAULT = "soap11/fault-null-reference"
UNAVAILABLE = "soap11/http-503-html"

Answer = str | Exception | httpx.Response


class Server:
    """An HTTP client's other end: it answers with samples in turn, the last one for good."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        for answer in answers:
            if isinstance(answer, str):
                load(answer)  # now: the event loop must not wait for the disk
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return sample(answer) if isinstance(answer, str) else answer

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


def sample(case: str, **headers: str) -> httpx.Response:
    answer = load(case).answer
    return httpx.Response(
        answer.status,
        headers={"Content-Type": answer.content_type, **headers},
        content=answer.body,
    )


def api_of(server: Server, clock: FakeClock | None = None, **options: Any) -> CustomerApi:
    clock = FakeClock() if clock is None else clock
    return CustomerApi(KEY, http_client=server.client(), clock=clock, **options)


# --- arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"key": ""}, ValueError, "key must not be empty"),
        ({"key": b"bytes"}, TypeError, "key must be text, not bytes"),
        ({"key": "a\0b"}, ValueError, r"key holds U\+0000 at position 1, which XML cannot carry"),
        (
            {"version": "1.3"},
            ValueError,
            "version must be a SoapVersion, '1.1' or '1.2'; got text of 3 characters",
        ),
        ({"attempt_timeout": 0}, ValueError, "attempt_timeout must be more than 0"),
        ({"attempt_timeout": "30"}, TypeError, "attempt_timeout must be seconds or a timedelta"),
        ({"attempts": 0}, ValueError, "attempts must be 1 or more"),
        ({"attempts": 1.5}, TypeError, "attempts must be a whole number"),
        ({"max_in_flight": 0}, ValueError, "max_in_flight must be 1 or more"),
        ({"max_response_bytes": True}, TypeError, "max_response_bytes must be a whole number"),
        ({"http_client": httpx.Client()}, TypeError, "not Client, which has no aclose"),
        ({"http_client": "x"}, TypeError, "http_client must be an httpx.AsyncClient"),
        ({"schedule": 5}, TypeError, "schedule must be a Schedule, not int"),
        ({"job_rules": None}, TypeError, "job_rules must be a JobRules, not NoneType"),
        ({"fault_rules": {}}, TypeError, "fault_rules must be a FaultRules, not dict"),
        ({"http_client": httpx.AsyncClient}, TypeError, "not the class AsyncClient"),
        ({"clock": object()}, TypeError, "clock must be a Clock, not object, which has no mono"),
        ({"budget": 1000}, TypeError, "budget must be a CallBudget, not int, which has no admit"),
        ({"allow_http": "false"}, TypeError, "allow_http must be a bool, not str"),
        ({"attempt_timeout": 10**400}, ValueError, "attempt_timeout must be a finite number"),
        ({"endpoint": "ftp://example.com/"}, ValueError, "endpoint must be a URL like https"),
        ({"endpoint": "http://example.com/"}, ValueError, "endpoint must be https"),
    ],
)
def test_a_wrong_argument_is_refused_when_the_client_is_made(
    arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    options: dict[str, Any] = {"key": KEY, **arguments}
    with pytest.raises(kind, match=message):
        CustomerApi(**options)


@pytest.mark.parametrize(
    "job_id",
    ["", "not-a-guid", str(UUID(int=0)), UUID(int=0), 17, None, b"a" * 16, f" {JOB} "],
    ids=repr,
)
async def test_a_wrong_job_id_is_refused_before_anything_is_sent(job_id: Any) -> None:
    server = Server(COMPLETED)
    async with api_of(server) as api:
        for call in (api.get_job_status, api.poll_until_done):
            with pytest.raises(ValueError, match=r"^job_id must"):
                await call(job_id)
    assert server.requests == []


@pytest.mark.parametrize(
    "job_id",
    [JOB, str(JOB), str(JOB).upper(), JOB.hex, f"{{{JOB}}}", f"urn:uuid:{JOB}"],
    ids=str,
)
async def test_a_job_id_is_a_uuid_or_any_text_that_uuid_reads(job_id: UUID | str) -> None:
    server = Server(COMPLETED)
    async with api_of(server) as api:
        status = await api.get_job_status(job_id)
    assert status.job_id == JOB
    assert f"<jobId>{JOB}</jobId>".encode() in server.requests[0].content


def test_the_environment_names_key_endpoint_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASP_API_KEY", KEY)
    monkeypatch.delenv("DASP_ENDPOINT", raising=False)
    monkeypatch.delenv("DASP_SOAP_VERSION", raising=False)
    assert repr(CustomerApi.from_env()) == (
        "<CustomerApi https://api.discountasp.net/1.0/customerapi.asmx>"
    )
    monkeypatch.setenv("DASP_ENDPOINT", "http://127.0.0.1:8080/")
    assert repr(CustomerApi.from_env()) == "<CustomerApi http://127.0.0.1:8080/>"
    monkeypatch.setenv("DASP_SOAP_VERSION", "1.3")
    with pytest.raises(ValueError, match=r"^DASP_SOAP_VERSION must be"):
        CustomerApi.from_env()


async def test_what_the_environment_does_not_name_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASP_API_KEY", KEY)
    monkeypatch.delenv("DASP_ENDPOINT", raising=False)
    monkeypatch.delenv("DASP_SOAP_VERSION", raising=False)
    budget, server = MemoryBudget(limit=5), Server(COMPLETED)
    api = CustomerApi.from_env(http_client=server.client(), budget=budget, clock=FakeClock())
    await api.get_job_status(JOB)
    assert await budget.remaining(KEY) == 4
    with pytest.raises(ValueError, match="attempts must be 1 or more"):
        CustomerApi.from_env(attempts=0)


@pytest.mark.parametrize("name", ["key", "endpoint", "version"])
def test_what_the_environment_names_is_not_given(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("DASP_API_KEY", KEY)
    given: Any = {name: "another-key"}
    with pytest.raises(TypeError, match=rf"^{name} is read from DASP_") as caught:
        CustomerApi.from_env(**given)
    assert "another-key" not in str(traced(caught.value))


def traced(error: BaseException) -> list[object]:
    """The local variables of the package's frames."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [frame.f_locals for frame in frames if "dasp_async" in frame.f_code.co_filename]


def test_from_env_takes_all_settings_of_a_client() -> None:
    parameters = inspect.signature(CustomerApi).parameters.keys()
    assert parameters - {"key", "endpoint", "version"} == Settings.__annotations__.keys()


def test_without_a_key_the_environment_is_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASP_API_KEY", raising=False)
    with pytest.raises(ValueError, match="set DASP_API_KEY"):
        CustomerApi.from_env()


def test_a_client_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(CustomerApi(KEY))


# --- one call ---------------------------------------------------------------------------------


async def test_a_status_is_read_with_the_time_it_was_seen_at() -> None:
    clock = FakeClock(start=1000.0)
    async with api_of(Server(COMPLETED), clock) as api:
        clock.advance(5)
        status = await api.get_job_status(JOB)
    assert (status.state, status.status, status.seen_at) == (JobState.DONE, "Completed", 1005.0)


async def test_job_rules_can_be_replaced() -> None:
    rules = JobRules(done_words=frozenset({"running"}))
    async with api_of(Server(RUNNING), job_rules=rules) as api:
        assert (await api.get_job_status(JOB)).state is JobState.DONE


@pytest.mark.parametrize("version", [SoapVersion.SOAP_1_2, "1.2"])
async def test_requests_are_in_the_chosen_version(version: SoapVersion | str) -> None:
    server = Server("soap12/completed")
    async with api_of(server, version=version) as api:
        await api.get_job_status(JOB)
    assert server.requests[0].headers["Content-Type"] == "application/soap+xml; charset=utf-8"


@pytest.mark.parametrize(
    ("answers", "called_at"),
    [
        ((UNAVAILABLE, COMPLETED), [0, 0.5]),
        ((httpx.ReadError("reset"), UNAVAILABLE, COMPLETED), [0, 0.5, 1.5]),
        ((httpx.ConnectError("refused"), COMPLETED), [0, 0.5]),
    ],
)
async def test_a_read_is_tried_again_after_transient_errors(
    answers: tuple[Answer, ...], called_at: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    clock, server, moments = FakeClock(), Server(*answers), list[float]()

    async def note(_: httpx.Request) -> None:
        moments.append(clock.monotonic())

    async with server.client() as http:
        http.event_hooks = {"request": [note]}
        with caplog.at_level(logging.WARNING, "dasp_async"):
            status = await CustomerApi(KEY, http_client=http, clock=clock).get_job_status(JOB)
    assert status.state is JobState.DONE
    assert moments == called_at
    assert [message.rpartition("; ")[2] for message in caplog.messages] == [
        f"attempt {tried + 2} of 3 in {pause:.1f} s"
        for tried, pause in enumerate([0.5, 1.0][: len(answers) - 1])
    ]


@pytest.mark.parametrize(
    ("answer", "calls", "kind"),
    [
        (UNAVAILABLE, 3, HttpError),
        (httpx.ReadError("reset"), 3, TransportError),
        (FAULT, 1, SoapFault),
        ("soap11/http-200-html", 1, HttpError),
        ("soap11/http-302-login", 1, HttpError),
        ("soap11/text-control-characters", 1, DaspError),
    ],
)
async def test_only_transient_errors_are_tried_again(
    answer: Answer, calls: int, kind: type[DaspError]
) -> None:
    server = Server(answer)
    async with api_of(server) as api:
        with pytest.raises(kind) as caught:
            await api.get_job_status(JOB)
    assert len(server.requests) == calls
    assert caught.value.operation == "GetJobStatus"


async def test_the_number_of_attempts_is_the_callers() -> None:
    server = Server(UNAVAILABLE)
    async with api_of(server, attempts=1) as api:
        with pytest.raises(HttpError):
            await api.get_job_status(JOB)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("retry_after", "calls", "waited"),
    [("3", 2, 3), ("8", 2, 8), ("9", 1, 0), ("Thu, 01 Jan 1970 00:16:46 GMT", 2, 6)],
)
async def test_a_short_retry_after_is_obeyed_and_a_longer_one_is_the_callers(
    retry_after: str, calls: int, waited: float
) -> None:
    clock = FakeClock(start=1000.0)
    busy = sample(UNAVAILABLE, **{"Retry-After": retry_after})
    server = Server(busy, COMPLETED)
    async with api_of(server, clock) as api:
        if calls == 1:
            with pytest.raises(HttpError) as caught:
                await api.get_job_status(JOB)
            assert caught.value.retry_after == 9
        else:
            await api.get_job_status(JOB)
    assert (len(server.requests), clock.monotonic()) == (calls, waited)


async def test_calls_under_way_are_limited() -> None:
    most = under_way = 0

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        for _round in range(5):
            await anyio.lowlevel.checkpoint()
        under_way -= 1
        return sample(COMPLETED)

    load(COMPLETED)
    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http:
        api = CustomerApi(KEY, http_client=http, max_in_flight=3)
        async with anyio.create_task_group() as group:
            for number in range(1, 21):
                group.start_soon(api.get_job_status, UUID(int=number))
    assert most == 3


async def test_a_call_says_in_the_debug_log_how_it_went(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "dasp_async"):
        async with api_of(Server(COMPLETED)) as api:
            await api.get_job_status(JOB)
    assert caplog.messages == ["GetJobStatus: HTTP 200 in 0 ms, request 413 bytes, answer 556"]


async def test_a_closed_client_refuses_to_call_and_leaves_a_borrowed_one_open() -> None:
    http = Server(COMPLETED).client()
    async with CustomerApi(KEY, http_client=http) as api:
        await api.get_job_status(JOB)
    with pytest.raises(RuntimeError, match="closed"):
        await api.get_job_status(JOB)
    assert not http.is_closed
    await http.aclose()


def test_a_client_belongs_to_one_event_loop() -> None:
    load(COMPLETED)
    api = api_of(Server(COMPLETED))

    async def ask() -> JobStatus:
        return await api.get_job_status(JOB)

    assert anyio.run(ask).state is JobState.DONE
    with pytest.raises(RuntimeError, match="another event loop"):
        anyio.run(ask)


# --- waits ------------------------------------------------------------------------------------


async def test_a_job_is_awaited_to_its_end() -> None:
    server = Server("soap11/progress-1", "soap11/progress-2", "soap11/progress-3")
    seen: list[JobStatus] = []
    async with api_of(server) as api:
        final = await api.poll_until_done(JOB, on_status=seen.append)
    assert final == seen[-1]
    assert [(status.status, status.state) for status in seen] == [
        ("Pending", JobState.RUNNING),
        ("Running", JobState.RUNNING),
        ("Completed", JobState.DONE),
    ]


async def test_a_failed_job_raises_with_its_status() -> None:
    server = Server("soap11/progress-to-failed-2", "soap11/progress-to-failed-3")
    async with api_of(server) as api:
        with pytest.raises(JobFailed, match="Login failed for user 'sa'") as caught:
            await api.poll_until_done(JOB)
    assert (caught.value.status.state, caught.value.operation) == (JobState.FAILED, "GetJobStatus")


@pytest.mark.parametrize("timeout", [35, timedelta(seconds=35)])
async def test_a_wait_has_a_time_limit_and_its_own_schedule(timeout: float | timedelta) -> None:
    clock, server = FakeClock(), Server(RUNNING)
    schedule = Schedule(initial=10, factor=1, maximum=10, jitter=0)
    async with api_of(server, clock) as api:
        with pytest.raises(PollTimeout) as caught:
            await api.poll_until_done(JOB, timeout=timeout, schedule=schedule)
    assert (caught.value.polls, caught.value.elapsed) == (4, 35)
    assert caught.value.last_status is not None
    assert caught.value.last_status.status == "Running"


async def test_a_job_known_to_be_over_lets_others_run_all_the_same() -> None:
    async with api_of(Server(COMPLETED)) as api:
        await api.poll_until_done(JOB)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await api.poll_until_done(JOB)
        assert scope.cancelled_caught


async def test_the_clients_schedule_is_the_default() -> None:
    clock, server = FakeClock(), Server(RUNNING, RUNNING, COMPLETED)
    schedule = Schedule(initial=100, factor=1, maximum=100, jitter=0)
    async with api_of(server, clock, schedule=schedule) as api:
        await api.poll_until_done(JOB, initial_delay=timedelta(seconds=1))
    assert clock.monotonic() == 201


async def test_a_wait_ends_after_an_hour_unless_told_otherwise() -> None:
    clock = FakeClock()
    async with api_of(Server(RUNNING), clock) as api:
        with pytest.raises(PollTimeout):
            await api.poll_until_done(JOB)
    assert clock.monotonic() == 3600


async def test_looks_are_not_retried_on_their_own_but_ridden_out() -> None:
    clock, server = FakeClock(), Server(RUNNING, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, COMPLETED)
    async with api_of(server, clock) as api:
        status = await api.poll_until_done(JOB)
    assert (status.state, len(server.requests)) == (JobState.DONE, 5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"timeout": "60"},
        {"initial_delay": -1},
        {"initial_delay": None},
        {"schedule": 5},
        {"on_status": 5},
        {"on_status": anyio.sleep},
    ],
)
async def test_a_wrong_option_of_a_wait_is_refused_before_anything_is_sent(
    wrong: dict[str, Any],
) -> None:
    server = Server(COMPLETED)
    async with api_of(server) as api:
        with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
            await api.poll_until_done(JOB, **wrong)
    assert server.requests == []


async def test_one_client_serves_many_tasks() -> None:
    server = Server(COMPLETED)
    jobs = [UUID(int=number) for number in range(1, 201)]
    done: dict[UUID, JobState] = {}

    async def wait_for(job: UUID, wait: Callable[[UUID], Any]) -> None:
        done[job] = (await wait(job)).state

    async with api_of(server) as api, anyio.create_task_group() as group:
        for job in jobs:
            group.start_soon(wait_for, job, api.poll_until_done)
    assert done == dict.fromkeys(jobs, JobState.DONE)
    assert len(server.requests) == len(jobs)


@pytest.mark.parametrize("is_first", [True, False], ids=["unknown", "answered before"])
async def test_any_good_answer_lets_a_wait_ride_an_outage_out(*, is_first: bool) -> None:
    clock = FakeClock()
    fake = FakeCustomerApi(KEY, clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, clock=clock)
        job_id = fake.add_job("Completed")
        if not is_first:
            job_id = await api.start_job("Sql2012CreateBackup", {"databaseName": "shop"})
        fake.trouble(RawAnswer("busy", status=503), times=7)
        if is_first:
            with pytest.raises(HttpError):
                await api.poll_until_done(job_id)
        else:
            assert (await api.poll_until_done(job_id)).state is JobState.DONE


# --- watching and waiting for many ------------------------------------------------------------


async def test_watch_gives_every_change_and_the_final_status() -> None:
    server = Server(RUNNING, RUNNING, RUNNING, COMPLETED)
    async with api_of(server) as api:
        changes = [status.status async for status in api.watch(JOB)]
    assert changes == ["Running", "Completed"]
    assert len(server.requests) == 4


async def test_watch_gives_every_look_if_asked_to() -> None:
    server = Server(RUNNING, RUNNING, COMPLETED)
    async with api_of(server) as api:
        looks = [status.status async for status in api.watch(JOB, every=True)]
    assert looks == ["Running", "Running", "Completed"]


async def test_watch_gives_a_failed_status_and_raises_nothing() -> None:
    async with api_of(Server("soap11/progress-to-failed-3")) as api:
        states = [status.state async for status in api.watch(JOB)]
    assert states == [JobState.FAILED]


async def test_watch_ends_at_its_time_limit() -> None:
    clock = FakeClock()
    async with api_of(Server(RUNNING), clock) as api:
        with pytest.raises(PollTimeout):
            async for _ in api.watch(JOB, timeout=30):
                pass
    assert clock.monotonic() == 30


async def test_a_watch_that_is_left_early_leaves_nothing_behind() -> None:
    server = Server(RUNNING, COMPLETED)
    async with api_of(server) as api:
        async with aclosing(api.watch(JOB)) as statuses:
            async for _ in statuses:
                break
        # A new wait looks at once: nobody is left whose schedule it would have to share.
        await api.poll_until_done(JOB, timeout=0.5)
    assert len(server.requests) == 2


def many(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(1, count + 1)]


async def test_outcomes_of_many_come_one_for_each_job() -> None:
    jobs = many(500)
    async with api_of(Server(RUNNING, COMPLETED)) as api, api.poll_many(jobs * 2) as outcomes:
        seen = [outcome async for outcome in outcomes]
    assert sorted(outcome.job_id for outcome in seen) == jobs
    assert {outcome.error for outcome in seen} == {None}
    assert {outcome.status.state for outcome in seen if outcome.status} == {JobState.DONE}


async def test_each_status_of_many_is_told_once_and_before_its_outcome() -> None:
    clock, told = FakeClock(), list[tuple[UUID, str | None]]()
    fake = FakeCustomerApi(KEY, clock=clock)
    jobs = [fake.add_job("Pending", "Running", end) for end in ("Completed", "Failed")]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, clock=clock)

        def tell(status: JobStatus) -> None:
            told.append((status.job_id, status.status))

        async with api.poll_many(jobs, on_status=tell) as outcomes:
            async for outcome in outcomes:
                assert outcome.status is not None
                assert (outcome.job_id, outcome.status.status) in told
    for job, end in zip(jobs, ("Completed", "Failed"), strict=True):
        seen = [status for job_id, status in told if job_id == job]
        assert seen == ["Pending", "Running", end]


async def test_what_on_status_raises_ends_poll_many() -> None:
    def refuse(_: JobStatus) -> None:
        raise LookupError("no such line")

    async with api_of(Server(RUNNING)) as api:
        with pytest.raises(LookupError, match="no such line"):
            async with api.poll_many(many(3), on_status=refuse) as outcomes:
                await anext(outcomes)


# What the last digit of a job's id stands for
BY_JOB = {1: COMPLETED, 2: "soap11/failed", 3: FAULT, 4: RUNNING}


@pytest.fixture
def by_job() -> httpx.MockTransport:
    for case in BY_JOB.values():
        load(case)

    def answer(request: httpx.Request) -> httpx.Response:
        text = request.content.partition(b"<jobId>")[2].partition(b"<")[0]
        return sample(BY_JOB[UUID(text.decode()).int % 10])

    return httpx.MockTransport(answer)


async def test_one_jobs_failure_does_not_touch_another(by_job: httpx.MockTransport) -> None:
    async with httpx.AsyncClient(transport=by_job) as http:
        api = CustomerApi(KEY, http_client=http, clock=FakeClock())
        async with api.poll_many(many(4), timeout=60) as outcomes:
            ends = {outcome.job_id.int: outcome async for outcome in outcomes}
    assert {number: type(end.error) for number, end in ends.items()} == {
        1: type(None),
        2: JobFailed,
        3: SoapFault,
        4: PollTimeout,
    }
    assert {number: end.status and end.status.state for number, end in ends.items()} == {
        1: JobState.DONE,
        2: JobState.FAILED,
        3: None,
        4: None,
    }


async def test_outcomes_come_as_soon_as_they_are_known(by_job: httpx.MockTransport) -> None:
    clock = FakeClock()
    async with httpx.AsyncClient(transport=by_job) as http:
        api = CustomerApi(KEY, http_client=http, clock=clock)
        async with api.poll_many([UUID(int=4), UUID(int=1)]) as outcomes:
            async for outcome in outcomes:
                assert outcome.job_id == UUID(int=1)
                break
    assert clock.monotonic() == 0


async def test_ids_may_keep_coming() -> None:
    clock = FakeClock()

    async def coming() -> AsyncIterator[UUID]:
        for job_id in many(20):
            await clock.sleep(10)
            yield job_id
            yield many(1)[0]

    async with api_of(Server(COMPLETED), clock) as api, api.poll_many(coming()) as outcomes:
        assert [outcome.job_id async for outcome in outcomes] == many(20)
    assert clock.monotonic() == 200


async def test_ids_may_come_from_a_stream() -> None:
    send, receive = anyio.create_memory_object_stream[UUID](2)
    send.send_nowait(JOB)
    async with api_of(Server(COMPLETED)) as api, api.poll_many(receive) as outcomes:
        assert (await anext(outcomes)).job_id == JOB
        send.close()
        assert [outcome async for outcome in outcomes] == []
    receive.close()


async def test_a_wrong_id_among_those_that_come_is_raised_by_the_iterator() -> None:
    async def coming() -> AsyncIterator[str]:
        yield str(JOB)
        yield "nonsense"

    async with api_of(Server(COMPLETED)) as api, api.poll_many(coming()) as outcomes:
        with pytest.raises(ValueError, match=r"^job_ids\[1\] must be"):
            _ = [outcome async for outcome in outcomes]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"job_ids": ["nonsense"]}, ValueError, r"job_ids\[0\] must be"),
        ({"job_ids": str(JOB)}, TypeError, "job_ids must be ids, not str"),
        ({"job_ids": JOB}, TypeError, "job_ids must be ids, not UUID"),
        ({"job_ids": [JOB], "timeout": 0}, ValueError, "timeout must be more than 0"),
        ({"job_ids": [JOB], "concurrency": 0}, ValueError, "concurrency must be 1 or more"),
    ],
)
async def test_wrong_arguments_are_refused_before_anything_is_sent(
    arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    server = Server(COMPLETED)
    async with api_of(server) as api:
        with pytest.raises(kind, match=message):
            async with api.poll_many(**arguments):
                pass
    assert server.requests == []


async def test_jobs_known_to_be_over_cost_no_call() -> None:
    server = Server(COMPLETED)
    async with api_of(server) as api:
        for _ in range(2):
            async with api.poll_many(many(20)) as outcomes:
                assert len([outcome async for outcome in outcomes]) == 20
    assert len(server.requests) == 20


async def test_no_jobs_have_no_outcomes() -> None:
    async with api_of(Server(COMPLETED)) as api, api.poll_many([]) as outcomes:
        assert [outcome async for outcome in outcomes] == []


async def test_what_is_raised_in_the_block_comes_out_as_it_is() -> None:
    async with api_of(Server(RUNNING)) as api:
        with pytest.raises(LookupError, match="mine"):
            async with api.poll_many(many(50)):
                raise LookupError("mine")


async def test_cancelling_the_block_ends_the_waits() -> None:
    async with api_of(Server(RUNNING)) as api:
        with anyio.CancelScope() as scope:
            async with api.poll_many(many(50)) as outcomes:
                scope.cancel()
                async for _ in outcomes:
                    pytest.fail("there is no outcome")
    assert scope.cancelled_caught


async def test_a_client_that_is_closed_meanwhile_is_told_of() -> None:
    async with api_of(Server(RUNNING)) as api, api.poll_many(many(3)) as outcomes:
        await api.aclose()
        with pytest.raises(RuntimeError, match="closed"):
            await anext(outcomes)


async def test_no_more_jobs_are_looked_at_at_once_than_asked_for() -> None:
    most = under_way = 0

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        for _round in range(5):
            await anyio.lowlevel.checkpoint()
        under_way -= 1
        return sample(COMPLETED)

    load(COMPLETED)
    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as http:
        api = CustomerApi(KEY, http_client=http)
        async with api.poll_many(many(50), concurrency=4) as outcomes:
            assert len([outcome async for outcome in outcomes]) == 50
    assert most == 4
