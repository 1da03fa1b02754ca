"""One caller's wait for one job."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

import anyio
import anyio.lowlevel

from dasp_async.arguments import limit, seconds
from dasp_async.errors import DaspError, PollTimeout
from dasp_async.operations import GET_JOB_STATUS
from dasp_async.polling.decisions import next_moment
from dasp_async.polling.turns import LONGEST_NAP, NotNow

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.models import JobStatus
    from dasp_async.polling.looks import Looks
    from dasp_async.polling.schedule import Schedule

logger: Final = logging.getLogger("dasp_async")

# A last look needs time to be answered before the deadline.
LAST_LOOK_LEAD: Final = 2.0
LAST_LOOK_SHARE: Final = 0.1


class Wait:
    """One caller's wait for one job, as decisions: what is new, when to act next, one look.

    on_news: called, with the wait, when there is something new for it; None if it is not asleep.
    place: for whoever keeps many waits, where it stands among them.
    """

    __slots__ = (
        "_deadline",
        "_is_new",
        "_job",
        "_lead",
        "_looks",
        "_looks_before",
        "_started",
        "_told",
        "is_over",
        "job_id",
        "on_news",
        "place",
    )

    def __init__(
        self,
        looks: Looks,
        job_id: UUID,
        *,
        timeout: float | timedelta | None,
        initial_delay: float | timedelta,
        schedule: Schedule,
    ) -> None:
        duration = limit("timeout", timeout)
        delay = seconds("initial_delay", initial_delay)
        self.job_id = job_id
        self.on_news: Callable[[Wait], object] | None = None
        self.place = 0
        self.is_over = False
        self._looks = looks
        self._job = looks.enter(self, schedule, delay)
        self._started = looks.now()
        self._deadline = self._started + duration
        self._lead = min(LAST_LOOK_LEAD, LAST_LOOK_SHARE * duration)
        self._looks_before = self._told = self._job.looks
        self._is_new = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self.leave(error)

    def leave(self, error: type[BaseException] | None = None) -> None:
        """Wait no longer, for an error of this kind, if it is for one."""
        self.is_over = True
        self._looks.leave(self._job)
        if logger.isEnabledFor(logging.INFO):
            told = {
                "job_id": str(self.job_id),
                "ending": _ending(self._job.status, error),
                "looks": self._job.looks - self._looks_before,
                "seconds": self._looks.now() - self._started,
            }
            logger.info(
                "wait for job %(job_id)s ended after %(seconds).1f s: %(ending)s, looks: %(looks)d",
                told,
                extra={"dasp_async": told},
            )

    def wake(self) -> None:
        """There is something new: a look has landed, or it is the job's turn."""
        if self.on_news is not None:
            self.on_news(self)

    def news(self) -> JobStatus | None:
        """The status that this wait was not told yet; None if there is none.

        At first that is the last one known, if any. Raises a copy of the error that ended the
        wait, and `PollTimeout` once its time is up.
        """
        job = self._job
        if self._is_new:
            self._is_new = False
            if job.status is not None:
                return job.status
        if self._told != job.looks:
            self._told = job.looks
            if job.ended_by is not None:
                raise job.ended_by.copy()
            if job.error is None:
                return job.status
        refusal = self._looks.refusal(self._deadline)
        if refusal is not None:
            raise refusal
        now = self._looks.now()
        if now >= self._deadline:
            raise PollTimeout(
                job.job_id,
                operation=GET_JOB_STATUS.name,
                last_status=job.status,
                last_error=job.error and job.error.copy(),
                polls=job.looks - self._looks_before,
                elapsed=now - self._started,
                was_put_off=job.is_queued,
            )
        return None

    def moment(self) -> float:
        """When to act next: to look, or to see that the time is up."""
        moment, now = self._planned(), self._looks.now()
        if moment > now:
            return moment
        return min(self._looks.turn(self._job, now), self._deadline, now + LONGEST_NAP)

    def _planned(self) -> float:
        return next_moment(
            due=self._job.due,
            looked_at=self._job.looked_at,
            delay=self._job.delay,
            not_before=self._job.not_before,
            deadline=self._deadline,
            lead=self._lead,
        )

    async def look(self) -> None:
        """Look at the job, or join the look under way; leave it when the time is up."""
        now = self._looks.now()
        # In real seconds, whatever clock was passed: an attempt is under way meanwhile.
        with anyio.move_on_after(self._deadline - now) as scope, suppress(DaspError, NotNow):
            # What comes of it is in the table, where `news` finds it.
            await self._looks.look(self.job_id, is_wait=True)
        if scope.cancelled_caught:
            # The time is up, though a clock that was passed may not have moved.
            self._deadline = now

    async def next(self) -> JobStatus:
        """The next news, slept and looked for; raises like `news`."""
        # What is known already is given without a look, which would let others run.
        await anyio.lowlevel.checkpoint()
        while True:
            status = self.news()
            if status is not None:
                return status
            pause = self.moment() - self._looks.now()
            if pause > 0:
                await self._nap(pause)
            else:
                await self.look()

    async def _nap(self, duration: float) -> None:
        """Sleep, or until a look at the job has landed."""
        with anyio.CancelScope() as scope:
            self.on_news = lambda _: scope.cancel()
            try:
                await self._looks.sleep(duration)
            finally:
                self.on_news = None


def _ending(status: JobStatus | None, error: type[BaseException] | None) -> str:
    """How a wait ended: with the job's state, with an error, or because nobody waits any more."""
    if status is not None and status.is_final:
        return status.state.name
    return error.__name__ if error is not None and issubclass(error, DaspError) else "stopped"
