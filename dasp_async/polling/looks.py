"""The table job → look: joins who asks for a job to its looks, and notes what they bring."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final, TypeVar

from dasp_async.clock import Clock
from dasp_async.errors import BudgetExhausted, DaspError, LockoutRisk, SoapFault
from dasp_async.operations import GET_JOB_STATUS
from dasp_async.polling.decisions import Decision, Track, after_error, after_status
from dasp_async.polling.job import Flight, Job
from dasp_async.polling.turns import Load, NotNow, Turns

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.errors import CallRefused
    from dasp_async.models import JobStatus
    from dasp_async.polling.schedule import Schedule
    from dasp_async.polling.wait import Wait

ValueT = TypeVar("ValueT")

# Shorter pauses are nothing that anybody has to be told of.
WORTH_A_LINE: Final = 10.0
# And what was told is not told again for so long.
SILENCE: Final = 300.0

logger: Final = logging.getLogger("dasp_async")


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

    fetch: makes one look, for the waits if it is given their `Load`, else for a direct call, as
    its attempt of that number; raises `NotNow` if the waits have to go without for a while.
    is_proven: whether the client has had a good answer, to any call. is_too_often: tells a fault
    that asks for fewer calls. random: the source of jitter. remembered: how many jobs are
    remembered when nobody waits for them: the final status of those that are over, and of the
    others that they were seen.
    """

    def __init__(
        self,
        fetch: Callable[[UUID, Load | None, int], Awaitable[JobStatus]],
        *,
        clock: Clock,
        is_proven: Callable[[], bool],
        is_too_often: Callable[[str], bool],
        random: Random,
        remembered: int = 256,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._is_proven = is_proven
        self._is_too_often = is_too_often
        self._random = random
        self._silent_until = -math.inf
        self._turns = Turns()
        self._flights: dict[UUID, Flight] = {}
        self._jobs: dict[UUID, Job] = {}
        self._finished: _Memory[JobStatus] = _Memory(remembered)
        self._seen: _Memory[bool] = _Memory(remembered)

    async def look(self, job_id: UUID, *, is_wait: bool = False, attempt: int = 1) -> JobStatus:
        """Join the look under way, or make one; raises this caller's own copy of its error.

        is_wait: whether it is for the waits, which raises `NotNow` while calls are scarce.
        """
        while True:
            flight = self._flights.get(job_id)
            if flight is None and is_wait and job_id not in self._jobs:
                # It was over before this wait came to run; `Wait.news` tells how it ended.
                raise NotNow(0.0)
            if flight is None:
                load = self._load(job_id) if is_wait else None
                return await self._make(job_id, load, attempt)
            await flight.landing()
            if isinstance(flight.outcome, DaspError):
                raise flight.outcome.copy()
            if flight.outcome is not None:
                return flight.outcome

    def _load(self, job_id: UUID) -> Load:
        job = self._jobs[job_id]
        overdue = max(0.0, self.now() - job.due)
        return Load(len(self._jobs), overdue, partial(self._turns.admitted, job))

    async def _make(self, job_id: UUID, load: Load | None, attempt: int) -> JobStatus:
        flight = self._flights[job_id] = Flight()
        try:
            status = flight.outcome = await self._fetch(job_id, load, attempt)
            self._note_status(status)
        except DaspError as error:
            flight.outcome = error.copy()
            self._note_error(job_id, flight.outcome)
            raise
        except NotNow as later:
            self._put_off(later)
            raise
        finally:
            del self._flights[job_id]
            flight.land()
        return status

    def _put_off(self, later: NotNow) -> None:
        self._turns.close(self.now(), later.pause, later.used_up)
        if later.used_up is not None:
            # Some may have to give up now.
            for job in self._jobs.values():
                job.wake()
        if later.pause >= WORTH_A_LINE and self.now() >= self._silent_until:
            self._silent_until = self.now() + SILENCE
            logger.info(
                "looks are spread out to save calls: the next comes in %.0f s, for one of %d jobs",
                later.pause,
                len(self._jobs),
            )

    def turn(self, job: Job, now: float) -> float:
        """When a job that is due may look; infinite while it is another's turn."""
        # A look under way is joined, whoever's turn it is.
        return now if job.job_id in self._flights else self._turns.moment(job, now)

    def refusal(self, deadline: float) -> CallRefused | None:
        """Why a wait that ends then will not see another look; None if it may."""
        opens_at, used_up = self._turns.opens_at, self._turns.used_up
        if used_up is None or deadline >= opens_at:
            return None
        return used_up.refusal(GET_JOB_STATUS.name, opens_at - self.now())

    def _note_status(self, status: JobStatus) -> None:
        if status.is_final:
            self._finished.keep(status.job_id, status)
        elif not status.is_blank:
            self._seen.keep(status.job_id, True)
        job = self._jobs.get(status.job_id)
        if job is not None:
            job.status, job.error = status, None
            self._note(job, after_status(job.track, status, job.schedule, self._random.random()))

    def _note_error(self, job_id: UUID, error: DaspError) -> None:
        if isinstance(error, (SoapFault, LockoutRisk)):
            # The door may be closed now, which ends all waits: none is to sleep through that.
            self._turns.reopen(self.now())
        job = self._jobs.get(job_id)
        # A direct call that the budget refuses says nothing to those who can wait for a call.
        if job is None or isinstance(error, BudgetExhausted):
            return
        decision = after_error(
            job.track,
            error,
            proven=self._is_proven(),
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
            self._drop(job)
        else:
            job.delay, job.due = decision.delay, job.looked_at + decision.delay
            job.not_before = job.looked_at + decision.asked if decision.asked else job.looked_at
            self._turns.leave(job)
        job.wake()

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
        job.gone += 1
        if job.gone == len(job.waits) and self._jobs.get(job.job_id) is job:
            self._drop(job)
        if 2 * job.gone > len(job.waits):
            job.waits = [wait for wait in job.waits if not wait.is_over]
            job.gone = 0
        if job.is_queued:
            # The one who left may have been the one whose turn it was; the rest queue anew.
            self._turns.leave(job)
            job.wake()

    def _drop(self, job: Job) -> None:
        del self._jobs[job.job_id]
        self._turns.leave(job)

    def now(self) -> float:
        """The moment on the clock that rules the time between looks."""
        return self._clock.monotonic()

    async def sleep(self, duration: float) -> None:
        """Sleep on that clock."""
        await self._clock.sleep(duration)
