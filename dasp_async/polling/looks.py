"""The table job → look: what is known of each job, who waits for it, and the look under way."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from dasp_async.clock import Clock
from dasp_async.errors import DaspError, SoapFault
from dasp_async.polling.decisions import Decision, Track, after_error, after_status

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.models import JobStatus
    from dasp_async.polling.schedule import Schedule
    from dasp_async.polling.wait import Wait

ValueT = TypeVar("ValueT")

logger: Final = logging.getLogger("dasp_async")


class _Flight:
    """A look under way. If it lands without an outcome, whoever made it was stopped."""

    __slots__ = ("landed", "outcome")

    def __init__(self) -> None:
        self.landed = anyio.Event()
        self.outcome: JobStatus | DaspError | None = None


@dataclass(slots=True, eq=False)
class Job:
    """A row of the table: what is known of a job, when to look again, and who waits.

    `left` of the `waits` have ended; they are struck off all at once, which is cheaper.
    """

    job_id: UUID
    schedule: Schedule
    due: float
    track: Track = field(default_factory=Track)
    status: JobStatus | None = None
    error: DaspError | None = None  # of the last look
    ended_by: DaspError | None = None
    looks: int = 0
    looked_at: float = -math.inf
    delay: float = 0.0
    not_before: float = -math.inf
    waits: list[Wait] = field(default_factory=list["Wait"])
    left: int = 0


class _Memory(OrderedDict["UUID", ValueT]):
    """What is remembered of jobs; of too many, those not heard of for longest are forgotten."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def keep(self, job_id: UUID, value: ValueT) -> None:
        self[job_id] = value
        self.move_to_end(job_id)
        if len(self) > self._limit:
            self.popitem(last=False)


class Looks:
    """The table of looks of one client.

    fetch: makes one look. is_too_often: tells a fault that asks for fewer calls. random: the
    source of jitter. remembered: how many jobs are remembered when nobody waits for them: the
    final status of those that are over, and of the others that they were seen.
    """

    def __init__(
        self,
        fetch: Callable[[UUID], Awaitable[JobStatus]],
        *,
        clock: Clock,
        is_too_often: Callable[[str], bool],
        random: Random,
        remembered: int = 256,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._is_too_often = is_too_often
        self._random = random
        self._proven = False
        self._flights: dict[UUID, _Flight] = {}
        self._jobs: dict[UUID, Job] = {}
        self._finished: _Memory[JobStatus] = _Memory(remembered)
        self._seen: _Memory[bool] = _Memory(remembered)

    async def look(self, job_id: UUID) -> JobStatus:
        """Join the look under way, or make one; raises this caller's own copy of its error."""
        while True:
            flight = self._flights.get(job_id)
            if flight is None:
                return await self._make(job_id)
            await flight.landed.wait()
            if isinstance(flight.outcome, DaspError):
                raise flight.outcome.copy()
            if flight.outcome is not None:
                return flight.outcome

    async def _make(self, job_id: UUID) -> JobStatus:
        flight = self._flights[job_id] = _Flight()
        try:
            status = flight.outcome = await self._fetch(job_id)
            self._note_status(status)
        except DaspError as error:
            flight.outcome = error.copy()
            self._note_error(job_id, flight.outcome)
            raise
        finally:
            del self._flights[job_id]
            flight.landed.set()
        return status

    def _note_status(self, status: JobStatus) -> None:
        self._proven = True
        if status.is_final:
            self._finished.keep(status.job_id, status)
        elif not status.is_blank:
            self._seen.keep(status.job_id, True)
        job = self._jobs.get(status.job_id)
        if job is not None:
            job.status, job.error = status, None
            self._note(job, after_status(job.track, status, job.schedule, self._random.random()))

    def _note_error(self, job_id: UUID, error: DaspError) -> None:
        job = self._jobs.get(job_id)
        if job is None:
            return
        decision = after_error(
            job.track,
            error,
            proven=self._proven,
            too_often=isinstance(error, SoapFault) and self._is_too_often(error.reason),
            draw=self._random.random(),
        )
        job.error = error
        self._note(job, decision)
        if decision.delay is not None:
            logger.warning(
                "%s; the wait for job %s goes on with a look in %.1f s",
                error,
                job_id,
                decision.delay,
            )

    def _note(self, job: Job, decision: Decision) -> None:
        """Enter what follows from a look, and wake all who wait for the job."""
        job.track, job.ended_by = decision.track, decision.error
        job.looks += 1
        job.looked_at = self.now()
        if decision.delay is None:
            del self._jobs[job.job_id]
        else:
            job.delay, job.due = decision.delay, job.looked_at + decision.delay
            job.not_before = job.looked_at + decision.asked
        for wait in job.waits:
            wait.wake()

    def enter(self, wait: Wait, schedule: Schedule, initial_delay: float) -> Job:
        """One more waits for a job; the schedule of the first holds as long as any does."""
        first_due = self.now() + initial_delay
        job = self._jobs.get(wait.job_id)
        if job is None:
            finished = self._finished.get(wait.job_id)
            track = Track(seen=wait.job_id in self._seen)
            job = Job(wait.job_id, schedule, first_due, track, finished)
            if finished is None:
                self._jobs[wait.job_id] = job
        elif job.looks == 0:
            job.due = min(job.due, first_due)
        job.waits.append(wait)
        return job

    def leave(self, job: Job) -> None:
        """One who waited does so no longer."""
        job.left += 1
        if job.left == len(job.waits) and self._jobs.get(job.job_id) is job:
            del self._jobs[job.job_id]
        if 2 * job.left > len(job.waits):
            job.waits = [wait for wait in job.waits if not wait.is_over]
            job.left = 0

    def now(self) -> float:
        """The moment on the clock that rules the time between looks."""
        return self._clock.monotonic()

    async def sleep(self, duration: float) -> None:
        """Sleep on that clock."""
        await self._clock.sleep(duration)
