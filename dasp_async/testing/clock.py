"""`FakeClock`, whose sleeps take no time."""

from __future__ import annotations

import heapq
import itertools
from typing import Final

import anyio
import anyio.lowlevel

from dasp_async.testing import checks

# Rounds of the event loop that a jump in time leaves to whatever else is ready to run.
_SETTLING_ROUNDS: Final = 25


class _Sleeper:
    """One who sleeps; `turn` is set once nobody wakes earlier."""

    __slots__ = ("gone", "turn", "until")

    def __init__(self, until: float) -> None:
        self.until = until
        self.turn = anyio.Event()
        self.gone = False


class FakeClock:
    """A clock that jumps to the next sleeper's time as soon as nothing else has work to do.

    An hour's wait takes no time with it, and its waits come in the order they would really
    have. Made for tests that stay in memory: it cannot see what a thread or a socket is doing,
    and may jump meanwhile. `anyio.fail_after` and the like go by real seconds, and so does
    an attempt's own time limit.

    start: seconds since 1970 at the clock's beginning; `monotonic` begins at 0.
    """

    def __init__(self, start: float = 1_767_225_600.0) -> None:
        checks.finite("start", start)
        self._start = start
        self._now = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, _Sleeper]] = []

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    def time(self) -> float:
        """Seconds since 1970."""
        return self._start + self._now

    def advance(self, seconds: float) -> None:
        """Let time pass without anyone sleeping.

        Less than 0 sets the time since 1970 back; `monotonic` stays where it is.
        """
        checks.finite("seconds", seconds)
        if seconds < 0:
            self._start += seconds
        else:
            self._now += seconds

    async def sleep(self, seconds: float) -> None:
        """Return once all who would wake earlier have, and nothing else is ready to run."""
        checks.finite("seconds", seconds)
        sleeper = _Sleeper(self._now + max(0.0, seconds))
        heapq.heappush(self._sleepers, (sleeper.until, next(self._order), sleeper))
        try:
            while not await self._settles_on(sleeper):
                await sleeper.turn.wait()
                sleeper.turn = anyio.Event()
            self._now = max(self._now, sleeper.until)
        finally:
            sleeper.gone = True
            while self._sleepers and self._sleepers[0][2].gone:
                heapq.heappop(self._sleepers)
            if self._sleepers:
                self._sleepers[0][2].turn.set()

    async def _settles_on(self, sleeper: _Sleeper) -> bool:
        """Let all else run; whether this sleeper is still the next to wake then."""
        for _ in range(_SETTLING_ROUNDS):
            if self._sleepers[0][2] is not sleeper:
                return False
            await anyio.lowlevel.checkpoint()
        return self._sleepers[0][2] is sleeper
