"""A model of those who wait: they come, go, time out and are cancelled, and it tells their ends."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar, Final, TypeAlias
from uuid import UUID

import anyio
import anyio.abc
import anyio.lowlevel
import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from dasp_async import (
    BudgetExhausted,
    CustomerApi,
    DaspError,
    HttpError,
    JobFailed,
    JobState,
    JobStatus,
    MemoryBudget,
    PollTimeout,
    Schedule,
    TransportError,
)
from dasp_async.budget import Admission, Caller, NotYet, UsedUp, Waiting
from dasp_async.testing import DroppedConnection, FakeCustomerApi, RawAnswer, Trouble

KEY: Final = "test-key"
RUNNING: Final = "Running"
STATES: Final = {"Completed": JobState.DONE, "Failed": JobState.FAILED}
JOBS: Final = 2
SLOTS: Final = 2
LIMIT: Final = 12
WINDOW: Final = 60.0

PAUSE: Final = 10.0
# After an error: the first pause, the longest, and by how much chance may shorten each.
ERROR_PAUSE: Final = 1.0
LONGEST_ERROR_PAUSE: Final = 60.0
JITTER: Final = 0.2
# A request and its answer are each that long on their way.
LATENCY: Final = 0.5
# A last look comes so long before the deadline at most, and what it takes itself is real time.
LEAD: Final = 2.0
REAL_TIME: Final = 1.0
ROUNDING: Final = 1e-3


class StepClock:
    """A clock that moves only when it is told to, from one sleeper's moment to the next."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleepers: dict[anyio.Event, float] = {}
        self._events = 0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1e9 + self.now

    async def sleep(self, seconds: float) -> None:
        turn = anyio.Event()
        self.sleepers[turn] = self.now + seconds
        self._events += 1
        try:
            await turn.wait()
        finally:
            self._events += 1
            del self.sleepers[turn]

    async def settle(self) -> None:
        """Let everything run until all are asleep."""
        for _ in range(100):
            events = self._events
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            if events == self._events:
                return
        raise AssertionError("they never sleep")

    async def step(self, end: float) -> bool:
        """Go to where the next sleeper wakes, and say so, or to the end if that is sooner."""
        moment = min(self.sleepers.values(), default=math.inf)
        self.now = min(moment, end)
        for turn, until in self.sleepers.items():
            if until <= self.now:
                turn.set()
        await self.settle()
        return moment <= end


@dataclass(eq=False, slots=True)
class Job:
    """A job: how it stands, what looks have shown, and when its waits look next."""

    job_id: UUID
    word: str = RUNNING
    word_when_looked_at: str = RUNNING
    is_known_to_be_over: bool = False
    looks_under_way: int = 0
    errors: int = 0
    errors_in_row: int = 0
    looked_at: float = -math.inf
    earliest: float = 0.0
    latest: float = 0.0

    def is_waited_for(self, now: float) -> None:
        """Nobody waited for it until now."""
        self.errors_in_row = 0
        self.looked_at = -math.inf
        self.earliest = self.latest = now

    def has_answered(self, word: str, now: float) -> None:
        self.errors_in_row = 0
        self.looked_at = now
        self.earliest = self.latest = now + PAUSE
        self.is_known_to_be_over |= word != RUNNING

    def had_trouble(self, now: float) -> None:
        pause = min(LONGEST_ERROR_PAUSE, ERROR_PAUSE * 2**self.errors_in_row)
        self.errors += 1
        self.errors_in_row += 1
        self.looked_at = now
        self.earliest, self.latest = now + (1 - JITTER) * pause, now + pause

    def lost_an_answer(self, now: float) -> None:
        """Who looked left, so that another may look at once."""
        self.latest = max(self.latest, now)


class Budget(MemoryBudget):
    """A small budget, which remembers from when on waits may ask it again."""

    def __init__(self, clock: StepClock) -> None:
        super().__init__(limit=LIMIT, window=WINDOW, clock=clock)
        self.opens_at = 0.0
        self.is_used_up = False
        self._moves = clock

    async def admit(self, caller: Caller, waiting: Waiting | None) -> Admission:
        admission = await super().admit(caller, waiting)
        if waiting is not None:
            pause = admission.pause if isinstance(admission, NotYet | UsedUp) else 0.0
            self.opens_at = self._moves.now + pause
            self.is_used_up = isinstance(admission, UsedUp)
        return admission


class Wire(httpx.ASGITransport):
    """The way to the fake, where each look must have a reason."""

    def __init__(self, world: World) -> None:
        super().__init__(app=world.fake)
        self._world = world

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world, clock = self._world, self._world.clock
        found = re.search(rb"<jobId>([^<]+)</jobId>", await request.aread())
        job = world.jobs[UUID(found[1].decode() if found else "")]
        world.problems += world.problems_of_look(job)
        job.looks_under_way += 1
        job.word_when_looked_at = job.word
        try:
            await clock.sleep(LATENCY)
            word = job.word
            response = await super().handle_async_request(request)
            await clock.sleep(LATENCY)
        except ConnectionResetError:
            job.had_trouble(clock.now)
            raise
        except BaseException:
            job.lost_an_answer(clock.now)
            raise
        finally:
            job.looks_under_way -= 1
        if response.status_code == 200:
            job.has_answered(word, clock.now)
        else:
            job.had_trouble(clock.now)
        return response


class World:
    """One client, the service, and all who wait for its jobs."""

    def __init__(self, group: anyio.abc.TaskGroup, *, is_scarce: bool) -> None:
        self.clock = StepClock()
        self.fake = FakeCustomerApi(KEY, clock=self.clock)
        self.http = httpx.AsyncClient(transport=Wire(self))
        self.budget = Budget(self.clock)
        self.api = CustomerApi(
            KEY,
            http_client=self.http,
            max_in_flight=SLOTS,
            schedule=Schedule(initial=PAUSE, factor=1, maximum=PAUSE, jitter=0),
            budget=self.budget if is_scarce else None,
            clock=self.clock,
        )
        self.jobs: dict[UUID, Job] = {}
        self.waiters: list[Waiter] = []
        self.problems: list[str] = []
        self.is_scarce = is_scarce
        self._group = group

    @classmethod
    @asynccontextmanager
    async def running(cls, *, is_scarce: bool) -> AsyncGenerator[World]:
        async with anyio.create_task_group() as group:
            world = cls(group, is_scarce=is_scarce)
            async with world.http:
                yield world
                group.cancel_scope.cancel()

    def add_job(self) -> Job:
        job_id = self.fake.add_job(RUNNING)
        self.jobs[job_id] = Job(job_id)
        return self.jobs[job_id]

    def end(self, job: Job, word: str) -> None:
        if job.word == RUNNING:
            job.word = word
            self.fake.add_job(word, job_id=job.job_id)

    async def arrive(self, kind: Kind, jobs: list[Job], timeout: float | None) -> None:
        now = self.clock.now
        for job in jobs:
            if kind is not direct and not self.waits(job):
                job.is_waited_for(now)
        deadline = math.inf if timeout is None else now + timeout
        waiter = Waiter(self, kind, list(jobs), timeout, deadline)
        self.waiters.append(waiter)
        self._group.start_soon(waiter.run)
        await self.go_on()

    async def leave(self, waiters: list[Waiter]) -> None:
        for waiter in waiters:
            waiter.scope.cancel()
        await self.go_on()
        assert not set(waiters) & set(self.waiters)

    async def go_on(self, seconds: float = 0.0) -> None:
        """Let time pass, and see at each of its moments that all is as it must be."""
        end = self.clock.now + seconds
        await self.clock.settle()
        self._check()
        while await self.clock.step(end):
            self._check()
        self._check()

    def waits(self, job: Job) -> list[Waiter]:
        return [
            waiter for waiter in self.waiters if waiter.kind is not direct and job in waiter.pending
        ]

    def problems_of_look(self, job: Job) -> list[str]:
        """Why a look must not begin now; none if a direct call or a wait's schedule wants it."""
        now, waits, problems = self.clock.now, self.waits(job), list[str]()
        if job.looks_under_way:
            problems.append(f"{now}: two looks at once")
        if any(waiter.kind is direct and job in waiter.pending for waiter in self.waiters):
            return problems
        if not waits or job.is_known_to_be_over:
            problems.append(f"{now}: a look for nobody")
        earliest = job.earliest
        if any(waiter.deadline - LEAD <= now for waiter in waits):
            earliest -= (job.earliest - job.looked_at) / 2
        if now < earliest - ROUNDING:
            problems.append(f"{now}: a look was not due before {earliest}")
        return problems

    def _check(self) -> None:
        """What holds whenever all are asleep."""
        assert self.problems == []
        now = self.clock.now
        is_calm = not any(job.looks_under_way for job in self.jobs.values())
        for job in self.jobs.values():
            waits = self.waits(job)
            assert not (waits and job.is_known_to_be_over), "what one has seen, all are told"
            if not is_calm:
                continue
            assert all(now < waiter.deadline for waiter in waits), "its time is up"
            if self.budget.is_used_up:
                assert all(self.budget.opens_at <= waiter.deadline for waiter in waits), "no call"
            due = max(job.latest, self.budget.opens_at)
            if any(waiter.deadline - LEAD >= due for waiter in waits):
                assert now < due + ROUNDING, "nobody looks"


@dataclass(eq=False, slots=True)
class Waiter:
    """A task that waits, and for which jobs it still does."""

    world: World
    kind: Kind
    pending: list[Job]
    timeout: float | None
    deadline: float
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def run(self) -> None:
        try:
            with self.scope:
                await self.kind(self)
        except Exception as error:  # noqa: BLE001 - told by whoever drives the world
            self.world.problems.append(f"{self.kind.__name__}: {error!r}")
        finally:
            if self.pending and not self.scope.cancel_called:
                self.world.problems.append(f"{self.kind.__name__} was stopped by another's end")
            self.pending.clear()
            self.world.waiters.remove(self)

    def is_told(self, job: Job, told: JobStatus | DaspError) -> None:
        """Its wait for a job ends with that."""
        self.pending.remove(job)
        now = self.world.clock.now
        if isinstance(told, PollTimeout):
            assert now >= self.deadline - REAL_TIME
        elif isinstance(told, BudgetExhausted):
            assert self.world.is_scarce
            assert told.retry_after is not None
            assert now + told.retry_after > self.deadline - ROUNDING
        elif isinstance(told, JobFailed):
            assert job.word == "Failed"
            self._is_final(job, told.status)
        elif isinstance(told, DaspError):
            raise told
        else:
            assert job.word == "Completed" or self.kind is watch
            self._is_final(job, told)

    def _is_final(self, job: Job, status: JobStatus) -> None:
        assert (status.job_id, status.status) == (job.job_id, job.word)
        assert status.state is STATES[job.word]


Kind: TypeAlias = Callable[[Waiter], Awaitable[None]]


async def poll(waiter: Waiter) -> None:
    [job] = waiter.pending
    told: JobStatus | DaspError
    try:
        told = await waiter.world.api.poll_until_done(job.job_id, timeout=waiter.timeout)
    except DaspError as error:
        told = error
    waiter.is_told(job, told)


async def watch(waiter: Waiter) -> None:
    [job] = waiter.pending
    changes: list[JobStatus | DaspError] = []
    try:
        async with aclosing(waiter.world.api.watch(job.job_id, timeout=waiter.timeout)) as statuses:
            async for status in statuses:
                changes.append(status)
                assert len(changes) <= 2, "no change at all"
    except DaspError as error:
        changes.append(error)
    waiter.is_told(job, changes[-1])


async def many(waiter: Waiter) -> None:
    jobs = {job.job_id: job for job in waiter.pending}
    async with waiter.world.api.poll_many(list(jobs), timeout=waiter.timeout) as outcomes:
        async for outcome in outcomes:
            told = outcome.error or outcome.status
            assert told is not None
            waiter.is_told(jobs.pop(outcome.job_id), told)


async def direct(waiter: Waiter) -> None:
    [job] = waiter.pending
    # A look under way is shared, though it may have been answered before the job ended.
    oldest = job.word_when_looked_at if job.looks_under_way else job.word
    errors = job.errors
    try:
        status = await waiter.world.api.get_job_status(job.job_id)
    except BudgetExhausted:
        assert waiter.world.is_scarce
        assert await waiter.world.budget.remaining() == 0
    except (TransportError, HttpError):
        assert job.errors >= errors + 3
    else:
        assert status.status in {oldest, job.word}
    waiter.pending.clear()


class Waiters(RuleBasedStateMachine):
    """What may happen to those who wait, in any order."""

    backend: ClassVar[tuple[str, dict[str, Any]]]
    calls_are_scarce: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        name, options = self.backend
        self._open = ExitStack()
        self._portal = self._open.enter_context(start_blocking_portal(name, options))
        self._world = self._open.enter_context(
            self._portal.wrap_async_context_manager(World.running(is_scarce=self.calls_are_scarce))
        )
        self._jobs = [self._world.add_job() for _ in range(JOBS)]
        # A client that was never answered gives up sooner.
        self._arrive(direct, self._jobs[:1], None)
        self._go_on(2 * LATENCY)
        self._tasks = self._portal.call(anyio.get_running_tasks)

    def _arrive(self, kind: Kind, jobs: list[Job], timeout: float | None) -> None:
        self._portal.call(self._world.arrive, kind, jobs, timeout)

    def _go_on(self, seconds: float) -> None:
        self._portal.call(self._world.go_on, seconds)

    @rule(
        kind=st.sampled_from([poll, watch, many, direct]),
        job=st.integers(0, JOBS - 1),
        timeout=st.sampled_from([None, 5.0, 25.0, 100.0]),
    )
    def one_arrives(self, kind: Kind, job: int, timeout: float | None) -> None:
        self._arrive(kind, self._jobs if kind is many else [self._jobs[job]], timeout)

    @rule(number=st.none() | st.integers(0, 5))
    def one_is_cancelled_or_all(self, number: int | None) -> None:
        waiters = list(self._world.waiters)
        if waiters and number is not None:
            waiters = [waiters[number % len(waiters)]]
        self._portal.call(self._world.leave, waiters)
        if number is None:
            self._nothing_is_left()

    @rule(seconds=st.sampled_from([LATENCY, 2 * LATENCY, 4.0, PAUSE, WINDOW]))
    def time_passes(self, seconds: float) -> None:
        self._go_on(seconds)

    @rule(
        job=st.integers(0, JOBS - 1),
        word=st.sampled_from(sorted(STATES)),
        is_asked_for=st.booleans(),
    )
    def a_job_ends(self, job: int, word: str, is_asked_for: bool) -> None:
        self._world.end(self._jobs[job], word)
        if is_asked_for:
            self._arrive(direct, [self._jobs[job]], None)

    @rule(job=st.integers(0, JOBS - 1))
    def another_follows(self, job: int) -> None:
        if self._jobs[job].word != RUNNING:
            self._jobs[job] = self._world.add_job()

    @rule(
        trouble=st.sampled_from(
            [DroppedConnection(), DroppedConnection(after=20), RawAnswer("busy", status=503)]
        ),
        times=st.integers(1, 3),
    )
    def there_is_trouble(self, trouble: Trouble, times: int) -> None:
        self._world.fake.trouble(trouble, times)

    def _nothing_is_left(self) -> None:
        assert self._world.waiters == []
        assert self._world.clock.sleepers == {}
        assert len(self._portal.call(anyio.get_running_tasks)) == len(self._tasks)

    def teardown(self) -> None:
        try:
            self._all_ends_well()
        finally:
            self._open.close()

    def _all_ends_well(self) -> None:
        for job in self._world.jobs.values():
            self._world.end(job, "Completed")
        while self._world.clock.sleepers:
            self._go_on(WINDOW)
        self._nothing_is_left()
        # The client still works, and all its slots are free; with a budget, its calls are again.
        self._go_on(WINDOW)
        for _ in range(SLOTS):
            self._arrive(direct, [self._world.add_job()], None)
        assert sum(job.looks_under_way for job in self._world.jobs.values()) == SLOTS
        last = self._world.add_job()
        self._world.end(last, "Failed")
        self._arrive(poll, [last], None)
        while self._world.clock.sleepers:
            self._go_on(WINDOW)
        self._nothing_is_left()
        assert last.is_known_to_be_over


# A finding takes a while to be made small.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_scarce", [False, True], ids=["plenty", "scarce"])
def test_all_who_wait_end_as_the_model_says(
    anyio_backend: tuple[str, dict[str, Any]], is_scarce: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Chance that repeats, so that a finding does too.
    monkeypatch.setattr("dasp_async.client.Random", lambda: Random(0))

    class Here(Waiters):
        backend = anyio_backend
        calls_are_scarce = is_scarce

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
