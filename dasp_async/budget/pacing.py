"""When the next look may be made, so that waits never use a budget up: a pure function.

Of L calls in any window W, let R be left to waits and U = L - R be used, the k-th oldest of these
a_k seconds old, so that it is free again in r_k = W - a_k seconds. A jobs are waited for. The next
look comes no sooner after the one before than

    min(even, spent)    while A <= L
    even                while A > L: not every job can have a look in one window
    never               while R < 2

    even  = max over k of r_k / (R - 1 + k)
    spent = 20 · U / (L² · R) · sum over k of (a_k + W / 288) · (1 - a_k / W)²

*It can't run dry.* A grant needs R >= 2, so waits never take the last call, whatever else is asked
for, and however many processes share the count, each grant being one atomic step on it. (A budget
that leaves waits a single call is the exception: it is granted when none has been made.)

*It does not stall.* `even` is the least pause that can be kept for ever. At the return of the k-th
call, n = r_k / even looks have been made since now, and n <= R - 1 + k by its definition, so that
R - n + k >= 1 are left; and as the newest call is about W from its return, `even` is never much
less than W / (L - 1), the pause at which one's own calls return as fast as they are made. While
R >= 2 no pause is longer than `even`, but for the twentieth by which one process lets another go
first; so with endless demand all but a few of the L calls are used in every window.

*It delays no more than it must.* While few calls were used `spent` is below any schedule's pauses:
with 100 of 1000 calls used it is 3 s at the most. It grows with what was used and how long ago: of
many jobs that begin at once each is looked at often while it is young and a delay matters, then
ever more seldom; and a steady stream of jobs comes to an even pace before it has used up what later
ones need. A call counts as W / 288 old at least (five minutes of a day), or a crowd would spend all
on its first looks. It counts for less as it nears its return, so that a rush at the same hour of
every day is not held up by the day before's.

The numbers were chosen by simulating 17 scenarios like those in `tests/bench/day.py`; a fifth less
or more changes the geometric mean of the delays by less than a twentieth. Two rules did worse:
2·t / R with t since the waits began, which begins anew whenever nobody waits and so spends a day's
calls in its first hours (a median delay of three hours instead of seven minutes with 300 jobs
spread over a day); and `even` from R <= A on, or (A / R)³ · even, which let hundreds of jobs that
are over already wait for their first look for hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

SPENT_FACTOR: Final = 20.0
# A call counts as that part of the window old at least.
LEAST_AGE: Final = 1 / 288

# Of more calls only the first of every two, three or so are looked at, which says nearly the same.
MOST_RETURNS: Final = 250


def stride(used: int) -> int:
    """Of how many calls in a row `rest` is to be told the first."""
    return max(1, math.ceil(used / MOST_RETURNS))


def rest(
    *,
    left: float,
    jobs: int,
    returns: Sequence[float],
    every: int,
    window: float,
    since_grant: float,
) -> float:
    """The seconds until the pause is long enough, less than 0 since it was.

    Infinite if a call must return first.

    left: calls that waits may still take. jobs: how many are waited for. returns: the seconds
    until a call leaves the window, oldest first, for the first of `every` calls each.
    since_grant: seconds since the last look was granted.

    Meanwhile calls age and their returns come nearer, so the moment is solved for: asking again
    and again would come near it only step by step.
    """
    if left < 2:
        return math.inf
    # A call that is dated in the future, before the clock was set back, is as if it were new.
    shares = [min(1.0, until_return / window) for until_return in returns]
    spread = max(
        (kept * window - (left + every * n) * since_grant) / (left + every * n + 1)
        for n, kept in enumerate(shares)
    )
    used = every * len(returns)
    if jobs > left + used:
        return spread
    weight = growth = 0.0
    for kept in shares:
        age = 1 - kept + LEAST_AGE
        weight += age * kept**2
        growth += kept * (kept - 2 * age)
    scale = SPENT_FACTOR * used * every / ((left + used) ** 2 * left)
    spent = scale * weight * window - since_grant
    if spent > 0:
        spent = spent / (1 - scale * growth) if scale * growth < 1 else math.inf
    return min(spread, spent)
