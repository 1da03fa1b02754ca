"""Whether a call may be made: pure functions of a few numbers, the same for every store.

**Pacing.** Let R be the calls left to waits, A the jobs waited for, t the seconds since these waits
began, and h the seconds until the oldest call leaves the window. The next look comes no sooner
after the one before than

    min(2·t, h) / R    while R > A: calls are plentiful, and the pauses grow with the wait
    h / (R - 1)        from R ≤ A on: what is left is spread evenly until calls return
    never              for R = 1: the oldest call must return first

*It can't run dry.* A grant needs R ≥ 2: the first line holds only for R > A ≥ 1, the second divides
by R - 1. So waits never take the last call, whatever A, t and h do meanwhile, and however many
processes share the count, each grant being one atomic step on it. (A budget of a single call is
the exception: it is granted when none has been made.)

*It does not stall either.* In the second line the pauses between grants are equal: if e of h have
passed when it is met, e = (h - e) / (R - 1), so e = h / R, and the next pause is that of R - 1
calls over h - h / R, which is h / R again.

*It delays no more than it must.* With few calls used, 2·t / R is far below any schedule's pause:
with 900 calls left after an hour it is 8 s for all jobs together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Self

from dasp_async.budget.contract import Admission, Closed, NotYet, UsedUp, Verdict
from dasp_async.clock import seconds

PLENTY_FACTOR: Final = 2.0

MAX_FAULTS: Final = 10
MAX_SITE_FAULTS: Final = 20
SITE_WINDOW: Final = 86_400.0
FIRST_COOL_DOWN: Final = 60.0
COOL_DOWN_FACTOR: Final = 4.0
LONGEST_COOL_DOWN: Final = SITE_WINDOW

# A call whose outcome was never told, because its process died, counts as a fault from then on.
LOST_AFTER: Final = 120.0
# How soon to ask again while calls of a key not yet proven are under way.
UNPROVEN_PAUSE: Final = 0.1
# Shorter pauses are less than a clock of seconds since 1970 can tell apart.
SHORTEST_PAUSE: Final = 0.001

# A process that waits asks this often at least, and is forgotten when it has not for twice as long.
LONGEST_PAUSE: Final = 300.0
FORGOTTEN_AFTER: Final = 2 * LONGEST_PAUSE


def pace(*, left: float, jobs: int, waited: float, until_return: float) -> float:
    """The least seconds between a wait's grant and the one before; infinite for none.

    left: calls that waits may still take. jobs: waited for, at least 1. waited: seconds since
    the first of these waits began. until_return: seconds until the oldest call is free again.
    """
    if left > jobs:
        return min(PLENTY_FACTOR * waited, until_return) / left
    return until_return / (left - 1) if left > 1 else math.inf


def rest(
    *, left: float, jobs: int, waited: float, until_return: float, since_grant: float
) -> float:
    """The seconds until `pace` is met; infinite if only a call's return can meet it.

    Meanwhile t grows and h shrinks, so the moment is solved for: asking again and again would
    come near it only step by step.
    """
    if left <= 1:
        return math.inf
    least = pace(left=left, jobs=jobs, waited=waited, until_return=until_return)
    if since_grant >= least:
        return 0.0
    is_plenty = left > jobs
    parts = left if is_plenty else left - 1
    as_h_shrinks = (until_return - parts * since_grant) / (parts + 1)
    if is_plenty and left > PLENTY_FACTOR:
        as_t_grows = (PLENTY_FACTOR * waited - left * since_grant) / (left - PLENTY_FACTOR)
        return min(as_h_shrinks, as_t_grows)
    return as_h_shrinks


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands with the service.

    proven: whether it ever got a good answer. faults: since the last one. closings: how often
    the door was closed since then. closed_until: seconds since 1970.
    """

    proven: bool = False
    faults: int = 0
    closings: int = 0
    closed_until: float = 0.0


def is_watched(standing: Standing) -> bool:
    """Whether the outcome of a key's calls must be known, so that few are made meanwhile."""
    return standing != Standing(proven=True)


def settled(standing: Standing, verdict: Verdict, now: float) -> Standing:
    """How a key stands after an answer.

    | the answer | the key |
    | --- | --- |
    | a result | is proven, its faults are forgotten, the door is open |
    | a fault | has one fault more; the tenth closes the door, and after it each one |
    | a doubtful fault | the same, unless the key is proven: then nothing |
    | a fault about the account | has one fault more, and the door closes |
    | anything else | as before |

    The door closes for a minute, and four times as long each further time, up to a day. A fault
    that comes while it is closed was sent before, and does not close it for longer.
    """
    if verdict is Verdict.GOOD:
        return Standing(proven=True)
    if verdict is Verdict.NOTHING or (verdict is Verdict.DOUBTFUL and standing.proven):
        return standing
    standing = replace(standing, faults=standing.faults + 1)
    enough = standing.faults >= MAX_FAULTS or standing.closings or verdict is Verdict.REFUSED_KEY
    return _closed(standing, now) if enough and standing.closed_until <= now else standing


def _closed(standing: Standing, now: float) -> Standing:
    cool_down = FIRST_COOL_DOWN
    for _ in range(standing.closings):
        cool_down = min(cool_down * COOL_DOWN_FACTOR, LONGEST_COOL_DOWN)
    return replace(standing, closings=standing.closings + 1, closed_until=now + cool_down)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a store knows of a caller at one moment; durations are in seconds.

    under_way: its calls whose outcome is not known yet and matters. site_faults: faults in the
    last day of all keys of its endpoint that are not proven; site_under_way: their calls under
    way; site_return: until the oldest of those faults is forgotten. used: its calls in the
    window; until_return: until the oldest of them leaves it. since_grant: since the last look
    was granted, infinite if none was. jobs, waited: what is waited for, by all processes, and
    for how long.
    """

    standing: Standing
    under_way: int
    site_faults: int
    site_under_way: int
    site_return: float
    used: int
    until_return: float
    since_grant: float
    jobs: int
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a budget allows: `limit` calls in `window` seconds, `reserve` of them not to waits."""

    limit: float
    window: float
    reserve: int

    @classmethod
    def of(cls, limit: object, window: object, reserve: object) -> Self:
        """The limits as a caller gave them; raises `TypeError` or `ValueError` for nonsense."""
        calls = math.inf if limit == math.inf else _whole("limit", limit, least=1)
        kept_back = _whole("reserve", reserve, least=0)
        if kept_back >= calls:
            raise ValueError(f"reserve must be less than limit ({calls}); got {kept_back}")
        duration = seconds("window", window)
        if duration == 0:
            raise ValueError("window must be more than 0 seconds")
        return cls(limit=calls, window=duration, reserve=kept_back)


def _whole(name: str, value: object, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be {least} or more; got {value}")
    return value


def obstacle(ledger: Ledger, limits: Limits, *, is_wait: bool, now: float) -> Admission | None:
    """Why a call may not be made now; None if it may. The guard comes first, then the budget."""
    return _danger(ledger, now) or _shortage(ledger, limits, is_wait=is_wait)


def _danger(ledger: Ledger, now: float) -> Admission | None:
    standing = ledger.standing
    if standing.closed_until > now:
        return Closed(_pause(standing.closed_until - now), standing.faults)
    if not is_watched(standing):
        return None
    if ledger.site_faults >= MAX_SITE_FAULTS:
        return Closed(_pause(ledger.site_return), ledger.site_faults)
    # After a cool-down one call probes; otherwise all that are under way may turn out as faults.
    most = 1 if standing.closings else MAX_FAULTS - standing.faults
    is_full = ledger.site_faults + ledger.site_under_way >= MAX_SITE_FAULTS
    return NotYet(UNPROVEN_PAUSE) if is_full or ledger.under_way >= most else None


def _shortage(ledger: Ledger, limits: Limits, *, is_wait: bool) -> Admission | None:
    left = limits.limit - ledger.used - (limits.reserve if is_wait else 0)
    if left < 1:
        return UsedUp(_pause(ledger.until_return), int(limits.limit), ledger.used)
    if not is_wait or ledger.used == 0 or left == math.inf:
        return None
    pause = rest(
        left=left,
        jobs=ledger.jobs,
        waited=ledger.waited,
        until_return=ledger.until_return,
        since_grant=ledger.since_grant,
    )
    return NotYet(_pause(min(pause, ledger.until_return, LONGEST_PAUSE))) if pause > 0 else None


def _pause(pause: float) -> float:
    return max(pause, SHORTEST_PAUSE)
