"""The rules of a budget: what is let through, from a few numbers, and that waits can't run dry."""

from __future__ import annotations

import math
from bisect import bisect_left
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dasp_async import MemoryBudget, SqliteBudget
from dasp_async.budget import (
    Admitted,
    Caller,
    Closed,
    NotYet,
    UsedUp,
    Verdict,
    Waiting,
)
from dasp_async.budget.rules import (
    FIRST_COOL_DOWN,
    LONGEST_COOL_DOWN,
    LONGEST_PAUSE,
    MAX_FAULTS,
    MAX_SITE_FAULTS,
    SHORTEST_PAUSE,
    UNPROVEN_PAUSE,
    Limits,
    Risk,
    Standing,
    Supply,
    danger,
    is_watched,
    settled,
    shortage,
)
from dasp_async.testing import FakeClock

DAY = 86_400.0
CALLER = Caller.of("test-key", "https://test.invalid/")
PROVEN = Standing(proven=True)


def ahead(*, since_grant: float) -> dict[str, Any]:
    """Two calls left for four jobs, and another process has had a look due for longer."""
    return {"jobs": 4, "returns": [100.0], "since_grant": since_grant, "is_first": False}


@pytest.mark.parametrize(
    ("limit", "reserve", "is_wait", "changes", "refusal"),
    [
        # a direct call: to the last one, whatever was kept back for it
        (10, 9, False, {"used": 9}, None),
        (10, 0, False, {"used": 10, "returns": [7.0]}, UsedUp(7.0, 10, 10)),
        (10, 0, False, {"used": 12, "returns": [7.0]}, UsedUp(7.0, 10, 12)),
        # a wait: leaves the reserve, and the last call beyond it
        (10, 4, True, {"used": 6, "returns": [7.0, 8.0]}, UsedUp(7.0, 10, 6)),
        (10, 4, True, {"used": 7, "returns": [7.0, 8.0, 9.0]}, UsedUp(8.0, 10, 7)),
        (1, 0, True, {"used": 4000, "returns": [7.0, 8.0, 9.0]}, UsedUp(9.0, 1, 4000)),
        # ten must return, of which every second is told
        (291, 0, False, {"used": 300, "returns": [*range(7, 157)]}, UsedUp(12, 291, 300)),
        (10, 4, True, {"used": 5, "returns": [7.0]}, NotYet(7.0)),
        (10, 4, True, {"used": 5, "returns": [DAY]}, NotYet(LONGEST_PAUSE)),
        (10, 8, True, {"used": 0, "returns": []}, None),
        # one is used, two are left for four jobs: 100 s / (2 - 1 + 1)
        (3, 0, True, {"jobs": 4, "returns": [100.0], "since_grant": 50.0}, None),
        (3, 0, True, {"jobs": 4, "returns": [100.0], "since_grant": 20.0}, NotYet(20.0)),
        (3, 0, True, {"jobs": 4, "returns": [100.0], "since_grant": 49.5}, NotYet(1 / 3)),
        # what is not worth a sleep
        (3, 0, True, {"jobs": 4, "returns": [100.0], "since_grant": 49.9}, None),
        # the process whose look is due for longest is ahead by a twentieth of the pause
        (3, 0, True, ahead(since_grant=20.0), NotYet(20.0 + 0.05 * 40.0)),
        (3, 0, True, ahead(since_grant=50.0), NotYet(0.05 * 50.0)),
        (3, 0, True, ahead(since_grant=54.0), None),
        (3, 0, True, ahead(since_grant=math.inf), None),
        # no pause is too short to be told by a clock
        (10, 0, False, {"used": 10, "returns": [1e-9]}, UsedUp(SHORTEST_PAUSE, 10, 10)),
        (10, 4, True, {"used": 5, "returns": [1e-9]}, NotYet(SHORTEST_PAUSE)),
    ],
)
def test_which_calls_are_saved(
    limit: int, reserve: int, is_wait: bool, changes: dict[str, Any], refusal: object
) -> None:
    calm: dict[str, Any] = {
        "used": 1,
        "returns": [DAY],
        "since_grant": math.inf,
        "jobs": 1,
        "is_first": True,
    }
    limits = Limits.of(limit, DAY, reserve)
    assert shortage(Supply(**calm | changes), limits, is_wait=is_wait) == refusal


@pytest.mark.parametrize(
    ("standing", "changes", "refusal"),
    [
        (Standing(True, 10, 1, 65.0), {}, Closed(60.0, 10)),
        (Standing(True, 10, 1, 5.0), {}, None),
        (Standing(True, 10, 1), {"under_way": 1}, NotYet(UNPROVEN_PAUSE)),
        (Standing(), {"under_way": MAX_FAULTS - 1}, None),
        (Standing(), {"under_way": MAX_FAULTS}, NotYet(UNPROVEN_PAUSE)),
        (Standing(True, 4), {"under_way": 5}, None),
        (Standing(True, 4), {"under_way": 6}, NotYet(UNPROVEN_PAUSE)),
        (
            Standing(),
            {"site_faults": MAX_SITE_FAULTS, "site_return": 70.0},
            Closed(70.0, MAX_SITE_FAULTS),
        ),
        (Standing(), {"site_faults": 19, "site_under_way": 1}, NotYet(UNPROVEN_PAUSE)),
        (Standing(), {"site_faults": 18, "site_under_way": 1}, None),
        # no pause is too short to be told by a clock
        (Standing(True, 10, 1, 5 + 1e-9), {}, Closed(SHORTEST_PAUSE, 10)),
        (
            Standing(),
            {"site_faults": MAX_SITE_FAULTS, "site_return": 1e-9},
            Closed(SHORTEST_PAUSE, MAX_SITE_FAULTS),
        ),
    ],
)
def test_which_calls_are_dangerous(
    standing: Standing, changes: dict[str, Any], refusal: object
) -> None:
    calm: dict[str, Any] = {
        "under_way": 0,
        "site_faults": 0,
        "site_under_way": 0,
        "site_return": DAY,
    }
    assert danger(Risk(standing, **calm | changes), 5.0) == refusal


@pytest.mark.parametrize(
    ("before", "verdict", "after"),
    [
        (Standing(), Verdict.GOOD, PROVEN),
        (Standing(True, 12, 3, 999.0), Verdict.GOOD, PROVEN),
        (Standing(), Verdict.NOTHING, Standing()),
        (Standing(True, 9, 1, 7.0), Verdict.NOTHING, Standing(True, 9, 1, 7.0)),
        (Standing(), Verdict.DOUBTFUL, Standing(False, 1)),
        (PROVEN, Verdict.DOUBTFUL, PROVEN),
        (Standing(True, 9), Verdict.DOUBTFUL, Standing(True, 9)),
        (Standing(False, 8), Verdict.FAULT, Standing(False, 9)),
        (Standing(False, 9), Verdict.FAULT, Standing(False, 10, 1, 160.0)),
        (Standing(False, 9), Verdict.DOUBTFUL, Standing(False, 10, 1, 160.0)),
        (Standing(True, 9), Verdict.FAULT, Standing(True, 10, 1, 160.0)),
        (PROVEN, Verdict.REFUSED_KEY, Standing(True, 1, 1, 160.0)),
        # one probe after a cool-down, and the door is closed again
        (Standing(True, 1, 1, 100.0), Verdict.FAULT, Standing(True, 2, 2, 340.0)),
        # what was sent before the door closed, and came back after
        (Standing(False, 1, 1, 100.5), Verdict.FAULT, Standing(False, 2, 1, 100.5)),
        (Standing(False, 1, 1, 100.5), Verdict.REFUSED_KEY, Standing(False, 2, 1, 100.5)),
        (Standing(False, 10, 2), Verdict.FAULT, Standing(False, 11, 3, 1060.0)),
    ],
)
def test_how_a_key_stands_after_an_answer(
    before: Standing, verdict: Verdict, after: Standing
) -> None:
    assert settled(before, verdict, 100.0) == after


@given(st.integers(0, 5000))
def test_a_cool_down_is_four_times_the_one_before_and_a_day_at_most(closings: int) -> None:
    after = settled(Standing(closings=closings), Verdict.REFUSED_KEY, 0.0)
    longest = FIRST_COOL_DOWN * 4.0 ** min(closings, 10)
    assert after.closed_until == min(longest, LONGEST_COOL_DOWN)


def test_the_calls_of_a_proven_key_are_watched_while_it_has_faults() -> None:
    watched = [Standing(), Standing(True, 1), Standing(True, 1, 1)]
    assert [is_watched(standing) for standing in [*watched, PROVEN]] == [True] * 3 + [False]


@pytest.mark.parametrize("make", [MemoryBudget, partial(SqliteBudget, "unused.db")])
@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"limit": 0}, ValueError, "limit must be 1 or more; got 0"),
        ({"limit": 2.5}, TypeError, "limit must be a whole number, not float"),
        ({"limit": True}, TypeError, "limit must be a whole number, not bool"),
        ({"limit": None}, TypeError, "limit must be a whole number, not NoneType"),
        ({"reserve": -1}, ValueError, "reserve must be 0 or more; got -1"),
        ({"reserve": 1000}, ValueError, r"reserve must be less than limit \(1000\); got 1000"),
        ({"reserve": 0.5}, TypeError, "reserve must be a whole number, not float"),
        ({"window": 0}, ValueError, "window must be more than 0 seconds"),
        ({"window": timedelta(0)}, ValueError, "window must be more than 0 seconds"),
        ({"window": -1.0}, ValueError, "window must be a finite number of seconds"),
        ({"window": math.inf}, ValueError, "window must be a finite number of seconds"),
        ({"window": "day"}, TypeError, "window must be seconds or a timedelta, not str"),
    ],
)
def test_settings_that_make_no_sense(
    make: Any, settings: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make(**settings)


def test_a_window_may_be_a_timedelta() -> None:
    assert Limits.of(1, timedelta(hours=2), 0).window == 7200.0


async def greedy(limit: int, jobs: int, step: float, days: int) -> tuple[list[float], int, int]:
    """The moments at which waits were let through, asking as soon as they are told they may.

    Also how often they asked, and how often the answer was that no call is left.
    """
    clock = FakeClock()
    budget = MemoryBudget(limit=limit, clock=clock)
    first = await budget.admit(CALLER, None)
    assert isinstance(first, Admitted)
    await budget.settle(CALLER, first.call, Verdict.GOOD)
    clock.advance(DAY)
    since = clock.time()
    grants: list[float] = []
    asked = used_up = 0
    while clock.time() < since + days * DAY:
        asked += 1
        match await budget.admit(CALLER, Waiting("process", jobs)):
            case Admitted():
                grants.append(clock.time() - since)
                clock.advance(step)
            case NotYet(pause):
                clock.advance(pause)
            case _:
                used_up += 1
                clock.advance(1.0)
    return grants, asked, used_up


@settings(max_examples=10, deadline=None)
@given(st.integers(10, 300), st.integers(1, 600), st.sampled_from([0.0, 2.0, 60.0]))
@example(1000, 1, 0.0)
@example(1000, 2000, 0.0)
@example(1000, 500, 0.0)
@example(10, 1, 0.0)
@example(10, 2000, 2.0)
def test_endless_demand_neither_runs_dry_nor_stalls(limit: int, jobs: int, step: float) -> None:
    grants, asked, used_up = anyio.run(greedy, limit, jobs, step, 2)
    assert used_up == 0
    # A moment's slack: a clock of seconds since 1970 rounds to a quarter of a microsecond.
    in_a_day = [bisect_left(grants, at + DAY - 1e-5) - n for n, at in enumerate(grants)]
    assert max(in_a_day) <= limit
    for day in range(2):
        used = sum(day * DAY <= at < (day + 1) * DAY for at in grants)
        assert used >= 0.9 * limit
    # To ask, to ask when told, and again where the clock rounds: nobody asks in small steps.
    assert asked <= 3 * len(grants) + 2 * DAY / LONGEST_PAUSE + 1


def test_few_jobs_are_hardly_slowed() -> None:
    grants, _, _ = anyio.run(greedy, 1000, 10, 2.0, 1)
    pauses = [after - before for before, after in pairwise(grants)]
    assert [pauses[n] for n in (0, 100)] == pytest.approx([2.0, 2.0])
    assert sum(at < 3600 for at in grants) > 300


def test_endless_demand_comes_to_an_even_pace() -> None:
    grants, _, _ = anyio.run(greedy, 1000, 10, 2.0, 3)
    pauses = [after - before for before, after in pairwise(grants) if after > 2 * DAY]
    assert max(pauses) < 2 * DAY / 1000
