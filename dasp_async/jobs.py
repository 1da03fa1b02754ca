"""A job's status: asked for now, waited for, followed, or that of many."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from dasp_async import arguments
from dasp_async.errors import JobFailed
from dasp_async.models import JobState, JobStatus, Outcome
from dasp_async.operations import GET_JOB_STATUS
from dasp_async.polling import Looks, Outcomes, Schedule, Wait

if TYPE_CHECKING:
    from dasp_async.calls import Calls
    from dasp_async.clock import Clock


class Jobs:
    """What a client does with jobs; all who ask for the same one share its looks."""

    _calls: Calls
    _looks: Looks
    _schedule: Schedule
    _clock: Clock

    async def get_job_status(self, job_id: UUID | str) -> JobStatus:
        """How a job stands now: one call, always to the service.

        job_id: a `UUID` or any text that `UUID` reads. A look at the same job that is under way
        is shared. Raises `ValueError` for a bad id, and the errors of a call: `TransportError`,
        `HttpError`, `InvalidResponse`, `SoapFault`, `CallRefused`.
        """
        guid = arguments.job_id(job_id)
        return await self._calls.retried(lambda number: self._looks.look(guid, attempt=number))

    async def poll_until_done(
        self,
        job_id: UUID | str,
        *,
        timeout: float | timedelta | None = 3600.0,
        initial_delay: float | timedelta = 0.0,
        schedule: Schedule | None = None,
        on_status: Callable[[JobStatus], None] | None = None,
    ) -> JobStatus:
        """Wait until a job is done, and return its final status.

        Looks at once, or after `initial_delay` seconds, then by the schedule. All who wait for
        the same job share its looks, on the schedule of the first of them; a job already known
        to be over costs no call. Cancelling a wait does no harm: the job runs on, and the wait
        can be taken up again by its id.

        timeout: seconds for the whole wait; None to wait without end. schedule: instead of the
        client's. on_status: a plain function, called with each status seen, the final one
        too; what it raises ends the wait.

        Raises `JobFailed` if the job failed, `PollTimeout` if the time is up, and the error of
        a look if it is one that waiting does not mend (`TransportError`, `HttpError`,
        `InvalidResponse`, `SoapFault`, `CallRefused`); transient ones are ridden out.
        """
        guid = arguments.job_id(job_id)
        arguments.callback("on_status", on_status)
        with self._wait(
            guid, timeout=timeout, initial_delay=initial_delay, schedule=schedule
        ) as wait:
            while True:
                status = await wait.next()
                if on_status is not None:
                    on_status(status)
                if status.state is JobState.FAILED:
                    raise JobFailed(status, operation=GET_JOB_STATUS.name)
                if status.state is JobState.DONE:
                    return status

    async def watch(
        self, job_id: UUID | str, *, timeout: float | timedelta | None = 3600.0, every: bool = False
    ) -> AsyncGenerator[JobStatus]:
        """Every change of a job's status as it is seen; ends after the final one.

        ```python
        async for status in api.watch(job_id):
            print(status.status, status.state)
        ```

        A job that failed is no error here: its status is the last one. Waiting is as in
        `poll_until_done`, on the client's schedule. To leave early without a trace, close the
        iterator: `async with contextlib.aclosing(api.watch(job_id)) as statuses`.

        timeout: seconds for the whole wait; None to wait without end. every: give the status of
        every look, changed or not.

        Raises `PollTimeout` if the time is up, and the errors that end a wait, as
        `poll_until_done` does.
        """
        guid = arguments.job_id(job_id)
        arguments.kind_of("every", every, bool)
        with self._wait(guid, timeout=timeout) as wait:
            last: JobStatus | None = None
            while True:
                status = await wait.next()
                if every or last is None or status != replace(last, seen_at=status.seen_at):
                    yield status
                last = status
                if status.is_final:
                    return

    @asynccontextmanager
    async def poll_many(
        self,
        job_ids: Iterable[UUID | str] | AsyncIterable[UUID | str],
        *,
        timeout: float | timedelta | None = 3600.0,
        concurrency: int = 16,
        on_status: Callable[[JobStatus], None] | None = None,
    ) -> AsyncGenerator[AsyncIterator[Outcome]]:
        """Wait for many jobs; the block's iterator gives their outcomes as they come.

        ```python
        async with api.poll_many(job_ids, timeout=None) as outcomes:
            async for outcome in outcomes:
                print(outcome.job_id, outcome.error or "done")
        ```

        One job's failure does not touch another: it is in its outcome. Leaving the block ends
        the waits that are left. No task is made for a job, so there may be thousands.

        job_ids: ids, or an async iterable of ids that keep coming; one outcome each, however
        often an id comes. timeout: seconds for each job from when its id is taken in; None to
        wait without end. concurrency: how many jobs are looked at at once. on_status: a
        plain function, called with each status seen, the final ones too; what it raises, the
        iterator raises.

        Raises `ValueError` or `TypeError` for a wrong argument before anything is sent; a wrong
        id among those that come later is raised by the iterator.
        """
        arguments.limit("timeout", timeout)
        arguments.callback("on_status", on_status)
        outcomes = Outcomes(
            arguments.job_ids(job_ids),
            begin=partial(self._wait, timeout=timeout),
            concurrency=arguments.whole("concurrency", concurrency, least=1),
            on_status=on_status,
            clock=self._clock,
        )
        async with outcomes.coming():
            yield outcomes

    def _wait(
        self,
        job_id: UUID,
        *,
        timeout: float | timedelta | None,
        initial_delay: float | timedelta = 0.0,
        schedule: Schedule | None = None,
    ) -> Wait:
        schedule = self._schedule if schedule is None else schedule
        arguments.kind_of("schedule", schedule, Schedule)
        return Wait(
            self._looks,
            job_id,
            timeout=timeout,
            initial_delay=initial_delay,
            schedule=schedule,
        )
