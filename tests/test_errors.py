"""The errors form the documented tree, and each can be pickled and copied with all it tells."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import NoReturn
from uuid import UUID

import pytest

import dasp_async
from dasp_async.errors import (
    TRANSIENT_STATUSES,
    AttemptTimeout,
    BudgetExhausted,
    CallRefused,
    DaspError,
    HttpError,
    InvalidResponse,
    JobFailed,
    LockoutRisk,
    PollTimeout,
    SoapFault,
    TransportError,
)
from dasp_async.models import JobState, JobStatus

JOB_ID = UUID("01234567-89ab-cdef-0123-456789abcdef")
FAILED = JobStatus(
    job_id=JOB_ID, status="Failed", error_message="disk full", seen_at=1.5, state=JobState.FAILED
)
RUNNING = JobStatus(job_id=JOB_ID, status="Running")
BUSY = HttpError(
    "busy", operation="Op", retry_after=7.0, status_code=503, content_type="text/html", excerpt="x"
)

COMMON: dict[str, object] = {"operation": "Op", "transient": False, "retry_after": None}
# An error of each class, all it was given, and all it tells.
EXAMPLES: list[tuple[DaspError, dict[str, object]]] = [
    (
        DaspError("text", operation="Op", transient=True, retry_after=2.5),
        {"operation": "Op", "transient": True, "retry_after": 2.5},
    ),
    (
        TransportError("text", operation="Op", transient=False, maybe_sent=False),
        COMMON | {"maybe_sent": False},
    ),
    (
        AttemptTimeout("text", operation="Op"),
        COMMON | {"transient": True, "maybe_sent": True},
    ),
    (
        BUSY,
        {
            "operation": "Op",
            "transient": True,
            "retry_after": 7.0,
            "status_code": 503,
            "content_type": "text/html",
            "excerpt": "x",
        },
    ),
    (InvalidResponse("text", operation="Op"), COMMON),
    (
        SoapFault(
            "text",
            operation="Op",
            retry_after=1.0,
            code="{n}Server",
            subcodes=("{n}a", "b"),
            reason="why",
            actor="who",
            node="where",
            detail="<a/>",
        ),
        {
            "operation": "Op",
            "transient": False,
            "retry_after": 1.0,
            "code": "{n}Server",
            "subcodes": ("{n}a", "b"),
            "reason": "why",
            "actor": "who",
            "node": "where",
            "detail": "<a/>",
        },
    ),
    (CallRefused("text", operation="Op"), COMMON),
    (
        BudgetExhausted("text", operation="Op", retry_after=5.0, limit=3, used=3),
        COMMON | {"retry_after": 5.0, "limit": 3, "used": 3},
    ),
    (
        LockoutRisk("text", operation="Op", retry_after=60.0, faults=10),
        COMMON | {"retry_after": 60.0, "faults": 10},
    ),
    (JobFailed(FAILED, operation="Op"), COMMON | {"status": FAILED}),
    (
        PollTimeout(JOB_ID, operation="Op", last_status=RUNNING, polls=3, elapsed=9.25),
        COMMON
        | {
            "job_id": JOB_ID,
            "last_status": RUNNING,
            "last_error": None,
            "polls": 3,
            "elapsed": 9.25,
        },
    ),
]
EACH_EXAMPLE = pytest.mark.parametrize(
    ("error", "told"), EXAMPLES, ids=[type(error).__name__ for error, _ in EXAMPLES]
)

TREE: dict[type[DaspError], tuple[type[BaseException], ...]] = {
    DaspError: (Exception,),
    TransportError: (DaspError,),
    AttemptTimeout: (TransportError, TimeoutError),
    HttpError: (DaspError,),
    InvalidResponse: (DaspError,),
    SoapFault: (DaspError,),
    CallRefused: (DaspError,),
    BudgetExhausted: (CallRefused,),
    LockoutRisk: (CallRefused,),
    JobFailed: (DaspError,),
    PollTimeout: (DaspError, TimeoutError),
}


def all_below(kind: type[DaspError]) -> Iterator[type[DaspError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from all_below(child)


# --- the tree


def test_the_tree_is_the_documented_one() -> None:
    assert {kind: kind.__bases__ for kind in TREE} == TREE


def test_every_error_is_tested_and_public() -> None:
    ours = {kind for kind in all_below(DaspError) if kind.__module__ == DaspError.__module__}
    assert ours == set(TREE) == {type(error) for error, _ in EXAMPLES}
    for kind in ours:
        assert getattr(dasp_async, kind.__name__) is kind


@EACH_EXAMPLE
def test_only_two_errors_are_timeouts(error: DaspError, told: dict[str, object]) -> None:
    assert isinstance(error, TimeoutError) is (type(error) in {AttemptTimeout, PollTimeout})
    assert told


# --- what they tell


@EACH_EXAMPLE
def test_an_error_tells_what_it_was_given(error: DaspError, told: dict[str, object]) -> None:
    assert vars(error) == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (DaspError("x"), {"operation": None, "transient": False, "retry_after": None}),
        (TransportError("x"), {"operation": None, "transient": True, "maybe_sent": True}),
        (InvalidResponse("x"), {"operation": None, "transient": False, "retry_after": None}),
        (CallRefused("x"), {"operation": None, "transient": False, "retry_after": None}),
        (
            SoapFault("x"),
            {
                "operation": None,
                "transient": False,
                "retry_after": None,
                "code": "",
                "subcodes": (),
                "reason": "",
                "actor": None,
                "node": None,
                "detail": None,
            },
        ),
        (JobFailed(FAILED), {"operation": None, "transient": False}),
        (
            PollTimeout(JOB_ID),
            {"operation": None, "last_status": None, "last_error": None, "polls": 0, "elapsed": 0},
        ),
    ],
)
def test_what_an_error_was_not_given(error: DaspError, told: dict[str, object]) -> None:
    assert {name: getattr(error, name) for name in told} == told


@pytest.mark.parametrize(
    ("status", "transient"),
    [
        (200, False),
        (302, False),
        (400, False),
        (401, False),
        (403, False),
        (404, False),
        (405, False),
        (408, True),
        (415, False),
        (425, False),
        (429, True),
        (500, False),
        (501, False),
        (502, True),
        (503, True),
        (504, True),
        (505, False),
    ],
)
def test_some_statuses_say_not_now(status: int, transient: bool) -> None:
    error = HttpError("x", status_code=status, content_type="", excerpt="")
    assert error.transient is transient
    assert (status in TRANSIENT_STATUSES) is transient


def test_a_failed_job_tells_why() -> None:
    assert str(JobFailed(FAILED)) == f"job {JOB_ID} failed ('Failed'): disk full"


@pytest.mark.parametrize("message", [None, ""])
def test_a_failed_job_may_not_know_why(message: str | None) -> None:
    status = JobStatus(job_id=JOB_ID, error_message=message, state=JobState.FAILED)
    assert str(JobFailed(status)) == f"job {JOB_ID} failed (None): no reason given"


HOW_TO_GO_ON = "It may still be running: call poll_until_done with the same job id to go on waiting"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PollTimeout(JOB_ID), "was never seen after 0.0 s and 0 looks."),
        (
            PollTimeout(JOB_ID, last_status=RUNNING, polls=41, elapsed=3600.04),
            "stood at 'Running' after 3600.0 s and 41 looks.",
        ),
        (
            PollTimeout(JOB_ID, last_error=BUSY, polls=2, elapsed=1),
            "was never seen after 1.0 s and 2 looks (the last look failed: busy).",
        ),
    ],
)
def test_a_wait_that_timed_out_tells_how_to_go_on(error: PollTimeout, text: str) -> None:
    assert str(error) == f"job {JOB_ID} {text} {HOW_TO_GO_ON}"


# --- pickles and copies


def pickled(protocol: int) -> Callable[[DaspError], DaspError]:
    def twin(error: DaspError) -> DaspError:
        loaded = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own
        assert isinstance(loaded, DaspError)
        return loaded

    return twin


COPIES: dict[str, Callable[[DaspError], DaspError]] = {
    **{f"pickle {protocol}": pickled(protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "DaspError.copy": DaspError.copy,
}


@EACH_EXAMPLE
@pytest.mark.parametrize("make", COPIES)
def test_a_copy_tells_the_same(error: DaspError, told: dict[str, object], make: str) -> None:
    twin = COPIES[make](error)
    assert twin is not error
    assert type(twin) is type(error)
    assert vars(twin) == told
    assert (str(twin), repr(twin), twin.args) == (str(error), repr(error), error.args)


@pytest.mark.parametrize("make", COPIES)
def test_an_error_inside_an_error_is_kept(make: str) -> None:
    twin = COPIES[make](PollTimeout(JOB_ID, last_error=BUSY))
    assert isinstance(twin, PollTimeout)
    assert isinstance(twin.last_error, HttpError)
    assert vars(twin.last_error) == vars(BUSY)


def fail(error: DaspError) -> NoReturn:
    """Raise the error with all that Python can hang on one."""
    error.add_note("a note")
    try:
        int("the context")
    except ValueError:
        raise error from KeyError("the cause")
    raise AssertionError


@EACH_EXAMPLE
def test_a_copy_is_as_good_as_never_raised(error: DaspError, told: dict[str, object]) -> None:
    original = error.copy()
    with pytest.raises(type(error)):
        fail(original)
    assert original.__traceback__
    assert original.__cause__
    assert original.__context__

    twin = original.copy()

    assert (twin.__traceback__, twin.__cause__, twin.__context__) == (None, None, None)
    assert twin.__suppress_context__ is False
    assert not hasattr(twin, "__notes__")
    assert vars(twin) == told
    # The original keeps what it has.
    assert original.__notes__ == ["a note"]


def test_a_class_of_ones_own_is_pickled_too() -> None:
    class_of_own = OwnError("x", 7)
    twin = pickled(pickle.HIGHEST_PROTOCOL)(class_of_own)
    assert isinstance(twin, OwnError)
    assert (str(twin), twin.number) == ("x", 7)


class OwnError(DaspError):
    """An error with a required argument of its own."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number
