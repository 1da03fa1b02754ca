"""What waiting costs in one process: memory for each job that is waited for, time for each look.

`python -m tests.bench.waiting` prints a table; `uvloop` or `trio` as its argument name another
event loop than asyncio's. The package's two ways stand beside the least that could do the same
work: a bare heap of moments, and a bare task for each job that sleeps under a time limit.

All drive the same `look`, which answers at once: the package through `dasp_async.polling`, since
through `CustomerApi` most of the time would go into HTTP and SOAP.

Bytes are those that tracemalloc counts between the moment before the first wait begins and the one
when each job has had its first look and sleeps; unlike RSS they are exact for a thousand jobs as
well, and alike in each run. The job's id is not in them. Its last status is, with texts and a date
of its own as if read from an answer; the bare ways keep none.

Microseconds are those of looks that are due faster than they can be made, so that the event loop
never idles: the processor time of its thread is wall time less what other processes take. They
include answering, the same for all, and the garbage collector's work. Figures are medians, and so
are the ratios, of rounds in which the ways take turns. Each measurement has a process of its own.
"""

from __future__ import annotations

import gc
import heapq
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from random import Random
from statistics import median
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

import anyio

from dasp_async import JobStatus, Schedule
from dasp_async.clock import SystemClock
from dasp_async.polling import Load, Looks, Outcomes, Wait

CROWDS: Final = (1000, 10_000, 100_000)
ROUNDS: Final = 3
TIMED_LOOKS: Final = 20_000
TIMEOUT: Final = 3600.0
LONG: Final = 3000.0
SHORT: Final = 0.001

BACKENDS: Final[dict[str, dict[str, Any]]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


class Service:
    """Answers so many looks at once, and none after them; notes when it began to be timed."""

    def __init__(self, untimed: int, timed: int) -> None:
        self.all_answered = anyio.Event()
        self._untimed = untimed
        self._last = untimed + timed
        self._answered = 0
        self._began = self._ended = 0.0

    @property
    def time_of_a_look(self) -> float:
        """In seconds."""
        return (self._ended - self._began) / (self._last - self._untimed)

    async def look(self, job_id: UUID) -> JobStatus:
        """How the job stands."""
        if self._answered == self._last:
            # Nobody else runs as long as a bare heap finds looks that are due and answered.
            await anyio.sleep_forever()
        self._answered += 1
        if self._answered == self._untimed:
            # Those who have waited for a while are the collector's oldest, and it is at work.
            gc.collect()
            gc.enable()
            self._began = time.thread_time()
        if self._answered == self._last:
            self._ended = time.thread_time()
            self.all_answered.set()
        return JobStatus(
            job_id=job_id,
            job_name=b"Sql2012CreateBackup".decode(),
            status=b"Running".decode(),
            start_date_time=datetime.fromtimestamp(self._answered, UTC),
            seen_at=time.time(),
        )


Way: TypeAlias = Callable[[Service, list[UUID], float], Coroutine[Any, Any, None]]


def waits(service: Service, pause: float) -> Callable[[UUID], Wait]:
    """How a client begins a wait."""

    async def fetch(job_id: UUID, load: Load | None, _attempt: int) -> JobStatus:
        if load is not None:
            load.admitted()
        return await service.look(job_id)

    looks = Looks(
        fetch,
        clock=SystemClock(),
        is_proven=lambda: True,
        is_too_often=lambda _: False,
        random=Random(1),
    )
    schedule = Schedule(initial=pause, maximum=pause)
    return partial(Wait, looks, timeout=TIMEOUT, initial_delay=0.0, schedule=schedule)


async def poll_many(service: Service, job_ids: list[UUID], pause: float) -> None:
    """One heap of waits, as behind `CustomerApi.poll_many`."""
    begin = waits(service, pause)
    outcomes = Outcomes(job_ids, begin=begin, concurrency=16, on_status=None, clock=SystemClock())
    async with outcomes.coming():
        async for _ in outcomes:
            pass


async def poll_until_done(service: Service, job_ids: list[UUID], pause: float) -> None:
    """A task for each wait, as if each called `CustomerApi.poll_until_done`."""
    begin = waits(service, pause)

    async def until_done(job_id: UUID) -> None:
        with begin(job_id) as wait:
            while not (await wait.next()).is_final:
                pass

    await a_task_each(until_done, job_ids)


async def bare_heap(service: Service, job_ids: list[UUID], pause: float) -> None:
    """Moments and ids in a heap, and an event for whoever would add to them."""
    news = anyio.Event()
    now = time.monotonic()
    heap = [(now, job_id) for job_id in job_ids]
    while heap:
        moment, job_id = heap[0]
        now = time.monotonic()
        if moment > now:
            with anyio.move_on_after(moment - now):
                await news.wait()
        elif (await service.look(job_id)).is_final:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (time.monotonic() + pause, job_id))


async def bare_tasks(service: Service, job_ids: list[UUID], pause: float) -> None:
    """A task for each job that looks and sleeps, under a time limit."""

    async def until_done(job_id: UUID) -> None:
        with anyio.fail_after(TIMEOUT):
            while not (await service.look(job_id)).is_final:
                await anyio.sleep(pause)

    await a_task_each(until_done, job_ids)


async def a_task_each(
    wait_for: Callable[[UUID], Coroutine[Any, Any, None]], job_ids: list[UUID]
) -> None:
    async with anyio.create_task_group() as group:
        for job_id in job_ids:
            group.start_soon(wait_for, job_id)


# Each with the bare way that it is measured by.
WAYS: Final[dict[Way, Way]] = {
    poll_many: bare_heap,
    bare_heap: bare_heap,
    poll_until_done: bare_tasks,
    bare_tasks: bare_tasks,
}


async def bytes_of_a_job(way: Way, jobs: int) -> None:
    """The memory that a job takes which sleeps after its first look."""
    job_ids = [UUID(int=number) for number in range(1, jobs + 1)]
    service = Service(0, jobs)
    gc.collect()
    tracemalloc.start()
    async with anyio.create_task_group() as group:
        group.start_soon(way, service, job_ids, LONG)
        await service.all_answered.wait()
        gc.collect()
        used, _ = tracemalloc.get_traced_memory()
        told(used / jobs)


async def microseconds_of_a_look(way: Way, jobs: int) -> None:
    """The time of a look after the first ones, when so many jobs are waited for."""
    job_ids = [UUID(int=number) for number in range(1, jobs + 1)]
    service = Service(jobs, max(jobs, TIMED_LOOKS))
    async with anyio.create_task_group() as group:
        group.start_soon(way, service, job_ids, SHORT)
        await service.all_answered.wait()
        told(service.time_of_a_look * 1e6)


def told(figure: float) -> NoReturn:
    """Print what was measured and end, without the time that it takes to cancel all waits."""
    print(figure, flush=True)
    os._exit(0)


Measure: TypeAlias = Callable[[Way, int], Coroutine[Any, Any, None]]
MEASURES: Final[list[Measure]] = [bytes_of_a_job, microseconds_of_a_look]


def measured(backend: str, measure: Measure, way: Way, jobs: int) -> float:
    """What a process of its own tells."""
    words = [backend, measure.__name__, way.__name__, str(jobs)]
    run = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-m", "tests.bench.waiting", *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(run.stdout)


def main(backend: str = "asyncio") -> None:
    """Measure all and print the table."""
    memory = {(way, n): measured(backend, bytes_of_a_job, way, n) for n in CROWDS for way in WAYS}
    times: dict[tuple[Way, int], list[float]] = {key: [] for key in memory}
    for _ in range(ROUNDS):
        for (way, jobs), figures in times.items():
            figures.append(measured(backend, microseconds_of_a_look, way, jobs))

    def ratio(way: Way, jobs: int, other: Way, fewer: int) -> float:
        pairs = zip(times[way, jobs], times[other, fewer], strict=True)
        return median(one / another for one, another in pairs)

    print(f"On {backend}; ratios are to the bare way, and to a thousand jobs.\n")
    print("| jobs | way | bytes a job | to bare | µs a look | to bare | to 1,000 jobs |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for jobs in CROWDS:
        for way, bare in WAYS.items():
            cells = [
                f"{jobs:,}",
                way.__name__,
                f"{memory[way, jobs]:,.0f}",
                f"{memory[way, jobs] / memory[bare, jobs]:.1f}",
                f"{median(times[way, jobs]):.1f}",
                f"{ratio(way, jobs, bare, jobs):.1f}",
                f"{ratio(way, jobs, way, CROWDS[0]):.2f}",
            ]
            print(f"| {' | '.join(cells)} |")


def one(backend: str, measure: str, way: str, jobs: str) -> None:
    """Measure one thing, as the process that is asked for it."""
    # While waits only begin it would find nothing to free, and take most of the time.
    gc.disable()
    measures = {each.__name__: each for each in MEASURES}
    ways = {each.__name__: each for each in WAYS}
    anyio.run(measures[measure], ways[way], int(jobs), **BACKENDS[backend])


if __name__ == "__main__":
    (one if len(sys.argv) > 2 else main)(*sys.argv[1:])
