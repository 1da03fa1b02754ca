"""What the errors tell, and what catches them."""

from __future__ import annotations

from typing import assert_type
from uuid import UUID

from dasp_async import (
    AttemptTimeout,
    BudgetExhausted,
    CallRefused,
    CustomerApi,
    DaspError,
    HttpError,
    InvalidResponse,
    JobFailed,
    JobStatus,
    LockoutRisk,
    PollTimeout,
    SoapFault,
    TransportError,
)


async def called(api: CustomerApi) -> None:
    """Those of a call, each by its own type."""
    try:
        await api.get_job_status("id")
    except AttemptTimeout as slow:
        assert_type(slow.copy(), AttemptTimeout)
        also: TimeoutError = slow
        raise also from None
    except TransportError as lost:
        assert_type(lost.maybe_sent, bool)
    except HttpError as http:
        assert_type(http.status_code, int)
        assert_type(http.content_type, str)
        assert_type(http.excerpt, str)
    except InvalidResponse as invalid:
        assert_type(invalid.transient, bool)
    except SoapFault as fault:
        assert_type(fault.code, str)
        assert_type(fault.subcodes, tuple[str, ...])
        assert_type(fault.reason, str)
        assert_type(fault.actor, str | None)
        assert_type(fault.node, str | None)
        assert_type(fault.detail, str | None)
    except BudgetExhausted as used_up:
        assert_type(used_up.limit, int)
        assert_type(used_up.used, int)
    except LockoutRisk as closed:
        assert_type(closed.faults, int)
    except CallRefused as refused:
        assert_type(refused.retry_after, float | None)


async def waited(api: CustomerApi) -> None:
    """Those of a wait, and what catches all."""
    try:
        await api.poll_until_done("id")
    except JobFailed as failed:
        assert_type(failed.status, JobStatus)
    except PollTimeout as late:
        assert_type(late.job_id, UUID)
        assert_type(late.last_status, JobStatus | None)
        assert_type(late.last_error, DaspError | None)
        assert_type(late.polls, int)
        assert_type(late.elapsed, float)
    except DaspError as error:
        assert_type(error.operation, str | None)
        assert_type(error.transient, bool)
        assert_type(error.retry_after, float | None)
        assert_type(error.copy(), DaspError)


def made(status: JobStatus) -> list[DaspError]:
    """Each as a test of one's own makes it."""
    return [
        DaspError("text", operation=None, transient=True, retry_after=1.5),
        TransportError("text", operation="GetJobStatus", transient=False, maybe_sent=False),
        AttemptTimeout("text"),
        HttpError("text", status_code=503, content_type="text/html", excerpt="", retry_after=1),
        InvalidResponse("text"),
        SoapFault("text", code="code", subcodes=(), reason="", actor=None, node="", detail=""),
        CallRefused("text"),
        BudgetExhausted("text", retry_after=1, limit=1000, used=1000),
        LockoutRisk("text", retry_after=60, faults=10),
        JobFailed(status, operation="GetJobStatus"),
        PollTimeout(status.job_id, last_status=status, last_error=None, polls=3, elapsed=1.5),
        PollTimeout(status.job_id, was_put_off=True),
    ]
