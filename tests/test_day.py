"""A day of waiting, simulated with the real code: what the budget promises comes true."""

from __future__ import annotations

from statistics import median

import pytest

from tests.bench.day import POLICIES, SCENARIOS, Job, Scenario, ours


# Two days of two thousand jobs are some work for a busy machine.
@pytest.mark.timeout(180)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_call_is_refused_no_end_unseen_and_nobody_else_sees_sooner_for_as_few_calls(
    scenario: Scenario,
) -> None:
    result = ours(scenario)
    assert result.refused == 0
    assert result.seen.keys() == set(range(len(scenario.jobs)))
    delay = median(result.delays(scenario).values())
    for policy in POLICIES.values():
        if policy is ours:
            continue
        other = policy(scenario)
        assert other.used > result.used or median(other.delays(scenario).values()) >= delay


@pytest.mark.parametrize(("jobs", "within"), [(50, 10.0), (300, 120.0), (500, 1200.0)])
def test_many_jobs_that_are_over_are_all_seen_soon(jobs: int, within: float) -> None:
    result = ours(Scenario("over", [Job(-1.0, 1.0)] * jobs))
    assert len(result.seen) == result.used == jobs
    assert max(result.seen.values()) < within
