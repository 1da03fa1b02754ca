"""The table job → look, and the loop of one who waits."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final, Self

import anyio

from dasp_async.clock import Clock, limit, seconds
from dasp_async.errors import DaspError, PollTimeout, SoapFault
from dasp_async.operations import GET_JOB_STATUS
from dasp_async.polling.decisions import Decision, Track, after_error, after_status, next_moment

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.models import JobStatus
    from dasp_async.polling.schedule import Schedule

logger: Final = logging.getLogger("dasp_async")

# A last look needs time to be answered before the deadline.
LAST_LOOK_LEAD: Final = 2.0
LAST_LOOK_SHARE: Final = 0.1


class _Flight:
    """A look under way. If it lands without an outcome, whoever made it was stopped."""

    __slots__ = ("landed", "outcome")

    def __init__(self) -> None:
        self.landed = anyio.Event()
        self.outcome: JobStatus | DaspError | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """A row of the table: what is known of a job, when to look again, and who waits."""

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
    waiters: int = 0
    naps: set[anyio.CancelScope] = field(default_factory=set[anyio.CancelScope])


class Looks:
    """The table of looks of one client.

    fetch: makes one look. is_too_often: tells a fault that asks for fewer calls. random: the
    source of jitter. finished: how many finished jobs are remembered.
    """

    def __init__(
        self,
        fetch: Callable[[UUID], Awaitable[JobStatus]],
        *,
        clock: Clock,
        is_too_often: Callable[[str], bool],
        random: Random,
        finished: int = 256,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._is_too_often = is_too_often
        self._random = random
        self._proven = False
        self._flights: dict[UUID, _Flight] = {}
        self._jobs: dict[UUID, _Job] = {}
        self._finished: OrderedDict[UUID, JobStatus] = OrderedDict()
        self._finished_limit = finished

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

    def wait(
        self,
        job_id: UUID,
        *,
        timeout: float | timedelta | None,
        initial_delay: float | timedelta,
        schedule: Schedule,
    ) -> Wait:
        """A wait for a job, to be entered with `with`; its time limit runs from now."""
        return Wait(
            self,
            job_id,
            limit("timeout", timeout),
            seconds("initial_delay", initial_delay),
            schedule,
        )

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
            self._finished[status.job_id] = status
            self._finished.move_to_end(status.job_id)
            if len(self._finished) > self._finished_limit:
                self._finished.popitem(last=False)
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

    def _note(self, job: _Job, decision: Decision) -> None:
        """Enter what follows from a look, and wake all who wait for the job."""
        job.track, job.ended_by = decision.track, decision.error
        job.looks += 1
        job.looked_at = self._clock.monotonic()
        if decision.delay is None:
            del self._jobs[job.job_id]
        else:
            job.delay, job.due = decision.delay, job.looked_at + decision.delay
        for nap in job.naps:
            nap.cancel()

    def enter(self, job_id: UUID, schedule: Schedule, initial_delay: float) -> _Job:
        """One more waits for a job; the schedule of the first holds as long as any does."""
        first_due = self._clock.monotonic() + initial_delay
        job = self._jobs.get(job_id)
        if job is None:
            job = _Job(job_id, schedule, first_due, status=self._finished.get(job_id))
            if job.status is None:
                self._jobs[job_id] = job
        elif job.looks == 0:
            job.due = min(job.due, first_due)
        job.waiters += 1
        return job

    def leave(self, job: _Job) -> None:
        """One who waited does so no longer."""
        job.waiters -= 1
        if job.waiters == 0 and self._jobs.get(job.job_id) is job:
            del self._jobs[job.job_id]

    async def nap(self, job: _Job, duration: float) -> None:
        """Sleep, or until a look at the job has landed."""
        with anyio.CancelScope() as scope:
            job.naps.add(scope)
            try:
                await self._clock.sleep(duration)
            finally:
                job.naps.discard(scope)

    def now(self) -> float:
        """The moment on the clock that rules the time between looks."""
        return self._clock.monotonic()


class Wait:
    """One caller's wait for one job."""

    def __init__(
        self, looks: Looks, job_id: UUID, timeout: float, initial_delay: float, schedule: Schedule
    ) -> None:
        self._looks = looks
        self._job = looks.enter(job_id, schedule, initial_delay)
        self._started = looks.now()
        self._deadline = self._started + timeout
        self._lead = min(LAST_LOOK_LEAD, LAST_LOOK_SHARE * timeout)
        self._looks_before = self._told = self._job.looks
        self._is_new = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._looks.leave(self._job)

    async def next(self) -> JobStatus:
        """The next status: at first the last one known, if any; then each look's.

        Raises `PollTimeout` at the deadline, and a copy of the error that ended the wait.
        """
        job = self._job
        if self._is_new:
            self._is_new = False
            if job.status is not None:
                return job.status
        while True:
            if self._told != job.looks:
                self._told = job.looks
                if job.ended_by is not None:
                    raise job.ended_by.copy()
                if job.error is None and job.status is not None:
                    return job.status
            await self._until_news()

    async def _until_news(self) -> None:
        """One step: sleep, or look, or give up."""
        job, now = self._job, self._looks.now()
        if now >= self._deadline:
            raise PollTimeout(
                job.job_id,
                operation=GET_JOB_STATUS.name,
                last_status=job.status,
                last_error=job.error,
                polls=job.looks - self._looks_before,
                elapsed=now - self._started,
            )
        moment = next_moment(
            due=job.due,
            looked_at=job.looked_at,
            delay=job.delay,
            deadline=self._deadline,
            lead=self._lead,
        )
        if moment > now:
            await self._looks.nap(job, moment - now)
        else:
            # In real seconds, whatever clock was passed: an attempt is under way meanwhile.
            with anyio.move_on_after(self._deadline - now) as rest, suppress(DaspError):
                await self._looks.look(job.job_id)
            if rest.cancelled_caught:
                self._deadline = now
