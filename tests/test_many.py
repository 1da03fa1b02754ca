"""A thousand jobs at once in one process, every result right."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import anyio
import httpx
import pytest

from dasp_async import CustomerApi, JobFailed, JobState, JobStatus, Schedule
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeClock, FakeCustomerApi

KEY = "test-key"
JOBS = 1000


def scripted(fake: FakeCustomerApi) -> dict[UUID, tuple[str, JobState]]:
    """A thousand jobs, every tenth of them failing, and how each must end."""
    ends: dict[UUID, tuple[str, JobState]] = {}
    for number in range(JOBS):
        failing = number % 10 == 0
        word, state = ("Failed", JobState.FAILED) if failing else ("Completed", JobState.DONE)
        job_id = fake.add_job("Pending", "Running", word, name=f"job {number}")
        ends[job_id] = (f"job {number}: {word}", state)
    return ends


async def all_ends(api: CustomerApi, jobs: list[UUID]) -> dict[UUID, tuple[str, JobState]]:
    """How each job ended for a task of its own that waited for it."""
    ends: dict[UUID, tuple[str, JobState]] = {}

    def told(status: JobStatus) -> tuple[str, JobState]:
        return f"{status.job_name}: {status.status}", status.state

    async def wait_for(job_id: UUID) -> None:
        try:
            ends[job_id] = told(await api.poll_until_done(job_id))
        except JobFailed as failed:
            ends[job_id] = told(failed.status)

    async with anyio.create_task_group() as group:
        for job_id in jobs:
            group.start_soon(wait_for, job_id)
    return ends


async def test_a_thousand_jobs_in_memory() -> None:
    clock = FakeClock()
    fake = FakeCustomerApi(KEY, clock=clock)
    expected = scripted(fake)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, clock=clock, budget=None)
        assert await all_ends(api, list(expected)) == expected
    assert len(fake.calls) == 3 * JOBS


@pytest.fixture
def service() -> Iterator[tuple[FakeCustomerApi, str]]:
    fake = FakeCustomerApi(KEY)
    with serving(fake) as endpoint:
        yield fake, endpoint


async def test_a_thousand_jobs_over_real_sockets(service: tuple[FakeCustomerApi, str]) -> None:
    fake, endpoint = service
    expected = scripted(fake)
    pauses = Schedule(initial=0.1, maximum=0.1)
    async with CustomerApi(KEY, endpoint=endpoint, schedule=pauses) as api:
        assert await all_ends(api, list(expected)) == expected
    assert len(fake.calls) == 3 * JOBS
