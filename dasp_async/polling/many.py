"""Many waits at once without a task for each: one heap of moments, and a few workers."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

import anyio

from dasp_async.errors import DaspError, JobFailed
from dasp_async.models import JobState, Outcome
from dasp_async.operations import GET_JOB_STATUS

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from dasp_async.clock import Clock
    from dasp_async.models import JobStatus
    from dasp_async.polling.wait import Wait


# The place of a wait whose turn it is; those in the heap are 0 and more.
ACTING: Final = -1


class Outcomes:
    """The outcomes of many waits, in the order in which they come; an async iterator.

    job_ids: a job that comes twice is waited for once. begin: begins the wait for a job.
    concurrency: how many look at once. on_status: called with each status seen.
    """

    def __init__(
        self,
        job_ids: list[UUID] | AsyncGenerator[UUID],
        *,
        begin: Callable[[UUID], Wait],
        concurrency: int,
        on_status: Callable[[JobStatus], None] | None,
        clock: Clock,
    ) -> None:
        self._job_ids = job_ids
        self._begin = begin
        self._concurrency = concurrency
        self._on_status = on_status
        self._clock = clock
        self._waits: list[tuple[float, int, Wait]] = []
        self._order = itertools.count()
        self._on_news = self._hurry
        self._workers = 0  # never more than jobs, however many are allowed
        self._open = 1  # waits that are not over, and one while more may come
        self._door = anyio.Lock()
        self._next_up: anyio.CancelScope | None = None
        self._send, self._receive = anyio.create_memory_object_stream[Outcome | Exception](math.inf)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        try:
            outcome = await self._receive.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @asynccontextmanager
    async def coming(self) -> AsyncGenerator[Self]:
        """Wait for the jobs as long as the block lasts."""
        problem: Exception | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._take_in, group)
                try:
                    yield self
                except Exception as error:  # noqa: BLE001 - raised below, where no group wraps it
                    problem = error
                group.cancel_scope.cancel()
        finally:
            self._send.close()
            self._receive.close()
            left = [wait for _, place, wait in self._waits if wait.place == place]
            for wait in left:
                wait.on_news = None
            for wait in left:
                wait.leave()
        if problem is not None:
            raise problem

    async def _take_in(self, group: TaskGroup) -> None:
        try:
            if isinstance(self._job_ids, list):
                for job_id in dict.fromkeys(self._job_ids):
                    self._add(job_id, group)
            else:
                taken_in = set[UUID]()
                async with aclosing(self._job_ids) as coming:
                    async for job_id in coming:
                        if job_id not in taken_in:
                            taken_in.add(job_id)
                            self._add(job_id, group)
        except Exception as error:  # noqa: BLE001 - it is for whoever reads the outcomes
            self._send.send_nowait(error)
        self._close_one()

    def _add(self, job_id: UUID, group: TaskGroup) -> None:
        self._open += 1
        wait = self._begin(job_id)
        wait.on_news = self._on_news
        self._push(wait, self._clock.monotonic())
        if self._workers < self._concurrency:
            self._workers += 1
            group.start_soon(self._work)

    def _hurry(self, wait: Wait) -> None:
        """Let a wait act now, unless it is about to anyway."""
        if wait.place != ACTING:
            self._push(wait, self._clock.monotonic())

    async def _work(self) -> None:
        while True:
            async with self._door:
                wait = await self._due()
            await self._turn(wait)

    async def _due(self) -> Wait:
        """The wait that must act next, at its moment; one worker at a time stands here."""
        while True:
            pause = self._waits[0][0] - self._clock.monotonic() if self._waits else math.inf
            if pause <= 0:
                _, place, wait = heapq.heappop(self._waits)
                if wait.place == place:
                    wait.place = ACTING
                    return wait
                continue
            with anyio.CancelScope() as self._next_up:
                await (self._clock.sleep(pause) if pause < math.inf else anyio.Event().wait())

    async def _turn(self, wait: Wait) -> None:
        """Let a wait act, and note its outcome or its next moment."""
        over, kind = False, None
        try:
            status = wait.news()
            if status is None and wait.moment() <= self._clock.monotonic():
                await wait.look()
                status = wait.news()
            if status is not None and self._on_status is not None:
                self._on_status(status)
            if status is not None and status.is_final:
                failed = status.state is JobState.FAILED
                error = JobFailed(status, operation=GET_JOB_STATUS.name) if failed else None
                self._send.send_nowait(Outcome(job_id=wait.job_id, status=status, error=error))
                over = True
        except DaspError as error:
            self._send.send_nowait(Outcome(job_id=wait.job_id, error=error))
            over, kind = True, type(error)
        except Exception as error:  # noqa: BLE001 - it is for whoever reads the outcomes
            self._send.send_nowait(error)
            over = True
        finally:
            if over:
                wait.leave(kind)
                self._close_one()
            else:
                self._push(wait, wait.moment())

    def _push(self, wait: Wait, moment: float) -> None:
        wait.place = next(self._order)
        heapq.heappush(self._waits, (moment, wait.place, wait))
        if self._next_up is not None and self._waits[0][2] is wait:
            self._next_up.cancel()

    def _close_one(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._send.close()
