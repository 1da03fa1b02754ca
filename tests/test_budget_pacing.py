"""The pace of waits: the rule as it is written down, and that its moment is found exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dasp_async.budget.pacing import MOST_RETURNS, rest, stride

DAY = 86_400.0


def even(left: int, returns: Sequence[float]) -> float:
    return max(until / (left - 1 + k) for k, until in enumerate(returns, 1))


def pace(left: int, jobs: int, returns: Sequence[float]) -> float:
    """The least pause, as the module's docstring has it."""
    ages = [DAY - until for until in returns]
    limit = left + len(returns)
    weight = sum((age + 300) * (1 - age / DAY) ** 2 for age in ages)
    spent = 20 * len(returns) / (limit**2 * left) * weight
    return even(left, returns) if jobs > limit else min(even(left, returns), spent)


RETURNS = st.lists(st.floats(1.0, DAY), min_size=1, max_size=60).map(sorted)


@given(st.integers(2, 1000), st.integers(1, 2000), RETURNS, st.floats(0, 1.5))
def test_the_moment_is_found(left: int, jobs: int, returns: list[float], share: float) -> None:
    least = pace(left, jobs, returns)
    since_grant = share * least
    seconds = rest(
        left=left,
        jobs=jobs,
        returns=returns,
        every=1,
        window=DAY,
        since_grant=since_grant,
    )
    if since_grant >= least:
        assert seconds <= 1e-6
        return
    assert seconds > -1e-6
    # Calls age meanwhile, which is allowed for by their speed now.
    later = pace(left, jobs, [until - seconds for until in returns if until > seconds] or [0.0])
    assert seconds <= returns[0] or seconds <= even(left, returns)
    if seconds <= returns[0]:
        assert since_grant + seconds == pytest.approx(later, rel=0.05, abs=0.01)


@given(st.integers(1, 2000), RETURNS, st.floats(0, 10 * DAY))
def test_the_last_call_is_never_given(jobs: int, returns: list[float], since_grant: float) -> None:
    for left in (-3, 0, 1):
        assert math.inf == rest(
            left=left, jobs=jobs, returns=returns, every=1, window=DAY, since_grant=since_grant
        )


@given(st.integers(2, 500), RETURNS)
def test_an_even_spread_can_be_kept_until_all_calls_have_returned(
    left: int, returns: list[float]
) -> None:
    pause = even(left, returns)
    # The n-th look from now on comes after n pauses; a hair later, for what floats round.
    for look in range(1, left + len(returns)):
        returned = sum(until <= look * pause * (1 + 1e-12) for until in returns)
        assert left - look + returned >= 0


@pytest.mark.parametrize(("used", "every"), [(0, 1), (250, 1), (251, 2), (50_000, 200)])
def test_of_many_calls_only_some_are_looked_at(used: int, every: int) -> None:
    assert stride(used) == every
    assert used // every <= MOST_RETURNS


@pytest.mark.parametrize("jobs", [1, 300, 5000])
def test_some_of_many_calls_say_what_all_say(jobs: int) -> None:
    returns = [DAY * (n / 10_000) ** 2 for n in range(1, 10_001)]

    def seconds(every: int) -> float:
        return rest(
            left=900,
            jobs=jobs,
            returns=returns[::every],
            every=every,
            window=DAY,
            since_grant=0.5,
        )

    assert seconds(10) == pytest.approx(seconds(1), rel=0.02)


@pytest.mark.parametrize("jobs", [1, 500])
def test_a_call_dated_in_the_future_is_as_if_it_were_new(jobs: int) -> None:
    def seconds(until_return: float) -> float:
        return rest(
            left=9,
            jobs=jobs,
            returns=[DAY / 2, until_return],
            every=1,
            window=DAY,
            since_grant=0.0,
        )

    assert seconds(365 * DAY) == seconds(DAY)
