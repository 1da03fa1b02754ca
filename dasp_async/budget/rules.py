"""Whether a call may be made: pure functions of a few numbers, the same for every store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple, Self

from dasp_async.arguments import seconds, whole
from dasp_async.budget.contract import Admission, Closed, NotYet, UsedUp, Verdict
from dasp_async.budget.pacing import rest, stride

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
# Shorter pauses between looks are not worth a sleep.
LEAST_PAUSE: Final = 0.1
# Shorter ones still are less than a clock of seconds since 1970 can tell apart.
SHORTEST_PAUSE: Final = 0.001

# By how much of the pause between looks a process lets another go first whose look is due for
# longer; a share, since that one may be gone.
LATER_SHARE: Final = 0.05

# A process that waits asks this often at least, and is forgotten when it has not for twice as long.
LONGEST_PAUSE: Final = 300.0
FORGOTTEN_AFTER: Final = 2 * LONGEST_PAUSE


class Standing(NamedTuple):
    """How a key stands with the service.

    proven: whether it ever got a good answer. faults: since the last one. closings: how often
    the door was closed since then. closed_until: seconds since 1970.
    """

    proven: bool = False
    faults: int = 0
    closings: int = 0
    closed_until: float = 0.0


_GOOD: Final = Standing(proven=True)


def is_watched(standing: Standing) -> bool:
    """Whether the outcome of a key's calls must be known, so that few are made meanwhile."""
    return standing is not _GOOD and standing != _GOOD


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
        return _GOOD
    if verdict is Verdict.NOTHING or (verdict is Verdict.DOUBTFUL and standing.proven):
        return standing
    standing = standing._replace(faults=standing.faults + 1)
    enough = standing.faults >= MAX_FAULTS or standing.closings or verdict is Verdict.REFUSED_KEY
    return _closed(standing, now) if enough and standing.closed_until <= now else standing


def _closed(standing: Standing, now: float) -> Standing:
    cool_down = FIRST_COOL_DOWN
    for _ in range(standing.closings):
        cool_down = min(cool_down * COOL_DOWN_FACTOR, LONGEST_COOL_DOWN)
    return standing._replace(closings=standing.closings + 1, closed_until=now + cool_down)


class Risk(NamedTuple):
    """What a store knows at one moment of a caller whose calls are watched.

    under_way: its calls whose outcome is not known yet. site_faults: faults in the last day of
    all keys of its endpoint that are not proven; site_under_way: their calls under way;
    site_return: seconds until the oldest of those faults is forgotten.
    """

    standing: Standing
    under_way: int
    site_faults: int
    site_under_way: int
    site_return: float


class Supply(NamedTuple):
    """What a store knows at one moment of a caller's calls; durations are in seconds.

    used: its calls in the window; returns: until they leave it, oldest first: of the first of
    each `stride`, but of the oldest alone for a direct call that has one left. since_grant: since
    the last look was granted, infinite if none was. jobs: how many are waited for, by all
    processes. is_first: whether no other process has had a look due for longer.
    """

    used: int
    returns: Sequence[float]
    since_grant: float
    jobs: int
    is_first: bool


class Limits(NamedTuple):
    """What a budget allows: `limit` calls in `window` seconds, `reserve` of them not to waits."""

    limit: float
    window: float
    reserve: int

    @classmethod
    def of(cls, limit: object, window: object, reserve: object) -> Self:
        """The limits as a caller gave them; raises `TypeError` or `ValueError` for nonsense."""
        calls = (
            math.inf
            if isinstance(limit, float) and limit == math.inf
            else whole("limit", limit, least=1)
        )
        kept_back = whole("reserve", reserve, least=0)
        if kept_back >= calls:
            raise ValueError(f"reserve must be less than limit ({calls}); got {kept_back}")
        duration = seconds("window", window)
        if duration == 0:
            raise ValueError("window must be more than 0 seconds")
        return cls(limit=calls, window=duration, reserve=kept_back)


def danger(risk: Risk, now: float) -> Admission | None:
    """Why a call that is watched could lock the address out; None if it can't."""
    standing = risk.standing
    if standing.closed_until > now:
        return Closed(_pause(standing.closed_until - now), standing.faults)
    if risk.site_faults >= MAX_SITE_FAULTS:
        return Closed(_pause(risk.site_return), risk.site_faults)
    # After a cool-down one call probes; otherwise all that are under way may turn out as faults.
    most = 1 if standing.closings else MAX_FAULTS - standing.faults
    is_full = risk.site_faults + risk.site_under_way >= MAX_SITE_FAULTS
    return NotYet(UNPROVEN_PAUSE) if is_full or risk.under_way >= most else None


def shortage(supply: Supply, limits: Limits, *, is_wait: bool) -> Admission | None:
    """Why a call must be saved, if there is a limit; None if it may be made."""
    left = limits.limit - supply.used - (limits.reserve if is_wait else 0)
    if supply.used == 0:
        return None
    every = stride(supply.used)
    if left < 1:
        # With a reserve, or a limit that was lowered, several must return before one is left.
        last = min(math.ceil(-left / every), len(supply.returns) - 1)
        return UsedUp(_pause(supply.returns[last]), int(limits.limit), supply.used)
    if not is_wait:
        return None
    pause = rest(
        left=left,
        jobs=supply.jobs,
        returns=supply.returns,
        every=every,
        window=limits.window,
        since_grant=supply.since_grant,
    )
    if not supply.is_first and supply.since_grant < math.inf:
        pause += LATER_SHARE * (supply.since_grant + pause)
    if pause <= LEAST_PAUSE:
        return None
    return NotYet(_pause(min(pause, supply.returns[0], LONGEST_PAUSE)))


def _pause(pause: float) -> float:
    return max(pause, SHORTEST_PAUSE)
