"""Thousands of waits cut short at random moments, on a fake in memory: nothing is left of them.

Nothing is: no task, no object of `dasp_async.polling` that was not there before, no slot of
`max_in_flight`, no call that the budget never gets back, and, from the middle of the run to its
end, no more than a thousand memory blocks. The client works as before.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

import anyio
import anyio.lowlevel
import httpx

from dasp_async import BudgetExhausted, CustomerApi, MemoryBudget, Schedule
from dasp_async.testing import FakeClock, FakeCustomerApi

KEY: Final = "test-key"
SLOTS: Final = 4
AT_ONCE: Final = 50
JOBS: Final = 20
# Rounds of the event loop, in which a look begins and lands
LONGEST_LIFE: Final = 60
SCARCE: Final = 50
WINDOW: Final = 600.0


class Wire(httpx.ASGITransport):
    """The way to the fake, on which a look is suspended."""

    under_way = most_under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for _ in range(4):
                await anyio.lowlevel.checkpoint()
            return await super().handle_async_request(request)
        finally:
            self.under_way -= 1


@dataclass(slots=True)
class CutShort:
    """What became of a run."""

    cut: int = 0
    ended: int = 0
    calls: int = 0
    blocks: list[int] = field(default_factory=list[int])
    problems: list[str] = field(default_factory=list[str])

    def expect(self, what: str, found: object, wanted: object) -> None:
        """Note a problem, if it is none of what is wanted."""
        if found != wanted:
            self.problems.append(f"{what}: {found}, not {wanted}")


def in_polling() -> Counter[str]:
    """The objects of the package's waits that are alive."""
    gc.collect()
    kinds: list[type[Any]] = [type(each) for each in gc.get_objects()]
    ours = (kind for kind in kinds if str(kind.__module__).startswith("dasp_async.polling"))
    # Those of the jobs that wait calmly are cached.
    return Counter(kind.__name__ for kind in ours if kind.__name__ != "Track")


async def poll(api: CustomerApi, jobs: list[UUID]) -> None:
    """One waits."""
    await api.poll_until_done(jobs[0], timeout=None)


async def watch(api: CustomerApi, jobs: list[UUID]) -> None:
    """One follows."""
    async with aclosing(api.watch(jobs[0], timeout=None)) as statuses:
        async for _ in statuses:
            pass


async def poll_many(api: CustomerApi, jobs: list[UUID]) -> None:
    """One waits for many."""
    async with api.poll_many(jobs, timeout=None) as outcomes:
        async for _ in outcomes:
            pass


async def call(api: CustomerApi, jobs: list[UUID]) -> None:
    """One asks now."""
    with suppress(BudgetExhausted):
        await api.get_job_status(jobs[0])


WAYS: Final = [poll, watch, poll_many, call]


class Scene:
    """One client; of its jobs every other is over at its third look, and the rest never are."""

    def __init__(self, result: CutShort, *, is_scarce: bool, chance: Random) -> None:
        self._result = result
        self._chance = chance
        self._clock = FakeClock()
        self._jobs = [UUID(int=number + 1) for number in range(JOBS)]
        self.wire = Wire(app=self._new_fake())
        self._limit = SCARCE if is_scarce else 1_000_000
        self._budget = MemoryBudget(limit=self._limit, window=WINDOW, clock=self._clock)
        self._http = httpx.AsyncClient(transport=self.wire)
        self.api = CustomerApi(
            KEY,
            http_client=self._http,
            # trio keeps up to a thousand time limits that hold no more.
            attempt_timeout=None,
            max_in_flight=SLOTS,
            schedule=Schedule(initial=5, maximum=5),
            budget=self._budget,
            clock=self._clock,
        )

    def _new_fake(self) -> FakeCustomerApi:
        # It remembers all calls, so none serves for long.
        self.fake = FakeCustomerApi(KEY, clock=self._clock)
        for job_id in self._jobs:
            words = ("Running", "Running", "Completed" if job_id.int % 2 else "Running")
            self.fake.add_job(*words, job_id=job_id)
        return self.fake

    async def one(self) -> None:
        """Begin a wait, and cut it short some time later."""
        way = self._chance.choice(WAYS)
        jobs = self._chance.sample(self._jobs, 3)
        is_over = False

        async def wait() -> None:
            nonlocal is_over
            await way(self.api, jobs)
            is_over = True

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            for _ in range(self._chance.randrange(LONGEST_LIFE)):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        if is_over:
            self._result.ended += 1
        else:
            self._result.cut += 1

    async def many(self, waits: int) -> None:
        """Some at once, until there were so many, while another waits for a job all the time."""
        async with anyio.create_task_group() as group:
            group.start_soon(poll, self.api, [self._jobs[-1]])
            for _ in range(waits // AT_ONCE):
                async with anyio.create_task_group() as crowd:
                    for _ in range(AT_ONCE):
                        crowd.start_soon(self.one)
            group.cancel_scope.cancel()

    async def works(self) -> None:
        """See that all is free again, and begin with a new fake."""
        expect = self._result.expect
        expect("looks under way", self.wire.under_way, 0)
        self._clock.advance(WINDOW)
        expect("calls left", await self._budget.remaining(), self._limit)
        self._result.calls += len(self.fake.calls)
        self.wire.app = self._new_fake()
        self.wire.most_under_way = 0
        async with anyio.create_task_group() as group:
            for job_id in self._jobs[: SLOTS + 1]:
                group.start_soon(self.api.get_job_status, job_id)
        expect("slots", self.wire.most_under_way, SLOTS)
        status = await self.api.poll_until_done(self.fake.add_job("Completed"))
        expect("a wait", status.is_final, True)

    async def aclose(self) -> None:
        """The end."""
        await self.api.aclose()
        await self._http.aclose()


async def cut_short(waits: int, *, is_scarce: bool, rounds: int = 10, seed: int = 0) -> CutShort:
    """Cut so many waits short, some of them in each round."""
    result = CutShort()
    scene = Scene(result, is_scarce=is_scarce, chance=Random(seed))
    await scene.works()
    before, tasks = in_polling(), len(anyio.get_running_tasks())
    for _ in range(rounds):
        await scene.many(waits // rounds)
        await scene.works()
        result.expect("objects", in_polling(), before)
        result.expect("tasks", len(anyio.get_running_tasks()), tasks)
        result.blocks.append(sys.getallocatedblocks())
    await scene.aclose()
    growth = result.blocks[-1] - result.blocks[rounds // 2 - 1]
    if growth > 1000:
        result.problems.append(f"{growth:,} memory blocks more from the middle to the end")
    return result
