"""One of several who wait for a job is stopped, at each of its awaits in turn; no other notices."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

import anyio
import anyio.lowlevel
import httpx
import pytest

from dasp_async import CustomerApi, JobState, JobStatus, MemoryBudget, PollTimeout, Schedule
from dasp_async.testing import FakeClock, FakeCustomerApi

T = TypeVar("T")

KEY: Final = "test-key"
EVEN: Final = Schedule(initial=5, factor=1, maximum=5, jitter=0)
SLOTS: Final = 2
# Fewer calls than the jobs' looks need, so that these are spread out and take turns. The window is
# far shorter than the 300 s after which a job whose turn was forgotten would ask by itself.
LIMIT: Final = 6
WINDOW: Final = 60.0
LONG: Final = 1000.0


class Suspensions(Generic[T]):
    """Awaits a coroutine, counts how often it is suspended, and acts just before the `at`-th."""

    def __init__(
        self, inner: Coroutine[Any, Any, T], *, at: int, act: Callable[[], object]
    ) -> None:
        self.count = 0
        self._inner = inner
        self._at = at
        self._act = act

    def __await__(self) -> Generator[Any, Any, T]:
        resume: Callable[[], Any] = partial(self._inner.send, None)
        while True:
            try:
                awaited = resume()
            except StopIteration as end:
                result: T = end.value
                return result
            self.count += 1
            if self.count == self._at:
                self._act()
            try:
                resume = partial(self._inner.send, (yield awaited))
            except BaseException as error:  # noqa: BLE001 - it is for the coroutine
                resume = partial(self._inner.throw, error)


class Wire(httpx.ASGITransport):
    """The way to the fake, where a look is suspended before the fake sees it and after."""

    def __init__(self, fake: FakeCustomerApi) -> None:
        super().__init__(app=fake)
        self.gate = anyio.Event()
        self.gate.set()
        self.under_way = 0
        self.most_under_way = 0
        self.begun = 0
        self.answered = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.begun += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await rounds(4)
            response = await super().handle_async_request(request)
            await rounds(4)
            await self.gate.wait()
        finally:
            self.under_way -= 1
        self.answered += 1
        return response


async def rounds(count: int) -> None:
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


# --- who waits --------------------------------------------------------------------------------

Told: TypeAlias = list[tuple[UUID, JobState]]
Kind: TypeAlias = Callable[[CustomerApi, list[UUID], float | None], Coroutine[Any, Any, Told]]


def ends(*statuses: JobStatus | None) -> Told:
    return sorted((status.job_id, status.state) for status in statuses if status is not None)


async def poll(api: CustomerApi, jobs: list[UUID], timeout: float | None) -> Told:
    return ends(await api.poll_until_done(jobs[0], timeout=timeout))


async def watch(api: CustomerApi, jobs: list[UUID], timeout: float | None) -> Told:
    async with aclosing(api.watch(jobs[0], timeout=timeout)) as statuses:
        return ends([status async for status in statuses][-1])


async def many(api: CustomerApi, jobs: list[UUID], timeout: float | None) -> Told:
    async with api.poll_many(jobs, timeout=timeout) as coming:
        outcomes = [outcome async for outcome in coming]
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    return ends(*(outcome.status for outcome in outcomes))


async def many_at_work(api: CustomerApi, jobs: list[UUID], timeout: float | None) -> Told:
    """Suspended in each round of the event loop, and so wherever one of the workers is."""
    results: list[Told] = []

    async def run() -> None:
        results.append(await many(api, jobs, timeout))

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        while not results:
            await anyio.lowlevel.checkpoint()
    return results[0]


async def direct(api: CustomerApi, jobs: list[UUID], _: float | None) -> Told:
    return ends(await api.get_job_status(jobs[0]))


# Of how many jobs each is told. A look at one that was under way for a victim is made again.
JOBS_OF: Final[dict[Kind, int]] = {poll: 1, watch: 1, many: 2, many_at_work: 2, direct: 1}


def told_right(kind: Kind, jobs: list[UUID], told: Told) -> None:
    """Whether that is what it was to be told of these jobs, which end well."""
    done = [(job_id, JobState.DONE) for job_id in jobs]
    if kind is direct:
        assert told in (done[:1], [(jobs[0], JobState.RUNNING)])
    else:
        assert told == done[: JOBS_OF[kind]]


# --- the scene --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One client, three jobs that each need two looks, and what those who wait were told."""

    clock: FakeClock
    fake: FakeCustomerApi
    wire: Wire
    api: CustomerApi
    jobs: list[UUID]
    results: dict[str, Told] = field(default_factory=dict[str, Told])

    @property
    def lost(self) -> int:
        """How many looks were begun whose answer nobody got."""
        return self.wire.begun - self.wire.answered

    async def _one(self, name: str, kind: Kind, jobs: list[UUID]) -> None:
        self.results[name] = await kind(self.api, jobs, None)

    async def play(self, victim: Callable[[], Coroutine[Any, Any, None]], *, leads: bool) -> None:
        """All wait at once; the victim's are the first looks at its jobs if it leads."""
        async with anyio.create_task_group() as group:
            if leads:
                group.start_soon(victim)
                await self._until_a_look()
            for kind in (poll, watch, many, direct):
                group.start_soon(self._one, kind.__name__, kind, self.jobs[:2])
            group.start_soon(self._one, "of another job", poll, self.jobs[2:])
            if not leads:
                await self._until_a_look()
                group.start_soon(victim)

    async def _until_a_look(self) -> None:
        # A victim that was cancelled before does not look.
        for _ in range(20):
            if not self.wire.under_way:
                await anyio.lowlevel.checkpoint()

    def others_are_told_right(self) -> None:
        assert len(self.results) == 5
        for kind in (poll, watch, many, direct):
            told_right(kind, self.jobs, self.results[kind.__name__])
        told_right(poll, self.jobs[2:], self.results["of another job"])

    async def client_still_works(self) -> None:
        # With a budget, its calls are free again then.
        self.clock.advance(WINDOW)
        calls, self.wire.most_under_way = len(self.fake.calls), 0
        assert await poll(self.api, self.jobs, None) == [(self.jobs[0], JobState.DONE)]
        assert len(self.fake.calls) == calls
        news = [self.fake.add_job("Completed") for _ in range(SLOTS + 1)]
        async with anyio.create_task_group() as group:
            for job_id in news[:SLOTS]:
                group.start_soon(self.api.get_job_status, job_id)
        assert self.wire.most_under_way == SLOTS
        assert await poll(self.api, news[SLOTS:], None) == [(news[SLOTS], JobState.DONE)]
        assert len(self.fake.calls) == calls + len(news)


@asynccontextmanager
async def scene(*, is_scarce: bool) -> AsyncGenerator[Scene]:
    clock = FakeClock()
    fake = FakeCustomerApi(KEY, clock=clock)
    wire = Wire(fake)
    budget = MemoryBudget(limit=LIMIT, window=WINDOW, clock=clock) if is_scarce else None
    async with httpx.AsyncClient(transport=wire) as http:
        api = CustomerApi(
            KEY, http_client=http, max_in_flight=SLOTS, schedule=EVEN, budget=budget, clock=clock
        )
        jobs = [fake.add_job("Running", "Completed") for _ in range(3)]
        with anyio.fail_after(20):
            yield Scene(clock=clock, fake=fake, wire=wire, api=api, jobs=jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How often the victim was suspended, what all of it cost, and when it was over."""

    suspensions: int
    calls: int
    lost: int
    ended_at: float


async def cancelled(kind: Kind, at: int, *, leads: bool, is_scarce: bool) -> Run:
    """One run in which the victim is cancelled at its `at`-th suspension."""
    async with scene(is_scarce=is_scarce) as stage:
        scope = anyio.CancelScope()
        steps = Suspensions(kind(stage.api, stage.jobs[:2], None), at=at, act=scope.cancel)

        async def victim() -> None:
            with scope:
                told_right(kind, stage.jobs, await steps)
                # The end of a task group, where many_at_work is suspended last, is shielded.
                assert kind is many_at_work or not scope.cancel_called

        await stage.play(victim, leads=leads)
        run = Run(
            suspensions=steps.count,
            calls=len(stage.fake.calls),
            lost=stage.lost,
            ended_at=stage.clock.monotonic(),
        )
        stage.others_are_told_right()
        await stage.client_still_works()
    return run


@pytest.mark.parametrize("is_scarce", [False, True], ids=["plenty", "scarce"])
@pytest.mark.parametrize("leads", [True, False], ids=["leader", "follower"])
@pytest.mark.parametrize("kind", JOBS_OF)
async def test_who_is_cancelled_anywhere_disturbs_nobody(
    kind: Kind, leads: bool, is_scarce: bool
) -> None:
    calm = await cancelled(kind, 0, leads=leads, is_scarce=is_scarce)
    assert calm.lost == 0
    # A turn that is not passed on would cost more time; a call that is made again, a return.
    latest = calm.ended_at + (WINDOW if is_scarce else 0)
    # Where calls are scarce most rounds of the event loop pass while all are asleep.
    stride = 5 if kind is many_at_work and is_scarce else 1
    losses: set[int] = set()
    for at in range(1, calm.suspensions + 1, stride):
        run = await cancelled(kind, at, leads=leads, is_scarce=is_scarce)
        assert run.lost <= JOBS_OF[kind], at
        assert run.calls <= calm.calls + run.lost, at
        assert run.ended_at <= latest, at
        losses.add(run.lost)
    if leads and kind is not many:
        assert max(losses) > 0, "it never was in the middle of a look"


# --- timeouts ---------------------------------------------------------------------------------


async def late(kind: Kind, at: int, *, leads: bool, is_scarce: bool) -> Run:
    """One run in which the victim's time passes at its `at`-th suspension."""
    async with scene(is_scarce=is_scarce) as stage:
        steps = Suspensions(
            kind(stage.api, stage.jobs[:2], LONG), at=at, act=lambda: stage.clock.advance(LONG)
        )

        async def victim() -> None:
            try:
                told_right(kind, stage.jobs, await steps)
            except PollTimeout:
                assert stage.clock.monotonic() >= LONG

        await stage.play(victim, leads=leads)
        run = Run(
            suspensions=steps.count,
            calls=len(stage.fake.calls),
            lost=stage.lost,
            ended_at=stage.clock.monotonic(),
        )
        stage.others_are_told_right()
        await stage.client_still_works()
    return run


@pytest.mark.parametrize("is_scarce", [False, True], ids=["plenty", "scarce"])
@pytest.mark.parametrize("leads", [True, False], ids=["leader", "follower"])
@pytest.mark.parametrize("kind", [poll, watch, many])
async def test_whose_time_passes_anywhere_disturbs_nobody(
    kind: Kind, leads: bool, is_scarce: bool
) -> None:
    calm = await late(kind, 0, leads=leads, is_scarce=is_scarce)
    # In most rounds all are asleep, and the clock makes sure of it.
    for at in range(1, calm.suspensions + 1, 3):
        run = await late(kind, at, leads=leads, is_scarce=is_scarce)
        assert (run.lost, run.calls) == (0, calm.calls), at
        assert run.ended_at <= calm.ended_at + LONG + (WINDOW if is_scarce else 0), at


@pytest.mark.parametrize("is_scarce", [False, True], ids=["plenty", "scarce"])
@pytest.mark.parametrize("leads", [True, False], ids=["leader", "follower"])
@pytest.mark.parametrize("kind", [poll, watch, many])
async def test_whose_time_passes_during_a_look_leaves_it_to_the_others(
    kind: Kind, leads: bool, is_scarce: bool
) -> None:
    async with scene(is_scarce=is_scarce) as stage:
        stage.wire.gate = anyio.Event()

        async def victim() -> None:
            # In real time, since the look is under way.
            with pytest.raises(PollTimeout):
                await kind(stage.api, stage.jobs[:1], 0.02)
            assert stage.wire.answered == 0
            stage.wire.gate.set()

        await stage.play(victim, leads=leads)
        assert stage.lost == leads
        stage.others_are_told_right()
        await stage.client_still_works()
