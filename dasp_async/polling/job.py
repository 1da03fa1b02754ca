"""A row of the table of looks: what is known of one job, and a look at it under way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.errors import DaspError
    from dasp_async.models import JobStatus
    from dasp_async.polling.decisions import Track
    from dasp_async.polling.schedule import Schedule
    from dasp_async.polling.wait import Wait


class Flight:
    """A look under way.

    If it lands without an outcome, whoever made it was stopped, or had to put it off.
    """

    __slots__ = ("_landed", "outcome")

    def __init__(self) -> None:
        self._landed: anyio.Event | None = None
        self.outcome: JobStatus | DaspError | None = None

    async def landing(self) -> None:
        """Wait until it has landed."""
        # Made by the first who joins, since most looks have nobody who does.
        self._landed = self._landed or anyio.Event()
        await self._landed.wait()

    def land(self) -> None:
        """Let those go on who joined."""
        if self._landed is not None:
            self._landed.set()


class Job:
    """A row of the table: what is known of a job, when to look again, and who waits.

    `gone` of the `waits` have ended; they are struck off all at once, which is cheaper. `place`
    is the job's in the queue of those that are due but have to wait for a call, 0 if none.
    """

    __slots__ = (
        "delay",
        "due",
        "ended_by",
        "error",
        "gone",
        "job_id",
        "looked_at",
        "looks",
        "not_before",
        "place",
        "schedule",
        "status",
        "track",
        "waits",
    )

    def __init__(
        self,
        job_id: UUID,
        schedule: Schedule,
        due: float,
        track: Track,
        status: JobStatus | None,
    ) -> None:
        self.job_id = job_id
        self.schedule = schedule
        self.due = due
        self.track = track
        self.status = status
        self.error: DaspError | None = None  # of the last look
        self.ended_by: DaspError | None = None
        self.looks = 0
        self.looked_at = -math.inf
        self.delay = 0.0
        self.not_before = -math.inf
        self.waits: list[Wait] = []
        self.gone = 0
        self.place = 0

    @property
    def is_queued(self) -> bool:
        """Whether it is due, but has to wait for a call."""
        return self.place != 0

    def wake(self) -> None:
        """Let all who wait for the job see what is new."""
        for wait in self.waits:
            wait.wake()
