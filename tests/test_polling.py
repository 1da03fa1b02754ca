"""The table of shared looks and the loop of one who waits, on a clock that takes no time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from random import Random
from uuid import UUID

import anyio
import pytest

from dasp_async import (
    DaspError,
    HttpError,
    InvalidResponse,
    JobState,
    JobStatus,
    PollTimeout,
    Schedule,
    SoapFault,
    TransportError,
)
from dasp_async.polling import Load, Looks, NotNow, Wait
from dasp_async.testing import FakeClock

JOB = UUID("a0000000-0000-0000-0000-000000000001")
OTHER = UUID("a0000000-0000-0000-0000-000000000002")
EVEN = Schedule(initial=10, factor=1, maximum=10, jitter=0)
PENDING = JobStatus(job_id=JOB, status="Pending")
RUNNING = JobStatus(job_id=JOB, status="Running")
DONE = JobStatus(job_id=JOB, status="Completed", state=JobState.DONE)
FAULT = SoapFault("a fault", reason="Job not found.")


class Service:
    """What the looks ask: it answers by a script, whose last entry stands for all that follow.

    An entry is a status, an error, or something to await before the next entry is used.
    """

    def __init__(self, *script: JobStatus | DaspError, clock: FakeClock | None = None) -> None:
        self.script = list(script)
        self.clock = FakeClock() if clock is None else clock
        self.called_at: list[float] = []
        self.called_by: list[int] = []
        self.finished = 0
        self.is_proven = False
        self.gate: anyio.Event | None = None

    async def fetch(self, job_id: UUID, load: Load | None, _attempt: int) -> JobStatus:
        if load is not None:
            load.admitted()
        self.called_at.append(self.clock.monotonic())
        self.called_by.append(anyio.get_current_task().id)
        await anyio.lowlevel.checkpoint()
        if self.gate is not None:
            await self.gate.wait()
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.finished += 1
        if isinstance(answer, DaspError):
            raise answer
        self.is_proven = True
        return replace(answer, job_id=job_id)

    def looks(self, *, remembered: int = 256) -> Looks:
        return Looks(
            self.fetch,
            clock=self.clock,
            is_proven=lambda: self.is_proven,
            is_too_often=lambda reason: "too often" in reason,
            random=Random(0),
            remembered=remembered,
        )


async def wait_for(
    looks: Looks,
    job_id: UUID = JOB,
    *,
    timeout: float | None = 3600,
    initial_delay: float = 0,
    schedule: Schedule = EVEN,
    seen: Callable[[JobStatus], object] = lambda _: None,
) -> JobStatus:
    with Wait(
        looks, job_id, timeout=timeout, initial_delay=initial_delay, schedule=schedule
    ) as wait:
        while True:
            status = await wait.next()
            seen(status)
            if status.is_final:
                return status


async def all_waiting(rounds: int = 10) -> None:
    for _ in range(rounds):
        await anyio.lowlevel.checkpoint()


# --- one who waits ----------------------------------------------------------------------------


async def test_looks_at_once_and_then_by_the_schedule() -> None:
    service = Service(PENDING, RUNNING, RUNNING, DONE)
    seen: list[str | None] = []
    schedule = Schedule(initial=2, factor=1.5, maximum=60, jitter=0)
    assert (
        await wait_for(
            service.looks(), schedule=schedule, seen=lambda status: seen.append(status.status)
        )
        == DONE
    )
    assert service.called_at == [0, 2, 5, 9.5]
    assert seen == ["Pending", "Running", "Running", "Completed"]


async def test_the_first_look_can_be_put_off() -> None:
    service = Service(DONE)
    await wait_for(service.looks(), initial_delay=20)
    assert service.called_at == [20]


async def test_jitter_comes_from_the_given_source_once_a_look() -> None:
    service = Service(RUNNING, RUNNING, DONE)
    schedule = Schedule(initial=10, factor=1, maximum=10, jitter=0.5)
    await wait_for(service.looks(), schedule=schedule)
    draws = Random(0)
    first = 10 * (1 - 0.5 * draws.random())
    second = first + 10 * (1 - 0.5 * draws.random())
    assert service.called_at == pytest.approx([0, first, second])


async def test_a_wait_ends_at_its_deadline_and_says_how_to_go_on() -> None:
    service = Service(RUNNING)
    with pytest.raises(PollTimeout) as caught:
        await wait_for(service.looks(), timeout=35)
    error = caught.value
    assert service.clock.monotonic() == 35
    assert (error.job_id, error.last_error, error.polls, error.elapsed) == (JOB, None, 4, 35)
    assert error.last_status == RUNNING
    assert isinstance(error, TimeoutError)
    assert "call poll_until_done with the same job id" in str(error)


async def test_one_last_look_is_taken_before_the_deadline() -> None:
    service = Service(RUNNING, RUNNING, DONE)
    assert await wait_for(service.looks(), timeout=18) == DONE
    assert service.called_at == [0, 10, 18 - 1.8]


async def test_no_last_look_if_the_one_before_is_young() -> None:
    service = Service(RUNNING)
    with pytest.raises(PollTimeout):
        await wait_for(service.looks(), timeout=14)
    assert service.called_at == [0, 10]


async def test_a_wait_without_a_time_limit_goes_on() -> None:
    service = Service(*[RUNNING] * 1000, DONE)
    assert await wait_for(service.looks(), timeout=None) == DONE
    assert service.clock.monotonic() == 10_000


async def test_at_its_deadline_a_wait_leaves_a_look_under_way() -> None:
    service = Service(RUNNING)
    service.gate = anyio.Event()
    with pytest.raises(PollTimeout) as caught:
        await wait_for(service.looks(), timeout=0.05)
    assert (service.finished, caught.value.polls, caught.value.last_status) == (0, 0, None)


async def test_cancelling_a_wait_is_no_timeout() -> None:
    service = Service(RUNNING)
    with anyio.CancelScope() as scope:
        await wait_for(service.looks(), seen=lambda _: scope.cancel(), timeout=3600)
    assert scope.cancelled_caught


async def test_what_the_callback_raises_ends_the_wait() -> None:
    def refuse(_: JobStatus) -> None:
        raise LookupError("not mine")

    with pytest.raises(LookupError, match="not mine"):
        await wait_for(Service(RUNNING).looks(), seen=refuse)


# --- errors -----------------------------------------------------------------------------------


async def test_transient_errors_are_ridden_out_and_told_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = Service(RUNNING, TransportError("reset by peer"), TransportError("again"), DONE)
    with caplog.at_level(logging.WARNING, "dasp_async"):
        assert await wait_for(service.looks()) == DONE
    assert service.called_at == pytest.approx([0, 10, 11, 13], rel=0.2)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "reset by peer" in caplog.messages[0]
    assert str(JOB) in caplog.messages[0]


async def test_five_transient_errors_before_any_answer_end_the_wait() -> None:
    service = Service(TransportError("no route"))
    with pytest.raises(TransportError, match="no route"):
        await wait_for(service.looks())
    assert len(service.called_at) == 5


async def test_a_client_that_was_answered_before_rides_them_out_for_any_job() -> None:
    service = Service(DONE, TransportError("no route"))
    looks = service.looks()
    await wait_for(looks, OTHER)
    with pytest.raises(PollTimeout) as caught:
        await wait_for(looks, JOB, timeout=600)
    assert isinstance(caught.value.last_error, TransportError)
    assert len(service.called_at) > 6


async def test_a_fault_on_the_first_look_ends_the_wait() -> None:
    service = Service(FAULT)
    with pytest.raises(SoapFault, match="a fault"):
        await wait_for(service.looks())
    assert len(service.called_at) == 1


async def test_three_faults_on_a_job_seen_well_are_ridden_out() -> None:
    service = Service(RUNNING, FAULT, FAULT, FAULT, DONE)
    assert await wait_for(service.looks()) == DONE


async def test_the_fourth_fault_in_a_row_ends_the_wait() -> None:
    service = Service(RUNNING, FAULT)
    with pytest.raises(SoapFault):
        await wait_for(service.looks())
    assert len(service.called_at) == 5


async def test_a_fault_that_asks_for_fewer_calls_is_backed_off_from() -> None:
    service = Service(SoapFault("x", reason="called too often"), DONE)
    assert await wait_for(service.looks()) == DONE
    assert 48 <= service.called_at[1] <= 60


async def test_an_http_error_that_waiting_does_not_mend_ends_the_wait() -> None:
    forbidden = HttpError("403", status_code=403, content_type="text/html", excerpt="")
    service = Service(RUNNING, forbidden)
    with pytest.raises(HttpError, match="403"):
        await wait_for(service.looks())


async def test_a_job_that_is_never_more_than_blank_is_taken_for_unknown() -> None:
    service = Service(JobStatus(job_id=JOB))
    with pytest.raises(InvalidResponse, match="may mean that the service does not know"):
        await wait_for(service.looks())
    assert service.called_at == [0, 10, 20]


async def test_a_wait_that_ended_with_an_error_can_be_taken_up_again() -> None:
    service = Service(FAULT, DONE)
    looks = service.looks()
    with pytest.raises(SoapFault):
        await wait_for(looks)
    assert await wait_for(looks) == DONE


# --- shared looks -----------------------------------------------------------------------------


async def gathered(looks: Looks, count: int) -> list[JobStatus | DaspError]:
    results: list[JobStatus | DaspError] = []

    async def one() -> None:
        try:
            results.append(await wait_for(looks))
        except DaspError as error:
            results.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(one)
    return results


async def test_a_thousand_waits_for_a_job_cost_the_calls_of_one() -> None:
    service = Service(PENDING, RUNNING, RUNNING, DONE)
    assert await gathered(service.looks(), 1000) == [DONE] * 1000
    assert service.called_at == [0, 10, 20, 30]


async def test_each_wait_raises_its_own_copy_of_an_error() -> None:
    service = Service(FAULT)
    errors = await gathered(service.looks(), 10)
    assert [type(error) for error in errors] == [SoapFault] * 10
    assert len({id(error) for error in errors}) == 10
    assert len(service.called_at) == 1


async def test_different_jobs_do_not_share_looks() -> None:
    service = Service(DONE)
    looks = service.looks()
    first, second = await wait_for(looks, JOB), await wait_for(looks, OTHER)
    assert (first.job_id, second.job_id) == (JOB, OTHER)
    assert len(service.called_at) == 2


async def test_a_newcomer_gets_the_last_status_at_once_and_resets_nothing() -> None:
    service = Service(PENDING, RUNNING, RUNNING, DONE)
    looks = service.looks()
    schedule = Schedule(initial=10, factor=2, maximum=100, jitter=0)
    told: list[tuple[float, str | None]] = []

    async def newcomer() -> None:
        await service.clock.sleep(25)
        await wait_for(
            looks,
            schedule=schedule,
            seen=lambda status: told.append((service.clock.monotonic(), status.status)),
        )

    async with anyio.create_task_group() as group:
        group.start_soon(newcomer)
        await wait_for(looks, schedule=schedule)
    assert service.called_at == [0, 10, 30, 70]
    assert told == [(25, "Running"), (30, "Running"), (70, "Completed")]


async def test_a_newcomer_who_wants_to_look_sooner_brings_the_first_look_forward() -> None:
    service = Service(DONE)
    looks = service.looks()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: wait_for(looks, initial_delay=60))
        await all_waiting()
        await wait_for(looks, initial_delay=5)
    assert service.called_at == [5]


async def test_a_job_seen_before_is_no_stranger_to_the_next_wait() -> None:
    service = Service(RUNNING, RUNNING, FAULT, DONE)
    looks = service.looks()
    with pytest.raises(PollTimeout):
        await wait_for(looks, timeout=1)
    await looks.look(OTHER)
    assert await wait_for(looks) == DONE

    service = Service(RUNNING, FAULT)
    looks = service.looks()
    await looks.look(JOB)
    with pytest.raises(SoapFault):
        await wait_for(looks)
    assert len(service.called_at) == 5


async def test_no_last_look_when_the_service_wants_none() -> None:
    busy = HttpError("503", status_code=503, content_type="text/html", excerpt="", retry_after=300)
    service = Service(RUNNING, busy)
    with pytest.raises(PollTimeout):
        await wait_for(service.looks(), timeout=200)
    assert service.called_at == [0, 10]


async def test_each_wait_that_times_out_has_its_own_copy_of_the_last_error() -> None:
    results: list[DaspError | None] = []

    async def one(looks: Looks) -> None:
        try:
            await wait_for(looks, timeout=100)
        except PollTimeout as late:
            results.append(late.last_error)

    looks = Service(RUNNING, TransportError("reset")).looks()
    async with anyio.create_task_group() as group:
        for _ in range(2):
            group.start_soon(one, looks)
    assert [str(error) for error in results] == ["reset", "reset"]
    assert results[0] is not results[1]


async def test_a_finished_job_costs_no_further_call() -> None:
    service = Service(DONE)
    looks = service.looks()
    await wait_for(looks)
    assert await wait_for(looks) == DONE
    assert len(service.called_at) == 1


async def test_only_so_many_finished_jobs_are_remembered() -> None:
    service = Service(DONE)
    looks = service.looks(remembered=2)
    for number in (1, 2, 3, 1):
        await wait_for(looks, UUID(int=number))
    assert len(service.called_at) == 4
    await wait_for(looks, UUID(int=3))
    assert len(service.called_at) == 4


async def test_a_direct_look_joins_the_one_under_way_and_tells_those_who_wait() -> None:
    service = Service(RUNNING, DONE)
    looks = service.looks()
    async with anyio.create_task_group() as group:
        group.start_soon(wait_for, looks)
        await all_waiting()
        assert service.called_at == [0]
        assert (await looks.look(JOB)) == DONE
    assert service.called_at == [0, 0]
    assert service.clock.monotonic() == 0

    service = Service(RUNNING)
    service.gate = anyio.Event()
    looks, answers = service.looks(), list[JobStatus]()

    async def ask() -> None:
        answers.append(await looks.look(JOB))

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await all_waiting()
        service.gate.set()
    assert (answers, len(service.called_at)) == ([RUNNING] * 3, 1)


async def test_joined_direct_looks_raise_copies() -> None:
    service = Service(FAULT)
    service.gate = anyio.Event()
    looks, errors = service.looks(), list[DaspError]()

    async def ask() -> None:
        try:
            await looks.look(JOB)
        except DaspError as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await all_waiting()
        service.gate.set()
    assert len({id(error) for error in errors}) == 3
    assert len(service.called_at) == 1


async def test_a_cancelled_leader_is_followed_by_the_next_and_nobody_else_notices() -> None:
    service = Service(RUNNING, DONE)
    service.gate = anyio.Event()
    looks, results, scopes = service.looks(), list[JobStatus](), dict[int, anyio.CancelScope]()

    async def one() -> None:
        with anyio.CancelScope() as scope:
            scopes[anyio.get_current_task().id] = scope
            results.append(await wait_for(looks))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one)
        await all_waiting()
        assert len(service.called_at) == 1
        for _ in range(4):
            scopes[service.called_by[-1]].cancel()
            await all_waiting()
        assert len(service.called_at) == 1 + 4
        service.gate.set()
    assert results == [DONE] * 6


async def test_a_leader_whose_time_is_up_is_followed_by_the_next() -> None:
    service = Service(DONE)
    service.gate = anyio.Event()
    looks, results = service.looks(), list[JobStatus | PollTimeout]()

    async def one(timeout: float) -> None:
        try:
            results.append(await wait_for(looks, timeout=timeout))
        except PollTimeout as error:
            results.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(one, 0.05)
        await all_waiting()
        group.start_soon(one, 3600)
        while not results:
            await anyio.sleep(0.01)
        await all_waiting()
        service.gate.set()
    hasty, patient = results
    assert isinstance(hasty, PollTimeout)
    assert (patient, len(service.called_at)) == (DONE, 2)


@pytest.mark.parametrize("missing", [{"timeout": 0}, {"timeout": -1}, {"initial_delay": -1}])
def test_impossible_durations_are_refused(missing: dict[str, float]) -> None:
    options: dict[str, float] = {"timeout": 60, "initial_delay": 0, **missing}
    with pytest.raises(ValueError, match=next(iter(missing))):
        Wait(Service(DONE).looks(), JOB, schedule=EVEN, **options)


async def test_a_job_that_all_have_left_is_looked_at_anew_by_the_next() -> None:
    service = Service(PENDING, RUNNING, DONE)
    looks = service.looks()

    async def gives_up(timeout: float) -> None:
        with pytest.raises(PollTimeout):
            await wait_for(looks, timeout=timeout)

    async with anyio.create_task_group() as group:
        for timeout in (3, 4, 5):
            group.start_soon(gives_up, timeout)
    seen: list[str | None] = []
    await wait_for(looks, seen=lambda status: seen.append(status.status))
    assert seen == ["Running", "Completed"]
    assert service.called_at == [0, 5, 15]


async def test_a_look_says_for_how_long_it_has_been_due() -> None:
    clock = FakeClock()
    looked: list[tuple[float, int, float]] = []

    async def fetch(_: UUID, load: Load | None, _attempt: int) -> JobStatus:
        assert load is not None
        looked.append((clock.monotonic(), load.jobs, load.overdue))
        if len(looked) == 1:
            raise NotNow(5)
        load.admitted()
        return RUNNING

    looks = Looks(
        fetch, clock=clock, is_proven=lambda: True, is_too_often=lambda _: False, random=Random(0)
    )
    with pytest.raises(PollTimeout):
        await wait_for(looks, initial_delay=20, timeout=43)
    # the last is taken before it is due
    assert looked == [(20, 1, 0), (25, 1, 5), (35, 1, 0), (41, 1, 0)]


async def test_while_calls_are_plenty_no_look_waits_for_another_to_be_admitted() -> None:
    clock = FakeClock()
    asked_at: list[float] = []

    async def fetch(job_id: UUID, load: Load | None, _attempt: int) -> JobStatus:
        asked_at.append(clock.monotonic())
        await clock.sleep(1)
        if load is not None:
            load.admitted()
        return replace(DONE, job_id=job_id)

    looks = Looks(
        fetch, clock=clock, is_proven=lambda: True, is_too_often=lambda _: False, random=Random(0)
    )
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: wait_for(looks, JOB))
        group.start_soon(lambda: wait_for(looks, OTHER))
    assert asked_at == [0, 0]


async def test_a_first_look_put_off_for_too_long_is_the_last() -> None:
    service = Service(RUNNING)
    with pytest.raises(PollTimeout):
        await wait_for(service.looks(), initial_delay=60, timeout=35)
    assert service.called_at == [33]


async def test_a_newcomer_who_can_wait_longer_does_not_put_the_first_look_off() -> None:
    service = Service(DONE)
    looks = service.looks()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: wait_for(looks, initial_delay=5))
        await all_waiting()
        await wait_for(looks, initial_delay=60)
    assert service.called_at == [5]


async def test_when_calls_are_to_be_had_again_whose_look_is_due_for_longest_is_first() -> None:
    clock = FakeClock()
    looked: list[tuple[float, UUID]] = []

    async def fetch(job_id: UUID, load: Load | None, _attempt: int) -> JobStatus:
        assert load is not None
        looked.append((clock.monotonic(), job_id))
        if len(looked) == 1:
            raise NotNow(10)
        load.admitted()
        return replace(DONE, job_id=job_id)

    looks = Looks(
        fetch, clock=clock, is_proven=lambda: True, is_too_often=lambda _: False, random=Random(0)
    )
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: wait_for(looks, OTHER, initial_delay=10))
        await all_waiting()
        await wait_for(looks, JOB)
    assert looked == [(0, JOB), (10, JOB), (10, OTHER)]


async def test_the_time_that_a_look_is_given_is_what_is_left() -> None:
    service = Service(DONE)
    service.clock.advance(1000)
    service.gate = anyio.Event()
    with pytest.raises(PollTimeout):
        await wait_for(service.looks(), timeout=0.05)
    assert service.called_at == [1000]
