"""The stores of a budget, by one table of behaviour; then what only a file can do."""

from __future__ import annotations

import math
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import anyio
import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dasp_async import CallBudget, MemoryBudget, RedisBudget, SqliteBudget
from dasp_async.budget import (
    Admission,
    Admitted,
    Caller,
    Closed,
    NotYet,
    UsedUp,
    Verdict,
    Waiting,
    sqlite_file,
)
from dasp_async.budget.rules import (
    FORGOTTEN_AFTER,
    LONGEST_PAUSE,
    LOST_AFTER,
    SITE_WINDOW,
    UNPROVEN_PAUSE,
)
from dasp_async.errors import CallRefused
from dasp_async.testing import FakeClock
from tests.redis_server import RedisServer

KEY: Final = "a-key-that-must-not-be-stored"
SITE: Final = "https://site.invalid/that-must-not-be-stored"
CALLER: Final = Caller.of(KEY, SITE)
DAY: Final = 86_400.0
BUSY: Final = NotYet(UNPROVEN_PAUSE)

Make = Callable[..., CallBudget]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.db"


@pytest.fixture(params=["memory", "sqlite", "redis"])
def make(request: pytest.FixtureRequest, path: Path, clock: FakeClock) -> Make:
    """Makes a budget on the test's clock, of each kind."""
    if request.param == "redis":
        server: RedisServer = request.getfixturevalue("redis_server")
        return partial(RedisBudget, server.url, clock=clock)
    if request.param == "sqlite":
        return partial(SqliteBudget, path, clock=clock)
    return partial(MemoryBudget, clock=clock)


def admitted(answer: Admission) -> int:
    assert isinstance(answer, Admitted)
    return answer.call


async def prove(budget: CallBudget, caller: Caller = CALLER) -> None:
    await budget.settle(caller, admitted(await budget.admit(caller, None)), Verdict.GOOD)


async def fail(budget: CallBudget, times: int, caller: Caller = CALLER) -> None:
    for _ in range(times):
        await budget.settle(caller, admitted(await budget.admit(caller, None)), Verdict.FAULT)


# -- counting


async def test_a_call_is_free_again_when_it_leaves_the_window(make: Make, clock: FakeClock) -> None:
    budget = make(limit=3, window=100.0)
    await prove(budget)
    for _ in range(2):
        clock.advance(10)
        admitted(await budget.admit(CALLER, None))
    assert await budget.admit(CALLER, None) == UsedUp(80.0, limit=3, used=3)
    assert await budget.remaining(KEY) == 0
    clock.advance(79.5)
    assert await budget.admit(CALLER, None) == UsedUp(0.5, limit=3, used=3)
    clock.advance(0.5)
    assert await budget.remaining(KEY) == 1
    admitted(await budget.admit(CALLER, None))
    assert await budget.admit(CALLER, None) == UsedUp(10.0, limit=3, used=3)


async def test_a_call_dated_in_the_future_counts_as_used(make: Make, clock: FakeClock) -> None:
    budget = make(limit=2, window=100.0)
    await prove(budget)
    admitted(await budget.admit(CALLER, None))
    clock.advance(-1000)
    assert await budget.admit(CALLER, None) == UsedUp(1100.0, limit=2, used=2)
    assert await budget.remaining() == 0


async def test_calls_made_after_the_clock_was_set_back_leave_first(
    make: Make, clock: FakeClock
) -> None:
    budget = make(limit=3, window=100.0)
    await prove(budget)
    admitted(await budget.admit(CALLER, None))
    clock.advance(-50)
    admitted(await budget.admit(CALLER, None))
    assert await budget.admit(CALLER, None) == UsedUp(100.0, limit=3, used=3)
    clock.advance(100)
    assert await budget.remaining(KEY) == 1


async def test_keys_are_counted_apart_and_endpoints_are_not(make: Make) -> None:
    budget = make(limit=5)
    assert await budget.remaining() == 5
    other = Caller.of("another-key", SITE)
    elsewhere = Caller.of(KEY, "https://elsewhere.invalid/")
    for caller in (CALLER, CALLER, elsewhere, other):
        admitted(await budget.admit(caller, None))
    keys = [KEY, "another-key", "a-key-never-used", None]
    assert [await budget.remaining(key) for key in keys] == [2, 4, 5, 2]


@pytest.mark.parametrize("waiting", [None, Waiting("a", 1)])
async def test_a_limit_that_was_lowered_leaves_nothing_until_enough_have_returned(
    path: Path, redis_server: RedisServer, clock: FakeClock, waiting: Waiting | None
) -> None:
    for kind in (partial(SqliteBudget, path), partial(RedisBudget, redis_server.url)):
        before = clock.time()
        await prove(kind(clock=clock))
        for _ in range(3):
            clock.advance(100)
            admitted(await kind(clock=clock).admit(CALLER, None))
        lowered = kind(limit=2, clock=clock)
        assert await lowered.admit(CALLER, waiting) == UsedUp(DAY - 100, limit=2, used=4)
        assert await lowered.remaining() == 0
        clock.advance(before - clock.time())


async def test_an_endpoint_is_its_host_and_port_however_it_is_spelled(make: Make) -> None:
    budget = make()
    spellings = ["https://host.invalid/a", "HTTPS://Host.invalid:443/A?b", "https://host.invalid"]
    for number, endpoint in enumerate(spellings):
        await fail(budget, 3 + number // 2, Caller.of(KEY, endpoint))
    assert await budget.admit(Caller.of(KEY, spellings[0]), None) == Closed(60.0, 10)
    admitted(await budget.admit(Caller.of(KEY, "https://host.invalid:444/a"), None))
    admitted(await budget.admit(Caller.of(KEY, "https://other.invalid/a"), None))


async def test_without_a_limit_only_the_guard_refuses(make: Make) -> None:
    budget = make(limit=math.inf)
    await prove(budget)
    for number in range(50):
        admitted(await budget.admit(CALLER, Waiting("a", number)))
    assert await budget.remaining() == sys.maxsize
    await budget.settle(CALLER, 0, Verdict.REFUSED_KEY)
    assert await budget.admit(CALLER, None) == Closed(60.0, faults=1)


# -- waits


async def pause_of(budget: CallBudget, waiting: Waiting) -> float:
    """How long a wait is told to pause."""
    answer = await budget.admit(CALLER, waiting)
    assert isinstance(answer, NotYet)
    return answer.pause


async def test_a_wait_leaves_the_reserve_and_the_last_call_beyond_it(
    make: Make, clock: FakeClock
) -> None:
    budget = make(limit=10, window=1000.0, reserve=4)
    await prove(budget)
    clock.advance(10)
    wait = Waiting("a", 100)
    for _ in range(4):
        admitted(await budget.admit(CALLER, wait))
        clock.advance(200)
    assert await budget.admit(CALLER, wait) == NotYet(190.0)
    admitted(await budget.admit(CALLER, None))
    assert await budget.admit(CALLER, wait) == UsedUp(190.0, limit=10, used=6)
    for _ in range(4):
        admitted(await budget.admit(CALLER, None))
    assert await budget.admit(CALLER, None) == UsedUp(190.0, limit=10, used=10)
    # five must return before a wait may have one
    assert await budget.admit(CALLER, wait) == UsedUp(800.0, limit=10, used=10)


async def test_a_direct_call_is_not_paced_and_does_not_pace(make: Make, clock: FakeClock) -> None:
    budget = make(limit=11, window=1000.0)
    await prove(budget)
    wait = Waiting("a", 12)
    admitted(await budget.admit(CALLER, wait))
    # 9 of 11 are left for 12 jobs: the pause is long enough after p = (1000 - p) / 9
    assert await pause_of(budget, wait) == 100.0
    clock.advance(1)
    admitted(await budget.admit(CALLER, None))
    # 8 are left, and 1 s is over: 1 + p = (999 - p) / 8
    rest = 991 / 9
    assert await pause_of(budget, wait) == pytest.approx(rest)
    clock.advance(rest)
    admitted(await budget.admit(CALLER, wait))


async def test_what_was_used_weighs_by_its_age(make: Make, clock: FakeClock) -> None:
    budget = make(limit=1000)
    await prove(budget)
    for _ in range(498):
        admitted(await budget.admit(CALLER, None))
    pauses: list[float] = []
    for hour in range(24):
        admitted(await budget.admit(CALLER, Waiting("a", 1)))
        pauses.append(await pause_of(budget, Waiting("a", 1)))
        clock.advance(3600 if hour < 23 else 3599)
    # after an hour 20 · 501 / (1000² · 499) · 500 · 3900 s · (23 / 24)², while calls age on
    assert pauses[1] == pytest.approx(36.0 / (1 - 0.0084), rel=0.002)
    assert pauses[0] < pauses[1] < pauses[4] > pauses[22] > pauses[23]


async def test_the_jobs_of_all_processes_are_counted_together(make: Make, clock: FakeClock) -> None:
    budget = make(limit=101, window=1000.0)
    await prove(budget)
    admitted(await budget.admit(CALLER, Waiting("a", 54)))
    clock.advance(20)
    admitted(await budget.admit(CALLER, Waiting("b", 48)))
    # 101 calls for 54 + 48 jobs: they are spread evenly
    even = await pause_of(budget, Waiting("b", 48))
    assert even == pytest.approx(1000 / 101, rel=0.01)
    assert await pause_of(budget, Waiting("a", 54)) == even
    # one job less: all can have a look
    admitted(await budget.admit(CALLER, Waiting("a", 53)))
    # one process waits no more
    admitted(await budget.admit(CALLER, Waiting("a", 0)))
    admitted(await budget.admit(CALLER, Waiting("b", 101)))


async def test_a_process_that_is_silent_is_forgotten(make: Make, clock: FakeClock) -> None:
    budget = make(limit=1000)
    await prove(budget)
    admitted(await budget.admit(CALLER, Waiting("a", 2000)))
    wait = Waiting("b", 1)
    assert await pause_of(budget, wait) == pytest.approx(DAY / 1000, rel=0.01)
    clock.advance(FORGOTTEN_AFTER - 1)
    admitted(await budget.admit(CALLER, wait))
    assert await pause_of(budget, wait) == pytest.approx(DAY / 1000, rel=0.02)
    clock.advance(1)
    admitted(await budget.admit(CALLER, wait))


async def test_the_process_whose_look_is_due_for_longest_goes_first(
    make: Make, clock: FakeClock
) -> None:
    budget = make(limit=11, window=1000.0)
    await prove(budget)
    admitted(await budget.admit(CALLER, Waiting("a", 20)))
    first, second = Waiting("a", 20, overdue=3.0), Waiting("b", 20, overdue=5.0)
    alone = await pause_of(budget, first)
    rest = await pause_of(budget, second)
    assert rest == alone
    assert await pause_of(budget, first) == pytest.approx(1.05 * rest)
    clock.advance(rest)
    assert isinstance(await budget.admit(CALLER, first), NotYet)
    admitted(await budget.admit(CALLER, second))
    # it has had its look: the other one is first, also by a look that is due only now
    rest = await pause_of(budget, first)
    assert await pause_of(budget, Waiting("b", 20)) == pytest.approx(1.05 * rest)
    # and one that does not come back holds nobody up for long
    clock.advance(1.06 * rest)
    admitted(await budget.admit(CALLER, Waiting("b", 20)))


async def test_a_wait_of_no_jobs_is_paced_as_one(make: Make) -> None:
    budget = make(limit=3, window=100.0)
    await prove(budget)
    admitted(await budget.admit(CALLER, None))
    assert await budget.admit(CALLER, Waiting("a", 0)) == NotYet(100.0)


async def test_a_grant_dated_in_the_future_holds_no_one_up(make: Make, clock: FakeClock) -> None:
    budget = make(limit=10)
    await prove(budget)
    clock.advance(400 * DAY)
    admitted(await budget.admit(CALLER, Waiting("a", 1)))
    clock.advance(-400 * DAY)
    admitted(await budget.admit(CALLER, Waiting("a", 1)))
    assert 0 < await pause_of(budget, Waiting("a", 1)) <= LONGEST_PAUSE


async def test_keys_no_longer_in_use_are_forgotten(make: Make, clock: FakeClock) -> None:
    budget = make(limit=5, window=1000.0)
    for number in range(3):
        caller = Caller.of(f"key {number}", SITE)
        await prove(budget, caller)
        admitted(await budget.admit(caller, Waiting("a", 1)))
        clock.advance(500)
    clock.advance(100)
    admitted(await budget.admit(CALLER, None))
    keys = ["key 0", "key 1", "key 2", KEY, None]
    assert [await budget.remaining(key) for key in keys] == [5, 5, 3, 4, 3]


# -- the guard


async def test_before_its_first_good_answer_a_key_has_few_calls_under_way(make: Make) -> None:
    budget = make()
    calls = [admitted(await budget.admit(CALLER, None)) for _ in range(10)]
    assert len(set(calls) - {0}) == 10
    assert await budget.admit(CALLER, None) == BUSY
    await budget.settle(CALLER, calls[0], Verdict.FAULT)
    await budget.settle(CALLER, calls[1], Verdict.NOTHING)
    calls.append(admitted(await budget.admit(CALLER, None)))
    assert await budget.admit(CALLER, None) == BUSY
    assert await budget.remaining(KEY) == 1000 - 11
    await budget.settle(CALLER, calls[2], Verdict.GOOD)
    assert [admitted(await budget.admit(CALLER, None)) for _ in range(50)] == [0] * 50


async def test_the_tenth_fault_closes_the_door_and_cool_downs_grow(
    make: Make, clock: FakeClock
) -> None:
    budget = make()
    await fail(budget, 10)
    for faults, cool_down in enumerate([60.0, 240.0, 960.0, 3840.0, 15360.0, 61440.0], 10):
        assert await budget.admit(CALLER, None) == Closed(cool_down, faults)
        clock.advance(cool_down - 0.5)
        assert await budget.admit(CALLER, None) == Closed(0.5, faults)
        clock.advance(0.5)
        probe = admitted(await budget.admit(CALLER, None))
        assert await budget.admit(CALLER, None) == BUSY
        await budget.settle(CALLER, probe, Verdict.FAULT)
    assert await budget.admit(CALLER, None) == Closed(DAY, 16)
    clock.advance(DAY)
    await prove(budget)
    assert [admitted(await budget.admit(CALLER, None)) for _ in range(20)] == [0] * 20


async def test_a_refused_key_closes_the_door_at_once(make: Make, clock: FakeClock) -> None:
    budget = make()
    calls = [admitted(await budget.admit(CALLER, None)) for _ in range(5)]
    for call in calls:
        await budget.settle(CALLER, call, Verdict.REFUSED_KEY)
    # those under way when the first was refused do not close it for longer
    assert await budget.admit(CALLER, None) == Closed(60.0, 5)
    clock.advance(60)
    await fail(budget, 1)
    assert await budget.admit(CALLER, None) == Closed(240.0, 6)


async def test_a_proven_key_may_ask_for_unknown_jobs(make: Make) -> None:
    budget = make()
    await prove(budget)
    for _ in range(100):
        call = admitted(await budget.admit(CALLER, None))
        await budget.settle(CALLER, call, Verdict.DOUBTFUL)
    assert admitted(await budget.admit(CALLER, None)) == 0


async def test_a_key_not_proven_may_not(make: Make) -> None:
    budget = make()
    for _ in range(10):
        call = admitted(await budget.admit(CALLER, None))
        await budget.settle(CALLER, call, Verdict.DOUBTFUL)
    assert await budget.admit(CALLER, None) == Closed(60.0, 10)


async def test_a_proven_key_that_goes_bad_is_watched_until_a_good_answer(make: Make) -> None:
    budget = make()
    await prove(budget)
    assert [admitted(await budget.admit(CALLER, None)) for _ in range(5)] == [0] * 5
    for _ in range(4):
        await budget.settle(CALLER, 0, Verdict.FAULT)
    await budget.settle(CALLER, 0, Verdict.GOOD)
    calls = [admitted(await budget.admit(CALLER, None)) for _ in range(6)]
    assert await budget.admit(CALLER, None) == BUSY
    await budget.settle(CALLER, calls[0], Verdict.GOOD)
    assert [admitted(await budget.admit(CALLER, None)) for _ in range(20)] == [0] * 20


async def test_a_closed_door_is_told_of_before_a_shortage(make: Make) -> None:
    budget = make(limit=1)
    call = admitted(await budget.admit(CALLER, None))
    await budget.settle(CALLER, call, Verdict.REFUSED_KEY)
    assert await budget.admit(CALLER, None) == Closed(60.0, 1)


async def test_good_news_of_a_proven_key_needs_no_store(clock: FakeClock, tmp_path: Path) -> None:
    unreachable = SqliteBudget(tmp_path / "no-such-folder" / "calls.db", clock=clock)
    for verdict in (Verdict.GOOD, Verdict.NOTHING, Verdict.DOUBTFUL):
        await unreachable.settle(CALLER, 0, verdict)
    with pytest.raises(CallRefused):
        await unreachable.settle(CALLER, 0, Verdict.FAULT)


async def test_a_key_is_proven_for_one_endpoint(make: Make) -> None:
    budget = make()
    await prove(budget)
    assert admitted(await budget.admit(Caller.of(KEY, "https://elsewhere.invalid/"), None)) != 0


async def test_a_call_never_heard_of_again_counts_as_a_fault(make: Make, clock: FakeClock) -> None:
    budget = make()
    for _ in range(10):
        admitted(await budget.admit(CALLER, None))
    clock.advance(LOST_AFTER - 1)
    assert await budget.admit(CALLER, None) == BUSY
    clock.advance(1)
    assert await budget.admit(CALLER, None) == Closed(60.0, 10)


async def test_a_call_under_way_since_the_future_is_lost(make: Make, clock: FakeClock) -> None:
    budget = make()
    await fail(budget, 10)
    clock.advance(400 * DAY)
    admitted(await budget.admit(CALLER, None))
    clock.advance(-399.9 * DAY)
    assert await budget.admit(CALLER, None) == Closed(240.0, 11)


async def test_the_verdict_on_a_lost_call_may_still_come(make: Make, clock: FakeClock) -> None:
    budget = make()
    call = admitted(await budget.admit(CALLER, None))
    clock.advance(LOST_AFTER)
    admitted(await budget.admit(CALLER, None))
    await budget.settle(CALLER, call, Verdict.GOOD)
    assert admitted(await budget.admit(CALLER, None)) == 0


async def test_all_unproven_keys_of_an_endpoint_share_its_faults(
    make: Make, clock: FakeClock
) -> None:
    budget = make()
    good = Caller.of("a-good-key", SITE)
    await prove(budget, good)
    keys = [Caller.of(f"wrong key {number}", SITE) for number in range(4)]
    for caller in keys[:3]:
        await fail(budget, 6, caller)
        clock.advance(100)
    last = [admitted(await budget.admit(keys[3], None)) for _ in range(2)]
    assert await budget.admit(keys[0], None) == BUSY
    for call in last:
        await budget.settle(keys[3], call, Verdict.DOUBTFUL)
    for caller in keys:
        assert await budget.admit(caller, None) == Closed(SITE_WINDOW - 300, 20)
    # neither a proven key nor another endpoint is concerned
    assert admitted(await budget.admit(good, None)) == 0
    await fail(budget, 5, Caller.of("wrong key 0", "https://elsewhere.invalid/"))
    # its faults leave with a key that turns out to be right
    await budget.settle(keys[0], 1_000_000, Verdict.GOOD)
    assert admitted(await budget.admit(keys[1], None)) != 0
    await fail(budget, 3, keys[1])
    await fail(budget, 2, keys[2])
    assert await budget.admit(keys[3], None) == BUSY
    clock.advance(LOST_AFTER)
    assert await budget.admit(keys[3], None) == Closed(SITE_WINDOW - 200 - LOST_AFTER, 20)
    # and with time
    clock.advance(SITE_WINDOW - 200 - LOST_AFTER)
    admitted(await budget.admit(keys[3], None))


async def test_calls_under_way_of_a_key_that_was_proven_meanwhile_are_not_held_against_others(
    make: Make,
) -> None:
    budget = make()
    keys = [Caller.of(f"key {number}", SITE) for number in range(3)]
    calls = [admitted(await budget.admit(caller, None)) for caller in keys[:2] for _ in range(10)]
    assert await budget.admit(keys[2], None) == BUSY
    await budget.settle(keys[0], calls[0], Verdict.GOOD)
    assert admitted(await budget.admit(keys[2], None)) != 0


FAULTS = st.sampled_from([Verdict.DOUBTFUL, Verdict.FAULT, Verdict.REFUSED_KEY, None])


@pytest.mark.parametrize("restarting", [False, True])
@settings(max_examples=15, deadline=None)
@given(st.lists(FAULTS, min_size=1, max_size=8), st.integers(1, 3), st.integers(1, 30))
def test_wrong_keys_never_bring_25_faults_in_a_day(
    restarting: bool, verdicts: list[Verdict | None], keys: int, at_once: int
) -> None:
    """1000 calls that ask all day, each verdict in turn; None is a call that is never settled."""

    async def faults() -> list[float]:
        clock = FakeClock()
        path = f"{folder}/calls.db"
        budget = SqliteBudget(path, clock=clock) if restarting else MemoryBudget(clock=clock)
        out: list[float] = []
        under_way: list[tuple[Caller, int]] = []
        for number in range(1000):
            caller = Caller.of(f"wrong key {number % keys}", SITE)
            answer = await budget.admit(caller, None)
            if isinstance(answer, Admitted):
                out.append(clock.time())
                under_way.append((caller, answer.call))
            if len(under_way) >= at_once or isinstance(answer, NotYet):
                for number_of_verdict, (owner, call) in enumerate(under_way):
                    verdict = verdicts[(number + number_of_verdict) % len(verdicts)]
                    if verdict is not None:
                        await budget.settle(owner, call, verdict)
                under_way.clear()
                if restarting:
                    budget = SqliteBudget(path, clock=clock)
            clock.advance(DAY / 500)
        return out

    with tempfile.TemporaryDirectory() as folder:
        out = anyio.run(faults)
    assert max(sum(at <= later < at + DAY for later in out) for at in out) < 25
    assert len(out) >= 10 or Verdict.REFUSED_KEY in verdicts


# -- the stores agree

KEYS: Final = ("key 0", "key 1")
CALLERS: Final = (
    Caller.of(KEYS[0], "https://a"),
    Caller.of(KEYS[1], "https://a"),
    Caller.of(KEYS[0], "https://b"),
)


@dataclass(frozen=True)
class Admit:
    """Ask for a call; `jobs` is None for a direct one."""

    caller: Caller
    jobs: int | None


@dataclass(frozen=True)
class Settle:
    """Say what came of one of the calls so far."""

    number: int
    verdict: Verdict


@dataclass(frozen=True)
class Remaining:
    """Ask what is left."""

    key: str | None


@dataclass(frozen=True)
class Advance:
    """Let time pass, or set the clock back."""

    seconds: float


Step: TypeAlias = Admit | Settle | Remaining | Advance

STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.builds(Admit, st.sampled_from(CALLERS), st.none() | st.integers(0, 9))
    | st.builds(Settle, st.integers(0, 40), st.sampled_from(Verdict))
    | st.builds(Remaining, st.none() | st.sampled_from(KEYS))
    | st.builds(Advance, st.sampled_from([0.1, 7.0, 61.0, 130.0, 700.0, -20.0])),
    max_size=60,
)


async def answers(script: list[Step], clock: FakeClock, store: CallBudget) -> list[object]:
    """What a store says to each step; of a call only whether its outcome must be told."""
    said: list[object] = []
    out: list[tuple[Caller, int]] = []
    for step in script:
        match step:
            case Admit(caller, jobs):
                wait = None if jobs is None else Waiting(str(jobs % 2), jobs, overdue=7.0 * jobs)
                answer = await store.admit(caller, wait)
                if isinstance(answer, Admitted):
                    out.append((caller, answer.call))
                    said.append(answer.call != 0)
                else:
                    said.append(answer)
            case Remaining(key):
                said.append(await store.remaining(key))
            case Settle(number, verdict) if out:
                await store.settle(*out[number % len(out)], verdict)
            case Advance(seconds):
                clock.advance(seconds)
            case _:
                pass
    return said


def check_agreement(script: list[Step], kind: Make, limits: dict[str, Any]) -> None:
    """A store says to every step what one in memory says."""
    clocks = FakeClock(), FakeClock()
    memory, other = MemoryBudget(clock=clocks[0], **limits), kind(clock=clocks[1], **limits)
    expected = anyio.run(answers, script, clocks[0], memory)
    assert anyio.run(answers, script, clocks[1], other) == expected


def limits_of(limit: int, reserve: int) -> dict[str, Any]:
    return {"limit": limit, "reserve": min(reserve, limit - 1), "window": 500.0}


LIMITS: st.SearchStrategy[dict[str, Any]] = st.builds(
    limits_of, st.integers(1, 12) | st.integers(300, 400), st.integers(0, 3)
)


@settings(max_examples=100, deadline=None)
@given(STEPS, LIMITS)
def test_a_file_says_what_memory_says(script: list[Step], limits: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check_agreement(script, partial(SqliteBudget, f"{folder}/calls.db"), limits)


@settings(max_examples=100, deadline=None)
@given(script=STEPS, limits=LIMITS)
def test_redis_says_what_memory_says(
    redis_of_all_tests: RedisServer, script: list[Step], limits: dict[str, Any]
) -> None:
    redis_of_all_tests.empty()
    check_agreement(script, partial(RedisBudget, redis_of_all_tests.url), limits)


async def test_the_stores_agree_on_many_calls(make: Make, clock: FakeClock) -> None:
    memory_clock = FakeClock()
    script: list[Step] = [Admit(CALLERS[0], None), Settle(0, Verdict.GOOD)]
    for number in range(600):
        script += [Advance(0.3), Admit(CALLERS[0], None if number % 3 else number % 5)]
    limits: dict[str, Any] = {"limit": 620, "window": 500.0, "reserve": 10}
    expected = await answers(script, memory_clock, MemoryBudget(clock=memory_clock, **limits))
    assert await answers(script, clock, make(**limits)) == expected


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(1, 12))
def test_no_more_calls_than_the_limit_come_out_in_a_window(script: list[Step], limit: int) -> None:
    async def run() -> list[tuple[str, float]]:
        clock = FakeClock()
        store = MemoryBudget(limit=limit, window=500.0, clock=clock)
        out: list[tuple[str, float]] = []
        for step in script:
            if isinstance(step, Admit):
                if isinstance(await store.admit(step.caller, None), Admitted):
                    out.append((step.caller.account, clock.time()))
            else:
                await answers([step], clock, store)
        return out

    out = anyio.run(run)
    for account, at in out:
        of_the_key = [moment for other, moment in out if other == account]
        assert sum(at <= moment < at + 499.999 for moment in of_the_key) <= limit


# -- what only a file can do


def test_constructing_touches_no_file(path: Path) -> None:
    SqliteBudget(path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["", ":memory:"])
def test_a_path_that_is_no_file(name: str) -> None:
    with pytest.raises(ValueError, match=r"path must name a file, not '.*'; Memory"):
        SqliteBudget(name)


@pytest.mark.parametrize("name", ["calls\0.db", "calls\ud800.db"], ids=["NUL", "surrogate"])
def test_a_path_that_no_file_can_have(name: str) -> None:
    with pytest.raises(ValueError, match="path must be of characters that a file's name can have"):
        SqliteBudget(name)


def test_a_path_that_is_no_path() -> None:
    not_a_path: Any = 3
    with pytest.raises(TypeError, match="path must be a path, not int"):
        SqliteBudget(not_a_path)


async def test_counts_and_faults_outlive_the_process(path: Path, clock: FakeClock) -> None:
    await fail(SqliteBudget(path, clock=clock), 3)
    admitted(await SqliteBudget(path, clock=clock).admit(CALLER, None))
    again = SqliteBudget(str(path), clock=clock)
    assert await again.remaining(KEY) == 1000 - 4
    for _ in range(6):
        admitted(await again.admit(CALLER, None))
    assert await again.admit(CALLER, None) == BUSY


async def test_a_call_settled_twice_settles_no_other(path: Path, clock: FakeClock) -> None:
    budget = SqliteBudget(path, clock=clock)
    first = admitted(await budget.admit(CALLER, None))
    await budget.settle(CALLER, first, Verdict.NOTHING)
    assert admitted(await SqliteBudget(path, clock=clock).admit(CALLER, None)) != first


async def test_only_hashes_are_in_the_file(path: Path) -> None:
    budget = SqliteBudget(path)
    await fail(budget, 3)
    admitted(await budget.admit(CALLER, Waiting("process", 1)))
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert CALLER.account.encode() in written
    assert not [text for text in (KEY, SITE, "must-not-be-stored") if text.encode() in written]
    assert KEY not in repr(CALLER)
    assert KEY not in repr(budget)


async def test_the_file_stays_small(path: Path, clock: FakeClock) -> None:
    budget = SqliteBudget(path, limit=100, window=100.0, clock=clock)
    await prove(budget)
    for _ in range(500):
        clock.advance(1)
        admitted(await budget.admit(CALLER, None))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (100,)
        assert connection.execute("SELECT count(*) FROM marks").fetchone() == (0,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def a_newer_schema(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=2")


def a_database_of_something_else(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title)")


def another_with_our_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=1")


def no_database(path: Path) -> None:
    path.write_text("to be, or not to be: " * 100)


def a_torn_file(path: Path) -> None:
    anyio.run(prove, SqliteBudget(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (a_newer_schema, r"written by a newer dasp_async \(schema 2\): update this one"),
        (a_database_of_something_else, "a database of something else: give another path"),
        (another_with_our_version, "no such table: .*; see that it is a file of this package"),
        (no_database, "file is not a database; move it away to start a new one"),
        (a_torn_file, "malformed.*; move it away to start a new one"),
        (Path.mkdir, "unable to open database file; make its folder if there is none"),
    ],
)
async def test_a_file_that_cannot_keep_the_count(
    path: Path, spoil: Callable[[Path], None], text: str
) -> None:
    await anyio.to_thread.run_sync(spoil, path)
    budget = SqliteBudget(path)
    for ask in (
        lambda: budget.admit(CALLER, None),
        lambda: budget.settle(CALLER, 1, Verdict.NOTHING),
        budget.remaining,
    ):
        with pytest.raises(CallRefused, match=text) as caught:
            await ask()
        assert str(path) in str(caught.value)
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None


async def test_a_folder_that_is_missing_and_then_made(tmp_path: Path) -> None:
    budget = SqliteBudget(tmp_path / "new" / "calls.db", limit=3)
    with pytest.raises(CallRefused, match="unable to open database file; make its folder"):
        await budget.admit(CALLER, None)
    (tmp_path / "new").mkdir()
    admitted(await budget.admit(CALLER, None))
    assert await budget.remaining() == 2


def replace(path: Path, kept: Path) -> None:
    """Put something else in the place of a file, which is kept."""
    with closing(sqlite3.connect(path)) as ours, closing(sqlite3.connect(kept)) as copy:
        ours.backup(copy)
    path.with_name("new.db").write_text("no database" * 100)
    path.with_name("new.db").replace(path)


def mend(path: Path, kept: Path) -> None:
    """Put the kept file in its place again."""
    for file in path.parent.glob("calls.db*"):
        file.unlink()
    kept.rename(path)


async def test_a_file_spoilt_under_way_refuses_and_once_mended_counts_on(path: Path) -> None:
    budget = SqliteBudget(path)
    await prove(budget)
    kept = path.parent / "kept.db"
    replace(path, kept)
    with pytest.raises(CallRefused, match="file is not a database"):
        await budget.admit(CALLER, None)
    mend(path, kept)
    assert admitted(await budget.admit(CALLER, None)) == 0
    assert await budget.remaining() == 998


async def test_a_file_taken_away_under_way_is_noticed(path: Path) -> None:
    budget = SqliteBudget(path)
    await prove(budget)
    for file in list(path.parent.iterdir()):
        file.unlink()
    admitted(await budget.admit(CALLER, None))
    assert await SqliteBudget(path).remaining() == 999


async def test_a_locked_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "_BUSY_TIMEOUT", 0.05)
    budget = SqliteBudget(path)
    await prove(budget)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(
            CallRefused, match="is locked; end the process that keeps it locked"
        ) as caught:
            await budget.admit(CALLER, None)
        assert caught.value.transient
        other.execute("ROLLBACK")
        admitted(await budget.admit(CALLER, None))
    assert await budget.remaining() == 998


async def test_the_loop_runs_on_while_the_file_is_locked(path: Path) -> None:
    budget = SqliteBudget(path)
    await prove(budget)
    answers: list[Admission] = []

    async def ask() -> None:
        answers.append(await budget.admit(CALLER, None))

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
            for _ in range(1000):
                await anyio.lowlevel.checkpoint()
            assert answers == []
            assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
            other.execute("ROLLBACK")
    assert answers == [Admitted(0)] * 3


async def test_a_caller_cancelled_at_work_leaves_a_whole_step(path: Path) -> None:
    budget = SqliteBudget(path)
    await prove(budget)
    answers: list[Admission] = []

    async def ask() -> None:
        answers.append(await budget.admit(CALLER, None))

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            group.start_soon(ask)
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
            other.execute("ROLLBACK")
    # the one at work is told what it did; the one in the queue has done nothing
    assert answers == [Admitted(0)]
    assert await budget.remaining() == 998


async def test_a_step_that_breaks_off_leaves_nothing(
    path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = SqliteBudget(path, clock=clock)
    await prove(budget)

    def stopped() -> float:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(clock, "time", stopped)
        with pytest.raises(ZeroDivisionError):
            await budget.admit(CALLER, None)
    admitted(await budget.admit(CALLER, None))
    assert await budget.remaining() == 998


async def test_a_relative_path_stays_where_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    budget = SqliteBudget(path.name)
    await prove(budget)
    monkeypatch.chdir("/")
    admitted(await budget.admit(CALLER, None))
    assert await SqliteBudget(path).remaining() == 998


@pytest.mark.parametrize("backends", [("asyncio", "asyncio"), ("trio", "asyncio")])
def test_one_budget_serves_several_loops_in_turn_and_at_once(
    make: Make, backends: tuple[str, str]
) -> None:
    budget = make(limit=100)
    anyio.run(prove, budget)
    got: list[Admission] = []

    async def take() -> None:
        while isinstance(answer := await budget.admit(CALLER, None), Admitted):
            got.append(answer)

    threads = [
        threading.Thread(target=anyio.run, args=(take,), kwargs={"backend": backend})
        for backend in backends
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 99


async def test_a_process_opens_the_file_for_itself(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = SqliteBudget(path)
    await prove(budget)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 1)
        admitted(await budget.admit(CALLER, None))
    admitted(await budget.admit(CALLER, None))
    assert await budget.remaining() == 997


def test_sqlite_is_imported_when_first_used() -> None:
    program = (
        "import sys, dasp_async; dasp_async.SqliteBudget('x'); print('sqlite3' in sys.modules)"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert run.stdout.split() == ["False"]


async def test_a_process_that_asks_as_seldom_as_it_may_is_not_forgotten(
    make: Make, clock: FakeClock
) -> None:
    budget = make(limit=1000)
    await prove(budget)
    admitted(await budget.admit(CALLER, Waiting("a", 2000)))
    clock.advance(LONGEST_PAUSE)
    admitted(await budget.admit(CALLER, Waiting("b", 1)))
    assert await pause_of(budget, Waiting("b", 1)) == pytest.approx(DAY / 1000, rel=0.02)


async def test_an_endpoints_faults_are_forgotten_to_the_second(
    make: Make, clock: FakeClock
) -> None:
    budget = make()
    for number in range(4):
        await fail(budget, 5, Caller.of(f"wrong key {number}", SITE))
    clock.advance(SITE_WINDOW - 1)
    assert await budget.admit(CALLER, None) == Closed(1, 20)
    clock.advance(1)
    admitted(await budget.admit(CALLER, None))


def test_a_port_may_be_told_or_be_the_schemes_own() -> None:
    for scheme, port in (("https", 443), ("http", 80)):
        named = Caller.of(KEY, f"{scheme}://site.invalid:{port}/")
        assert Caller.of(KEY, f"{scheme}://site.invalid/") == named
        assert Caller.of(KEY, f"{scheme}://site.invalid:{port + 1}/") != named
