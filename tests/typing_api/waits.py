"""What waits take and give."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from typing import assert_type
from uuid import UUID

from dasp_async import CustomerApi, DaspError, JobState, JobStatus, Outcome, Schedule


async def one(api: CustomerApi) -> None:
    """A wait for one job."""
    assert_type(await api.poll_until_done("id"), JobStatus)
    assert_type(
        await api.poll_until_done(
            UUID(int=1),
            timeout=timedelta(hours=1),
            initial_delay=timedelta(seconds=1),
            schedule=Schedule(initial=5),
            on_status=print,
        ),
        JobStatus,
    )
    await api.poll_until_done("id", timeout=None, initial_delay=1.5, schedule=None, on_status=None)


async def followed(api: CustomerApi) -> None:
    """Every change of one."""
    assert_type(api.watch("id"), AsyncGenerator[JobStatus])
    async for seen in api.watch(UUID(int=1), timeout=None, every=True):
        assert_type(seen, JobStatus)
    async with aclosing(api.watch("id", timeout=60)) as statuses:
        assert_type([status async for status in statuses], list[JobStatus])


async def many(api: CustomerApi, coming: AsyncIterable[str]) -> None:
    """A wait for many jobs, known from the start or still to come."""
    async with api.poll_many(["id", UUID(int=1)]) as outcomes:
        assert_type(outcomes, AsyncIterator[Outcome])
        assert_type([outcome async for outcome in outcomes], list[Outcome])
    async with api.poll_many(coming, timeout=timedelta(days=1), on_status=print) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome.job_id, UUID)
            assert_type(outcome.status, JobStatus | None)
            assert_type(outcome.error, DaspError | None)


def states(state: JobState) -> str:
    """All that a job can be, so that a `match` needs no more."""
    match state:
        case JobState.RUNNING:
            return "runs"
        case JobState.DONE:
            return "is done"
        case JobState.FAILED:
            return "has failed"


def schedule() -> None:
    """The pauses: seconds, whatever they were given as."""
    found = Schedule(initial=timedelta(seconds=1), factor=2, maximum=60, jitter=0)
    assert_type(found.initial, float)
    assert_type(found.factor, float)
    assert_type(found.maximum, float)
    assert_type(found.jitter, float)
    assert_type(found.delay(3), float)
    assert_type(found.delay(3, draw=0.5), float)
