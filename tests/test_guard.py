"""What a client does with its budget: never more calls than it allows, never 25 failed log-ins."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from dasp_async import (
    BudgetExhausted,
    CallRefused,
    CustomerApi,
    DaspError,
    FaultRules,
    HttpError,
    InvalidResponse,
    JobState,
    JobStatus,
    LockoutRisk,
    MemoryBudget,
    PollTimeout,
    Schedule,
    SoapFault,
    TransportError,
)
from dasp_async.budget import Caller, Verdict
from dasp_async.guard import verdict_of
from dasp_async.polling import Load, Looks, Wait
from dasp_async.testing import Delay, FakeClock, FakeCustomerApi, Fault, RawAnswer
from tests.servers import sample

KEY = "test-key"
JOB = UUID("a0000000-0000-0000-0000-000000000001")
UNKNOWN = UUID("f0000000-0000-0000-0000-000000000001")
EVEN = Schedule(initial=10, factor=1, maximum=10, jitter=0)


class Setting:
    """A fake service, its clock, and clients of it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeCustomerApi(KEY, clock=self.clock)

    @asynccontextmanager
    async def api(self, key: str = KEY, **options: Any) -> AsyncGenerator[CustomerApi]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.fake)) as http:
            chosen: dict[str, Any] = {"schedule": EVEN, **options}
            yield CustomerApi(key, http_client=http, clock=self.clock, **chosen)

    def budget(self, **limits: Any) -> MemoryBudget:
        return MemoryBudget(clock=self.clock, **limits)

    @property
    def called_at(self) -> list[float]:
        return [call.at for call in self.fake.calls]


async def looks_at(setting: Setting, api: CustomerApi, waits: list[UUID]) -> list[int]:
    """How often each job was looked at in an hour of waiting without end, a task a wait.

    A deadline would cut looks off by real seconds, of which this machine may have too few.
    """
    async with anyio.create_task_group() as group:
        group.start_soon(partial(ends, api, waits, timeout=None))
        await setting.clock.sleep(3600)
        group.cancel_scope.cancel()
    looked_at = [call.parameters["jobId"] for call in setting.fake.calls]
    return [looked_at.count(str(job)) for job in set(waits)]


async def ends(api: CustomerApi, jobs: list[UUID], **options: Any) -> list[object]:
    """How each of many waits, a task each, came to its end."""
    results: list[object] = []

    async def one(job: UUID) -> None:
        try:
            results.append((await api.poll_until_done(job, **options)).state)
        except DaspError as error:
            results.append(type(error))

    async with anyio.create_task_group() as group:
        for job in jobs:
            group.start_soon(one, job)
    return results


# --- the lock-out -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        "Invalid API key.",
        "Object reference not set.",
        "Job not found.",
        "Too many failed log-ins.",
        "Nope",
    ],
)
async def test_a_thousand_waits_with_a_wrong_key_are_fewer_than_25_log_ins(reason: str) -> None:
    setting = Setting()
    setting.fake.trouble(Fault(reason=reason), times=2000)
    jobs = [UUID(int=number) for number in range(1, 1001)]
    async with setting.api("wrong") as api:
        results = await ends(api, jobs)
        assert set(results) <= {SoapFault, LockoutRisk, PollTimeout}
        assert len(setting.fake.calls) < 25


async def test_a_day_of_trying_again_every_second_is_fewer_than_25_log_ins() -> None:
    setting = Setting()
    budget = setting.budget()
    for _ in range(24 * 60):
        async with setting.api("wrong", budget=budget) as api:
            with pytest.raises((SoapFault, LockoutRisk)):
                await api.get_job_status(JOB)
        setting.clock.advance(60)
    assert 1 < len(setting.fake.calls) < 25


async def test_a_refused_key_closes_the_door_at_once() -> None:
    setting = Setting()
    async with setting.api("wrong") as api:
        with pytest.raises(SoapFault, match="Invalid API key"):
            await api.get_job_status(JOB)
        with pytest.raises(
            LockoutRisk, match="check the key, the white list and the job ids"
        ) as caught:
            await api.get_job_status(JOB)
    assert (caught.value.faults, caught.value.retry_after) == (1, 60)
    assert len(setting.fake.calls) == 1


async def test_a_refused_key_ends_all_waits_at_once_however_scarce_calls_are() -> None:
    setting = Setting()
    jobs = [UUID(int=number) for number in range(1, 1001)]
    async with setting.api("wrong", budget=setting.budget(limit=1000)) as api:
        assert set(await ends(api, jobs)) == {SoapFault, LockoutRisk}
    assert setting.clock.monotonic() < 1


async def test_a_mended_key_is_let_through_after_the_cool_down() -> None:
    setting = Setting()
    setting.fake.trouble(Fault(reason="Invalid API key."))
    setting.fake.add_job("Completed", job_id=JOB)
    async with setting.api() as api:
        with pytest.raises(SoapFault):
            await api.get_job_status(JOB)
        setting.clock.advance(60)
        for _ in range(30):
            assert (await api.get_job_status(JOB)).state is JobState.DONE


async def test_a_key_known_to_be_good_may_ask_for_unknown_jobs() -> None:
    setting = Setting()
    setting.fake.add_job("Completed", job_id=JOB)
    async with setting.api() as api:
        await api.get_job_status(JOB)
        for _ in range(100):
            with pytest.raises(SoapFault, match="Job not found"):
                await api.get_job_status(UNKNOWN)
        assert (await api.get_job_status(JOB)).state is JobState.DONE


async def test_a_wrong_key_whose_fault_can_not_be_read_is_stopped() -> None:
    setting = Setting()
    # ASMX writes what XML can't hold into its faults.
    unreadable = RawAnswer(
        sample("soap11/fault-text-special"), status=500, headers={"Content-Type": SOAP}
    )
    setting.fake.trouble(unreadable, times=5000)
    async with setting.api() as api:
        results = await ends(api, [UUID(int=number) for number in range(1, 1001)])
    assert set(results) == {HttpError, LockoutRisk}
    assert len(setting.fake.calls) < 25


async def test_a_good_key_begins_with_any_number_of_waits() -> None:
    setting = Setting()
    jobs = [setting.fake.add_job("Running", "Completed") for _ in range(200)]
    async with setting.api() as api:
        assert await ends(api, jobs) == [JobState.DONE] * 200


async def test_cancelled_calls_of_a_key_not_known_to_be_good_may_still_be_failed_log_ins() -> None:
    hang, arrived = anyio.Event(), 0

    async def hanging(_: httpx.Request) -> httpx.Response:
        nonlocal arrived
        arrived += 1
        await hang.wait()
        return httpx.Response(500)

    async with httpx.AsyncClient(transport=httpx.MockTransport(hanging)) as http:
        api = CustomerApi(KEY, http_client=http)
        for number in range(1, 31):
            with anyio.move_on_after(0.02):
                await api.get_job_status(UUID(int=number))
    assert arrived <= 10


ANY = FaultRules()
SOAP = "Text/XML; charset=utf-8"


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (SoapFault("x", reason="Daily limit of API key reached"), Verdict.DOUBTFUL),
        (SoapFault("x", reason="INVALID API KEY."), Verdict.REFUSED_KEY),
        (SoapFault("x", reason="... ---> Job not found."), Verdict.DOUBTFUL),
        (SoapFault("x", reason="Object reference not set"), Verdict.FAULT),
        (HttpError("x", status_code=401, content_type="", excerpt=""), Verdict.FAULT),
        (HttpError("x", status_code=403, content_type="", excerpt=""), Verdict.FAULT),
        (HttpError("x", status_code=500, content_type="", excerpt=""), Verdict.NOTHING),
        (HttpError("x", status_code=500, content_type="text/html", excerpt=""), Verdict.NOTHING),
        (HttpError("x", status_code=500, content_type=SOAP, excerpt=""), Verdict.DOUBTFUL),
        (HttpError("x", status_code=400, content_type=SOAP, excerpt=""), Verdict.NOTHING),
        (TransportError("x"), Verdict.NOTHING),
        (InvalidResponse("x"), Verdict.NOTHING),
        (RuntimeError("x"), Verdict.NOTHING),
    ],
)
def test_what_an_error_says_about_the_key(error: Exception, verdict: Verdict) -> None:
    assert verdict_of(error, ANY) is verdict


# --- the budget -------------------------------------------------------------------------------


async def test_a_call_beyond_the_budget_is_refused_and_told_when_the_next_is_free() -> None:
    setting = Setting()
    setting.fake.add_job("Completed", job_id=JOB)
    async with setting.api(budget=setting.budget(limit=3, window=100)) as api:
        for _ in range(3):
            await api.get_job_status(JOB)
            setting.clock.advance(10)
        with pytest.raises(BudgetExhausted, match="3 of 3 calls are used") as caught:
            await api.get_job_status(JOB)
        assert (caught.value.limit, caught.value.used) == (3, 3)
        assert caught.value.retry_after == pytest.approx(70)
        setting.clock.advance(70)
        await api.get_job_status(JOB)
    assert len(setting.fake.calls) == 4


async def test_a_door_that_closes_ends_those_at_once_who_wait_for_a_call() -> None:
    setting = Setting()
    jobs = [setting.fake.add_job("Running") for _ in range(5)]
    ended: list[tuple[object, float]] = []

    async def wait_for(api: CustomerApi, job: UUID) -> None:
        try:
            await api.poll_until_done(job, timeout=None)
        except DaspError as error:
            ended.append((type(error), setting.clock.monotonic()))

    async with (
        setting.api(budget=setting.budget(limit=10, window=36_000)) as api,
        anyio.create_task_group() as group,
    ):
        for job in jobs:
            group.start_soon(wait_for, api, job)
        await setting.clock.sleep(7000)
        setting.fake.trouble(Fault(reason="Invalid API key."))
        with pytest.raises(SoapFault):
            await api.get_job_status(JOB)
    assert [kind for kind, _ in ended] == [LockoutRisk] * 5
    # One may have got the fault itself, which it rides out for a moment.
    assert all(7000 <= at < 7002 for _, at in ended)


async def test_a_wait_whose_look_was_put_off_says_so() -> None:
    setting = Setting()
    job = setting.fake.add_job("Running")
    async with setting.api(budget=setting.budget(limit=3, window=100)) as api:
        with pytest.raises(PollTimeout, match="put off to save calls, which a longer timeout"):
            await api.poll_until_done(job, timeout=60)
    async with setting.api() as api:
        with pytest.raises(PollTimeout, match=r"to go on waiting$"):
            await api.poll_until_done(job, timeout=60)


async def test_scarce_calls_are_told_of_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dasp_async")
    setting = Setting()
    jobs = [setting.fake.add_job("Running") for _ in range(50)]
    async with setting.api(budget=setting.budget(limit=30)) as api:
        await ends(api, jobs, timeout=3000)
    told = [record for record in caplog.records if "to save calls" in record.getMessage()]
    assert 1 <= len(told) <= 10
    assert "for one of 50 jobs" in told[0].getMessage()


async def test_retries_count() -> None:
    setting = Setting()
    budget = setting.budget(limit=10)
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(503))
    ) as http:
        api = CustomerApi(KEY, http_client=http, clock=setting.clock, budget=budget)
        with pytest.raises(HttpError):
            await api.get_job_status(JOB)
    assert await budget.remaining() == 7


async def test_the_vendors_endpoint_has_a_budget_of_its_own_accord() -> None:
    setting = Setting()
    setting.fake.add_job("Completed", job_id=JOB)
    async with setting.api() as api, setting.api(budget=None) as unlimited:
        for _ in range(1000):
            await api.get_job_status(JOB)
            await unlimited.get_job_status(JOB)
        await unlimited.get_job_status(JOB)
        with pytest.raises(BudgetExhausted):
            await api.get_job_status(JOB)


async def test_a_wait_sleeps_until_a_call_is_free_if_it_has_the_time() -> None:
    setting = Setting()
    setting.fake.add_job("Completed", job_id=JOB)
    budget = setting.budget(limit=2, window=100)
    async with setting.api(budget=budget) as api:
        for _ in range(2):
            await api.get_job_status(JOB)
        other = setting.fake.add_job("Completed")
        await api.poll_until_done(other, timeout=200)
    assert setting.called_at[-1] == pytest.approx(100)


async def test_a_wait_that_has_no_time_for_that_ends_at_once() -> None:
    setting = Setting()
    setting.fake.add_job("Completed", job_id=JOB)
    other = setting.fake.add_job("Completed")
    async with setting.api(budget=setting.budget(limit=2, window=100)) as api:
        for _ in range(2):
            await api.get_job_status(JOB)
        results = await ends(api, [other, UUID(int=7)], timeout=50)
    assert results == [BudgetExhausted] * 2
    assert (len(setting.fake.calls), setting.clock.monotonic()) == (2, 0)


async def test_waits_leave_the_reserve_to_direct_calls() -> None:
    setting = Setting()
    job = setting.fake.add_job("Running")
    budget = setting.budget(limit=20, reserve=5)
    async with setting.api(budget=budget) as api:
        with pytest.raises(PollTimeout):
            await api.poll_until_done(job, timeout=3600)
        assert await budget.remaining() >= 5
        for _ in range(5):
            await api.get_job_status(job)


async def test_plentiful_calls_delay_nothing() -> None:
    setting = Setting()
    job = setting.fake.add_job(duration=300)
    async with setting.api(budget=setting.budget()) as api:
        await api.poll_until_done(job)
    assert setting.called_at == [10 * number for number in range(31)]


@pytest.mark.parametrize("jobs", [5, 60, 250])
async def test_scarce_calls_see_every_end_and_refuse_none(jobs: int) -> None:
    setting = Setting()
    budget = setting.budget(limit=100, window=3600)
    ids = [setting.fake.add_job(duration=120.0 + 37 * (n % 50)) for n in range(jobs)]
    async with setting.api(budget=budget) as api:
        assert await ends(api, ids, timeout=None) == [JobState.DONE] * jobs
    times = setting.called_at
    assert all(later - earlier >= 3600 for earlier, later in zip(times, times[100:], strict=False))


async def test_the_log_says_when_looks_are_slowed(caplog: pytest.LogCaptureFixture) -> None:
    setting = Setting()
    job = setting.fake.add_job(duration=600)
    with caplog.at_level(logging.INFO, "dasp_async"):
        async with setting.api(budget=setting.budget(limit=10, window=3600)) as api:
            await api.poll_until_done(job)
    assert "looks are spread out to save calls: the next comes in" in caplog.messages[0]


async def test_scarce_calls_are_shared_out_fairly() -> None:
    setting = Setting()
    ids = [setting.fake.add_job("Running") for _ in range(40)]
    async with setting.api(budget=setting.budget(limit=200, window=3600)) as api:
        looks = await looks_at(setting, api, ids)
    assert max(looks) - min(looks) <= 1


async def test_many_waits_without_tasks_are_paced_alike() -> None:
    setting = Setting()
    ids = [setting.fake.add_job(duration=60.0 * (n % 7)) for n in range(250)]
    async with (
        setting.api(budget=setting.budget(limit=100, window=3600)) as api,
        api.poll_many(ids, timeout=None) as outcomes,
    ):
        assert [outcome.error async for outcome in outcomes] == [None] * 250
    times = setting.called_at
    assert all(later - earlier >= 3600 for earlier, later in zip(times, times[100:], strict=False))


async def test_one_who_gives_up_its_turn_lets_the_next_go() -> None:
    setting = Setting()
    setting.fake.add_job("Completed", job_id=JOB)
    first, second = (setting.fake.add_job("Completed") for _ in range(2))
    results: list[object] = []
    async with setting.api(budget=setting.budget(limit=3, window=100)) as api:
        for _ in range(3):
            await api.get_job_status(JOB)

        async def wait_for(job: UUID, timeout: float) -> None:
            results.extend(await ends(api, [job], timeout=timeout, initial_delay=1))

        async with anyio.create_task_group() as group:
            group.start_soon(wait_for, first, 90)
            group.start_soon(wait_for, second, 200)
    assert results == [BudgetExhausted, JobState.DONE]
    assert setting.called_at[3:] == [pytest.approx(100)]


# --- turns ------------------------------------------------------------------------------------


async def used(setting: Setting, limit: int, **left: int) -> MemoryBudget:
    """A budget of 600 s with all calls used but those that are `left`, just now."""
    budget = setting.budget(limit=limit, window=600)
    job = setting.fake.add_job("Completed")
    async with setting.api(budget=budget) as api:
        for _ in range(limit - left.get("left", 0)):
            await api.get_job_status(job)
    return budget


async def test_a_direct_call_does_not_keep_a_job_s_turn() -> None:
    setting = Setting()
    budget = await used(setting, 6, left=1)
    slow = Schedule(initial=3000, factor=1, maximum=3000, jitter=0)
    first, second = setting.fake.add_job("Running"), setting.fake.add_job("Completed")
    async with setting.api(budget=budget, schedule=slow) as api, anyio.create_task_group() as group:
        group.start_soon(ends, api, [first])
        await anyio.lowlevel.checkpoint()
        group.start_soon(ends, api, [second])
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        await api.get_job_status(first)
        await api.poll_until_done(second, timeout=1300)
        assert setting.clock.monotonic() <= 1300
        group.cancel_scope.cancel()


async def test_two_waits_for_a_job_do_not_get_two_turns() -> None:
    setting = Setting()
    ids = [setting.fake.add_job("Running") for _ in range(6)]
    setting.fake.trouble(Delay(seconds=0.5), times=1000)
    async with setting.api(budget=setting.budget(limit=31, window=600)) as api:
        looks = await looks_at(setting, api, [ids[0], *ids])
    assert max(looks) - min(looks) <= 1


async def test_one_who_leaves_at_the_head_lets_the_next_go_though_others_wait_for_its_job() -> None:
    setting = Setting()
    budget = await used(setting, 6, left=1)
    first, second = setting.fake.add_job("Completed"), setting.fake.add_job("Completed")
    async with setting.api(budget=budget) as api, anyio.create_task_group() as group:

        async def later() -> None:
            await api.poll_until_done(first, initial_delay=7200, timeout=None)

        group.start_soon(later)
        await anyio.lowlevel.checkpoint()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as inner:
                inner.start_soon(api.poll_until_done, first)
                for _ in range(10):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()
        await api.poll_until_done(second)
        assert setting.clock.monotonic() <= 1300


@pytest.mark.parametrize(("limit", "jobs"), [(5, 5), (10, 10), (50, 20), (50, 60)])
async def test_many_waits_that_are_left_early_leave_nothing_behind(limit: int, jobs: int) -> None:
    setting = Setting()
    ids = [setting.fake.add_job("Running") for _ in range(jobs)]
    other = setting.fake.add_job("Completed")
    async with setting.api(budget=setting.budget(limit=limit, window=600)) as api:
        async with api.poll_many(ids, timeout=None):
            await setting.clock.sleep(30)
        setting.clock.advance(1200)
        started = setting.clock.monotonic()
        await api.poll_until_done(other, timeout=36_000)
    assert setting.clock.monotonic() == started


async def test_a_direct_call_that_is_refused_says_nothing_to_those_who_wait() -> None:
    setting = Setting()
    budget = await used(setting, 2)
    job = setting.fake.add_job("Completed")
    results: list[object] = []
    async with setting.api(budget=budget) as api, anyio.create_task_group() as group:

        async def wait_for_it() -> None:
            results.append((await api.poll_until_done(job, timeout=None)).state)

        group.start_soon(wait_for_it)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        with pytest.raises(BudgetExhausted):
            await api.get_job_status(job)
    assert results == [JobState.DONE]


async def test_who_is_refused_is_told_the_seconds_that_are_left() -> None:
    setting = Setting()
    budget = await used(setting, 2)
    job = setting.fake.add_job("Completed")
    async with setting.api(budget=budget) as api, anyio.create_task_group() as group:
        group.start_soon(ends, api, [setting.fake.add_job("Completed")])
        await setting.clock.sleep(500)
        with pytest.raises(BudgetExhausted) as caught:
            await api.poll_until_done(job, timeout=50)
        assert caught.value.retry_after == pytest.approx(100)


async def test_a_wait_whose_job_ends_before_it_comes_to_run_is_told_so() -> None:
    looks_made: list[Load | None] = []
    leader = anyio.CancelScope()

    async def fetch(job_id: UUID, load: Load | None, _attempt: int) -> JobStatus:
        looks_made.append(load)
        if len(looks_made) == 1:
            await anyio.Event().wait()
        return JobStatus(job_id=job_id, status="Completed", state=JobState.DONE)

    looks = Looks(
        fetch,
        clock=FakeClock(),
        is_proven=lambda: True,
        is_too_often=lambda _: False,
        random=Random(0),
    )
    states: list[JobState] = []

    async def wait_for() -> None:
        with Wait(looks, JOB, timeout=None, initial_delay=0, schedule=EVEN) as wait:
            states.append((await wait.next()).state)

    async def lead() -> None:
        with leader:
            await wait_for()

    async with anyio.create_task_group() as group:
        group.start_soon(lead)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        for _ in range(10):
            group.start_soon(wait_for)
        # Among those who wait for the first look, direct calls end the job without yielding.
        for _ in range(10):
            group.start_soon(looks.look, JOB)
        for _ in range(10):
            group.start_soon(wait_for)
        for _ in range(5):
            await anyio.lowlevel.checkpoint()
        leader.cancel()
    assert states == [JobState.DONE] * 20


class Forgetful(MemoryBudget):
    """A budget that cannot note what came of a call."""

    async def settle(self, caller: Caller, call: int, verdict: Verdict) -> None:
        """Fail, as a file does on a full disk."""
        del caller, call, verdict
        raise CallRefused("the disk is full")


@pytest.mark.parametrize("step", ["Completed", Fault(reason="Deadlock.")])
async def test_an_outcome_that_cannot_be_noted_is_told_all_the_same(
    step: str | Fault, caplog: pytest.LogCaptureFixture
) -> None:
    setting = Setting()
    job = setting.fake.add_job(step)
    async with setting.api(budget=Forgetful(clock=setting.clock)) as api:
        if isinstance(step, Fault):
            with pytest.raises(SoapFault, match="Deadlock"):
                await api.get_job_status(job)
        else:
            assert (await api.get_job_status(job)).state is JobState.DONE
    assert "could not be noted: the disk is full" in caplog.text
