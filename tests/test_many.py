"""Thousands of jobs at once in one process, every result right."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeAlias
from uuid import UUID

import anyio
import httpx
import pytest

from dasp_async import CustomerApi, JobFailed, JobState, JobStatus, Schedule
from dasp_async.cli.fake import serving
from dasp_async.testing import FakeClock, FakeCustomerApi

KEY: Final = "test-key"
IN_MEMORY: Final = 1000
OVER_SOCKETS: Final = 10_000
IN_FLIGHT: Final = 4

End: TypeAlias = tuple[UUID, str | None, str | None, JobState]


def ends(jobs: int) -> list[End]:
    """How so many jobs must end, every tenth of them badly; in the order of their ids."""
    good, bad = ("Completed", JobState.DONE), ("Failed", JobState.FAILED)
    return [
        (UUID(int=number), f"job {number}", *(good if number % 10 else bad))
        for number in range(1, jobs + 1)
    ]


def scripted(jobs: int, *words: str, clock: FakeClock | None = None) -> FakeCustomerApi:
    """A fake whose jobs go through these words before they end."""
    fake = FakeCustomerApi(KEY, clock=clock)
    for job_id, name, last, _ in ends(jobs):
        fake.add_job(*words, str(last), job_id=job_id, name=str(name))
    return fake


async def by_tasks(api: CustomerApi, job_ids: list[UUID]) -> list[JobStatus]:
    """The final statuses, each waited for by a task of its own."""
    statuses: list[JobStatus] = []

    async def wait_for(job_id: UUID) -> None:
        try:
            statuses.append(await api.poll_until_done(job_id))
        except JobFailed as failed:
            statuses.append(failed.status)

    async with anyio.create_task_group() as group:
        for job_id in job_ids:
            group.start_soon(wait_for, job_id)
    return statuses


async def by_poll_many(api: CustomerApi, job_ids: list[UUID]) -> list[JobStatus]:
    """The final statuses, all waited for by this task."""
    async with api.poll_many(job_ids) as outcomes:
        return [outcome.status async for outcome in outcomes if outcome.status is not None]


WAYS: Final = [by_tasks, by_poll_many]
Way: TypeAlias = Callable[[CustomerApi, list[UUID]], Awaitable[list[JobStatus]]]


async def found(way: Way, api: CustomerApi, jobs: int) -> list[End]:
    """How so many jobs ended, in the order of their ids."""
    statuses = await way(api, [job_id for job_id, *_ in ends(jobs)])
    statuses.sort(key=lambda status: status.job_id)
    return [(each.job_id, each.job_name, each.status, each.state) for each in statuses]


@pytest.mark.parametrize("way", WAYS)
async def test_a_thousand_jobs_in_memory(way: Way) -> None:
    clock = FakeClock()
    fake = scripted(IN_MEMORY, "Pending", "Running", clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=fake)) as http:
        api = CustomerApi(KEY, http_client=http, clock=clock, budget=None)
        assert await found(way, api, IN_MEMORY) == ends(IN_MEMORY)
    assert len(fake.calls) == 3 * IN_MEMORY


def serve() -> None:
    """Serve a fake until standard input ends; tell its calls, and to how many jobs the first were.

    Calls under way at the same time may overtake each other.
    """
    fake = scripted(OVER_SOCKETS, "Running")
    with serving(fake) as endpoint:
        print(endpoint, flush=True)  # noqa: T201 - how the test learns it
        sys.stdin.read()
    first = {str(call.parameters["jobId"]) for call in fake.calls[: OVER_SOCKETS + IN_FLIGHT]}
    print(len(fake.calls), "calls, the first to", len(first), "jobs")  # noqa: T201 - as above


@pytest.fixture
def service() -> Iterator[subprocess.Popen[str]]:
    """A process that serves a fake, so that those who wait have theirs to themselves."""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


# Twenty thousand calls are half a minute's work for a busy machine, so not each way on each loop.
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("way", "anyio_backend"),
    [(by_poll_many, "asyncio"), (by_tasks, "trio")],
    ids=["by_poll_many-asyncio", "by_tasks-trio"],
)
async def test_ten_thousand_jobs_over_real_sockets(
    way: Way, service: subprocess.Popen[str]
) -> None:
    assert service.stdout is not None
    async with CustomerApi(
        KEY,
        endpoint=service.stdout.readline().strip(),
        schedule=Schedule(initial=1, maximum=1),
        # On loopback a few keep the processor busy.
        max_in_flight=IN_FLIGHT,
    ) as api:
        assert await found(way, api, OVER_SOCKETS) == ends(OVER_SOCKETS)
    # No job was looked at again before all were waited for, and none once it was over.
    told, _ = service.communicate(timeout=20)
    assert told == f"{2 * OVER_SOCKETS} calls, the first to {OVER_SOCKETS} jobs\n"


if __name__ == "__main__":
    serve()
