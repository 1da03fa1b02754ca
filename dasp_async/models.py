"""What callers receive: frozen dataclasses, and the rules that read a job's state and a fault."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from uuid import UUID

    from dasp_async.errors import DaspError


class JobState(enum.Enum):
    """How a job stands, as `JobRules` reads it.

    `RUNNING`: not over, as far as the answer shows. `DONE`: over, and well. `FAILED`: over, and
    not well.
    """

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobRecord:
    """`GetJobStatusResult` as the service's help page lists it.

    `job_name`, `status`, `error_message`: None when absent or `xsi:nil`; an empty string stays
    one. `start_date_time`, `completed_date_time`: the service always sends both, so a date that
    means nothing stands here as it was sent.
    """

    job_name: str | None = None
    status: str | None = None
    start_date_time: datetime | None = None
    completed_date_time: datetime | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """A job, `job_id`, as the service described it at one moment.

    `job_name`, `status` (the service's own word, no list of which is published) and
    `error_message` are `None` when the service left them out. `start_date_time` and
    `completed_date_time` are `None` when they are not set yet; they are aware if the service
    sent an offset, else naive (its zone is not documented). `seen_at` is when the answer was
    read: seconds since 1970, UTC, of the client's clock. `state` is what `JobRules` made of all
    that.
    """

    job_id: UUID
    job_name: str | None = None
    status: str | None = None
    start_date_time: datetime | None = None
    completed_date_time: datetime | None = None
    error_message: str | None = None
    seen_at: float = 0.0
    state: JobState = JobState.RUNNING

    @property
    def is_final(self) -> bool:
        """Whether the job is over, well or not."""
        return self.state is not JobState.RUNNING

    @property
    def is_blank(self) -> bool:
        """No text and no date at all: ASMX's likeliest answer to an id it does not know."""
        texts = (self.job_name, self.status, self.error_message)
        return (
            not any(text and not text.isspace() for text in texts)
            and self.start_date_time is None
            and self.completed_date_time is None
        )


@dataclass(frozen=True, slots=True)
class BandwidthUsage:
    """A row of `BandwidthGetUsage`: what was used on a day.

    The service's help page names the columns, and neither their types nor a unit: `use_date` and
    `quantity` have the types that the answer's own schema gives them. None stands for null.
    """

    use_date: datetime | date | str | None = None
    quantity: int | float | Decimal | str | None = None


@dataclass(frozen=True, slots=True)
class SmAlias:
    """A SmarterMail alias.

    `email_address`: the alias's own; None if the service left it out. `addresses`: those that it
    stands for.
    """

    email_address: str | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the wait for one job of many ended.

    job_id: the job's. status: its final status; None if it was not seen to end. error: what
    `poll_until_done` would have raised; None if the job is done. A job that failed has both.
    """

    job_id: UUID
    status: JobStatus | None = None
    error: DaspError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One attempt, as `on_exchange` is told of it: names and numbers, no text that went over.

    operation: its name on the wire; "describe" for the service's WSDL. attempt: 1 for the first
    of a call, and for each look of a wait. status_code: HTTP's; None if no answer came.
    error: the name of the error that the attempt ended with; None for a result. fault_code: a
    SOAP fault's, as {namespace}name, its first 200 characters; None if it was none.
    milliseconds: until the answer was read. request_bytes, response_bytes: the bodies' sizes.
    """

    operation: str
    attempt: int
    status_code: int | None
    error: str | None
    fault_code: str | None
    milliseconds: float
    request_bytes: int
    response_bytes: int


DONE_WORDS: Final = frozenset(
    {"complete", "completed", "done", "finished", "succeeded", "success", "successful"}
)
FAILED_WORDS: Final = frozenset(
    {"aborted", "canceled", "cancelled", "error", "fail", "failed", "failure", "faulted"}
)


def _folded(name: str, words: object) -> frozenset[str]:
    """The words for comparison; raises `TypeError` or `ValueError` if they are no set of words."""
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise TypeError(f"{name} must be a set of words, not {type(words).__name__}")
    folded: set[str] = set()
    for word in cast("Iterable[object]", words):
        if not isinstance(word, str):
            raise TypeError(f"{name} must hold text, not {type(word).__name__}")
        folded.add(word.strip().casefold())
    if "" in folded:
        raise ValueError(f"{name} must not hold a blank word: it would fit every answer")
    return frozenset(folded)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRules:
    """Which answers mean that a job is over, and how it ended.

    The service publishes no list of its status words, so they are data that you can replace.
    Words are compared without regard to case and surrounding blanks. The first row that fits
    decides:

    | the answer | state |
    | --- | --- |
    | `status` is one of `failed_words` | `FAILED` |
    | a completion date or one of `done_words`, and an error message that is not blank | `FAILED` |
    | a completion date or one of `done_words` | `DONE` |
    | anything else, an unknown word included | `RUNNING` |

    `unset_through`: a date up to and including that day is not set and becomes `None`. The
    service always sends dates; .NET's smallest is 0001-01-01, and 1900-01-01 stands for
    nothing in many databases. `unset_from`: a completion date from that day on (.NET's largest
    is 9999-12-31) keeps its value but does not by itself mean that the job is over.
    """

    done_words: frozenset[str] = DONE_WORDS
    failed_words: frozenset[str] = FAILED_WORDS
    unset_through: date = date(1900, 1, 1)
    unset_from: date = date(9999, 1, 1)

    def __post_init__(self) -> None:
        for name in ("unset_through", "unset_from"):
            day = getattr(self, name)
            # A datetime is a date, but can't be compared with one.
            if type(day) is not date:
                raise TypeError(f"{name} must be a date, not {type(day).__name__}")
        for name in ("done_words", "failed_words"):
            object.__setattr__(self, name, _folded(name, getattr(self, name)))

    def read(self, record: JobRecord, *, job_id: UUID, seen_at: float) -> JobStatus:
        """The status that a record means; `seen_at` is in seconds since 1970."""
        completed = self._set(record.completed_date_time)
        return JobStatus(
            job_id=job_id,
            job_name=record.job_name,
            status=record.status,
            start_date_time=self._set(record.start_date_time),
            completed_date_time=completed,
            error_message=record.error_message,
            seen_at=seen_at,
            state=self._state(record.status, completed, record.error_message),
        )

    def _set(self, moment: datetime | None) -> datetime | None:
        # The wall clock's date: converting year 1 or 9999 to another zone would overflow.
        return None if moment is None or moment.date() <= self.unset_through else moment

    def _state(
        self, status: str | None, completed: datetime | None, error_message: str | None
    ) -> JobState:
        word = (status or "").strip().casefold()
        if word in self.failed_words:
            return JobState.FAILED
        over = word in self.done_words or (
            completed is not None and completed.date() < self.unset_from
        )
        if not over:
            return JobState.RUNNING
        return JobState.FAILED if error_message and error_message.strip() else JobState.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRules:
    """Which words in a fault's reason tell what it is about.

    The service publishes no list of its faults, and ASMX gives most of them the same code, so
    they can only be told apart by text. Words are looked for anywhere in the reason, without
    regard to case; replace them once you know the service's own.

    `too_often`: the service wants fewer calls. A wait backs off from such a fault and goes on.
    `account`: the key, the address or the account is refused. No further call is made for a
    while, since the service blocks an address after 25 failed log-ins.
    `unknown_job`: the job is unknown, which says nothing against a key that is known to be good.
    """

    too_often: frozenset[str] = frozenset(
        {"too often", "too many", "too frequent", "rate limit", "daily limit", "limit exceeded"}
    )
    account: frozenset[str] = frozenset(
        {"api key", "invalid key", "access denied", "not authorized", "unauthorized", "ip address"}
    )
    unknown_job: frozenset[str] = frozenset(
        {"job not found", "unknown job", "no such job", "invalid job"}
    )

    def __post_init__(self) -> None:
        for name in ("too_often", "account", "unknown_job"):
            object.__setattr__(self, name, _folded(name, getattr(self, name)))

    def is_too_often(self, reason: str) -> bool:
        """Whether a fault's reason asks for fewer calls."""
        return _holds_any(reason, self.too_often)

    def is_account(self, reason: str) -> bool:
        """Whether a fault's reason is about the key, the address or the account."""
        return _holds_any(reason, self.account)

    def is_unknown_job(self, reason: str) -> bool:
        """Whether a fault's reason is that the job is unknown."""
        return _holds_any(reason, self.unknown_job)


def _holds_any(reason: str, words: frozenset[str]) -> bool:
    folded = reason.casefold()
    return any(word in folded for word in words)
