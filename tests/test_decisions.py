"""What follows from a look, in plain numbers: no clock, no event loop."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasp_async import (
    DaspError,
    HttpError,
    InvalidResponse,
    JobState,
    JobStatus,
    Schedule,
    SoapFault,
    TransportError,
)
from dasp_async.polling.decisions import Track, after_error, after_status, next_moment

JOB = UUID("a0000000-0000-0000-0000-000000000001")
SCHEDULE = Schedule(initial=2, factor=1.5, maximum=60, jitter=0.2)
RUNNING = JobStatus(job_id=JOB, status="Running")
DONE = replace(RUNNING, status="Completed", state=JobState.DONE)
FAILED = replace(RUNNING, status="Failed", state=JobState.FAILED)
BLANK = JobStatus(job_id=JOB)

RESET = TransportError("reset")
UNTRUSTED = TransportError("certificate verify failed", transient=False)
FAULT = SoapFault("a fault", reason="Object reference not set")
FORBIDDEN = HttpError("403", status_code=403, content_type="text/html", excerpt="")


def unavailable(retry_after: float | None = None) -> HttpError:
    return HttpError(
        "503", status_code=503, content_type="text/html", excerpt="", retry_after=retry_after
    )


# --- Schedule ---------------------------------------------------------------------------------


def test_pauses_grow_by_the_factor_up_to_the_maximum() -> None:
    assert [SCHEDULE.delay(step) for step in range(4)] == [2, 3, 4.5, 6.75]
    assert SCHEDULE.delay(9) == 60
    assert SCHEDULE.delay(10**9) == 60


@given(step=st.integers(0, 2000), draw=st.floats(0, 1, exclude_max=True))
def test_jitter_only_shortens_and_by_no_more_than_its_part(step: int, draw: float) -> None:
    full = SCHEDULE.delay(step)
    assert 0.8 * full <= SCHEDULE.delay(step, draw) <= full <= 60


def test_durations_may_be_timedeltas() -> None:
    schedule = Schedule(initial=timedelta(seconds=5), maximum=timedelta(minutes=1))
    assert (schedule.initial, schedule.maximum) == (5, 60)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"initial": 0}, ValueError, "initial must be more than 0"),
        ({"initial": -1}, ValueError, "initial must be a finite number of seconds"),
        ({"initial": math.nan}, ValueError, "initial must be a finite number of seconds"),
        ({"maximum": math.inf}, ValueError, "maximum must be a finite number of seconds"),
        ({"initial": 10, "maximum": 5}, ValueError, "maximum .* must not be below initial"),
        ({"factor": 0.5}, ValueError, "factor must be 1 or more"),
        ({"factor": math.nan}, ValueError, "factor must be 1 or more"),
        ({"factor": math.inf}, ValueError, "factor must be 1 or more"),
        ({"jitter": -0.1}, ValueError, "jitter must be from 0 to 1"),
        ({"jitter": 1.1}, ValueError, "jitter must be from 0 to 1"),
        ({"initial": "2"}, TypeError, "initial must be seconds or a timedelta, not str"),
        ({"maximum": True}, TypeError, "maximum must be seconds or a timedelta, not bool"),
        ({"factor": "2"}, TypeError, "factor must be a number, not str"),
        ({"jitter": None}, TypeError, "jitter must be a number, not NoneType"),
    ],
)
def test_an_impossible_schedule_is_refused(
    arguments: dict[str, float], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Schedule(**arguments)


# --- after a status ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [DONE, FAILED], ids=["done", "failed"])
def test_a_final_status_ends_the_wait(status: JobStatus) -> None:
    decision = after_status(Track(), status, SCHEDULE, 0)
    assert (decision.delay, decision.error) == (None, None)


def test_a_running_job_is_looked_at_again_by_the_schedule() -> None:
    track, delays = Track(), list[float | None]()
    for _ in range(3):
        decision = after_status(track, RUNNING, SCHEDULE, 0)
        track = decision.track
        delays.append(decision.delay)
    assert delays == [2, 3, 4.5]


def test_the_third_blank_answer_in_a_row_ends_the_wait_for_a_job_never_seen() -> None:
    first = after_status(Track(), BLANK, SCHEDULE, 0)
    second = after_status(first.track, BLANK, SCHEDULE, 0)
    third = after_status(second.track, BLANK, SCHEDULE, 0)
    assert (first.error, second.error, third.delay) == (None, None, None)
    assert isinstance(third.error, InvalidResponse)
    assert str(JOB) in str(third.error)


def test_blank_answers_about_a_job_that_was_seen_are_a_running_job() -> None:
    track = after_status(Track(), RUNNING, SCHEDULE, 0).track
    for _ in range(5):
        decision = after_status(track, BLANK, SCHEDULE, 0)
        track = decision.track
        assert decision.delay is not None


def test_an_answer_ends_every_run_of_errors() -> None:
    track = Track(step=4, seen=True, transients=3, faults=2, too_often=1)
    assert after_status(track, RUNNING, SCHEDULE, 0).track == Track(step=5, seen=True)


# --- after an error ---------------------------------------------------------------------------


def delays_of(error: DaspError, *, track: Track, proven: bool, too_often: bool) -> list[float]:
    """The pauses, until the error ends the wait or 12 of them have been seen."""
    delays: list[float] = []
    while len(delays) < 12:
        decision = after_error(track, error, proven=proven, too_often=too_often, draw=0)
        if decision.delay is None:
            assert decision.error is error
            return delays
        delays.append(decision.delay)
        track = decision.track
    return delays


NEW, SEEN = Track(), Track(seen=True)
ENDLESS = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60]


@pytest.mark.parametrize(
    ("error", "track", "proven", "too_often", "delays"),
    [
        pytest.param(RESET, NEW, False, False, [1, 2, 4, 8], id="fifth-transient-before-an-answer"),
        pytest.param(unavailable(), NEW, False, False, [1, 2, 4, 8], id="the-same-for-http-503"),
        pytest.param(RESET, NEW, True, False, ENDLESS, id="transient-once-the-client-is-proven"),
        pytest.param(UNTRUSTED, SEEN, True, False, [], id="untrusted-certificate"),
        pytest.param(FORBIDDEN, SEEN, True, False, [], id="http-403"),
        pytest.param(InvalidResponse("x"), SEEN, True, False, [], id="invalid-response"),
        pytest.param(FAULT, NEW, True, False, [], id="fault-on-the-first-look"),
        pytest.param(FAULT, SEEN, True, False, [1, 2, 4], id="fault-on-a-job-seen-well"),
        pytest.param(
            FAULT,
            NEW,
            False,
            True,
            [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600, 3600],
            id="asked-too-often",
        ),
    ],
)
def test_errors_are_ridden_out_or_end_the_wait(
    error: DaspError, track: Track, proven: bool, too_often: bool, delays: list[float]
) -> None:
    assert delays_of(error, track=track, proven=proven, too_often=too_often) == delays


@pytest.mark.parametrize(
    ("asked", "pause"),
    [(None, 1), (0, 1), (0.2, 1), (7, 7), (300, 300), (86_400, 300)],
)
def test_retry_after_is_obeyed_up_to_five_minutes(asked: float | None, pause: float) -> None:
    decision = after_error(NEW, unavailable(asked), proven=True, too_often=False, draw=0)
    assert decision.delay == pause


@pytest.mark.parametrize(
    ("error", "too_often", "asked"),
    [
        (RESET, False, 0),
        (unavailable(20), False, 20),
        (unavailable(86_400), False, 300),
        (SoapFault("x"), True, 60),
    ],
)
def test_the_service_may_want_no_look_at_all(
    error: DaspError, too_often: bool, asked: float
) -> None:
    decision = after_error(SEEN, error, proven=True, too_often=too_often, draw=0)
    assert decision.asked == asked


def test_only_errors_in_a_row_are_counted() -> None:
    track = SEEN
    for _ in range(20):
        for error in (FAULT, FAULT, RESET):
            decision = after_error(track, error, proven=False, too_often=False, draw=0)
            assert decision.delay is not None
            track = decision.track


def test_blank_answers_are_in_a_row_only_without_errors_between() -> None:
    track = NEW
    for _ in range(10):
        track = after_status(track, BLANK, SCHEDULE, 0).track
        decision = after_status(track, BLANK, SCHEDULE, 0)
        assert decision.error is None
        track = after_error(decision.track, RESET, proven=True, too_often=False, draw=0).track


def test_jitter_never_cuts_what_the_service_asked_for() -> None:
    decision = after_error(NEW, unavailable(7), proven=True, too_often=False, draw=0.99)
    assert decision.delay == 7


def test_errors_do_not_move_the_schedule() -> None:
    track = Track(step=3, seen=True)
    decision = after_error(track, RESET, proven=True, too_often=False, draw=0)
    assert decision.track.step == 3


# --- the next moment --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "looked_at", "delay", "not_before", "moment"),
    [
        pytest.param(50, 40, 10, 0, 50, id="the-next-look-is-due-in-time"),
        pytest.param(98, 88, 10, 0, 98, id="just-in-time"),
        pytest.param(99, 89, 10, 0, 98, id="a-little-early-rather-than-cut-off"),
        pytest.param(140, 80, 60, 0, 100, id="younger-than-half-the-delay"),
        pytest.param(128, 68, 60, 0, 98, id="half-the-delay-old"),
        pytest.param(500, -math.inf, 0, 0, 98, id="never-looked"),
        pytest.param(158, 98, 60, 0, 100, id="after-the-last-look"),
        pytest.param(310, 10, 60, 310, 100, id="the-service-wants-none"),
        pytest.param(110, 10, 60, 98, 98, id="the-service-takes-one-just-then"),
    ],
)
def test_one_last_look_before_the_deadline(
    due: float, looked_at: float, delay: float, not_before: float, moment: float
) -> None:
    assert moment == next_moment(
        due=due, looked_at=looked_at, delay=delay, not_before=not_before, deadline=100, lead=2
    )


def test_without_a_deadline_only_the_schedule_counts() -> None:
    assert next_moment(due=7, looked_at=5, delay=2, not_before=0, deadline=math.inf, lead=2) == 7
