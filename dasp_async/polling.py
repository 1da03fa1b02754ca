"""When to look at a job again, and who looks: pure decisions, one table, a dumb loop.

A *look* is one attempt to learn a job's status. All who wait for a job share its looks: one of
them makes the call, in its own task, and tells the others. If that one is cancelled or runs out of
time, the first of the others to run makes the call anew; so n cancelled waits cost n more calls
at most, and no task outlives the wait that it belongs to.
"""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final, Self

import anyio

from dasp_async.clock import Clock, limit, seconds
from dasp_async.errors import DaspError, InvalidResponse, PollTimeout, SoapFault

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.models import JobStatus

logger: Final = logging.getLogger("dasp_async")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long to pause between looks: `initial`, then `factor` times as long, up to `maximum`.

    initial, maximum: seconds, or timedeltas; more than 0, `maximum` not below `initial`.
    factor: 1 or more. jitter: the part of a pause, 0 to 1, by which chance may shorten it, so
    that waits which began together do not look together; a pause is never lengthened.
    Raises `TypeError` or `ValueError` for anything else.
    """

    initial: float = 2.0
    factor: float = 1.5
    maximum: float = 60.0
    jitter: float = 0.2

    def __post_init__(self) -> None:
        for name in ("initial", "maximum"):
            object.__setattr__(self, name, seconds(name, getattr(self, name)))
        for name in ("factor", "jitter"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, (int, float)):
                raise TypeError(f"{name} must be a number, not {type(number).__name__}")
        if self.initial == 0:
            raise ValueError("initial must be more than 0 seconds: the service allows few calls")
        if self.maximum < self.initial:
            raise ValueError(f"maximum ({self.maximum}) must not be below initial ({self.initial})")
        if not 1 <= self.factor < math.inf:
            raise ValueError(f"factor must be 1 or more; got {self.factor}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be from 0 to 1; got {self.jitter}")

    def delay(self, step: int, draw: float = 0.0) -> float:
        """The seconds to pause after `step` earlier pauses.

        draw: chance's share, from 0 (no jitter) up to 1 (all of it).
        """
        try:
            full = min(self.maximum, self.initial * self.factor**step)
        except OverflowError:
            full = self.maximum
        return full * (1 - self.jitter * draw)


# A look that failed is repeated on a schedule of its own, gentler than an impatient caller's.
ERROR_PAUSES: Final = Schedule(initial=1.0, factor=2.0, maximum=60.0)
TOO_OFTEN_PAUSES: Final = Schedule(initial=60.0, factor=2.0, maximum=3600.0)
LONGEST_RETRY_AFTER: Final = 300.0

TRANSIENTS_BEFORE_FIRST_ANSWER: Final = 5
FAULTS_RIDDEN_OUT: Final = 3
BLANKS_OF_UNKNOWN_JOB: Final = 3

# A last look needs time to be answered before the deadline.
LAST_LOOK_LEAD: Final = 2.0
LAST_LOOK_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Track:
    """What the looks at one job have shown so far; the counts are of looks in a row."""

    step: int = 0
    seen: bool = False
    transients: int = 0
    faults: int = 0
    too_often: int = 0
    blanks: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a look: the seconds until the next, None if the wait is over.

    error: what it ends with, None if it ends with the status.
    """

    track: Track
    delay: float | None
    error: DaspError | None = None


def after_status(track: Track, status: JobStatus, schedule: Schedule, draw: float) -> Decision:
    """What follows from a look that was answered with a status."""
    if status.is_final:
        return Decision(track, None)
    blanks = track.blanks + 1 if status.is_blank and not track.seen else 0
    if blanks == BLANKS_OF_UNKNOWN_JOB:
        return Decision(
            track,
            None,
            InvalidResponse(
                f"job {status.job_id}: {blanks} looks in a row were answered with no text and no "
                "date at all, which may mean that the service does not know the job",
                operation="GetJobStatus",
            ),
        )
    seen = track.seen or not status.is_blank
    after = Track(step=track.step + 1, seen=seen, blanks=blanks)
    return Decision(after, schedule.delay(track.step, draw))


def after_error(
    track: Track, error: DaspError, *, proven: bool, too_often: bool, draw: float
) -> Decision:
    """What follows from a look that failed; the first row that fits decides.

    | the error | the wait |
    | --- | --- |
    | a fault that asks for fewer calls (`too_often`) | goes on, backing off by a minute and more |
    | a fault on a job seen well before, up to 3 in a row | goes on |
    | transient, once the client has had a good answer (`proven`) | goes on |
    | transient, before that, up to 4 in a row | goes on |
    | anything else | ends with the error |
    """
    if isinstance(error, SoapFault):
        if too_often:
            after = replace(track, too_often=track.too_often + 1)
            return Decision(after, _pause(TOO_OFTEN_PAUSES, track.too_often, error, draw))
        if track.seen and track.faults < FAULTS_RIDDEN_OUT:
            after = replace(track, faults=track.faults + 1)
            return Decision(after, _pause(ERROR_PAUSES, track.faults, error, draw))
    elif error.transient and (proven or track.transients + 1 < TRANSIENTS_BEFORE_FIRST_ANSWER):
        after = replace(track, transients=track.transients + 1)
        return Decision(after, _pause(ERROR_PAUSES, track.transients, error, draw))
    return Decision(track, None, error)


def _pause(pauses: Schedule, step: int, error: DaspError, draw: float) -> float:
    return max(pauses.delay(step, draw), min(error.retry_after or 0.0, LONGEST_RETRY_AFTER))


def next_moment(
    *, due: float, looked_at: float, delay: float, deadline: float, lead: float
) -> float:
    """When a wait that ends at `deadline` must act next: to look, or to give up.

    That is when the job's next look is due; or `lead` seconds before the deadline, for one last
    look, if the next would come later than that; or the deadline, if that last look would come
    less than half a `delay` after the one before. All in seconds of one monotonic clock.
    """
    last = deadline - lead
    if due <= last:
        return due
    return last if last - looked_at >= delay / 2 else deadline


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
                operation="GetJobStatus",
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
            with anyio.move_on_after(self._deadline - now), suppress(DaspError):
                await self._looks.look(job.job_id)
