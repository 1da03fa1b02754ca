"""Stops an operation at each of its awaits in turn, and sees that the client holds nothing then.

Over real sockets, on a server in threads of its own. What may be held is a slot of `max_in_flight`,
a connection, a look that others would join, a lock, a place in a budget's queue, a file descriptor.
"""

from __future__ import annotations

import asyncio
import gc
import math
import re
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from uuid import UUID

import anyio
import anyio.lowlevel
import httpx

from dasp_async import CustomerApi, MemoryBudget, Schedule, SqliteBudget, TransportError
from tests.servers import RawServer, Wire, answer, sample
from tests.soak.held import descriptors
from tests.soak.steps import Steps

KEY: Final = "test-key"
SLOTS: Final = 2
LIMIT: Final = 1_000_000
PATIENCE: Final = 10.0
QUICK: Final = Schedule(initial=0.001, maximum=0.001)
# From there on jobs whose looks are answered once as many as there are slots have come.
AT_THE_DOOR: Final = 1 << 32

_JOB: Final = re.compile(rb"<jobId>([^<]+)</jobId>")
_RUNNING: Final = answer(sample("soap11/progress-1"))
_DONE: Final = answer()
_ADDED: Final = answer(
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    b'<SMAddAliasResponse xmlns="http://api.discountasp.net/"/></soap:Body></soap:Envelope>'
)


class Service:
    """Jobs that are done at their second look."""

    def __init__(self) -> None:
        self._looks = Counter[int]()
        self._door = threading.Barrier(SLOTS)

    def __call__(self, wire: Wire) -> None:
        for request in wire.requests():
            wire.send(self._answer(_JOB.search(request.body)))

    def _answer(self, job: re.Match[bytes] | None) -> bytes:
        if job is None:
            return _ADDED
        number = UUID(job[1].decode()).int
        if number >= AT_THE_DOOR:
            with suppress(threading.BrokenBarrierError):
                self._door.wait(PATIENCE)
            return _DONE
        self._looks[number] += 1
        return _RUNNING if self._looks[number] == 1 else _DONE


# --- what is stopped --------------------------------------------------------------------------


Operation: TypeAlias = Callable[[CustomerApi, list[UUID]], Awaitable[object]]


async def look(api: CustomerApi, jobs: list[UUID]) -> None:
    """A call that only reads."""
    await api.get_job_status(jobs[0])


async def write(api: CustomerApi, _: list[UUID]) -> None:
    """A call that writes."""
    await api.sm_add_alias("a.example", "info", ["someone@b.example"])


async def poll(api: CustomerApi, jobs: list[UUID]) -> None:
    """A wait."""
    assert (await api.poll_until_done(jobs[0])).is_final


async def watch(api: CustomerApi, jobs: list[UUID]) -> None:
    """A wait that is followed."""
    async with aclosing(api.watch(jobs[0])) as statuses:
        assert [status.is_final async for status in statuses] == [False, True]


async def many(api: CustomerApi, jobs: list[UUID]) -> None:
    """Many waits."""
    async with api.poll_many(jobs) as outcomes:
        assert {outcome.job_id async for outcome in outcomes} == set(jobs)


async def joined(api: CustomerApi, jobs: list[UUID]) -> None:
    """Waits and calls that share their looks."""
    async with anyio.create_task_group() as group:
        for operation in (look, poll, poll, many):
            group.start_soon(operation, api, jobs)


async def first(api: CustomerApi, jobs: list[UUID]) -> None:
    """The first call of a client, of a key that is not proven yet."""
    await look(api, jobs)


async def close(api: CustomerApi, _: list[UUID]) -> None:
    """The end of a client whose connections are idle."""
    await api.aclose()


async def told_if_closed(operation: Operation, api: CustomerApi, jobs: list[UUID]) -> None:
    """An operation that ends well, or is told that its client was closed."""
    try:
        await operation(api, jobs)
    except (TransportError, RuntimeError) as error:
        words = ("the client was closed meanwhile", "this client is closed; make a new one")
        if not str(error).endswith(words):
            raise


async def close_amid(api: CustomerApi, jobs: list[UUID]) -> None:
    """The end of a client whose calls are under way."""
    async with anyio.create_task_group() as group:
        for operation in (look, poll, write):
            group.start_soon(told_if_closed, operation, api, jobs)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        await api.aclose()


OPERATIONS: Final[list[Operation]] = [
    look, write, poll, watch, many, joined, first, close, close_amid
]  # fmt: skip
# Those that need a client of their own for each stop
LAST_OF_A_CLIENT: Final[list[Operation]] = [first, close, close_amid]


# --- how it is stopped ------------------------------------------------------------------------


class SiblingFailed(Exception):
    """What another task of the group raises."""


Run: TypeAlias = Callable[[], Awaitable[object]]
Means: TypeAlias = Callable[[Steps, Run], Awaitable[object]]


async def cancel(steps: Steps, run: Run) -> None:
    """By a cancel scope."""
    with anyio.CancelScope() as scope:
        steps.act = scope.cancel
        await in_a_task(steps, run)


async def time_out(steps: Steps, run: Run) -> None:
    """By a time limit."""
    with suppress(TimeoutError), anyio.fail_after(LIMIT) as scope:

        def its_time_is_up() -> None:
            scope.deadline = -math.inf

        steps.act = its_time_is_up
        await in_a_task(steps, run)


async def fail_beside(steps: Steps, run: Run) -> None:
    """By another task of its group, which fails."""
    moment = anyio.Event()

    async def fail() -> None:
        await moment.wait()
        raise SiblingFailed

    with suppress(SiblingFailed):
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(fail)
                steps.act = moment.set
                await in_a_task(steps, run)
                group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            (failure,) = failures.exceptions
            raise failure from None


async def cancel_task(steps: Steps, run: Run) -> None:
    """By asyncio's own cancellation of its task, which no scope of anyio's holds off.

    Not with a borrowed client: httpcore's pool loses a connection to it, whoever calls.
    """
    with steps.counted():
        task = asyncio.ensure_future(awaited(run))
        steps.act = task.cancel
        with suppress(asyncio.CancelledError):
            await task


async def awaited(run: Run) -> None:
    """The same as a coroutine."""
    await run()


async def in_a_task(steps: Steps, run: Run) -> None:
    """Run it where all awaits are counted."""
    with steps.counted():
        async with anyio.create_task_group() as group:
            group.start_soon(awaited, run)


EVERYWHERE: Final[list[Means]] = [cancel, time_out, fail_beside]
ON_ASYNCIO: Final[list[Means]] = [*EVERYWHERE, cancel_task]


# --- what is held then ------------------------------------------------------------------------


Budget: TypeAlias = MemoryBudget | SqliteBudget
MakeBudget: TypeAlias = Callable[[Path], Budget]


def in_memory(_: Path) -> Budget:
    """Counts in memory."""
    return MemoryBudget(limit=LIMIT)


def on_file(path: Path) -> Budget:
    """Counts in a file, in a thread."""
    return SqliteBudget(path, limit=LIMIT)


BUDGETS: Final[list[MakeBudget]] = [in_memory, on_file]


@dataclass(slots=True, kw_only=True)
class Scene:
    """A server, and what was asked of it."""

    server: RawServer
    folder: Path
    make_budget: MakeBudget
    http: httpx.AsyncClient | None
    jobs: int = 0
    clients: int = 0
    counted: int = 0

    def new_jobs(self, after: int = 0) -> list[UUID]:
        """As many as there are slots; after a number, if given."""
        self.jobs += SLOTS
        return [UUID(int=after + self.jobs + number) for number in range(SLOTS)]

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[CustomerApi]:
        """A client that is closed again."""
        self.clients += 1
        budget = self.make_budget(self.folder / f"{self.clients}.sqlite")
        async with CustomerApi(
            KEY,
            endpoint=self.server.url,
            http_client=self.http,
            budget=budget,
            max_in_flight=SLOTS,
            schedule=QUICK,
        ) as api:
            yield api
        self.counted += LIMIT - await budget.remaining()

    async def works(self, api: CustomerApi, jobs: list[UUID]) -> None:
        """The client has all its slots, and waits for the same jobs again."""
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as group:
                for job_id in self.new_jobs(AT_THE_DOOR):
                    group.start_soon(api.get_job_status, job_id)
            await many(api, jobs)
        assert await self.server.comes_to(lambda it: it.open_connections <= SLOTS)

    async def stop_at(self, at: int, operation: Operation, means: Means, api: CustomerApi) -> bool:
        """Stop an operation at one of its awaits; whether it came to that one."""
        jobs = self.new_jobs()
        steps = Steps(at)
        with anyio.fail_after(PATIENCE):
            await means(steps, lambda: operation(api, jobs))
        if operation not in (close, close_amid):
            await self.works(api, jobs)
        return steps.has_acted


async def stopped_everywhere(
    operation: Operation,
    means: Means,
    make_budget: MakeBudget,
    folder: Path,
    *,
    is_borrowed: bool = False,
) -> int:
    """Stop an operation at each of its awaits; how many there are."""
    before = descriptors()
    at = 0
    with RawServer(Service()) as server:
        async with httpx.AsyncClient(trust_env=False) as http:
            scene = Scene(
                server=server,
                folder=folder,
                make_budget=make_budget,
                http=http if is_borrowed else None,
            )
            came_to_it = True
            while came_to_it:
                came_to_it, at = await _with_a_client(scene, operation, means, at)
        assert await server.comes_to(lambda it: it.open_connections == 0)
        assert len(server.requests) <= scene.counted
    gc.collect()
    assert descriptors() == before
    return at - 1


async def _with_a_client(
    scene: Scene, operation: Operation, means: Means, at: int
) -> tuple[bool, int]:
    """Stop it at the awaits after the `at`-th as long as one client serves."""
    async with scene.client() as api:
        if operation is not first:
            await scene.works(api, scene.new_jobs())
        came_to_it = True
        while came_to_it:
            at += 1
            came_to_it = await scene.stop_at(at, operation, means, api)
            if operation in LAST_OF_A_CLIENT:
                break
    if operation in LAST_OF_A_CLIENT and scene.http is None:
        assert await scene.server.comes_to(lambda it: it.open_connections == 0), at
    return came_to_it, at
