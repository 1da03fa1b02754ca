"""The public types, pinned for type checkers; never run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import assert_type
from uuid import UUID

import httpx
import httpx2

from dasp_async import (
    AttemptTimeout,
    CallBudget,
    CustomerApi,
    HttpClient,
    HttpError,
    JobFailed,
    JobRules,
    JobState,
    JobStatus,
    MemoryBudget,
    Outcome,
    PollTimeout,
    Schedule,
    SoapFault,
    SoapVersion,
    SqliteBudget,
)


async def client() -> None:
    """What a client takes and gives."""
    assert_type(CustomerApi("key"), CustomerApi)
    assert_type(CustomerApi.from_env(), CustomerApi)
    CustomerApi("key", version="1.2", attempt_timeout=timedelta(seconds=5))
    CustomerApi("key", version=SoapVersion.SOAP_1_2, attempt_timeout=None)
    CustomerApi("key", http_client=httpx.AsyncClient())
    CustomerApi("key", http_client=httpx2.AsyncClient())
    borrowed: HttpClient = httpx.AsyncClient()
    async with CustomerApi("key", http_client=borrowed) as api:
        assert_type(api, CustomerApi)
        assert_type(await api.get_job_status("id"), JobStatus)
        assert_type(await api.get_job_status(UUID(int=1)), JobStatus)
        assert_type(await api.poll_until_done("id", timeout=None), JobStatus)
        await api.poll_until_done("id", timeout=timedelta(hours=1), on_status=print)
        async for seen in api.watch("id", every=True):
            assert_type(seen, JobStatus)
        async with api.poll_many(["id", UUID(int=1)]) as outcomes:
            assert_type([outcome async for outcome in outcomes], list[Outcome])
    budget: CallBudget = MemoryBudget(limit=100, window=timedelta(hours=1))
    CustomerApi("key", budget=budget)
    CustomerApi("key", budget=SqliteBudget("calls.sqlite", reserve=10))
    CustomerApi("key", budget=None)
    assert_type(await budget.remaining(), int)
    CustomerApi(b"key")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CustomerApi("key", "1.2")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def status(status: JobStatus) -> None:
    """What is known of a job."""
    assert_type(status.job_id, UUID)
    assert_type(status.job_name, str | None)
    assert_type(status.status, str | None)
    assert_type(status.start_date_time, datetime | None)
    assert_type(status.completed_date_time, datetime | None)
    assert_type(status.error_message, str | None)
    assert_type(status.seen_at, float)
    assert_type(status.state, JobState)
    status.status = "Done"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def data() -> None:
    """What can be replaced."""
    assert_type(Schedule(initial=timedelta(seconds=1)).maximum, float)
    assert_type(JobRules(done_words=frozenset({"Ready"})).done_words, frozenset[str])


def errors(
    fault: SoapFault, http: HttpError, late: PollTimeout, failed: JobFailed, slow: AttemptTimeout
) -> None:
    """What the errors tell."""
    assert_type(fault.code, str)
    assert_type(fault.subcodes, tuple[str, ...])
    assert_type(fault.detail, str | None)
    assert_type(http.status_code, int)
    assert_type(http.retry_after, float | None)
    assert_type(late.last_status, JobStatus | None)
    assert_type(failed.status, JobStatus)
    assert_type(slow.maybe_sent, bool)
    assert_type(slow.transient, bool)
