"""The errors, as one tree.

    DaspError               .operation .transient .retry_after
    ├── TransportError      no answer came: .maybe_sent
    │   └── AttemptTimeout  one attempt took too long; also TimeoutError
    ├── HttpError           the answer is not SOAP: .status_code .content_type .excerpt
    ├── InvalidResponse     SOAP that breaks the contract or is unsafe
    ├── SoapFault           the service said no: .code .subcodes .reason .actor .node .detail
    ├── CallRefused         refused here, nothing was sent
    │   ├── BudgetExhausted no call is left: .limit .used
    │   └── LockoutRisk     too many faults without a good answer, or a refused key: .faults
    ├── JobFailed           the job ended in failure: .status
    └── PollTimeout         the job may still be running: .job_id .last_status .last_error
                            .polls .elapsed; also TimeoutError

A caller's mistake is none of these but a plain `ValueError` or `TypeError`, raised before anything
is sent. No error holds a request, an answer, an envelope or the key, and each can be pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.models import JobStatus

# Statuses that say "not now" rather than "no" (RFC 9110 section 15; RFC 6585 section 4 for 429)
TRANSIENT_STATUSES: Final = frozenset({408, 429, 502, 503, 504})


class DaspError(Exception):
    """The base of all errors of this package; catch it to catch them all.

    message: what `str` gives. operation: the operation's name on the wire, like `GetJobStatus`;
    None if there was none.
    transient: whether the same call may well succeed a little later.
    retry_after: the seconds that the answer asked to wait; None if it did not.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.transient = transient
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own would call the class with its args alone, which lacks the keywords.
        return _rebuilt, (type(self), self.args, self.__dict__)

    def copy(self) -> Self:
        """The same error without traceback, cause or notes: one to raise in another task."""
        state = {name: value for name, value in self.__dict__.items() if name != "__notes__"}
        return _rebuilt(type(self), self.args, state)


ErrorT = TypeVar("ErrorT", bound="DaspError")


def _rebuilt(kind: type[ErrorT], args: tuple[Any, ...], state: dict[str, Any]) -> ErrorT:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class TransportError(DaspError):
    """No answer came: no connection, no trust in it (TLS), a reset, or an answer cut short.

    Transient, unless the server's certificate could not be verified.
    maybe_sent: False only if not one byte of the request can have left this machine. If it is
    True, an operation that writes may have taken effect: look before you send it again.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        transient: bool = True,
        maybe_sent: bool = True,
    ) -> None:
        super().__init__(message, operation=operation, transient=transient)
        self.maybe_sent = maybe_sent


class AttemptTimeout(TransportError, TimeoutError):
    """One attempt outlasted `attempt_timeout`; the job, if any, is not affected by that."""


class HttpError(DaspError):
    """The answer was not SOAP: a status of 300 or more without a fault, or no SOAP envelope.

    Transient for the statuses 408, 429, 502, 503 and 504.
    status_code: HTTP's. content_type: the answer's header; empty if it had none.
    excerpt: the beginning of the answer's text, cleaned of markup; empty for an empty body.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        retry_after: float | None = None,
        status_code: int,
        content_type: str,
        excerpt: str,
    ) -> None:
        super().__init__(
            message,
            operation=operation,
            transient=status_code in TRANSIENT_STATUSES,
            retry_after=retry_after,
        )
        self.status_code = status_code
        self.content_type = content_type
        self.excerpt = excerpt


class InvalidResponse(DaspError):
    """An envelope, or an answer labelled as SOAP, that breaks the contract or is unsafe to read.

    Never transient: the same question would get the same answer.
    """


class SoapFault(DaspError):
    """The service answered with a SOAP fault, 1.1 or 1.2, told in one shape.

    code: the fault's code as `{namespace}name`, without braces if it has no namespace, and as
    it was sent if its prefix is bound to none; empty if the fault has no code.
    subcodes: the SOAP 1.2 subcodes in the same form, outermost first.
    reason: the text for people, the English one if there are several; empty if there is none.
    actor: SOAP 1.1's faultactor or SOAP 1.2's Role; node: SOAP 1.2's Node; None if absent.
    detail: the XML inside the detail element, as text, its first 64 Ki characters; empty for an
    empty one, None if absent.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        retry_after: float | None = None,
        code: str = "",
        subcodes: tuple[str, ...] = (),
        reason: str = "",
        actor: str | None = None,
        node: str | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, retry_after=retry_after)
        self.code = code
        self.subcodes = subcodes
        self.reason = reason
        self.actor = actor
        self.node = node
        self.detail = detail


class CallRefused(DaspError):
    """The call was refused here, and nothing was sent."""


class BudgetExhausted(CallRefused):
    """The budget has no call left; the next is free in `retry_after` seconds.

    limit: the calls it allows in its window. used: those that were counted.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        retry_after: float | None = None,
        limit: int = 0,
        used: int = 0,
    ) -> None:
        super().__init__(message, operation=operation, retry_after=retry_after)
        self.limit = limit
        self.used = used


class LockoutRisk(CallRefused):
    """More calls could lock this address out, for which 25 failed log-ins are enough.

    faults: the answers since the last good one that could be failed log-ins. `retry_after`:
    when the next call will be let through, to see whether things are mended.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        retry_after: float | None = None,
        faults: int = 0,
    ) -> None:
        super().__init__(message, operation=operation, retry_after=retry_after)
        self.faults = faults


class JobFailed(DaspError):
    """The job is over and has failed; `status` is the last word of the service on it."""

    def __init__(self, status: JobStatus, *, operation: str | None = None) -> None:
        reason = status.error_message or "no reason given"
        super().__init__(
            f"job {status.job_id} failed ({status.status!r}): {reason}", operation=operation
        )
        self.status = status


class PollTimeout(DaspError, TimeoutError):
    """The wait is over, the job may not be: wait for the same job id again to go on.

    job_id: the job's. last_status: the last status seen, None if none was. last_error: the error
    of the last look, None if it went well. polls: the looks this wait was told of. elapsed: its
    seconds. was_put_off: whether a look was due that the budget made wait; it is told in the
    message alone.
    """

    def __init__(
        self,
        job_id: UUID,
        *,
        operation: str | None = None,
        last_status: JobStatus | None = None,
        last_error: DaspError | None = None,
        polls: int = 0,
        elapsed: float = 0.0,
        was_put_off: bool = False,
    ) -> None:
        looks = "1 look" if polls == 1 else f"{polls} looks"
        seen = "was never seen" if last_status is None else f"stood at {last_status.status!r}"
        trouble = "" if last_error is None else f" (the last look failed: {last_error})"
        advice = (
            "; its next look was put off to save calls, which a longer timeout or none allows for"
            if was_put_off
            else ""
        )
        super().__init__(
            f"job {job_id} {seen} after {elapsed:.1f} s and {looks}{trouble}. It may still "
            f"be running: call poll_until_done with the same job id to go on waiting{advice}",
            operation=operation,
        )
        self.job_id = job_id
        self.last_status = last_status
        self.last_error = last_error
        self.polls = polls
        self.elapsed = elapsed
