"""Whose turn it is when calls are scarce: of the jobs that are due, the one due for longest."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from dasp_async.budget import UsedUp
    from dasp_async.polling.job import Job


# Whoever waits for a turn is woken for it; this is how long it sleeps at most.
LONGEST_NAP: Final = 300.0


class Load(NamedTuple):
    """What a look is asked for: so many jobs are waited for.

    overdue: for how many seconds the look has been due. admitted: to be called once it may be
    made.
    """

    jobs: int
    overdue: float
    admitted: Callable[[], None]


class NotNow(Exception):
    """The budget has no call for a look now; ask again in `pause` seconds.

    used_up: told if no call is left; None if calls are left and only paced.
    """

    def __init__(self, pause: float, used_up: UsedUp | None = None) -> None:
        super().__init__(pause, used_up)
        self.pause = pause
        self.used_up = used_up


class Turns:
    """The queue of the jobs that are due but have to wait for a call."""

    def __init__(self) -> None:
        self.opens_at = self._asks_at = -math.inf
        self.used_up: UsedUp | None = None
        self._queue: list[tuple[float, int, Job]] = []
        self._gone = 0  # of the queue's places those that are no job's any more
        self._order = itertools.count(1)

    def close(self, now: float, pause: float, used_up: UsedUp | None) -> None:
        """There is no call for so long; but who is next asks sooner, since things may change."""
        self.opens_at, self.used_up = now + pause, used_up
        self._asks_at = now + min(pause, LONGEST_NAP)

    def reopen(self, now: float) -> None:
        """Something has changed: whoever is next may ask at once."""
        self._asks_at = min(self._asks_at, now)
        following = self._next()
        if following is not None:
            following.wake()

    def moment(self, job: Job, now: float) -> float:
        """When a job that is due may look; infinite while it is another's turn."""
        if self._next() is None and self._asks_at <= now:
            return now
        if not job.is_queued:
            job.place = next(self._order)
            heapq.heappush(self._queue, (job.due, job.place, job))
        return self._asks_at if self._next() is job else math.inf

    def admitted(self, job: Job) -> None:
        """A job has got its call."""
        self.used_up = None
        self.leave(job)

    def leave(self, job: Job) -> None:
        """A job needs no call any more: the next one's turn has come."""
        if job.is_queued:
            job.place = 0
            self._gone += 1
            if 2 * self._gone > len(self._queue):
                # Whoever is next may be so for a day, and would keep all who came and went since.
                self._queue = [entry for entry in self._queue if entry[2].place == entry[1]]
                heapq.heapify(self._queue)
                self._gone = 0
            following = self._next()
            if following is not None:
                following.wake()

    def _next(self) -> Job | None:
        while self._queue and self._queue[0][2].place != self._queue[0][1]:
            heapq.heappop(self._queue)
            self._gone -= 1
        return self._queue[0][2] if self._queue else None
